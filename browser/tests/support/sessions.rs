//! What the pages about sessions show.

use thirtyfour::By;

use super::Browser;

impl Browser {
    /// The devices of a table of sessions, from the top.
    pub async fn devices(&self) -> Vec<String> {
        let links = self
            .driver
            .find_all(By::Css("table.sessions tbody th a"))
            .await;
        let mut devices = Vec::new();
        for link in links.unwrap() {
            devices.push(link.text().await.unwrap());
        }
        devices
    }

    /// The badge beside the device of this name, where there is one.
    pub async fn badge_of(&self, device: &str) -> Option<String> {
        let path = format!("//a[normalize-space()={device:?}]/following-sibling::*");
        let badges = self.driver.find_all(By::XPath(path)).await.unwrap();
        match badges.first() {
            Some(badge) => Some(badge.text().await.unwrap()),
            None => None,
        }
    }
}
