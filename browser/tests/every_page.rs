//! Every page, in every look: nothing that axe-core, the browser or the page's own policy has to say against it, and
//! nothing to scroll sideways on the narrowest of screens. Screenshots of all of them are a by-product.

use crate::support::{Browser, Demo, FIREFOX_ON_WINDOWS, SAFARI_ON_IPHONE};

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
    browser.sign_in("admin").await;
    browser.inspect("demo-home").await;
    browser.press("Sign out").await;
    browser.shows("You are signed out.").await;
    browser.inspect("demo-signed-out").await;
    browser.sign_in("bob").await;
    browser.inspect("demo-home-of-a-reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_users() {
    let demo = Demo::start().await;
    let browser = Browser::signed_in(&demo, "alice").await;
    browser.press("Devices").await;
    browser.shows("You are signed in nowhere else.").await;
    browser.inspect("account-alone").await;
    let phone = Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await;
    Browser::signed_in_as(&demo, "alice", FIREFOX_ON_WINDOWS).await;
    browser.visit("/account/sessions").await;
    browser.inspect("account").await;
    browser.press("Safari on iPhone").await;
    browser.shows("History").await;
    browser.inspect("account-session").await;
    browser.visit("/account/sessions").await;
    browser.press("Sign out Safari on iPhone").await;
    browser.shows("That device is signed out.").await;
    browser.inspect("account-ended").await;
    phone.visit("/").await;
    phone.shows("this session was ended from elsewhere").await;
    phone.inspect("demo-ended-from-elsewhere").await;
    browser
        .visit("/account/sessions/0199d0a0-0000-7000-8000-000000000000")
        .await;
    browser.inspect_answer("account-error", 404).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_users_who_signed_in_a_while_ago() {
    let demo = Demo::with(&[("RECENT_SIGN_IN", "1ms")]).await;
    let browser = Browser::signed_in(&demo, "alice").await;
    Browser::signed_in_as(&demo, "alice", SAFARI_ON_IPHONE).await;
    browser.visit("/account/sessions").await;
    browser.inspect("account-not-recent").await;
    browser.press("Sign out Safari on iPhone").await;
    browser.shows("Please sign in again").await;
    browser.inspect_answer("account-sign-in-again", 401).await;
    browser.press("Sign in").await;
    browser.shows("Please confirm that it is you").await;
    browser.inspect("demo-confirm").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_administrators() {
    let demo = Demo::start().await;
    for agent in [FIREFOX_ON_WINDOWS, SAFARI_ON_IPHONE] {
        Browser::signed_in_as(&demo, "alice", agent).await;
        Browser::signed_in_as(&demo, "bob", agent).await;
    }
    let browser = Browser::signed_in(&demo, "admin").await;
    browser.press("Sessions").await;
    browser.inspect("admin").await;
    browser.visit("/admin/sessions?page_size=2").await;
    browser.press("Older sessions").await;
    browser.shows("Newest sessions").await;
    browser.inspect("admin-older").await;
    browser
        .visit("/admin/sessions?user_id=2&user_agent=iPhone")
        .await;
    browser.inspect("admin-filtered").await;
    browser.visit("/admin/sessions?user_id=99").await;
    browser.inspect("admin-none").await;
    browser.visit("/admin/sessions?ip=nonsense").await;
    browser.inspect_answer("admin-invalid", 400).await;

    browser
        .visit("/admin/sessions?user_id=2&user_agent=iPhone")
        .await;
    browser.press("Safari on iPhone").await;
    browser.shows("History").await;
    browser.inspect("admin-session").await;
    browser.press("End this session…").await;
    browser.shows("End this session?").await;
    browser.inspect("admin-session-end").await;
    browser.press("End session").await;
    browser.shows("The session has ended.").await;
    browser.inspect("admin-session-ended").await;

    browser.visit("/admin/sessions/users/2").await;
    browser.inspect("admin-user").await;
    browser.click("At most").await;
    browser.fill("Number of sessions", "many").await;
    browser.press("Save limit").await;
    browser.shows("There is a problem").await;
    browser
        .inspect_answer("admin-user-limit-invalid", 400)
        .await;
    browser.visit("/admin/sessions/users/2/end").await;
    browser.inspect("admin-user-end").await;

    browser.visit("/admin/sessions/end?user_id=3").await;
    browser.inspect("admin-end-filtered").await;
    browser.visit("/admin/sessions/end").await;
    browser.inspect("admin-end-everybody").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_may_not() {
    let demo = Demo::start().await;
    let reader = Browser::signed_in(&demo, "support").await;
    reader.visit("/admin/sessions").await;
    reader.inspect("admin-of-a-reader").await;
    reader.visit("/admin/sessions/users/4").await;
    reader.inspect("admin-user-of-a-reader").await;
    reader.visit("/admin/sessions/end").await;
    reader.inspect_answer("admin-refused", 403).await;
}
