//! Every page, in every look: nothing that axe-core, the browser or the page's own policy has to say against it, and
//! nothing to scroll sideways on the narrowest of screens. Screenshots of all of them are a by-product.

use crate::support::{Browser, Demo};

#[tokio::test(flavor = "multi_thread")]
async fn of_the_demo() {
    let demo = Demo::start().await;
    let browser = Browser::open(&demo).await;
    browser.inspect("demo-sign-in").await;
    browser.fill("User name", "alice").await;
    browser.fill("Password", "wrong").await;
    browser.press("Sign in").await;
    browser.shows("do not belong together").await;
    browser.inspect_answer("demo-sign-in-refused", 401).await;
    browser.visit("/about").await;
    browser.inspect("demo-about").await;
    browser.visit("/nowhere").await;
    browser.inspect_answer("demo-error", 404).await;
    browser.visit("/").await;
    browser.sign_in("alice").await;
    browser.inspect("demo-home").await;
    browser.press("Sign out").await;
    browser.shows("You are signed out.").await;
    browser.inspect("demo-signed-out").await;
    let reader = Browser::signed_in(&demo, "bob").await;
    reader.inspect("demo-home-of-a-reader").await;
}
