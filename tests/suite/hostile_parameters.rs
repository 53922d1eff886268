//! Whatever comes as a parameter, the answer has the right status, shows nothing unescaped and changes nothing.

use countersign::uuid::Uuid;
use http::{Method, StatusCode};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use crate::support::{
    App, Client,
    control::{assert_harmless, assert_headers, assert_problem, sign_in, with_routers},
    on_every_database,
};

const ADMIN: &str = "/api/admin/sessions";
const REVOKE: &str = "/api/admin/sessions/revoke";

/// Queries of the list, and the parameter that each of them gets wrong.
fn queries() -> Vec<(String, &'static str)> {
    let long = "x".repeat(256);
    let mut queries: Vec<(String, &str)> = [
        ("usr_id=2", "usr_id"),
        ("=2", ""),
        ("user_id=2&user_id=2", "user_id"),
        ("state=live&user%5Fid=2&user_id=3", "user_id"),
        ("user_id", "user_id"),
        ("user_id=", "user_id"),
        ("user_id=%00", "user_id"),
        ("user_id=a%0Ab", "user_id"),
        ("user_id=+2", "user_id"),
        ("user_id=%f0%28%8c%28", "user_id"),
        ("user_id=%", "user_id"),
        ("user_id=%4", "user_id"),
        ("user_id=%zz", "user_id"),
        ("user_id=2&%ff=1", r"\u{25}ff"),
        ("acting_user=", "acting_user"),
        ("state=Live", "state"),
        ("state=live,ended", "state"),
        ("state[]=live", r"state\u{5b}\u{5d}"),
        ("ip=", "ip"),
        ("ip=localhost", "ip"),
        ("ip=10.0.0.0/8", "ip"),
        ("ip=010.0.0.1", "ip"),
        ("ip=1.2.3", "ip"),
        ("ip=fe80::1%25eth0", "ip"),
        ("ip='", "ip"),
        ("user_agent=", "user_agent"),
        ("user_agent=a%00", "user_agent"),
        ("created_after=", "created_after"),
        ("created_after=yesterday", "created_after"),
        ("created_after=2026-01-31", "created_after"),
        ("created_after=2026-02-30T00:00:00Z", "created_after"),
        ("created_after=2026-01-31T00:00:00", "created_after"),
        ("created_after=2026-01-31T00:00:00+01:00", "created_after"),
        ("created_before=-9999-01-01T00:00:00Z", "created_before"),
        ("created_before=1767225600", "created_before"),
        ("page_size=0", "page_size"),
        ("page_size=1001", "page_size"),
        ("page_size=-1", "page_size"),
        ("page_size=%2B1", "page_size"),
        ("page_size=1e2", "page_size"),
        ("page_size=18446744073709551617", "page_size"),
        ("page_size=", "page_size"),
        ("everybody=true", "everybody"),
        ("realm=other", "realm"),
        ("page_token=&page_token=", "page_token"),
        (
            "%3Cscript%3Ealert(1)%3C/script%3E=1",
            r"\u{3c}script\u{3e}alert\u{28}1\u{29}\u{3c}\u{2f}script\u{3e}",
        ),
    ]
    .map(|(query, parameter)| (query.to_owned(), parameter))
    .into();
    queries.push((format!("user_id={long}"), "user_id"));
    queries.push((format!("user_agent={long}"), "user_agent"));
    queries
}

/// Texts that are hostile in some way, and some that are not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        "(%[0-9a-f]{2}){0,20}",
        "[&=+%;]{0,10}",
        Just("2".to_owned()),
        Just("2026-01-01T00:00:00Z".to_owned()),
        Just("true".to_owned()),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "user_id",
            "acting_user",
            "state",
            "ip",
            "user_agent",
            "created_after",
            "created_before",
            "page_size",
            "page_token",
            "everybody",
            "dry_run",
            "include_current",
            "max_sessions",
        ])
        .prop_map(str::to_owned),
        text(),
    ]
}

fn encoded(text: &str) -> String {
    // What an address cannot hold is encoded; everything else goes as it is.
    text.bytes()
        .map(|byte| match byte {
            b'!' | b'$'..=b';' | b'=' | b'?'..=b'_' | b'a'..=b'z' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02x}"),
        })
        .collect()
}

on_every_database! {
    async fn a_parameter_that_cannot_be_right_is_named(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "").await;
        for (query, parameter) in queries() {
            let answer = admin.get(&app.router, &format!("{ADMIN}?{query}")).await;
            assert_problem(&answer, 400, "invalid-parameter");
            assert_harmless(&answer);
            assert_eq!(answer.json()["parameter"], parameter, "{query}");
        }
        let long = format!("{ADMIN}?{}=1", "n".repeat(5000));
        let answer = admin.get(&app.router, &long).await;
        assert_problem(&answer, 400, "invalid-parameter");
        assert!(answer.json()["parameter"].as_str().unwrap().len() <= 80);
        let many: String = (0..5000).map(|number| format!("p{number}=&")).collect();
        assert_problem(&admin.get(&app.router, &format!("{ADMIN}?{many}")).await, 400, "invalid-parameter");
    }

    async fn addresses_that_cannot_be_right_are_refused(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, own) = sign_in(&app, "1", "10.0.0.1", "").await;
        let unknown = Uuid::now_v7();
        for id in ["x", "1", "%2e%2e", "%00", "%ff", "'", &own.simple().to_string(), &format!("%7B{own}%7D")] {
            for method in [Method::GET, Method::DELETE] {
                for mount in [ADMIN, "/api/account/sessions"] {
                    if (mount, &method) == ("/api/account/sessions", &Method::GET) {
                        continue;
                    }
                    let answer = admin.send(&app.router, method.clone(), &format!("{mount}/{id}")).await;
                    assert_problem(&answer, 400, "invalid-parameter");
                    assert_eq!(answer.json()["parameter"], "id", "{id}");
                }
            }
        }
        let long = "x".repeat(256);
        for user in ["%00", "%0a", "%20", "%202", "%ff", &long] {
            for (method, path) in [(Method::DELETE, "sessions"), (Method::GET, "limit")] {
                let answer = admin.send(&app.router, method, &format!("/api/admin/users/{user}/{path}")).await;
                assert_problem(&answer, 400, "invalid-parameter");
                assert_eq!(answer.json()["parameter"], "user_id", "{user}");
            }
        }
        // A user's id may be anything else.
        for user in ["a%2Fb", "auth0%7C5f", "%F0%9F%A6%80", "'", "-1", "..%2f.."] {
            let answer = admin.send(&app.router, Method::DELETE, &format!("/api/admin/users/{user}/sessions")).await;
            assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, r#"{"revoked":0,"kept":0,"incomplete":false}"#), "{user}");
        }
        for (method, path) in [
            (Method::GET, format!("{ADMIN}/{own}?x=1")), (Method::DELETE, format!("{ADMIN}/{unknown}?include_current=1")),
            (Method::DELETE, "/api/admin/users/2/sessions?include_current=TRUE".into()),
            (Method::DELETE, "/api/admin/users/2/sessions?dry_run=true".into()),
            (Method::GET, "/api/admin/users/2/limit?x".into()), (Method::DELETE, "/api/account/sessions?user_id=3".into()),
        ] {
            assert_problem(&admin.send(&app.router, method, &path).await, 400, "invalid-parameter");
        }
        for path in ["/api/admin",  "/api/admin/x", "/api/admin/sessions/", "/api/admin/users", "/api/account/x"] {
            assert_problem(&Client::new().get(&app.router, path).await, 404, "not-found");
        }
        assert_eq!(database.live().await, 1);
    }

    async fn whatever_comes_is_answered_and_ends_nobody(database: Database) {
        let app = with_routers(App::new(&database).await);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "").await;
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
        let pairs = prop::collection::vec((name(), text()), 0..4);
        for _ in 0..150 {
            let pairs = pairs.new_tree(&mut runner).unwrap().current();
            let query: Vec<_> = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
            let query = query.join("&");
            let answer = admin.get(&app.router, &format!("{ADMIN}?{query}")).await;
            assert_headers(&answer);
            assert_harmless(&answer);
            assert!(matches!(answer.status.as_u16(), 200 | 400), "{query}");
            let segment = encoded(&pairs.first().map_or_else(String::new, |(_, value)| value.clone())).replace(['/', '?'], "_");
            for path in [format!("{ADMIN}/{segment}?{query}"), format!("/api/admin/users/{segment}/limit?{query}")] {
                assert_harmless(&admin.get(&app.router, &path).await);
            }
            // Never without a condition, and always as a preview.
            let mut body: serde_json::Map<String, serde_json::Value> = pairs.into_iter().map(|(name, value)| (name, value.into())).collect();
            body.insert("dry_run".into(), true.into());
            let body = serde_json::Value::from(body).to_string();
            let answer = admin.send_json(&app.router, Method::POST, REVOKE, body.clone()).await;
            assert_harmless(&answer);
            assert!(matches!(answer.status.as_u16(), 200 | 400), "{body}");
        }
        assert_eq!(database.live().await, 1);
    }
}
