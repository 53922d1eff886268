//! Whatever a browser sends, only a cookie that we wrote, as we wrote it, opens a session.

use http::{Method, StatusCode, header};

use crate::support::{
    Answer, App, Client, Database, on_every_database,
    secret::{sealed, unsealed},
};

const NAME: &str = "__Host-session";

/// One request with exactly these `Cookie` headers.
async fn ask<C: AsRef<[u8]>>(app: &App, path: &str, cookies: &[C]) -> Answer {
    let mut request = Client::new().request(Method::GET, path);
    for cookie in cookies {
        let value = http::HeaderValue::from_bytes(cookie.as_ref()).unwrap();
        request.headers_mut().append(header::COOKIE, value);
    }
    let response = tower::ServiceExt::oneshot(app.router.clone(), request);
    Answer::read(response.await.unwrap()).await
}

async fn who<C: AsRef<[u8]>>(app: &App, cookies: &[C]) -> String {
    let answer = ask(app, "/maybe", cookies).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.set_cookies(), Vec::<String>::new());
    answer.body
}

/// The application, and the value of a cookie that is good.
async fn app_and_cookie(database: &Database) -> (App, String) {
    let app = App::new(database).await;
    let client = app.signed_in("2").await;
    let cookie = client.session_cookie().unwrap().to_owned();
    (app, cookie)
}

on_every_database! {
    async fn bad_neighbours_never_hide_ours(database: Database) {
        let (app, good) = app_and_cookie(&database).await;
        for header in [
            format!("{NAME}={good}"),
            format!("a=b; {NAME}={good}; c=d"),
            format!("a; =; ;;=x; \"; {NAME}={good}; \""),
            format!("a=\"unclosed; {NAME}={good}"),
            format!("%zz=%; {NAME}={good}; x=%FF"),
            format!("\t {NAME} \t=\t {good} \t"),
            format!("{NAME}={good};{NAME}={good}"),
            format!("__host-session=other; {NAME}={good}; __Host-session2=y"),
            format!("%5F%5FHost-session=tossed; {NAME}={good}; %5f%5fHost%2Dsession=tossed"),
        ] {
            assert_eq!(who(&app, &[&header]).await, "2", "{header}");
        }
        let mut strange = b"x=\xff\xfe\x80; ".to_vec();
        strange.extend_from_slice(format!("{NAME}={good}").as_bytes());
        assert_eq!(who(&app, &[strange]).await, "2");
        let several = ["a=b".to_owned(), format!("{NAME}={good}"), "c=d".to_owned()];
        assert_eq!(who(&app, &several).await, "2");
        assert_eq!(who(&app, &[several[1].clone(), several[1].clone()]).await, "2");
    }

    async fn what_is_not_ours_to_the_byte_is_anonymous_and_leaves_the_database_alone(database: Database) {
        let (app, good) = app_and_cookie(&database).await;
        let other = app.signed_in("3").await.session_cookie().unwrap().to_owned();
        let rows = database.count("SELECT count(*) FROM countersign_sessions").await;
        for headers in [
            vec![format!("{NAME}={good}; {NAME}={other}")],
            vec![format!("{NAME}={good}"), format!("{NAME}={other}")],
            vec![format!("{NAME}={good}; {NAME}=")],
            vec![format!("{NAME}={good}; {NAME}=\"{other}\"")],
            vec![format!("{NAME}={good}; {NAME}={good}=A")],
            vec![format!("%5F%5FHost-session={good}")],
            vec![format!("__Host%2Dsession={good}")],
            vec![format!("__host-session={good}")],
            vec![format!("__HOST-SESSION={good}")],
            vec![format!("session={good}")],
            vec![format!("__Secure-session={good}")],
            vec![format!("{NAME}")],
            vec![format!("{NAME}=")],
            vec![format!("{NAME}=; {NAME}=")],
            vec![format!("{NAME}={good}x")],
            vec![format!("{NAME}=x{good}")],
            vec![format!("{NAME}=\"\"{good}\"\"")],
            vec![format!("{NAME}=\"{good}")],
            vec![format!("{NAME}=%22{good}%22")],
            vec![format!("{NAME}={}", &good[1..])],
            vec![format!("{NAME}={}", good.to_lowercase())],
            vec![format!("{NAME}={good}====")],
            vec![format!("{NAME}={}", good.replacen(|letter: char| letter.is_ascii_alphanumeric(), "%41", 1))],
            vec![format!("{NAME}={}", "A".repeat(good.len()))],
            vec![format!("{NAME}={}", "A".repeat(60_000))],
            vec![format!("{NAME}={good}{}", " x".repeat(4000))],
            vec![format!("x{NAME}={good}")],
            vec![format!("a={NAME}={good}")],
            vec![format!("a=b, {NAME}={good}")],
        ] {
            assert_eq!(who(&app, &headers).await, "nobody", "{headers:?}");
        }
        assert_eq!(database.count("SELECT count(*) FROM countersign_sessions").await, rows);
        assert_eq!(who(&app, &[format!("{NAME}={good}")]).await, "2");
    }

    /// What aiohttp, Next.js and npm's cookie make of base64, and cookies of older releases.
    async fn a_cookie_is_read_however_a_client_spells_it(database: Database) {
        let (app, good) = app_and_cookie(&database).await;
        assert!(good.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{good}");
        let old = sealed(NAME, &unsealed(NAME, &good).unwrap());
        let padded = format!("{good}{}", "=".repeat((4 - good.len() % 4) % 4));
        for value in [&good, &padded, &old, &padded.replace('-', "+").replace('_', "/")] {
            let escaped = value.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
            for spelled in [value, &escaped, &escaped.replace("%2F", "%2f"), &value.trim_end_matches('=').to_owned()] {
                assert_eq!(who(&app, &[format!("{NAME}={spelled}")]).await, "2", "{spelled}");
                assert_eq!(who(&app, &[format!("{NAME}=\"{spelled}\"")]).await, "2", "{spelled}");
            }
        }
        let two = [format!("{NAME}={good}; {NAME}=\"{padded}\"")];
        assert_eq!(who(&app, &two).await, "2", "two spellings of one value");
        let two = [format!("{NAME}={good}; {NAME}={old}")];
        assert_eq!(who(&app, &two).await, "nobody", "two values, though of one session");
    }

    async fn a_cookie_of_another_user_than_its_row_is_anonymous(database: Database) {
        let (app, good) = app_and_cookie(&database).await;
        let moved = "UPDATE countersign_sessions SET user_id = '1'";
        database.execute(moved).await;
        assert_eq!(who(&app, &[format!("{NAME}={good}")]).await, "nobody");

        // Not even somebody with the key names a user of their choice.
        let inside = unsealed(NAME, &good).unwrap();
        let forged = sealed(NAME, &format!("{}3", inside.strip_suffix('2').unwrap()));
        assert_eq!(who(&app, &[format!("{NAME}={forged}")]).await, "nobody");
    }
}

#[tokio::test]
async fn every_flipped_bit_is_refused() {
    let database = Database::any().await;
    let (app, good) = app_and_cookie(&database).await;
    for position in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone().into_bytes();
            bytes[position] ^= 1 << bit;
            let mut header = format!("{NAME}=").into_bytes();
            header.extend_from_slice(&bytes);
            // What no header can carry never arrives.
            if http::HeaderValue::from_bytes(&header).is_ok() {
                let who = who(&app, &[&header]).await;
                assert_eq!(who, "nobody", "bit {bit} of byte {position}");
            }
        }
    }
    for length in 0..good.len() {
        let header = format!("{NAME}={}", &good[..length]);
        assert_eq!(who(&app, &[header]).await, "nobody");
    }
}

#[tokio::test]
async fn authentic_cookies_with_other_content_are_anonymous() {
    let database = Database::any().await;
    let (app, good) = app_and_cookie(&database).await;
    let inside = unsealed(NAME, &good).unwrap();
    assert_eq!(sealed_is(&app, &inside).await, "2");
    for text in [
        String::new(),
        "1".to_owned(),
        inside[1..].to_owned(),
        format!("2{}", &inside[1..]),
        format!("0{}", &inside[1..]),
        inside[..44].to_owned(),
        format!("1{}2", "A".repeat(43)),
        format!("{inside}\n"),
        format!(" {inside}"),
        format!("1{}", "é".repeat(40)),
    ] {
        assert_eq!(sealed_is(&app, &text).await, "nobody", "{text:?}");
    }
}

async fn sealed_is(app: &App, text: &str) -> String {
    who(app, &[format!("{NAME}={}", sealed(NAME, text))]).await
}

#[tokio::test]
async fn the_two_cookies_cannot_stand_in_for_each_other() {
    let database = Database::any().await;
    let (app, session) = app_and_cookie(&database).await;
    let mut client = Client::new();
    client.post(&app.router, "/flash/hello").await;
    let flash = client.jar["__Host-flash"].clone();
    assert_eq!(who(&app, &[format!("{NAME}={flash}")]).await, "nobody");
    let answer = ask(&app, "/flash", &[format!("__Host-flash={session}")]).await;
    assert_eq!(answer.body, "");

    // Nor can a session that one name was given be moved to another application's.
    let other = App::with(&database, |builder| builder.cookie_names("other", "flash")).await;
    let moved = ask(&other, "/maybe", &[format!("__Host-other={session}")]).await;
    assert_eq!(moved.body, "nobody");
}

#[tokio::test]
async fn forged_messages_are_no_messages() {
    let database = Database::any().await;
    let app = App::new(&database).await;
    for flash in ["x", "[[\"info\",\"hello\"]]", "1[[\"info\",\"hello\"]]"] {
        let answer = ask(&app, "/flash", &[format!("__Host-flash={flash}")]).await;
        assert_eq!(answer.body, "");
        assert!(answer.set_cookies()[0].contains("Max-Age=0"));
    }
}
