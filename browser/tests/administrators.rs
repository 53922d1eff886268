//! What administrators do about everybody's sessions.

use crate::support::{Browser, Demo, FIREFOX_ON_WINDOWS, SAFARI_ON_IPHONE};

const ENDED_FROM_ELSEWHERE: &str =
    "You were signed out because this session was ended from elsewhere";

#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow_the_list() {
    let demo = Demo::start().await;
    let _alice = Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await;
    let bob = Browser::signed_in_as(&demo, "bob", FIREFOX_ON_WINDOWS).await;
    let admin = Browser::signed_in(&demo, "admin").await;
    bob.press("Sign out").await;
    bob.shows("You are signed out.").await;

    admin.press("Sessions").await;
    admin.shows("Sessions, newest first").await;
    assert_eq!(
        admin.devices().await,
        ["Headless Chrome", "Safari on iPhone"]
    );
    admin.fill("User", "2").await;
    admin.press("Apply filters").await;
    assert_eq!(admin.devices().await, ["Safari on iPhone"]);
    admin.press("Clear filters").await;
    assert_eq!(
        admin.devices().await,
        ["Headless Chrome", "Safari on iPhone"]
    );
    admin.choose("State", "Ended").await;
    admin.press("Apply filters").await;
    assert_eq!(admin.devices().await, ["Firefox on Windows"]);
    assert!(admin.text().await.contains("signed out"));
    admin.choose("State", "All").await;
    admin.click("More filters").await;
    admin.fill("User agent contains", "Mozilla").await;
    admin.press("Apply filters").await;
    assert_eq!(
        admin.devices().await,
        ["Headless Chrome", "Firefox on Windows", "Safari on iPhone"]
    );
    // The filter that is in force stays to be seen.
    let field = admin.field("User agent contains").await;
    assert!(field.is_displayed().await.unwrap());
    admin.fill("User agent contains", "<script>").await;
    admin.press("Apply filters").await;
    admin.shows("No session matches.").await;
    admin.press("Clear filters").await;
    admin.fill("Name contains", "ALI").await;
    admin.press("Apply filters").await;
    admin.shows("Clear filters").await;
    assert_eq!(admin.devices().await, ["Safari on iPhone"]);
    admin.click("More filters").await;
    admin.fill("IP address", "nonsense").await;
    admin.press("Apply filters").await;
    admin.shows("There is a problem").await;
    // Each page leads out.
    admin.press("Sign out").await;
    admin.shows("You are signed out.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_is_looked_at_and_ended() {
    let demo = Demo::start().await;
    let phone = Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await;
    let desk = Browser::signed_in_as(&demo, "alice", FIREFOX_ON_WINDOWS).await;
    let admin = Browser::signed_in(&demo, "admin").await;
    admin.visit("/admin/sessions").await;
    admin.press("Safari on iPhone").await;
    admin.shows("Session of user alice (2)").await;
    admin.shows(SAFARI_ON_IPHONE).await;
    admin.press("End this session…").await;
    admin.shows("This cannot be undone.").await;
    // Until it is confirmed nothing has happened.
    admin.press("Cancel").await;
    phone.reload().await;
    phone.shows("Hello, alice").await;

    admin.press("End this session…").await;
    admin.press("End session").await;
    admin.shows("The session has ended.").await;
    phone.reload().await;
    phone.shows(ENDED_FROM_ELSEWHERE).await;
    desk.reload().await;
    desk.shows("Hello, alice").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_filter_finds_is_shown_before_it_ends() {
    let demo = Demo::start().await;
    let phones = [
        Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await,
        Browser::signed_in_as(&demo, "bob", SAFARI_ON_IPHONE).await,
    ];
    let desk = Browser::signed_in_as(&demo, "bob", FIREFOX_ON_WINDOWS).await;
    let admin = Browser::signed_in(&demo, "admin").await;
    admin.visit("/admin/sessions").await;
    admin.click("More filters").await;
    admin.fill("User agent contains", "iPhone").await;
    admin.press("Apply filters").await;
    admin.press("End these sessions…").await;
    admin.shows("End these sessions?").await;
    assert_eq!(
        admin.devices().await,
        ["Safari on iPhone", "Safari on iPhone"]
    );
    admin.press("End 2 sessions").await;
    admin.shows("2 sessions have ended.").await;
    for phone in &phones {
        phone.reload().await;
        phone.shows(ENDED_FROM_ELSEWHERE).await;
    }
    desk.reload().await;
    desk.shows("Hello, bob").await;

    // Everybody takes a word of its own, and leaves the one who says it.
    admin.visit("/admin/sessions/end").await;
    admin.click("End 1 session").await;
    desk.reload().await;
    desk.shows("Hello, bob").await;
    admin.click("Yes, end the sessions of all users").await;
    admin.press("End 1 session").await;
    admin.shows("1 session has ended.").await;
    desk.reload().await;
    desk.shows(ENDED_FROM_ELSEWHERE).await;
    assert_eq!(admin.devices().await, ["Headless Chrome"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sessions_of_a_user_end() {
    let demo = Demo::start().await;
    let alices = [
        Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await,
        Browser::signed_in_as(&demo, "alice", FIREFOX_ON_WINDOWS).await,
    ];
    let bob = Browser::signed_in(&demo, "bob").await;
    let admin = Browser::signed_in(&demo, "admin").await;
    admin.visit("/admin/sessions/users/2").await;
    admin.press("End all sessions of this user…").await;
    admin.press("End 2 sessions").await;
    admin.shows("2 sessions have ended.").await;
    for alice in &alices {
        alice.reload().await;
        alice.shows(ENDED_FROM_ELSEWHERE).await;
    }
    bob.reload().await;
    bob.shows("Hello, bob").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_a_limit_of_their_own() {
    let demo = Demo::start().await;
    let admin = Browser::signed_in(&demo, "admin").await;
    admin.visit("/admin/sessions/users/2").await;
    admin.click("At most").await;
    admin.fill("Number of sessions", "1").await;
    admin.press("Save limit").await;
    admin.shows("The limit is saved.").await;
    let first = Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await;
    let _second = Browser::signed_in_as(&demo, "alice", FIREFOX_ON_WINDOWS).await;
    first.reload().await;
    first.shows("this account signed in elsewhere").await;

    admin.click("Unlimited").await;
    admin.press("Save limit").await;
    admin.shows("The limit is saved.").await;
    first.sign_in("alice").await;
    admin.reload().await;

    let live = admin.devices().await;
    assert!(
        live.contains(&"Firefox on Windows".into()) && live.contains(&"Safari on iPhone".into()),
        "{live:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_is_offered_nothing_else() {
    let demo = Demo::start().await;
    let alice = Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await;
    let support = Browser::signed_in_as(&demo, "support", FIREFOX_ON_WINDOWS).await;
    support.press("Sessions").await;
    support.shows("Safari on iPhone").await;
    assert!(!support.offers("End these sessions…").await);
    assert!(
        !support
            .offers("End the session of user 2, Safari on iPhone")
            .await
    );
    support.press("Safari on iPhone").await;
    support.shows("Session of user alice (2)").await;
    assert!(!support.offers("End this session…").await);

    assert!(!alice.offers("Sessions").await);
    alice.visit("/admin/sessions").await;
    alice.shows("Not allowed").await;
}
