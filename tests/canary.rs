//! A session's secret is in its cookie and nowhere else: neither in the database nor in any log, event, answer or `Debug`
//! output.
//!
//! A test binary of its own, as it reads all logs of the process, at the level that says most.
#![cfg_attr(
    not(all(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(unused_imports, reason = "some of it is about one database alone")
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use ::support;

use std::fmt::Write;

use axum::{Router, routing::get};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use countersign::{Filter, Limit, Page, Session, SignedIn, UserId};
use http::{StatusCode, header};
use support::{Answer, App, Client, Database, Pool, heard::Heard, logs::Logs, secret::unsealed};

/// Everything that was said, but for Set-Cookie; and the secrets that must not be in there.
#[derive(Default)]
struct Watch {
    said: String,
    cookies: Vec<String>,
}

impl Watch {
    fn answer(&mut self, client: &Client, answer: &Answer) {
        for (name, value) in &answer.headers {
            if name != header::SET_COOKIE {
                writeln!(self.said, "{name}: {value:?}").unwrap();
            }
        }
        writeln!(self.said, "{}", answer.body).unwrap();
        // As a careless handler would log them: values marked sensitive stay out.
        let mut headers = answer.headers.clone();
        headers.remove(header::COOKIE);
        writeln!(
            self.said,
            "{headers:?} {answer_status}",
            answer_status = answer.status
        )
        .unwrap();
        self.cookies
            .extend(client.session_cookie().map(str::to_owned));
    }

    async fn send(&mut self, app: &App, client: &mut Client, request: &str) -> StatusCode {
        let (method, path) = request.split_once(' ').unwrap();
        let answer = client
            .send(&app.router, method.parse().unwrap(), path)
            .await;
        self.answer(client, &answer);
        answer.status
    }

    /// Every form in which a token or its cookie could show up.
    fn needles(&self) -> Vec<String> {
        let mut cookies = self.cookies.clone();
        cookies.sort();
        cookies.dedup();
        let mut needles = Vec::new();
        for cookie in cookies {
            let inside = unsealed("__Host-session", &cookie).unwrap();
            let token = URL_SAFE_NO_PAD.decode(&inside[1..44]).unwrap();
            assert_eq!(token.len(), 32);
            let hex: String = token.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            });
            needles.extend([
                inside[1..44].to_owned(),
                STANDARD.encode(&token),
                STANDARD_NO_PAD.encode(&token),
                URL_SAFE.encode(&token),
                format!("{token:?}").trim_matches(['[', ']']).to_owned(),
                hex.to_uppercase(),
                hex,
                cookie,
            ]);
        }
        needles
    }
}

/// All tables as hexadecimal text, column by column.
async fn dump(database: &Database) -> String {
    let mut dump = String::new();
    for (table, columns) in [
        (
            "countersign_sessions",
            "id realm user_id acting_user token_hash previous_token_hash ip user_agent ended_reason ended_by",
        ),
        ("countersign_users", "realm user_id"),
        ("_countersign_migrations", "description"),
    ] {
        for column in columns.split(' ') {
            let hex = match &database.pool {
                #[cfg(feature = "postgres")]
                Pool::Postgres(_) if column.ends_with("_hash") => {
                    format!("encode({column}, 'hex')")
                }
                #[cfg(feature = "postgres")]
                Pool::Postgres(_) => format!("encode(convert_to({column}::text, 'UTF8'), 'hex')"),
                #[allow(unreachable_patterns)]
                _ => format!("hex({column})"),
            };
            let sql = sqlx::AssertSqlSafe(format!("SELECT {hex} FROM {table}"));
            let rows: Vec<Option<String>> = support::with_pool!(
                &database.pool,
                pool => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap()
            );
            rows.into_iter().flatten().for_each(|row| {
                dump.push_str(&row.to_lowercase());
                dump.push('\n');
            });
        }
    }
    dump
}

async fn whole_run(database: &Database, watch: &mut Watch, heard: &Heard) {
    let app = App::with(database, |builder| {
        heard.listen(builder.limit(Limit::end_oldest(2)))
    })
    .await;
    writeln!(
        watch.said,
        "{:?}",
        database.builder().key(countersign::Key::generate())
    )
    .unwrap();
    let mut clients = Vec::new();
    for user in ["1", "2", "2", "2", "3"] {
        let mut client = Client::new();
        client
            .headers
            .insert(header::USER_AGENT, "canary".parse().unwrap());
        client.peer = Some("203.0.113.7:1".parse().unwrap());
        watch
            .send(&app, &mut client, &format!("POST /login/{user}"))
            .await;
        clients.push(client);
    }
    let debug = Router::new()
        .route(
            "/debug",
            get(|user: SignedIn, session: Session| async move {
                let login = format!("{:?}", session.login(2_i64));
                format!(
                    "{user:?} {session:?} {:?} {:?} {login}",
                    session.identity(),
                    session.flash()
                )
            }),
        )
        .layer(app.sessions.layer());
    for client in &mut clients {
        for request in [
            "GET /me",
            "GET /permissions",
            "GET /edit",
            "GET /recent",
            "GET /identity",
            "POST /flash/hello",
            "GET /flash",
            "POST /rotate",
            "POST /reauthenticated",
            "POST /rotate/500",
            "POST /remember/2",
            "POST /login/2/500",
            "POST /login/no-number",
            "POST /login/2/409",
            "GET /nowhere",
        ] {
            watch.send(&app, client, request).await;
        }
        let answer = client.get(&debug, "/debug").await;
        watch.answer(client, &answer);
    }
    write!(
        watch.said,
        "{:?} {:?} {:?}",
        app.sessions,
        app.sessions.layer(),
        app.router
    )
    .unwrap();

    // Tampering, ambiguity, a database that is away: what is reported of it names no secret.
    let mut tampered = clients[0].clone();
    let value = tampered.jar.get_mut("__Host-session").unwrap();
    let flipped = if value.starts_with('A') { "B" } else { "A" };
    value.replace_range(0..1, flipped);
    watch
        .said
        .push_str(&tampered.clone().get(&app.router, "/me").await.body);
    let cut_off = App::cut_off(database, |builder| heard.listen(builder)).await;
    for request in [
        "GET /me",
        "GET /maybe",
        "POST /logout",
        "POST /rotate",
        "POST /login/2",
    ] {
        watch.send(&cut_off, &mut clients[0].clone(), request).await;
    }
    cut_off.sessions.close().await;

    let listed = app
        .sessions
        .list(&Filter::all(), Page::first(50))
        .await
        .unwrap();
    write!(watch.said, "{listed:?}").unwrap();
    app.sessions
        .revoke(listed.sessions[0].id, "job")
        .await
        .unwrap();
    app.sessions
        .revoke_user(&UserId::from("3"), "job")
        .await
        .unwrap();
    for client in &mut clients {
        watch.send(&app, client, "GET /identity").await;
        watch.send(&app, client, "POST /logout/500").await;
    }
    app.sessions.sweep().await.unwrap();
    app.sessions.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_is_found_nowhere_but_in_its_cookie() {
    let logs = Logs::default();
    tracing::subscriber::set_global_default(logs.subscriber()).unwrap();
    let mut databases = Vec::new();
    #[cfg(feature = "sqlite")]
    databases.push(Database::sqlite().await);
    #[cfg(feature = "postgres")]
    databases.push(Database::postgres().await);
    #[cfg(feature = "mysql")]
    databases.push(Database::mysql().await);
    for database in &databases {
        let mut watch = Watch::default();
        let heard = Heard::default();
        whole_run(database, &mut watch, &heard).await;
        let dump = dump(database).await;
        let logged = logs.text();
        let events = format!("{:?}", heard.so_far());
        for watched in [
            "signed in",
            "session cookie rejected",
            "session not verified",
            "INSERT INTO countersign_sessions",
        ] {
            assert!(
                logged.contains(watched),
                "the canary has to hear {watched:?}"
            );
        }
        for kind in [
            "SignedIn",
            "SignedOut",
            "Rotated",
            "Reauthenticated",
            "Revoked",
            "Limit",
            "Replaced",
            "Undecipherable",
            "PermissionMissing",
            "SignInFailed",
            "NotVerified",
            "StoreUnavailable",
        ] {
            assert!(events.contains(kind), "the canary has to hear {kind}");
        }
        assert!(dump.lines().count() > 50 && watch.said.contains("hello"));
        let needles = watch.needles();
        assert!(needles.len() > 100, "{}", needles.len());
        for needle in needles {
            let as_hex: String = needle.bytes().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            });
            let places = [
                ("database", &dump),
                ("logs", &logged),
                ("events", &events),
                ("answers", &watch.said),
            ];
            for (place, text) in places {
                assert!(!text.contains(&needle), "{needle} is in the {place}");
                assert!(
                    !text.contains(&as_hex),
                    "{needle} is in the {place}, in hexadecimal"
                );
            }
        }
    }
}
