//! Where a sign-in came from, as people see it in their list of sessions; never a reason to let anybody in.

use countersign::{Filter, ForwardedHeader, Page, SessionInfo, SessionsBuilder};
use http::{HeaderName, HeaderValue};

use crate::support::{App, Client, Database, on_every_database};

const PEER: &str = "203.0.113.7:4711";
const PROXY: &str = "10.0.0.1:80";

fn client(peer: Option<&str>, headers: &[(&'static str, &[u8])]) -> Client {
    let mut client = Client::new();
    client.peer = peer.map(|peer| peer.parse().unwrap());
    for (name, value) in headers {
        client.headers.append(
            HeaderName::from_static(name),
            HeaderValue::from_bytes(value).unwrap(),
        );
    }
    client
}

/// What is recorded when this client signs in.
async fn recorded(app: &App, mut client: Client) -> SessionInfo {
    let answer = app.login(&mut client, "2").await;
    let id = answer.body.parse().unwrap();
    app.sessions.get(id).await.unwrap().unwrap()
}

async fn address(app: &App, peer: &str, forwarded: &[(&'static str, &[u8])]) -> Option<String> {
    recorded(app, client(Some(peer), forwarded)).await.ip
}

fn behind_proxies(builder: SessionsBuilder) -> SessionsBuilder {
    builder.trusted_proxies(["10.0.0.0/8", "::1"])
}

#[tokio::test]
async fn a_handler_sees_the_address_that_a_sign_in_would_record() {
    let database = Database::any().await;
    let app = App::with(&database, behind_proxies).await;
    let ip = axum::routing::get(|session: countersign::Session| async move {
        session
            .client_ip()
            .map_or_else(|| "unknown".to_owned(), |ip| ip.to_string())
    });
    let router = axum::Router::new()
        .route("/ip", ip)
        .layer(app.sessions.layer());
    for (peer, forwarded, expected) in [
        (None, "198.51.100.7", "unknown"),
        (Some(PEER), "198.51.100.7", "203.0.113.7"),
        (Some(PROXY), "198.51.100.7", "198.51.100.7"),
        (
            Some(PROXY),
            "10.9.9.9, 198.51.100.7, 10.0.0.2",
            "198.51.100.7",
        ),
        (Some("[::ffff:10.0.0.1]:80"), "2001:db8::7", "2001:db8::7"),
    ] {
        let mut client = client(peer, &[("x-forwarded-for", forwarded.as_bytes())]);
        assert_eq!(client.get(&router, "/ip").await.body, expected);
    }
}

on_every_database! {
    async fn address_and_user_agent_of_the_sign_in_are_listed_and_can_be_looked_for(database: Database) {
        let app = App::new(&database).await;
        let info = recorded(&app, client(Some(PEER), &[("user-agent", b"Firefox/140 (\xc3\xa9)")])).await;
        assert_eq!(info.ip.as_deref(), Some("203.0.113.7"));
        assert_eq!(info.user_agent.as_deref(), Some("Firefox/140 (é)"));
        let v6 = recorded(&app, client(Some("[2001:db8::1]:4711"), &[])).await;
        assert_eq!((v6.ip.as_deref(), v6.user_agent), (Some("2001:db8::1"), None));
        let mapped = recorded(&app, client(Some("[::ffff:203.0.113.8]:4711"), &[])).await;
        assert_eq!(mapped.ip.as_deref(), Some("203.0.113.8"));
        let unknown = recorded(&app, client(None, &[])).await;
        assert_eq!(unknown.ip, None);

        let filter = Filter::all().ip("203.0.113.7").user_agent("Firefox");
        let found = app.sessions.list(&filter, Page::first(10)).await.unwrap().sessions;
        assert_eq!(found.iter().map(|session| session.id).collect::<Vec<_>>(), [info.id]);
    }

    async fn a_user_agent_is_cut_and_cleaned_before_it_is_stored(database: Database) {
        let app = App::new(&database).await;
        let long = "é".repeat(5000);
        let info = recorded(&app, client(Some(PEER), &[("user-agent", long.as_bytes())])).await;
        let kept = info.user_agent.unwrap();
        assert!(kept.len() <= 255 && kept.len() > 240 && kept.chars().all(|kept| kept == 'é'));

        let hostile: &[u8] = b"a\t\xff\xfe'; DROP TABLE users; --\xe2\x80\xae\xc2\x85\xf0\x9f\xa6\x80";
        let info = recorded(&app, client(Some(PEER), &[("user-agent", hostile)])).await;
        let kept = info.user_agent.unwrap();
        assert!(!kept.chars().any(char::is_control), "{kept:?}");
        assert!(kept.contains("'; DROP TABLE users; --") && kept.contains('🦀'), "{kept:?}");
        assert_eq!(database.count("SELECT count(*) FROM users").await, 3);
    }

    async fn moving_to_another_address_or_browser_changes_nothing(database: Database) {
        let app = App::with(&database, behind_proxies).await;
        let mut browser = client(Some(PEER), &[("user-agent", b"Firefox")]);
        app.login(&mut browser, "2").await;
        let moved = [
            client(Some("198.51.100.9:1"), &[("user-agent", b"curl")]),
            client(Some(PROXY), &[("x-forwarded-for", b"not an address, \xff")]),
            client(None, &[]),
        ];
        for mut other in moved {
            other.jar = browser.jar.clone();
            assert_eq!(app.who(&other).await, "2");
        }
        let listed = app.sessions.list(&Filter::all(), Page::first(2)).await.unwrap();
        assert_eq!(listed.sessions[0].ip.as_deref(), Some("203.0.113.7"));
    }
}

#[tokio::test]
async fn forwarded_headers_count_only_through_trusted_proxies() {
    let database = Database::any().await;
    let forwarded: &[(&'static str, &[u8])] = &[("x-forwarded-for", b"192.0.2.1")];
    let nobody_trusted = App::new(&database).await;
    for peer in [PEER, PROXY, "127.0.0.1:1"] {
        let ip = address(&nobody_trusted, peer, forwarded).await.unwrap();
        assert!(peer.starts_with(&ip), "{ip}");
    }
    let app = App::with(&database, behind_proxies).await;
    let ip = |ip: &str| Some(ip.to_owned());
    assert_eq!(address(&app, PEER, forwarded).await, ip("203.0.113.7"));
    assert_eq!(address(&app, PROXY, forwarded).await, ip("192.0.2.1"));
    assert_eq!(address(&app, "[::1]:1", forwarded).await, ip("192.0.2.1"));
    assert_eq!(
        address(&app, "[::ffff:10.1.1.1]:1", forwarded).await,
        ip("192.0.2.1")
    );
    assert_eq!(
        address(&app, PROXY, &[("forwarded", b"for=192.0.2.1")]).await,
        ip("10.0.0.1"),
        "a header that our proxies do not write is the client's own"
    );
}

#[tokio::test]
async fn the_rightmost_hop_that_is_no_trusted_proxy_is_the_client() {
    let database = Database::any().await;
    let app = App::with(&database, behind_proxies).await;
    for (header, client) in [
        ("192.0.2.1, 198.51.100.2", "198.51.100.2"),
        ("192.0.2.1, 198.51.100.2, 10.0.0.9", "198.51.100.2"),
        ("10.9.9.9, 198.51.100.2, 10.0.0.9, 10.0.0.8", "198.51.100.2"),
        ("198.51.100.2:4711", "198.51.100.2"),
        ("[2001:db8::2]:4711", "2001:db8::2"),
        ("192.0.2.1, unknown", "10.0.0.1"),
        ("192.0.2.1, unknown, 10.0.0.9", "10.0.0.9"),
        ("", "10.0.0.1"),
        ("10.0.0.2, 10.0.0.3", "10.0.0.2"),
    ] {
        let forwarded = [("x-forwarded-for", header.as_bytes())];
        assert_eq!(
            address(&app, PROXY, &forwarded).await.as_deref(),
            Some(client),
            "{header}"
        );
    }
    let lines: [(&'static str, &[u8]); 2] = [
        ("x-forwarded-for", b"192.0.2.1"),
        ("x-forwarded-for", b"198.51.100.2"),
    ];
    assert_eq!(
        address(&app, PROXY, &lines).await.as_deref(),
        Some("198.51.100.2")
    );
}

#[tokio::test]
async fn rfc_7239_is_read_where_it_is_configured() {
    let database = Database::any().await;
    let app = App::with(&database, |builder| {
        behind_proxies(builder).forwarded_header(ForwardedHeader::Forwarded)
    })
    .await;
    for (line, client) in [
        (
            "for=192.0.2.1, for=198.51.100.2;proto=https",
            "198.51.100.2",
        ),
        (
            "for=192.0.2.1, For=\"[2001:db8::2]:4711\";by=10.0.0.9",
            "2001:db8::2",
        ),
        ("for=\"unclosed, for=198.51.100.2", "198.51.100.2"),
        ("for=_hidden", "10.0.0.1"),
    ] {
        let forwarded = [("forwarded", line.as_bytes())];
        assert_eq!(
            address(&app, PROXY, &forwarded).await.as_deref(),
            Some(client),
            "{line}"
        );
    }
}

/// As the guide limits tries: each network for itself, whatever its clients say of others.
#[tokio::test]
async fn an_application_limits_the_tries_of_each_address() {
    use std::{
        net::{IpAddr, Ipv6Addr},
        num::NonZeroU32,
        sync::Arc,
    };

    use axum::{Router, routing::post};
    use countersign::Session;
    use governor::{DefaultKeyedRateLimiter, Quota};
    use http::StatusCode;

    fn network(address: IpAddr) -> IpAddr {
        match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            v4 => v4,
        }
    }

    let database = Database::any().await;
    let app = App::with(&database, behind_proxies).await;
    let quota = Quota::per_hour(NonZeroU32::new(3).unwrap());
    let tries = Arc::new(DefaultKeyedRateLimiter::<IpAddr>::keyed(quota));
    let router = Router::new()
        .route(
            "/login",
            post(|session: Session| async move {
                let address = session.client_ip().map(network);
                match address.is_some_and(|address| tries.check_key(&address).is_err()) {
                    true => StatusCode::TOO_MANY_REQUESTS,
                    false => StatusCode::UNAUTHORIZED,
                }
            }),
        )
        .layer(app.sessions.layer());
    let mut outcomes = Vec::new();
    for (peer, forwarded) in [
        (PROXY, "198.51.100.1"),
        (PROXY, "192.0.2.9, 198.51.100.1"),
        (PROXY, "198.51.100.2"),
        (PROXY, "2001:db8::1"),
        (PROXY, "2001:db8::2"),
        (PEER, "198.51.100.1"),
    ] {
        let mut last = StatusCode::OK;
        for _ in 0..2 {
            let forwarded = [("x-forwarded-for", forwarded.as_bytes())];
            let mut client = client(Some(peer), &forwarded);
            last = client.post(&router, "/login").await.status;
        }
        outcomes.push(last.as_u16());
    }
    assert_eq!(outcomes, [401, 429, 401, 401, 429, 401]);
}
