//! Headers and addresses that say what they should not: what the routers answer does not follow from them, and what is
//! shown of them is only text.

use std::net::IpAddr;

use axum::{Router, body::Body};
use countersign::admin;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use proptest::{
    collection::vec,
    prelude::any,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, TestRunner},
};

use crate::support::{
    Answer, App, Client,
    control::{assert_headers, assert_problem, routers, sign_in},
    on_every_database,
};

const LIST: &str = "/api/admin/sessions?page_size=1";

/// Headers by which some servers and frameworks let a request be another one.
const HEADERS: &[(&str, &str)] = &[
    ("host", "evil.example"),
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-prefix", "//evil.example"),
    ("x-forwarded-proto", "javascript"),
    ("x-forwarded-path", "/evil"),
    ("x-forwarded-for", "<script>alert(1)</script>"),
    ("x-real-ip", "6.6.6.6"),
    ("forwarded", "for=6.6.6.6;host=evil.example;proto=evil"),
    ("x-original-url", "/api/admin/users/2/limit"),
    ("x-rewrite-url", "/api/admin/users/2/limit"),
    ("x-http-method-override", "DELETE"),
    ("x-http-method", "DELETE"),
    ("x-method-override", "DELETE"),
    ("x-user", "3"),
    ("x-remote-user", "3"),
    ("authorization", "Basic MTox"),
    ("range", "bytes=0-10"),
    ("if-none-match", "*"),
    ("if-modified-since", "Sat, 01 Jan 2050 00:00:00 GMT"),
    ("accept", "text/html, application/xml;q=0.9"),
    ("accept-encoding", "gzip, br"),
    ("accept-language", "<de>"),
    ("content-type", "text/html"),
    ("expect", "100-continue"),
    ("upgrade", "websocket"),
    ("te", "trailers"),
    ("referer", "https://evil.example/<script>"),
    ("origin", "https://evil.example"),
    ("user-agent", "<script>alert(1)</script>"),
];

async fn app_with(database: &crate::support::Database, proxies: &[&str]) -> App {
    let proxies: Vec<String> = proxies.iter().map(|proxy| (*proxy).to_owned()).collect();
    let mut app = App::with(database, |builder| builder.trusted_proxies(proxies)).await;
    let more = routers(&app, |admin| admin, |account| account);
    app.router = app.router.merge(more);
    #[cfg(feature = "pages")]
    {
        app = crate::support::pages::with_pages(app);
    }
    app
}

/// What came back, without what is different every time.
fn told(answer: &Answer) -> (StatusCode, String, Vec<String>) {
    // A page token is encrypted anew for each answer.
    let steady = |text: &str| {
        let start = text.find("page_token=").or(text.find("next_page_token"));
        text[..start.unwrap_or(text.len())].to_owned()
    };
    let headers = answer.headers.iter().map(|(name, value)| {
        let value = value.to_str().unwrap();
        format!("{name}: {}", steady(value))
    });
    let kept = headers.filter(|header| !header.starts_with("content-length"));
    (answer.status, steady(&answer.body), kept.collect())
}

/// The one address of `Link`, and nothing after it but what belongs there.
#[track_caller]
fn next(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let links: Vec<_> = answer.headers.get_all(header::LINK).iter().collect();
    let [link] = links.as_slice() else {
        panic!("{links:?}")
    };
    let link = link.to_str().unwrap();
    let address = link
        .strip_prefix('<')
        .unwrap()
        .strip_suffix(">; rel=\"next\"")
        .unwrap();
    assert!(!address.contains(['<', '>', '"', ' ', '\\']), "{link}");
    address.to_owned()
}

fn user_agents() -> Vec<Vec<u8>> {
    let mut agents: Vec<Vec<u8>> = [
        "\"><script>alert(1)</script>",
        "</td></table><h1>",
        "{{7*7}}",
        "\\u003cscript\\u003e",
        "&lt;b&gt;",
        "\u{202e}gnp.exe",
        "\u{0085}\u{2028}\u{2029}",
        "a\u{0300}\u{0301}",
        "\u{1f1e9}\u{1f1ea}",
        "\u{feff}x",
        "' OR 1=1 --",
        "${jndi:ldap://x}",
        "%0d%0aSet-Cookie: a=b",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    agents.push(b"\xff\xfe\x80 broken".to_vec());
    agents.push(b"\xc3".repeat(300));
    agents.push("\u{1f980}".repeat(100).into_bytes());
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::default()
    });
    let bytes = vec(
        any::<u8>().prop_filter("what a header can hold", |byte| {
            *byte >= 32 && *byte != 127 || *byte == 9
        }),
        1..80,
    );
    agents.extend((0..24).map(|_| bytes.new_tree(&mut runner).unwrap().current()));
    agents
}

on_every_database! {
    async fn no_header_makes_a_request_another_one(database: Database) {
        let app = app_with(&database, &[]).await;
        let (admin, _) = sign_in(&app, "1", "10.0.0.1", "Admin").await;
        sign_in(&app, "2", "10.0.0.1", "Alice").await;
        let paths = match cfg!(feature = "pages") {
            true => &[LIST, "/api/account/sessions", "/api/admin/users/2/limit", "/admin/sessions?page_size=1", "/account/sessions"][..],
            false => &[LIST, "/api/account/sessions", "/api/admin/users/2/limit"],
        };
        for path in paths {
            let mut plain = admin.clone();
            plain.headers.clear();
            let expected = told(&plain.get(&app.router, path).await);
            assert_eq!(expected.0, StatusCode::OK);
            for (name, value) in HEADERS {
                let mut client = plain.clone();
                client.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
                assert_eq!(told(&client.get(&app.router, path).await), expected, "{path} {name}");
            }
        }
        assert_eq!(database.live().await, 2);
        // What a proxy says about the host is no word of the browser's: the origin has to be that of `Host`.
        let mut client = admin.clone();
        client.headers.insert("host", HeaderValue::from_static("app.example"));
        client.headers.insert("origin", HeaderValue::from_static("https://evil.example"));
        client.headers.insert("x-forwarded-host", HeaderValue::from_static("evil.example"));
        client.headers.insert("forwarded", HeaderValue::from_static("host=evil.example"));
        let answer = client.send(&app.router, Method::DELETE, "/api/admin/users/2/sessions").await;
        assert_problem(&answer, 403, "cross-site");
        assert_eq!(database.live().await, 2);
    }

    async fn a_forwarded_address_is_shown_as_an_address_or_not_at_all(database: Database) {
        let app = app_with(&database, &["10.0.0.0/8"]).await;
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", "Admin").await;
        let forwarded = [
            "6.6.6.6", "<script>alert(1)</script>", "6.6.6.6, <b>", "<b>, 6.6.6.6", "6.6.6.6:80", "[2001:db8::1]:80", "\"6.6.6.6\"",
            "unknown", "_hidden", "' OR '1'='1", "999.999.999.999", "6.6.6.6\t", ",,,,", "::1%<script>", "6.6.6.6;<b>", "0x06060606",
            "106.6.6.6, 10.0.0.2", "\u{ff16}.6.6.6",
        ];
        for text in forwarded {
            for peer in ["10.0.0.1:80", "203.0.113.7:80"] {
                let mut client = Client::new();
                client.peer = Some(peer.parse().unwrap());
                let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
                for name in ["x-forwarded-for", "forwarded", "x-real-ip", "x-client-ip", "cf-connecting-ip", "true-client-ip"] {
                    client.headers.insert(HeaderName::from_static(name), value.clone());
                }
                let id = app.login(&mut client, "2").await.body;
                let answer = admin.get(&app.router, &format!("/api/admin/sessions/{id}")).await;
                assert_headers(&answer);
                let json = answer.json();
                let shown = json["ip"].as_str().unwrap();
                let address: IpAddr = shown.parse().unwrap_or_else(|_| panic!("{text}: {shown}"));
                assert_eq!(address.to_string(), shown);
                if !peer.starts_with("10.") {
                    assert_eq!(shown, "203.0.113.7", "whoever is no proxy says nothing about addresses");
                }
                // It finds itself again.
                let found = admin.get(&app.router, &format!("/api/admin/sessions?ip={shown}&page_size=1000")).await.body;
                assert!(found.contains(&id), "{shown}");
            }
        }
        #[cfg(feature = "pages")]
        crate::support::pages::assert_page(&admin.get(&app.router, "/admin/sessions").await, StatusCode::OK);
    }

    async fn a_user_agent_is_shown_as_it_was_stored_and_is_only_text(database: Database) {
        let app = app_with(&database, &[]).await;
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", "Admin").await;
        for agent in user_agents() {
            let mut client = Client::new();
            client.headers.insert(header::USER_AGENT, HeaderValue::from_bytes(&agent).unwrap());
            let id = app.login(&mut client, "2").await.body;
            let stored = app.sessions.get(id.parse().unwrap()).await.unwrap().unwrap().user_agent;
            assert!(stored.as_ref().is_none_or(|text| text.len() <= 255 && !text.chars().any(char::is_control)), "{stored:?}");
            let answer = admin.get(&app.router, &format!("/api/admin/sessions/{id}")).await;
            assert_headers(&answer);
            assert_eq!(answer.json()["user_agent"].as_str(), stored.as_deref(), "{agent:?}");
            let own = client.get(&app.router, "/api/account/sessions?state=live&page_size=1").await.json();
            assert_eq!(own["sessions"][0]["user_agent"].as_str(), stored.as_deref());
            #[cfg(feature = "pages")]
            for page in ["/admin/sessions".to_owned(), format!("/admin/sessions/{id}"), format!("/admin/sessions/{id}/end")] {
                crate::support::pages::assert_page(&admin.get(&app.router, &page).await, StatusCode::OK);
            }
            #[cfg(feature = "pages")]
            crate::support::pages::assert_page(&client.get(&app.router, "/account/sessions").await, StatusCode::OK);
            // Searched for, it is found, and the link to the next page brings it along.
            let Some(text) = stored else { continue };
            let wanted: String = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).collect();
            let path = format!("/api/admin/sessions?user_agent={wanted}&page_size=1");
            let mut again = client.clone();
            again.jar.clear();
            app.login(&mut again, "2").await;
            let address = next(&admin.get(&app.router, &path).await);
            let found = admin.get(&app.router, &address).await.json();
            assert_eq!(found["sessions"][0]["user_agent"].as_str(), Some(text.as_str()), "{address}");
            app.sessions.revoke_user(2, "test").await.unwrap();
            database.execute("DELETE FROM countersign_sessions WHERE user_id = '2'").await;
        }
    }

    /// The path in `Link` is the client's own, which a router below parameters lets it choose.
    async fn a_link_stays_on_this_host_and_leads_to_the_next_page(database: Database) {
        let app = App::new(&database).await;
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", "Admin").await;
        for _ in 0..3 {
            sign_in(&app, "2", "192.0.2.1", "Alice").await;
        }
        let router = Router::new()
            .nest("/t/{tenant}/{part}", admin::router(&app.sessions).build())
            .layer(app.sessions.layer());
        let mut led = 0;
        for prefix in [
            "/a/b", "//evil.example", "/%2fevil.example/b", "/\\evil.example/b", "/a\"b/c", "/a%3E;rel=%22prev%22/b", "/a,b/;rel=x", "/%0d%0aSet-Cookie:a=b/c",
            "/{a}/|b", "/a'b/c", "/ä/b", "/%C3%A4/%FF", "/a%00/b", "/./b", "/%2e%2e/b", "/a:b/@c", "/javascript:alert(1)/x", "/a%22%3E%3Cscript%3E/b",
        ] {
            let Ok(uri) = format!("/t{prefix}/sessions?page_size=2").parse::<Uri>() else { continue };
            let mut request = admin.request(Method::GET, "/");
            *request.uri_mut() = uri;
            let answer = admin.exchange(&router, request).await;
            if answer.status == StatusCode::NOT_FOUND {
                continue;
            }
            let address = next(&answer);
            assert!(address.is_ascii(), "{address}");
            assert!(address.starts_with("/t/"), "{address}");
            let request: Request<Body> = admin.request(Method::GET, &address);
            let second = admin.exchange(&router, request).await;
            assert_eq!(second.json()["sessions"].as_array().map(Vec::len), Some(2), "{address}: {}", second.body);
            led += 1;
        }
        assert!(led > 10, "{led}");
    }

    async fn times_are_answered_as_far_as_they_go(database: Database) {
        let app = app_with(&database, &[]).await;
        let (mut admin, id) = sign_in(&app, "1", "192.0.2.1", "Admin").await;
        let before = [
            "0000-01-01T00:00:00Z", "0000-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000001Z",
            "2000-02-29T12:00:00-23:59", "1582-10-10T00:00:00Z", "0000-01-01T00:00:00%2B01:00",
        ];
        let after = ["2300-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z", "9999-01-01t00:00:00z", "4000-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-01:00"];
        let count = async |admin: &mut Client, query: String| {
            let answer = admin.get(&app.router, &format!("/api/admin/sessions?{query}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.body);
            assert_eq!(answer.json()["sessions"].as_array().unwrap().len(), usize::from(answer.body.contains(&id.to_string())));
            answer.body.contains(&id.to_string())
        };
        for time in before {
            assert!(count(&mut admin, format!("created_after={time}")).await, "{time}");
            assert!(!count(&mut admin, format!("created_before={time}")).await, "{time}");
        }
        for time in after {
            assert!(!count(&mut admin, format!("created_after={time}")).await, "{time}");
            assert!(count(&mut admin, format!("created_before={time}")).await, "{time}");
        }
        for time in [
            "10000-01-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00%2B24:00",
            "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00", "20260101T000000Z", "2026-W01-1", "-2026-01-01T00:00:00Z", "%2B02026-01-01T00:00:00Z",
        ] {
            for name in ["created_after", "created_before"] {
                let answer = admin.get(&app.router, &format!("/api/admin/sessions?{name}={time}")).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{time}");
                assert_problem(&answer, 400, "invalid-parameter");
                assert_eq!(answer.json()["parameter"], name, "{time}");
            }
        }
        assert_eq!(database.live().await, 1);
    }
}
