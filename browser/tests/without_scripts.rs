//! No page needs a script, so all of them work where none may run.

use thirtyfour::By;

use crate::support::{Browser, Demo, Scripts};

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
