//! The keyboard: where the focus is, and whether one can see it.

use serde_json::Value;
use thirtyfour::Key;
use tokio::time::Instant;

use super::{Browser, browser::PATIENCE};

/// More than any page has stops.
const STOPS: usize = 200;

/// The name of what has the focus, or what is wrong with it: it has to be marked, and on the screen.
const FOCUS: &str = "
    const focus = document.activeElement;
    if (focus === null || focus === document.body) return null;
    const style = getComputedStyle(focus);
    // Two pixels: what marks a field that was filled in wrongly is thinner.
    const marked = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const { top, left, bottom, right } = focus.getBoundingClientRect();
    const seen = right > 0 && bottom > 0 && left < innerWidth && top < innerHeight;
    const name = focus.getAttribute('aria-label') ?? focus.labels?.[0]?.textContent ?? focus.textContent;
    return { name: name.trim(), marked, seen, html: focus.outerHTML.slice(0, 200) };";

impl Browser {
    /// Presses Tab until this has the focus.
    pub async fn tab_to(&self, name: &str) {
        let mut names = Vec::new();
        for _ in 0..STOPS {
            self.keys(Key::Tab).await;
            match self.focused().await {
                Some(focus) if focus == name => return,
                Some(focus) => names.push(focus),
                None => {} // between the last stop and the first, where the browser's own are
            }
        }
        panic!(
            "Tab does not lead to {name:?} on {}: {names:?}",
            self.path().await
        );
    }

    /// The names of all that Tab leads to, until it leaves the page.
    pub async fn all_stops(&self) -> Vec<String> {
        let mut names = vec![self.first_stop().await];
        for _ in 0..STOPS {
            self.keys(Key::Tab).await;
            match self.focused().await {
                Some(focus) => names.push(focus),
                None => return names,
            }
        }
        panic!("Tab does not leave {}: {names:?}", self.path().await);
    }

    /// Presses Tab until it leads into the page: one that was just opened may not take keys yet, or have the focus on the
    /// browser's own controls.
    async fn first_stop(&self) -> String {
        let patience = Instant::now() + PATIENCE;
        loop {
            self.keys(Key::Tab).await;
            if let Some(focus) = self.focused().await {
                return focus;
            }
            assert!(
                Instant::now() < patience,
                "Tab leads nowhere on {}",
                self.path().await
            );
        }
    }

    /// The name of what has the focus.
    pub async fn focus(&self) -> String {
        self.focused().await.expect("something has the focus")
    }

    async fn focused(&self) -> Option<String> {
        let focus = self.run(FOCUS, vec![]).await;
        if focus == Value::Null {
            return None;
        }
        assert!(
            focus["marked"] == true && focus["seen"] == true,
            "one does not see where one is on {}: {focus:#}",
            self.path().await
        );
        Some(focus["name"].as_str().unwrap().to_owned())
    }
}
