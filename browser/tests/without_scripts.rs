//! No page needs a script, so all of them work where none may run.

use thirtyfour::By;

use crate::support::{Browser, Demo, FIREFOX_ON_WINDOWS, SAFARI_ON_IPHONE, Scripts};

async fn without_scripts(demo: &Demo) -> Browser {
    let browser = Browser::with(demo, Scripts::Off).await;
    // Otherwise nothing would be proved here.
    let page = "data:text/html,<title>off</title><script>document.title = 'on'</script>";
    browser.go_to(page).await;
    assert_eq!(browser.title().await, "off");
    browser.visit("/").await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn one_signs_in_and_out() {
    let demo = Demo::start().await;
    let browser = without_scripts(&demo).await;
    browser.sign_in("alice").await;
    browser
        .fill("The title of a new article", "No script")
        .await;
    browser.press("Publish").await;
    browser.shows("“No script” is published.").await;
    browser.press("Sign out").await;
    browser.shows("You are signed out.").await;
    browser.one(By::Css("form[action='/login']")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_ends_sessions_of_ones_own() {
    let demo = Demo::start().await;
    let _phone = Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await;
    let _desk = Browser::signed_in_as(&demo, "alice", FIREFOX_ON_WINDOWS).await;
    let browser = without_scripts(&demo).await;
    browser.sign_in("alice").await;
    browser.press("Devices").await;
    browser.press("Sign out Safari on iPhone").await;
    browser.shows("That device is signed out.").await;
    browser.press("Sign out all other devices").await;
    browser.shows("1 other device is signed out.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_filters_previews_and_ends() {
    let demo = Demo::start().await;
    let _phone = Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await;
    let browser = without_scripts(&demo).await;
    browser.sign_in("admin").await;
    browser.press("Sessions").await;
    browser.click("More filters").await;
    browser.fill("User agent contains", "iPhone").await;
    browser.press("Apply filters").await;
    assert_eq!(browser.devices().await, ["Safari on iPhone"]);
    browser.press("End these sessions…").await;
    browser.press("End 1 session").await;
    browser.shows("1 session has ended.").await;
    browser.visit("/admin/sessions/users/2").await;
    browser.click("Unlimited").await;
    browser.press("Save limit").await;
    browser.shows("The limit is saved.").await;
}
