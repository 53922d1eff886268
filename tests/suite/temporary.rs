//! Temporary state: it comes back to whom, for what and as long as it was meant, and takes no more room than it may.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::{
    Router,
    extract::Path,
    http::StatusCode,
    routing::{get, post},
};
use countersign::{Error, LoginError, Session, TemporaryError};

use crate::support::{
    App, Client, Database, on_every_database,
    secret::{sealed, unsealed},
};

const PREFIX: &str = "__Host-temporary-";

async fn telling(database: &Database) -> Router {
    router(&App::new(database).await)
}

fn router(app: &App) -> Router {
    Router::new()
        .route("/put/{purpose}/{text}", post(put))
        .route("/put-long/{bytes}", post(put_long))
        .route("/get/{purpose}/{id}", get(look))
        .route("/take/{purpose}/{id}", get(take))
        .route("/take/{purpose}/{id}/{status}", get(take_with))
        .route("/take-number/{id}", get(take_number))
        .route("/put-and-take", post(put_and_take))
        .route("/login/{user}", post(login))
        .route("/login-and-put/{user}", post(login_and_put))
        .route(
            "/logout",
            post(async |session: Session| session.logout().await.map(drop)),
        )
        .route("/logout-and-put", post(logout_and_put))
        .route("/rotate", post(async |session: Session| session.rotate()))
        .layer(app.sessions.layer())
}

/// Purposes are written in the source; the test names one of these.
fn purpose(name: &str) -> &'static str {
    let known = ["openid", "totp", "a", "not good", "", "Upper"];
    known.into_iter().find(|known| *known == name).unwrap()
}

async fn put(
    session: Session,
    Path((of, text)): Path<(String, String)>,
) -> Result<String, TemporaryError> {
    session.temporary(purpose(&of)).put(&text)
}

async fn put_long(session: Session, Path(bytes): Path<usize>) -> (StatusCode, String) {
    match session.temporary("openid").put(&"x".repeat(bytes)) {
        Ok(id) => (StatusCode::OK, id),
        Err(error) => (StatusCode::PAYLOAD_TOO_LARGE, format!("{error:?}")),
    }
}

fn shown(found: Option<String>) -> String {
    found.unwrap_or_else(|| "nothing".to_owned())
}

async fn look(session: Session, Path((of, id)): Path<(String, String)>) -> String {
    shown(session.temporary(purpose(&of)).get(&id))
}

async fn take(session: Session, Path((of, id)): Path<(String, String)>) -> String {
    shown(session.temporary(purpose(&of)).take(&id))
}

async fn take_with(
    session: Session,
    Path((of, id, status)): Path<(String, String, u16)>,
) -> (StatusCode, String) {
    let found = shown(session.temporary(purpose(&of)).take(&id));
    (StatusCode::from_u16(status).unwrap(), found)
}

async fn take_number(session: Session, Path(id): Path<String>) -> String {
    format!("{:?}", session.temporary::<u32>("openid").take(&id))
}

async fn put_and_take(session: Session) -> Result<String, TemporaryError> {
    let temporary = session.temporary::<String>("openid");
    let id = temporary.put(&"here".to_owned())?;
    let seen = (temporary.get(&id), temporary.take(&id), temporary.take(&id));
    Ok(format!("{seen:?}"))
}

async fn login(session: Session, Path(user): Path<String>) -> Result<(), LoginError> {
    session.login(user).await.map(drop)
}

async fn login_and_put(session: Session, Path(user): Path<String>) -> Result<String, StatusCode> {
    let id = session.temporary("openid").put(&"after".to_owned());
    session
        .login(user)
        .await
        .map_err(|_| StatusCode::BAD_REQUEST)?;
    id.map_err(|_| StatusCode::BAD_REQUEST)
}

async fn logout_and_put(session: Session) -> Result<String, Error> {
    session.logout().await?;
    Ok(session
        .temporary("openid")
        .put(&"after".to_owned())
        .unwrap())
}

async fn signed_in(router: &Router, user: &str) -> Client {
    let mut browser = Client::new();
    browser.post(router, &format!("/login/{user}")).await;
    browser
}

async fn kept(browser: &mut Client, router: &Router, text: &str) -> String {
    let answer = browser.post(router, &format!("/put/openid/{text}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body
}

async fn taken(browser: &mut Client, router: &Router, id: &str) -> String {
    browser
        .get(router, &format!("/take/openid/{id}"))
        .await
        .body
}

fn temporaries(browser: &Client) -> usize {
    browser
        .jar
        .keys()
        .filter(|name| name.starts_with(PREFIX))
        .count()
}

on_every_database! {
    async fn a_value_is_for_one_session_or_for_nobody(database: Database) {
        let router = telling(&database).await;
        // Bob in the same browser, nobody in it, and Alice in a new session.
        for (user, leave) in [("3", false), ("2", false), ("3", true), ("", true)] {
            let mut browser = signed_in(&router, "2").await;
            let id = kept(&mut browser, &router, "hers").await;
            // A new token is the same session.
            browser.post(&router, "/rotate").await;
            let seen = browser.get(&router, &format!("/get/openid/{id}")).await.body;
            assert_eq!(seen, "hers");
            let cookies = browser.jar.clone();
            if leave {
                browser.post(&router, "/logout").await;
                assert_eq!(temporaries(&browser), 0, "{user}");
            }
            if !user.is_empty() {
                browser.post(&router, &format!("/login/{user}")).await;
                assert_eq!(temporaries(&browser), 0, "{user} {leave}");
            }
            // Nor does it help to bring it back.
            let kept = cookies.into_iter().filter(|(name, _)| name.starts_with(PREFIX));
            browser.jar.extend(kept);
            assert_eq!(taken(&mut browser, &router, &id).await, "nothing", "{user} {leave}");
        }
        // What a visitor keeps is no user's.
        let mut visitor = Client::new();
        let id = kept(&mut visitor, &router, "visitors").await;
        let cookies = visitor.jar.clone();
        visitor.post(&router, "/login/2").await;
        visitor.jar.extend(cookies);
        assert_eq!(taken(&mut visitor, &router, &id).await, "nothing");
    }

    async fn a_value_belongs_to_whom_the_browser_belongs_to_afterwards(database: Database) {
        let router = telling(&database).await;
        let mut browser = Client::new();
        let id = browser.post(&router, "/login-and-put/2").await.body;
        assert_eq!(taken(&mut browser, &router, &id).await, "after");
        let id = browser.post(&router, "/logout-and-put").await.body;
        assert_eq!(taken(&mut browser, &router, &id).await, "after");
    }

    async fn nothing_is_read_or_written_while_the_database_is_away(database: Database) {
        let router = telling(&database).await;
        let mut browser = signed_in(&router, "2").await;
        let id = kept(&mut browser, &router, "mine").await;
        let away = self::router(&App::cut_off(&database, |builder| builder).await);
        let answer = browser.get(&away, &format!("/take/openid/{id}")).await;
        assert_eq!((answer.body.as_str(), answer.set_cookies().len()), ("nothing", 0));
        let answer = browser.post(&away, "/put/openid/more").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.header("retry-after").is_some() && answer.set_cookies().is_empty());
        assert_eq!(taken(&mut browser, &router, &id).await, "mine");
        // A visitor needs no database.
        let id = kept(&mut Client::new(), &away, "visitors").await;
        assert_eq!(id.len(), 22);
    }
}

#[tokio::test]
async fn a_value_comes_back_and_is_gone_once_it_was_taken() {
    let database = Database::any().await;
    let router = telling(&database).await;
    for mut browser in [Client::new(), signed_in(&router, "2").await] {
        let answer = browser.post(&router, "/put/openid/state").await;
        let [cookie] = answer.set_cookies().try_into().unwrap();
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert_eq!(
            pair.split_once('=').unwrap().0,
            format!("{PREFIX}openid-{}", answer.body)
        );
        assert_eq!(
            attributes,
            "HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let id = answer.body;
        for _ in 0..2 {
            let answer = browser.get(&router, &format!("/get/openid/{id}")).await;
            assert_eq!(
                (answer.body.as_str(), answer.set_cookies().len()),
                ("state", 0)
            );
        }
        let kept = browser.clone();
        assert_eq!(taken(&mut browser, &router, &id).await, "state");
        assert_eq!(temporaries(&browser), 0);
        assert_eq!(taken(&mut browser, &router, &id).await, "nothing");
        // As documented: a client can keep it.
        assert_eq!(taken(&mut kept.clone(), &router, &id).await, "state");
        // A redirect is what follows most often, and an error page may want to try again.
        let mut browser = kept;
        for (status, left) in [(500, 1), (503, 1), (303, 0)] {
            let path = format!("/take/openid/{id}/{status}");
            assert_eq!(browser.get(&router, &path).await.body, "state");
            assert_eq!(temporaries(&browser), left, "{status}");
        }
    }
    let seen = Client::new().post(&router, "/put-and-take").await;
    assert_eq!(seen.body, r#"(Some("here"), Some("here"), None)"#);
    assert!(seen.set_cookies().is_empty());
}

#[tokio::test]
async fn a_value_is_for_its_purpose_its_id_and_its_type() {
    let database = Database::any().await;
    let router = telling(&database).await;
    let mut browser = Client::new();
    let id = kept(&mut browser, &router, "state").await;
    let value = browser.jar[&format!("{PREFIX}openid-{id}")].clone();
    for (name, path) in [
        (format!("{PREFIX}totp-{id}"), format!("/take/totp/{id}")),
        (
            format!("{PREFIX}openid-{}", "A".repeat(22)),
            format!("/take/openid/{}", "A".repeat(22)),
        ),
        ("__Host-flash".to_owned(), format!("/take/openid/{id}")),
        (
            format!("temporary-openid-{id}"),
            format!("/take/openid/{id}"),
        ),
        (
            format!("%5F%5FHost-temporary-openid-{id}"),
            format!("/take/openid/{id}"),
        ),
    ] {
        let mut other = Client::new();
        other.jar.insert(name.clone(), value.clone());
        assert_eq!(other.get(&router, &path).await.body, "nothing", "{name}");
    }
    for id in [
        "x",
        "..%2f..",
        &"%20".repeat(22),
        &"A".repeat(23),
        &"%C3%A4".repeat(11),
        "*",
    ] {
        let answer = browser.get(&router, &format!("/take/openid/{id}")).await;
        assert_eq!(
            (answer.body.as_str(), answer.set_cookies().len()),
            ("nothing", 0),
            "{id}"
        );
    }
    assert_eq!(
        browser
            .get(&router, &format!("/take-number/{id}"))
            .await
            .body,
        "None"
    );
    assert_eq!(
        temporaries(&browser),
        0,
        "it is no number, and does not come again"
    );
    for bad in ["not%20good", "Upper"] {
        let answer = Client::new().post(&router, &format!("/put/{bad}/x")).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{bad}");
    }
}

#[tokio::test]
async fn a_value_is_read_however_a_client_spells_it_and_two_values_are_none() {
    let database = Database::any().await;
    let router = telling(&database).await;
    let mut browser = Client::new();
    let id = kept(&mut browser, &router, "state").await;
    let name = format!("{PREFIX}openid-{id}");
    let good = browser.jar[&name].clone();
    let usual = good.replace('-', "+").replace('_', "/");
    let escaped = usual.replace('+', "%2B").replace('/', "%2F");
    for (value, expected) in [
        (format!("\"{good}\""), "state"),
        (usual.clone(), "state"),
        (escaped.clone(), "state"),
        (format!("{good}; {name}=\"{escaped}\""), "state"),
        (format!("{good}; {name}={good}A"), "nothing"),
        (format!("{good}A"), "nothing"),
        (String::new(), "nothing"),
        ("A".repeat(5000), "nothing"),
    ] {
        let mut browser = Client::new();
        browser.jar.insert(name.clone(), value.clone());
        assert_eq!(taken(&mut browser, &router, &id).await, expected, "{value}");
    }
    // However many there are, ours is found among the first, and no request fails.
    let mut crowd = Client::new();
    crowd
        .jar
        .extend((0..500).map(|number| (format!("{PREFIX}openid-{number:022}"), "x".to_owned())));
    assert_eq!(taken(&mut crowd, &router, &id).await, "nothing");
}

#[tokio::test]
async fn tabs_do_not_get_in_each_others_way_and_the_oldest_gives_way() {
    let database = Database::any().await;
    let router = telling(&database).await;
    // Two tabs that began at the same time: neither has seen the other's cookie.
    let mut browser = Client::new();
    let (mut one, mut two) = (browser.clone(), browser.clone());
    let (first, second) = (
        kept(&mut one, &router, "first").await,
        kept(&mut two, &router, "second").await,
    );
    browser.jar.extend(one.jar);
    browser.jar.extend(two.jar);
    assert_eq!(taken(&mut browser, &router, &second).await, "second");
    assert_eq!(taken(&mut browser, &router, &first).await, "first");

    // Times are in whole seconds: cookies of different ages, so that there is an oldest.
    let id = |number: u32| format!("{number:022}");
    for number in 0..6 {
        let name = format!("{PREFIX}openid-{}", id(number));
        let value = until(&name, 100 + i64::from(number) * 10, "\"old\"");
        browser.jar.insert(name, value);
    }
    browser
        .jar
        .insert(format!("{PREFIX}openid-{}", id(99)), "broken".to_owned());
    let other = browser.post(&router, "/put/totp/code").await.body;
    // Another purpose has places of its own; what cannot be read goes.
    assert_eq!(temporaries(&browser), 5);
    let newest = kept(&mut browser, &router, "newest").await;
    assert_eq!(temporaries(&browser), 5);
    for number in 0..6 {
        let expected = if number < 3 { "nothing" } else { "old" };
        assert_eq!(
            taken(&mut browser, &router, &id(number)).await,
            expected,
            "{number}"
        );
    }
    assert_eq!(taken(&mut browser, &router, &newest).await, "newest");
    assert_eq!(
        browser
            .get(&router, &format!("/take/totp/{other}"))
            .await
            .body,
        "code"
    );
    assert_eq!(temporaries(&browser), 0);
}

#[tokio::test]
async fn a_value_that_is_too_large_is_an_error_and_all_of_them_leave_room_for_others() {
    let database = Database::any().await;
    let router = telling(&database).await;
    let mut browser = Client::new();
    let mut largest = 0;
    for bytes in [2000, 2900, 3000, 3100, 4000, 1_000_000] {
        let answer = browser.post(&router, &format!("/put-long/{bytes}")).await;
        match answer.status {
            StatusCode::OK => {
                let cookie = answer.set_cookies().remove(0);
                assert!(cookie.split_once("; ").unwrap().0.len() - "=".len() <= 4096);
                largest = bytes;
            }
            _ => assert!(
                answer.body.starts_with("TooLarge") && answer.set_cookies().is_empty(),
                "{}",
                answer.body
            ),
        }
        let all: usize = browser
            .jar
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        assert!(all <= 6 * 1024, "{all}");
    }
    assert!((2900..3100).contains(&largest), "{largest}");
}

/// A value of nobody's that counts until then.
fn until(name: &str, seconds_from_now: i64, json: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = i64::try_from(now.as_secs()).unwrap() + seconds_from_now;
    sealed(name, &format!("1{at} - {json}"))
}

#[tokio::test]
async fn a_value_counts_for_its_time() {
    let database = Database::any().await;
    let router = telling(&database).await;
    let id = "A".repeat(22);
    let name = format!("{PREFIX}openid-{id}");
    for (seconds, expected) in [
        (300, "mine"),
        (3600, "mine"),
        (-30, "mine"), // clocks may differ by a minute
        (-90, "nothing"),
        (-86_400, "nothing"),
        (4000, "nothing"), // longer than any may be kept
    ] {
        let mut browser = Client::new();
        browser
            .jar
            .insert(name.clone(), until(&name, seconds, "\"mine\""));
        assert_eq!(
            taken(&mut browser, &router, &id).await,
            expected,
            "{seconds}"
        );
    }
    let lasting = Router::new()
        .route(
            "/",
            post(async |session: Session| {
                let kept = session
                    .temporary("openid")
                    .lifetime(Duration::from_secs(86_400));
                kept.put(&1_u32)
            }),
        )
        .layer(App::new(&database).await.sessions.layer());
    let mut browser = Client::new();
    let answer = browser.post(&lasting, "/").await;
    let [cookie] = answer.set_cookies().try_into().unwrap();
    assert!(
        cookie.ends_with("; Max-Age=3600"),
        "an hour at most: {cookie}"
    );
    let inside = unsealed(
        &format!("{PREFIX}openid-{}", answer.body),
        browser.jar.values().next().unwrap(),
    );
    assert!(inside.unwrap().ends_with(" - 1"));
}

#[tokio::test]
async fn a_change_of_keys_keeps_values() {
    let database = Database::any().await;
    let new = countersign::Key::generate();
    let before = telling(&database).await;
    let configure = |builder: countersign::SessionsBuilder| builder.key(new.clone());
    let both = router(&App::with(&database, configure).await);
    let mut browser = Client::new();
    let id = kept(&mut browser, &before, "mine").await;
    assert_eq!(taken(&mut browser, &both, &id).await, "mine");
}
