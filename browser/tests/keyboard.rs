//! Everything can be done with the keyboard alone, and one always sees where one is.

use thirtyfour::Key;

use crate::support::{Browser, Demo, FIREFOX_ON_WINDOWS, SAFARI_ON_IPHONE};

/// A new browser in which this account is signed in, without a mouse.
async fn signed_in(demo: &Demo, name: &str) -> Browser {
    let browser = Browser::open(demo).await;
    browser.tab_to("User name").await;
    browser.keys(name).await;
    browser.tab_to("Password").await;
    browser.keys(format!("{name}-password")).await;
    browser.keys(Key::Enter).await;
    browser.shows(&format!("Welcome, {name}")).await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn one_signs_in_and_out() {
    let demo = Demo::start().await;
    let browser = signed_in(&demo, "alice").await;
    browser.tab_to("Sign out").await;
    browser.keys(Key::Enter).await;
    browser.shows("You are signed out.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_the_content_is_short() {
    let demo = Demo::start().await;
    let browser = Browser::signed_in(&demo, "admin").await;
    for (page, first) in [
        ("/", "The title of a new article"),
        ("/admin/sessions", "User"),
    ] {
        browser.visit(page).await;
        browser.keys(Key::Tab).await;
        assert_eq!(browser.focus().await, "Skip to the content");
        browser.keys(Key::Enter).await;
        browser.keys(Key::Tab).await;
        assert_eq!(browser.focus().await, first, "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_ends_a_session_of_ones_own() {
    let demo = Demo::start().await;
    let _phone = Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await;
    let browser = signed_in(&demo, "alice").await;
    browser.tab_to("Devices").await;
    browser.keys(Key::Enter).await;
    browser.shows("Your devices").await;
    browser.tab_to("Sign out Safari on iPhone").await;
    browser.keys(Key::Space).await;
    browser.shows("That device is signed out.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_filters_previews_and_ends() {
    let demo = Demo::start().await;
    let _phone = Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await;
    let _desk = Browser::signed_in_as(&demo, "alice", FIREFOX_ON_WINDOWS).await;
    let browser = signed_in(&demo, "admin").await;
    browser.tab_to("Sessions").await;
    browser.keys(Key::Enter).await;
    browser.shows("Sessions, newest first").await;
    browser.tab_to("More filters").await;
    browser.keys(Key::Enter).await;
    browser.tab_to("User agent contains").await;
    browser.keys("iPhone").await;
    browser.keys(Key::Enter).await;
    browser.shows("Clear filters").await;
    assert_eq!(browser.devices().await, ["Safari on iPhone"]);
    browser.tab_to("End these sessions…").await;
    browser.keys(Key::Enter).await;
    browser.shows("This cannot be undone.").await;
    browser.tab_to("End 1 session").await;
    browser.keys(Key::Enter).await;
    browser.shows("1 session has ended.").await;

    browser.tab_to("Clear filters").await;
    browser.keys(Key::Enter).await;
    browser.shows("Firefox on Windows").await;
    browser.tab_to("alice").await;
    browser.keys(Key::Enter).await;
    browser
        .shows("How many sessions this user may have at once")
        .await;
    // One of several choices is reached with the arrows.
    browser.tab_to("The usual limit").await;
    browser.keys(Key::Down).await;
    assert_eq!(browser.focus().await, "At most");
    browser.tab_to("Number of sessions").await;
    browser.keys("3").await;
    browser.tab_to("Save limit").await;
    browser.keys(Key::Enter).await;
    browser.shows("The limit is saved.").await;
}

/// From the first stop to the last, on every page with something to do: each is marked, and on the screen.
#[tokio::test(flavor = "multi_thread")]
async fn every_stop_is_seen() {
    let demo = Demo::start().await;
    let _phone = Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await;
    let browser = Browser::signed_in(&demo, "admin").await;
    for page in [
        "/",
        "/account/sessions",
        "/admin/sessions?user_agent=iPhone",
        "/admin/sessions/users/2",
        "/admin/sessions/end",
    ] {
        browser.visit(page).await;
        let stops = browser.all_stops().await;
        assert!(stops.len() >= 3, "{page}: {stops:?}");
    }
}
