//! Everything can be done with the keyboard alone, and one always sees where one is.

use thirtyfour::Key;

use crate::support::{Browser, Demo};

#[tokio::test(flavor = "multi_thread")]
async fn one_signs_in_and_out() {
    let demo = Demo::start().await;
    let browser = Browser::open(&demo).await;
    browser.tab_to("User name").await;
    browser.keys("alice").await;
    browser.tab_to("Password").await;
    browser.keys("alice-password").await;
    browser.keys(Key::Enter).await;
    browser.shows("Welcome, alice").await;
    browser.tab_to("Sign out").await;
    browser.keys(Key::Enter).await;
    browser.shows("You are signed out.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_the_content_is_short() {
    let demo = Demo::start().await;
    let browser = Browser::signed_in(&demo, "alice").await;
    browser.visit("/").await;
    browser.keys(Key::Tab).await;
    assert_eq!(browser.focus().await, "Skip to the content");
    browser.keys(Key::Enter).await;
    browser.keys(Key::Tab).await;
    assert_eq!(browser.focus().await, "The title of a new article");
}
