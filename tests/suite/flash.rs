//! Messages that are shown once: to whom they were written for, while they still say something, and not before they can
//! be seen.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use countersign::{Error, Flash, LoginError, Session};
use http::{Method, StatusCode};

use crate::support::{
    App, Client, Database, on_every_database,
    secret::{sealed, unsealed},
};

const FLASH: &str = "__Host-flash";

/// An application that says what it does.
async fn telling(database: &Database) -> Router {
    router(&App::new(database).await)
}

fn router(app: &App) -> Router {
    Router::new()
        .route("/", get(shown))
        .route("/with/{status}", get(shown_with))
        .route("/carried", get(carried))
        .route("/save", post(async |flash: Flash| flash.success("Saved.")))
        .route("/login/{user}", post(login))
        .route("/login/{user}/{status}", post(login_with))
        .route("/logout", post(logout))
        .route("/logout/shown", post(logout_shown))
        .route(
            "/silent/logout",
            post(async |session: Session| session.logout().await.map(drop)),
        )
        .route("/silent/login/{user}", post(silent_login))
        .route("/rotate", post(async |session: Session| session.rotate()))
        .layer(app.sessions.layer())
}

async fn shown(flash: Flash) -> String {
    let texts = flash.take().into_iter().map(|message| message.text);
    texts.collect::<Vec<_>>().join(" ")
}

async fn shown_with(flash: Flash, Path(status): Path<u16>) -> impl IntoResponse {
    (StatusCode::from_u16(status).unwrap(), shown(flash).await)
}

/// Takes the messages along by hand, as handlers did where redirects ate them.
async fn carried(flash: Flash) -> Redirect {
    for message in flash.take() {
        flash.push(message.level, message.text);
    }
    Redirect::to("/")
}

async fn login(session: Session, Path(user): Path<String>) -> Result<Redirect, LoginError> {
    session.flash().success(format!("Welcome, {user}."));
    session.login(user).await?;
    Ok(Redirect::to("/"))
}

async fn login_with(
    session: Session,
    Path((user, status)): Path<(String, u16)>,
) -> Result<StatusCode, LoginError> {
    session.flash().error("Not like this.");
    session.login(user).await?;
    Ok(StatusCode::from_u16(status).unwrap())
}

async fn silent_login(session: Session, Path(user): Path<String>) -> Result<(), LoginError> {
    session.login(user).await.map(drop)
}

async fn logout(session: Session) -> Result<Redirect, Error> {
    session.logout().await?;
    session.flash().info("You are signed out.");
    Ok(Redirect::to("/"))
}

async fn logout_shown(session: Session) -> Result<String, Error> {
    session.logout().await?;
    Ok(shown(session.flash()).await)
}

async fn signed_in(router: &Router, user: &str) -> Client {
    let mut browser = Client::new();
    browser.post(router, &format!("/silent/login/{user}")).await;
    browser
}

async fn see(browser: &mut Client, router: &Router) -> String {
    browser.get(router, "/").await.body
}

on_every_database! {
    async fn a_message_is_for_whom_it_was_written(database: Database) {
        let router = telling(&database).await;
        // Alice saves something, and leaves before a page has shown that it is saved.
        for leave in ["/silent/logout", "/logout", ""] {
            let mut browser = signed_in(&router, "2").await;
            browser.post(&router, "/save").await;
            let copy = browser.jar[FLASH].clone();
            if !leave.is_empty() {
                browser.post(&router, leave).await;
            }
            // She may have left without signing out, too.
            browser.post(&router, "/silent/login/3").await;
            assert_eq!(see(&mut browser, &router).await, "", "{leave}");
            // Nor does it help to bring it back.
            browser.jar.insert(FLASH.to_owned(), copy.clone());
            assert_eq!(see(&mut browser, &router).await, "", "{leave}");
            let mut nobody = Client::new();
            nobody.jar.insert(FLASH.to_owned(), copy);
            assert_eq!(see(&mut nobody, &router).await, "", "{leave}");
        }
        // What was said while no user was signed in is not for the next user either.
        let mut browser = Client::new();
        browser.post(&router, "/save").await;
        browser.post(&router, "/silent/login/3").await;
        assert_eq!(see(&mut browser, &router).await, "");
    }

    async fn what_is_said_while_signing_in_or_out_is_shown_on_the_next_page(database: Database) {
        let router = telling(&database).await;
        let mut browser = Client::new();
        browser.post(&router, "/login/2").await;
        assert_eq!(see(&mut browser, &router).await, "Welcome, 2.");
        // Another user, and the same one again: sessions of their own.
        for user in ["3", "3"] {
            browser.post(&router, "/save").await;
            browser.post(&router, &format!("/login/{user}")).await;
            assert_eq!(see(&mut browser, &router).await, format!("Welcome, {user}."));
        }
        browser.post(&router, "/logout").await;
        assert_eq!(see(&mut browser, &router).await, "You are signed out.");
        assert_eq!(see(&mut browser, &router).await, "");
        // A sign-in that did not become real changes nothing.
        for mut browser in [Client::new(), signed_in(&router, "2").await] {
            browser.post(&router, "/save").await;
            browser.post(&router, "/login/3/422").await;
            assert_eq!(see(&mut browser, &router).await, "Saved. Not like this.");
        }
        // The answer to the sign-out itself is still read by whom it was written for.
        let mut browser = signed_in(&router, "2").await;
        browser.post(&router, "/save").await;
        assert_eq!(browser.post(&router, "/logout/shown").await.body, "Saved.");
        assert!(!browser.jar.contains_key(FLASH));
    }

    async fn a_new_token_keeps_the_messages(database: Database) {
        let router = telling(&database).await;
        let mut browser = signed_in(&router, "2").await;
        browser.post(&router, "/save").await;
        browser.post(&router, "/rotate").await;
        assert_eq!(see(&mut browser, &router).await, "Saved.");
    }

    async fn messages_wait_while_the_database_is_away(database: Database) {
        let router = telling(&database).await;
        let mut browser = signed_in(&router, "2").await;
        browser.post(&router, "/save").await;
        let away = self::router(&App::cut_off(&database, |builder| builder).await);
        for request in ["/save", "/rotate"] {
            let answer = browser.post(&away, request).await;
            assert_eq!(answer.set_cookies(), Vec::<String>::new(), "{request}");
        }
        let answer = browser.get(&away, "/").await;
        assert_eq!((answer.body.as_str(), answer.set_cookies().len()), ("", 0));
        assert_eq!(see(&mut browser, &router).await, "Saved.");
    }
}

/// A cookie with a message that may be shown until then.
fn until(seconds_from_now: i64, holder: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = i64::try_from(now.as_secs()).unwrap() + seconds_from_now;
    sealed(
        FLASH,
        &format!("1{at} {holder} 2[[\"info\",\"hello\",{at}]]"),
    )
}

#[tokio::test]
async fn a_message_that_was_kept_is_not_shown_for_ever() {
    let database = Database::any().await;
    let router = telling(&database).await;
    // The clocks of nodes may differ by a minute. Far from each bound, so that a slow machine changes nothing.
    for (seconds, expected) in [
        (300, "hello"),
        (600, "hello"),
        (-30, "hello"),
        (-90, ""),
        (-86_400, ""),
        (1200, ""),
        (i64::from(u32::MAX), ""),
    ] {
        let mut browser = Client::new();
        browser.jar.insert(FLASH.to_owned(), until(seconds, "-"));
        assert_eq!(see(&mut browser, &router).await, expected, "{seconds}");
        assert!(!browser.jar.contains_key(FLASH), "{seconds}");
    }
    // Adding another one gives it no new time.
    let mut browser = Client::new();
    browser.jar.insert(FLASH.to_owned(), until(300, "-"));
    browser.post(&router, "/save").await;
    let inside = unsealed(FLASH, &browser.jar[FLASH]).unwrap();
    let numbers = inside.split(|letter: char| !letter.is_ascii_digit());
    let times: Vec<u64> = numbers
        .filter_map(|run| run.parse().ok())
        .filter(|time| *time > 1_000_000)
        .collect();
    let [_, hello, saved] = times.try_into().unwrap();
    assert!((200..=300).contains(&(saved - hello)), "{inside}");
}

#[tokio::test]
async fn messages_of_older_releases_belong_to_no_one_and_are_not_shown() {
    let database = Database::any().await;
    let router = telling(&database).await;
    let mut browser = Client::new();
    let old = sealed(FLASH, "1[[\"info\",\"hello\"]]");
    browser.jar.insert(FLASH.to_owned(), old);
    assert_eq!(see(&mut browser, &router).await, "");
    assert!(!browser.jar.contains_key(FLASH));
}

#[tokio::test]
async fn an_answer_that_shows_no_page_takes_no_message_away() {
    let database = Database::any().await;
    let router = telling(&database).await;
    for (method, path, kept) in [
        (Method::HEAD, "/", true),
        (Method::HEAD, "/with/404", true),
        (Method::GET, "/with/204", true),
        (Method::GET, "/with/205", true),
        (Method::GET, "/with/301", true),
        (Method::GET, "/with/303", true),
        (Method::GET, "/with/304", true),
        (Method::GET, "/with/500", true),
        (Method::GET, "/with/200", false),
        (Method::GET, "/with/202", false),
        (Method::GET, "/with/404", false),
    ] {
        for mut browser in [Client::new(), signed_in(&router, "2").await] {
            browser.post(&router, "/save").await;
            let answer = browser.send(&router, method.clone(), path).await;
            let touched = answer.set_cookies().len();
            assert_eq!(touched, usize::from(!kept), "{method} {path}");
            let seen = see(&mut browser, &router).await;
            assert_eq!(seen, if kept { "Saved." } else { "" }, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_message_that_a_handler_carries_itself_is_there_once() {
    let database = Database::any().await;
    let router = telling(&database).await;
    let mut browser = Client::new();
    browser.post(&router, "/save").await;
    for _ in 0..3 {
        browser.get(&router, "/carried").await;
    }
    assert_eq!(see(&mut browser, &router).await, "Saved.");
}
