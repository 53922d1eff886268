//! What users do about their own sessions.

use crate::support::{Browser, Demo, FIREFOX_ON_WINDOWS, SAFARI_ON_IPHONE};

const ENDED_FROM_ELSEWHERE: &str =
    "You were signed out because this session was ended from elsewhere";

#[tokio::test(flavor = "multi_thread")]
async fn one_browser_ends_the_session_of_the_other() {
    let demo = Demo::start().await;
    let phone = Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await;
    let desk = Browser::signed_in_as(&demo, "alice", FIREFOX_ON_WINDOWS).await;
    let bob = Browser::signed_in(&demo, "bob").await;

    desk.press("Devices").await;
    desk.shows("Your devices").await;
    assert_eq!(desk.path().await, "/account/sessions");
    // This one is marked, and can only be left by signing out.
    assert_eq!(
        desk.badge_of("Firefox on Windows").await.as_deref(),
        Some("This device")
    );
    assert!(!desk.offers("Sign out Firefox on Windows").await);
    assert_eq!(desk.badge_of("Safari on iPhone").await, None);
    desk.press("Sign out Safari on iPhone").await;
    desk.shows("That device is signed out.").await;
    desk.shows("You are signed in nowhere else.").await;
    // Loading the page again repeats nothing, and says nothing again.
    desk.reload().await;
    desk.shows("You are signed in nowhere else.").await;
    assert!(!desk.text().await.contains("That device is signed out."));

    // Its very next request.
    phone.press("Devices").await;
    phone.shows(ENDED_FROM_ELSEWHERE).await;
    assert!(phone.path().await.starts_with("/?next="));
    // Signing in leads back to the page that was asked for.
    phone.sign_in("alice").await;
    assert_eq!(phone.path().await, "/account/sessions");

    bob.reload().await;
    bob.shows("Hello, bob").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_ends_all_the_others_at_once() {
    let demo = Demo::start().await;
    let others = [
        Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await,
        Browser::signed_in_as(&demo, "alice", FIREFOX_ON_WINDOWS).await,
    ];
    let here = Browser::signed_in(&demo, "alice").await;
    here.visit("/account/sessions").await;
    here.press("Sign out all other devices").await;
    here.shows("2 other devices are signed out.").await;
    here.shows("You are signed in nowhere else.").await;
    for other in others {
        other.reload().await;
        other.shows(ENDED_FROM_ELSEWHERE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signed_in_a_while_ago_confirms_it_first() {
    let demo = Demo::with(&[("RECENT_SIGN_IN", "1ms")]).await;
    let phone = Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await;
    let desk = Browser::signed_in_as(&demo, "alice", FIREFOX_ON_WINDOWS).await;
    desk.visit("/account/sessions").await;
    desk.press("Sign out Safari on iPhone").await;
    desk.shows("Please sign in again").await;
    phone.reload().await;
    phone.shows("Hello, alice").await;

    desk.press("Sign in").await;
    desk.shows("Please confirm that it is you").await;
    desk.fill("Your password", "wrong").await;
    desk.press("Confirm").await;
    desk.shows("do not belong together").await;
    desk.fill("Your password", "alice-password").await;
    desk.press("Confirm").await;
    desk.shows("Your devices").await;
    assert_eq!(desk.path().await, "/account/sessions");
}
