//! The two cookies as a browser sees them: their attributes, their size, and when they are sent.

use countersign::SessionsBuilder;
use http::StatusCode;

use crate::support::{Answer, App, Client, Database};

async fn app(configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> (Database, App) {
    let database = Database::any().await;
    let app = App::with(&database, configure).await;
    (database, app)
}

/// Name, value and attributes.
fn parted(cookie: &str) -> (&str, &str, &str) {
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    (name, value, attributes)
}

const SECURE: &str = "HttpOnly; SameSite=Lax; Secure; Path=/";
const REMOVED: &str = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

#[tokio::test]
async fn the_session_cookie_is_host_bound_secure_and_gone_with_the_browser() {
    let (_database, app) = app(|builder| builder).await;
    let mut client = Client::new();
    let answer = app.login(&mut client, "2").await;
    let [cookie] = answer.set_cookies().try_into().unwrap();
    let (name, value, attributes) = parted(&cookie);
    assert_eq!((name, attributes), ("__Host-session", SECURE));
    assert!(value.len() > 90 && value.len() < 200);

    let answer = client.post(&app.router, "/rotate").await;
    let [rotated] = answer.set_cookies().try_into().unwrap();
    assert_eq!(parted(&rotated).2, SECURE);
    assert_ne!(parted(&rotated).1, value);
}

#[tokio::test]
async fn removal_carries_the_attributes_that_created_the_cookie() {
    let (_database, app) = app(|builder| builder).await;
    let mut client = app.signed_in("2").await;
    let answer = client.post(&app.router, "/logout").await;
    assert_eq!(
        answer.set_cookies(),
        [format!("__Host-session=; {SECURE}; {REMOVED}")]
    );
    client.post(&app.router, "/flash/hello").await;
    let answer = client.get(&app.router, "/flash").await;
    assert_eq!(
        answer.set_cookies(),
        [format!("__Host-flash=; {SECURE}; {REMOVED}")]
    );
}

#[tokio::test]
async fn a_remembered_session_lasts_until_the_absolute_timeout() {
    let day = std::time::Duration::from_secs(86_400);
    let (_database, app) = app(|builder| builder.absolute_timeout(day)).await;
    let mut client = Client::new();
    let answer = client.post(&app.router, "/remember/2").await;
    let cookie = answer.session_cookie().unwrap();
    assert_eq!(parted(&cookie).2, format!("{SECURE}; Max-Age=86400"));

    let answer = client.post(&app.router, "/rotate").await;
    let cookie = answer.session_cookie().unwrap();
    let left: u64 = cookie.rsplit_once("Max-Age=").unwrap().1.parse().unwrap();
    assert!((86_000..=86_400).contains(&left), "{cookie}");
}

#[tokio::test]
async fn plain_http_has_to_be_asked_for_and_drops_prefix_and_secure() {
    let (_database, app) = app(|builder| builder.insecure_cookies()).await;
    let mut client = Client::new();
    let answer = app.login(&mut client, "2").await;
    let [cookie] = answer.set_cookies().try_into().unwrap();
    let (name, _, attributes) = parted(&cookie);
    assert_eq!(
        (name, attributes),
        ("session", "HttpOnly; SameSite=Lax; Path=/")
    );
    assert_eq!(client.get(&app.router, "/me").await.body, "2");
    let answer = client.post(&app.router, "/logout").await;
    assert_eq!(
        answer.set_cookies(),
        [format!(
            "session=; HttpOnly; SameSite=Lax; Path=/; {REMOVED}"
        )]
    );
}

#[tokio::test]
async fn names_are_the_applications_to_choose_and_the_prefix_is_not() {
    let (_database, app) = app(|builder| builder.cookie_names("sid", "notice")).await;
    let mut client = Client::new();
    app.login(&mut client, "2").await;
    client.post(&app.router, "/flash/hello").await;
    assert_eq!(
        client.jar.keys().collect::<Vec<_>>(),
        ["__Host-notice", "__Host-sid"]
    );
    assert_eq!(client.get(&app.router, "/me").await.body, "2");
    assert_eq!(client.get(&app.router, "/flash").await.body, "[info] hello");
}

#[tokio::test]
async fn verifying_sets_no_cookie_and_asking_makes_the_answer_vary() {
    let (_database, app) = app(|builder| builder).await;
    let mut client = app.signed_in("2").await;
    for mut client in [client.clone(), Client::new()] {
        let answer = client.get(&app.router, "/maybe").await;
        assert_eq!(answer.set_cookies(), Vec::<String>::new());
        assert_eq!(answer.header("vary"), Some("cookie"));
        assert_eq!(answer.header("cache-control"), None);
        let answer = client.get(&app.router, "/static").await;
        assert_eq!(answer.header("vary"), None);
    }
    let refused = client.get(&app.router, "/recent").await;
    assert_eq!(refused.header("vary"), Some("cookie"));
    let sets_cookie: [Answer; 3] = [
        client.post(&app.router, "/rotate").await,
        client.post(&app.router, "/flash/hello").await,
        client.post(&app.router, "/logout").await,
    ];
    for answer in sets_cookie {
        assert_eq!(answer.header("vary"), Some("cookie"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn a_message_survives_redirects_is_shown_once_and_stays_apart_from_the_session() {
    let (_database, app) = app(|builder| builder).await;
    let mut client = app.signed_in("2").await;
    let session = client.session_cookie().unwrap().to_owned();
    let added = client.post(&app.router, "/flash/saved").await;
    assert_eq!(added.session_cookie(), None);
    // On the way to where it is shown, other answers leave it alone.
    for path in ["/static", "/me", "/identity"] {
        assert_eq!(
            client.get(&app.router, path).await.set_cookies(),
            Vec::<String>::new()
        );
    }
    client.post(&app.router, "/flash/again").await;
    let shown = client.get(&app.router, "/flash").await;
    assert_eq!(shown.body, "[info] saved\n[info] again");
    assert_eq!(shown.session_cookie(), None, "it cannot overwrite a login");
    assert_eq!(client.get(&app.router, "/flash").await.body, "");
    assert_eq!(client.session_cookie(), Some(session.as_str()));
}

#[tokio::test]
async fn a_message_that_an_error_page_may_not_have_shown_is_kept() {
    let (_database, app) = app(|builder| builder).await;
    let mut client = Client::new();
    client.post(&app.router, "/flash/hello").await;
    let answer = client.get(&app.router, "/show/500").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.set_cookies(), Vec::<String>::new());
    assert_eq!(
        client.get(&app.router, "/show/404").await.body,
        "[info] hello"
    );
    assert_eq!(client.get(&app.router, "/flash").await.body, "");
}

#[tokio::test]
async fn no_cookie_is_larger_than_a_browser_keeps_and_the_oldest_messages_give_way() {
    let (_database, app) = app(|builder| builder).await;
    let mut client = app.signed_in("2").await;
    for number in 0..12 {
        let text = format!("{number:02}{}", "x".repeat(500));
        let answer = client.post(&app.router, &format!("/flash/{text}")).await;
        let [cookie] = answer.set_cookies().try_into().unwrap();
        let (name, value, _) = parted(&cookie);
        assert_eq!(name, "__Host-flash");
        assert!(name.len() + value.len() <= 4096);
    }
    let shown = client.get(&app.router, "/flash").await.body;
    let numbers: Vec<_> = shown.lines().map(|line| &line[7..9]).collect();
    assert_eq!(numbers, ["07", "08", "09", "10", "11"][5 - numbers.len()..]);
    assert!(numbers.len() >= 4);

    let answer = client
        .post(&app.router, &format!("/flash/{}", "%C3%A9".repeat(5000)))
        .await;
    let [cookie] = answer.set_cookies().try_into().unwrap();
    let (name, value, _) = parted(&cookie);
    assert!(name.len() + value.len() <= 4096);
    assert!(client.get(&app.router, "/flash").await.body.contains("éé"));
    assert_eq!(client.get(&app.router, "/me").await.body, "2");
}
