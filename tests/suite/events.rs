//! What happens is told once, with who and where, and never at the expense of a request.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use countersign::{
    Event, EventKind, Filter, Limit, MaxSessions, SignInRefusal, UserId, time::OffsetDateTime,
};
use http::{Method, StatusCode, header};
use tower::ServiceExt;

use crate::{
    cancellation::{Drops, polled},
    support::{
        App, Client, Database, Gate, eventually,
        heard::{Heard, line},
        on_every_database,
        secret::sealed,
    },
};

/// A browser of somewhere.
fn browser() -> Client {
    let mut client = Client::new();
    client.peer = Some("203.0.113.7:4711".parse().unwrap());
    let agent = "Browser/1.0 (\"quoted\")".parse().unwrap();
    client.headers.insert(header::USER_AGENT, agent);
    client
}

/// A browser with this for its session.
fn with_cookie(value: &str) -> Client {
    let mut client = browser();
    client
        .jar
        .insert("__Host-session".to_owned(), value.to_owned());
    client
}

async fn session_id(app: &App, client: &mut Client, user: &str) -> String {
    let answer = app.login(client, user).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.body
}

fn sum(events: &[Event], name: &str) -> u64 {
    let of_it = events.iter().filter(|event| event.kind.name() == name);
    of_it.map(|event| event.count).sum()
}

on_every_database! {
    async fn the_life_of_a_session_is_told_event_by_event(database: Database) {
        let heard = Heard::default();
        let app = App::with(&database, |builder| heard.listen(builder.limit(Limit::end_oldest(1)))).await;
        let (mut first, mut second) = (browser(), browser());

        let before = OffsetDateTime::now_utc();
        let id = session_id(&app, &mut first, "2").await;
        let events = heard.news(&app).await;
        let [event] = &events[..] else { panic!("{events:?}") };
        assert_eq!(event.kind, EventKind::SignedIn);
        assert_eq!(event.session_id.unwrap().to_string(), id);
        assert_eq!(event.user_agent.as_deref(), Some("Browser/1.0 (\"quoted\")"));
        assert!(event.time >= before && event.time <= OffsetDateTime::now_utc());
        assert_eq!((event.count, &event.by, &event.error), (1, &None, &None));
        assert_eq!(line(event), "signed-in user=2 ip=203.0.113.7");

        session_id(&app, &mut second, "2").await;
        let events = heard.news(&app).await;
        let told: Vec<_> = events.iter().map(line).collect();
        assert_eq!(told, ["ended(limit) user=2 by=2", "signed-in user=2 ip=203.0.113.7"]);
        assert_eq!(events[0].session_id.unwrap().to_string(), id);

        let id = session_id(&app, &mut second, "3").await;
        let events = heard.news(&app).await;
        let told: Vec<_> = events.iter().map(line).collect();
        assert_eq!(told, ["ended(replaced) by=3", "signed-in user=3 ip=203.0.113.7"]);

        for (request, expected) in [
            ("/rotate", "rotated user=3 ip=203.0.113.7"),
            ("/reauthenticated", "reauthenticated user=3 ip=203.0.113.7"),
            ("/logout", "signed-out user=3 ip=203.0.113.7"),
        ] {
            second.post(&app.router, request).await;
            let events = heard.news(&app).await;
            let told: Vec<_> = events.iter().map(line).collect();
            assert_eq!(told, [expected]);
            assert_eq!(events[0].session_id.unwrap().to_string(), id);
        }
        // What does not happen is not told.
        for request in ["/login/2/500", "/rotate", "/rotate/500", "/logout", "/revoke-others"] {
            second.post(&app.router, request).await;
        }
        first.get(&app.router, "/me").await;
        Client::new().get(&app.router, "/me").await;
        assert_eq!(heard.told(&app).await, Vec::<String>::new());
    }

    async fn a_session_that_two_requests_sign_out_is_told_once(database: Database) {
        let (heard, gate) = (Heard::default(), Gate::closed());
        let app = App::with(&database, |builder| heard.listen(builder)).await;
        let at_gate = gate.clone();
        let router = axum::Router::new()
            .route(
                "/logout",
                axum::routing::post(|session: countersign::Session| async move {
                    at_gate.pass().await;
                    session.logout().await.map(drop)
                }),
            )
            .layer(app.sessions.layer());
        let client = app.signed_in("2").await;
        heard.news(&app).await;
        let signing_out = [client.clone(), client].map(|mut client| {
            let router = router.clone();
            tokio::spawn(async move { client.post(&router, "/logout").await.status })
        });
        // Both are verified by now.
        gate.reached().await;
        gate.reached().await;
        gate.open();
        gate.open();
        for status in futures::future::join_all(signing_out).await {
            assert_eq!(status.unwrap(), StatusCode::OK);
        }
        assert_eq!(heard.told(&app).await, ["signed-out user=2"]);
    }

    async fn a_sign_in_beyond_the_limit_is_told_with_the_limit(database: Database) {
        let heard = Heard::default();
        let app = App::with(&database, |builder| heard.listen(builder.limit(Limit::refuse(2)))).await;
        for _ in 0..2 {
            app.signed_in("2").await;
        }
        heard.news(&app).await;
        let mut third = browser();
        assert_eq!(app.login(&mut third, "2").await.status, StatusCode::CONFLICT);
        let events = heard.news(&app).await;
        let told: Vec<_> = events.iter().map(line).collect();
        assert_eq!(told, ["sign-in-refused(limit-reached) user=2 ip=203.0.113.7"]);
        let why = SignInRefusal::LimitReached { max: 2 };
        assert_eq!((events[0].kind, events[0].session_id), (EventKind::SignInRefused { why }, None));
    }

    async fn whoever_acts_as_a_user_is_named(database: Database) {
        let heard = Heard::default();
        let app = App::with(&database, |builder| heard.listen(builder)).await;
        let mut client = app.signed_in("1").await;
        heard.news(&app).await;
        let whose = |event: &Event| event.acting_user.as_ref().map(ToString::to_string);
        for (request, expected) in [
            ("/act-as/2", &["ended(replaced) by=1", "signed-in user=2"][..]),
            ("/act-as/3", &["sign-in-refused(acting) user=2"]),
            ("/rotate", &["rotated user=2"]),
            ("/logout", &["signed-out user=2"]),
        ] {
            client.post(&app.router, request).await;
            let events = heard.news(&app).await;
            let told: Vec<_> = events.iter().map(line).collect();
            assert_eq!(told, expected);
            assert_eq!(whose(events.last().unwrap()).as_deref(), Some("1"), "{request}");
        }
        client.post(&app.router, "/login/1").await;
        client.post(&app.router, "/act-as/2").await;
        app.signed_in("1").await;
        heard.news(&app).await;
        app.sessions.revoke_user(1, "warden").await.unwrap();
        let events = heard.news(&app).await;
        let told: Vec<_> = events.iter().map(line).collect();
        assert_eq!(told, ["ended(revoked) user=1 by=warden", "ended(revoked) by=warden"]);
        assert_eq!(whose(&events[1]).as_deref(), Some("1"));
    }

    async fn revocations_are_told_with_whom_by_whom_and_how_many(database: Database) {
        let heard = Heard::default();
        let app = App::with(&database, |builder| heard.listen(builder)).await;
        let mut clients = Vec::new();
        for user in ["2", "2", "2", "3", "1", "1"] {
            clients.push(app.signed_in(user).await);
        }
        let id = session_id(&app, &mut Client::new(), "3").await.parse().unwrap();
        heard.news(&app).await;

        assert!(app.sessions.revoke(id, "warden").await.unwrap());
        assert!(!app.sessions.revoke(id, "warden").await.unwrap());
        let events = heard.news(&app).await;
        assert_eq!(events.len(), 1);
        assert_eq!((line(&events[0]), events[0].session_id), ("ended(revoked) by=warden".to_owned(), Some(id)));

        assert_eq!(clients[0].post(&app.router, "/revoke-others").await.body, "2");
        app.sessions.revoke_user(3, "warden").await.unwrap();
        app.sessions.revoke_user(3, "warden").await.unwrap();
        app.sessions.revoke_where(&Filter::all(), "night job").await.unwrap();
        app.sessions.revoke_where_dry_run(&Filter::all()).await.unwrap();
        assert_eq!(heard.told(&app).await, [
            "ended(revoked) ×2 user=2 by=2",
            "ended(revoked) user=3 by=warden",
            "ended(revoked) ×3 by=night job",
        ]);
    }

    #[cfg(feature = "admin")]
    async fn an_administrator_who_may_not_decide_over_a_user_is_told(database: Database) {
        let heard = Heard::default();
        let app = App::with(&database, |builder| heard.listen(builder)).await;
        let refuse = async |_: countersign::SignedIn, user: UserId| {
            Ok(match user.as_str() {
                "2" => countersign::admin::Authorization::Refused,
                _ => countersign::admin::Authorization::Granted,
            })
        };
        let router = crate::support::control::routers(&app, |admin| admin.authorize(refuse), |account| account);
        let mut admin = app.signed_in("1").await;
        for user in ["2", "2", "3"] {
            app.signed_in(user).await;
        }
        heard.news(&app).await;
        for user in ["2", "3"] {
            admin.send(&router, Method::DELETE, &format!("/api/admin/users/{user}/sessions")).await;
        }
        assert_eq!(heard.told(&app).await, [
            "authorization-refused user=2 by=1",
            "ended(revoked) user=3 by=1",
        ]);
    }

    async fn whose_limit_is_set_by_whom_is_told_with_the_realm(database: Database) {
        let heard = Heard::default();
        let app = App::with(&database, |builder| heard.listen(builder.realm("shop"))).await;
        let (user, none) = (UserId::from(2), None::<MaxSessions>);
        for max in [Some(MaxSessions::AtMost(3)), Some(MaxSessions::Unlimited), none] {
            app.sessions.set_limit(&user, max, "1").await.unwrap();
            let events = heard.news(&app).await;
            let [event] = &events[..] else { panic!("{events:?}") };
            assert_eq!((event.kind, event.realm.as_str()), (EventKind::LimitSet { max }, "shop"));
            assert_eq!((event.user_id.as_ref(), event.by.as_deref()), (Some(&user), Some("1")));
        }
        app.sessions.set_limit(&user, none, "").await.unwrap_err();
        app.sessions.set_limit("", none, "1").await.unwrap_err();
        assert_eq!(heard.told(&app).await, Vec::<String>::new());
    }

    async fn what_a_sweep_finds_expired_is_told_as_a_number(database: Database) {
        let heard = Heard::default();
        let app = App::with(&database, |builder| heard.listen(builder)).await;
        for _ in 0..3 {
            app.signed_in("2").await;
        }
        database.age("last_seen_at", 31 * 60).await;
        app.signed_in("3").await;
        heard.news(&app).await;
        app.sessions.sweep().await.unwrap();
        app.sessions.sweep().await.unwrap();
        assert_eq!(heard.told(&app).await, ["ended(expired) ×3"]);
    }

    async fn refusals_of_requests_are_told_with_their_reason(database: Database) {
        let heard = Heard::default();
        let app = App::with(&database, |builder| {
            heard.listen(builder.rotation_grace(Duration::ZERO))
        }).await;
        let mut client = browser();
        app.login(&mut client, "2").await;
        let old = client.clone();
        client.post(&app.router, "/rotate").await;
        let good = client.session_cookie().unwrap().to_owned();
        let inside = crate::support::secret::unsealed("__Host-session", &good).unwrap();
        let other = app.signed_in("3").await;
        heard.news(&app).await;

        let ip = "ip=203.0.113.7";
        for (mut client, expected) in [
            (with_cookie("x"), format!("cookie-rejected(undecipherable) {ip}")),
            (with_cookie(&"x".repeat(5000)), format!("cookie-rejected(too-long) {ip}")),
            (with_cookie(&sealed("__Host-session", "9")), format!("cookie-rejected(unknown-version) {ip}")),
            (with_cookie(&sealed("__Host-session", "1")), format!("cookie-rejected(malformed) {ip}")),
            (with_cookie(&sealed("__Host-session", &format!("{}9", &inside[..44]))), format!("cookie-rejected(user-mismatch) user=2 {ip}")),
            (old, format!("cookie-rejected(unknown-token) user=2 {ip}")),
        ] {
            assert_eq!(client.get(&app.router, "/me").await.status, StatusCode::UNAUTHORIZED);
            assert_eq!(heard.told(&app).await, [expected]);
        }
        let mut request = client.request(Method::GET, "/me");
        let tossed = format!("__Host-session={}", other.session_cookie().unwrap()).parse().unwrap();
        request.headers_mut().append(header::COOKIE, tossed);
        app.router.clone().oneshot(request).await.unwrap();
        assert_eq!(heard.told(&app).await, [format!("cookie-rejected(ambiguous) {ip}")]);

        let mut other = other;
        assert_eq!(other.get(&app.router, "/edit").await.status, StatusCode::FORBIDDEN);
        assert_eq!(heard.told(&app).await, ["permission-missing user=3 permission=articles:edit"]);
        database.execute("UPDATE users SET disabled = (1 = 1) WHERE id = 2").await;
        assert_eq!(client.get(&app.router, "/me").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(heard.told(&app).await, [format!("account-refused user=2 {ip}")]);
    }

    async fn an_outage_is_told_once_however_many_requests_it_meets(database: Database) {
        let heard = Heard::default();
        let client = App::new(&database).await.signed_in("2").await;
        let app = App::cut_off(&database, |builder| heard.listen(builder)).await;
        for _ in 0..50 {
            assert_eq!(client.clone().get(&app.router, "/me").await.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(Client::new().post(&app.router, "/login/2").await.status, StatusCode::SERVICE_UNAVAILABLE);
        }
        let events = heard.news(&app).await;
        assert_eq!(sum(&events, "store-unavailable"), 1);
        assert_eq!(sum(&events, "sign-in-failed"), 50);
        assert_eq!(sum(&events, "store-available"), 0);
        // Those that were under way when it was noticed.
        assert!(sum(&events, "not-verified") < 50);
        let failed = events.iter().find(|event| event.kind == EventKind::SignInFailed).unwrap();
        assert!(failed.error.is_some() && failed.user_id == Some(UserId::from(2)));
    }

    async fn a_closure_that_blocks_delays_no_request(database: Database) {
        let (entered, inside) = mpsc::channel();
        let (open, opened) = mpsc::channel::<()>();
        let heard = Heard::default();
        let hears = heard.clone();
        let app = App::with(&database, |builder| builder.on_event(move |event| {
            entered.send(()).unwrap();
            let _ = opened.recv();
            hears.push(event);
        })).await;
        // More of them than the runtime has workers.
        let mut clients = Vec::new();
        for user in ["1", "2", "3", "2"] {
            clients.push(app.signed_in(user).await);
        }
        inside.recv().unwrap();
        for (client, user) in clients.iter_mut().zip(["1", "2", "3", "2"]) {
            assert_eq!(client.get(&app.router, "/me").await.body, user);
            assert_eq!(client.post(&app.router, "/logout").await.status, StatusCode::OK);
        }
        assert!(inside.try_recv().is_err() && heard.so_far().is_empty(), "it is blocked all the time");
        drop(open);
        let told = heard.news(&app).await;
        assert_eq!((sum(&told, "signed-in"), sum(&told, "signed-out"), told.len()), (4, 4, 8));
    }

    async fn a_flood_of_forged_cookies_is_summed_up_and_drowns_nothing(database: Database) {
        let heard = Heard::default();
        let app = App::with(&database, |builder| heard.listen(builder)).await;
        for number in 0..2000 {
            let mut forged = with_cookie("forged");
            forged.get(&app.router, "/me").await;
            if number == 1500 {
                app.signed_in("2").await;
            }
        }
        let events = heard.news(&app).await;
        assert_eq!(sum(&events, "cookie-rejected"), 2000);
        assert_eq!((sum(&events, "signed-in"), sum(&events, "events-dropped")), (1, 0));
        assert!(events.len() < 500, "{}", events.len());
        let summed_up = events.iter().find(|event| event.count > 1).unwrap();
        assert_eq!((&summed_up.ip, &summed_up.user_agent), (&None, &None));
    }

    async fn events_agree_with_the_database_wherever_a_sign_in_is_dropped(database: Database) {
        let heard = Heard::default();
        let app = App::with(&database, |builder| heard.listen(builder.limit(Limit::end_oldest(1)))).await;
        for drops in [Drops::Waiting, Drops::Woken] {
            for (times, path) in (1..40).flat_map(|times| [(times, "/login/2"), (times, "/logout")]) {
                let client = app.signed_in("2").await;
                let request = app.router.clone().oneshot(client.request(Method::POST, path));
                polled(times, drops, request).await;
            }
        }
        let mut seen = Vec::new();
        let (app, database) = (&app, &database);
        let mut agree = async || {
            seen.extend(heard.news(app).await);
            let mut told = BTreeMap::new();
            for event in &seen {
                let reason = match event.kind {
                    EventKind::SignedOut => "logout",
                    EventKind::Ended { reason } => reason.as_str(),
                    _ => continue,
                };
                *told.entry(reason).or_insert(0) += i64::try_from(event.count).unwrap();
            }
            let mut recorded = BTreeMap::new();
            for reason in ["logout", "limit", "replaced", "abandoned", "revoked", "expired"] {
                let of_it = format!("SELECT count(*) FROM countersign_sessions WHERE ended_reason = '{reason}'");
                match database.count(&of_it).await {
                    0 => {}
                    count => drop(recorded.insert(reason, count)),
                }
            }
            (told, recorded)
        };
        for _ in 0..1000 {
            let (told, recorded) = agree().await;
            if told == recorded && database.count("SELECT count(*) FROM countersign_sessions WHERE reserved_until IS NOT NULL").await == 0 {
                assert!(recorded["logout"] > 10 && recorded["limit"] > 10 && recorded["replaced"] > 5, "{recorded:?}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{:?}", agree().await);
    }
}

/// A closure that is blocked until the test opens it.
struct Blocked {
    inside: mpsc::Receiver<()>,
    open: mpsc::Sender<()>,
}

impl Blocked {
    async fn app(database: &Database, heard: &Heard) -> (App, Self) {
        let (entered, inside) = mpsc::channel();
        let (open, opened) = mpsc::channel::<()>();
        let hears = heard.clone();
        let app = App::with(database, |builder| {
            builder.on_event(move |event| {
                // Nobody may be there any longer.
                let _ = entered.send(());
                let _ = opened.recv();
                hears.push(event);
            })
        })
        .await;
        (app, Self { inside, open })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_into_the_queue_is_counted_and_told() {
    let (database, heard) = (Database::any().await, Heard::default());
    let (app, blocked) = Blocked::app(&database, &heard).await;
    let mut client = app.signed_in("2").await;
    blocked.inside.recv().unwrap();
    // One is in the closure, 1,024 are in the queue.
    for _ in 0..1024 + 30 {
        assert_eq!(
            client.post(&app.router, "/rotate").await.status,
            StatusCode::OK
        );
    }
    drop(blocked.open);
    let told = heard.news(&app).await;
    assert_eq!((sum(&told, "signed-in"), sum(&told, "rotated")), (1, 1024));
    assert_eq!(sum(&told, "events-dropped"), 30);
    client.post(&app.router, "/logout").await;
    let told = heard.told(&app).await;
    assert_eq!(told, ["signed-out user=2"], "there is room again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closure_that_panics_gets_the_next_event_all_the_same() {
    let (database, heard) = (Database::any().await, Heard::default());
    let hears = heard.clone();
    let app = App::with(&database, |builder| {
        builder.on_event(move |event| {
            assert_ne!(event.kind, EventKind::SignedIn, "a panic, on purpose");
            hears.push(event);
        })
    })
    .await;
    for _ in 0..3 {
        let mut client = app.signed_in("2").await;
        client.post(&app.router, "/logout").await;
    }
    assert_eq!(heard.told(&app).await, ["signed-out user=2"; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_waits_until_everything_is_delivered() {
    let (database, heard) = (Database::any().await, Heard::default());
    let (app, blocked) = Blocked::app(&database, &heard).await;
    for _ in 0..5 {
        app.signed_in("2").await;
    }
    let closing = {
        let app = app.clone();
        tokio::spawn(async move { app.sessions.close().await })
    };
    blocked.inside.recv().unwrap();
    assert!(!closing.is_finished() && heard.so_far().is_empty());
    drop(blocked.open);
    closing.await.unwrap();
    assert_eq!(heard.so_far().len(), 5);
}

#[tokio::test]
async fn closing_does_not_wait_for_ever() {
    let (database, heard) = (Database::any().await, Heard::default());
    let (app, blocked) = Blocked::app(&database, &heard).await;
    app.signed_in("2").await;
    blocked.inside.recv().unwrap();
    // The clock jumps to the end of each wait.
    tokio::time::pause();
    app.sessions.close().await;
    assert!(heard.so_far().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_closure_is_dropped_with_the_last_handle_after_it_had_everything() {
    let database = Database::any().await;
    let witness = Arc::new(AtomicU64::new(0));
    let counts = witness.clone();
    let app = App::with(&database, |builder| {
        builder.on_event(move |_| {
            counts.fetch_add(1, Ordering::SeqCst);
        })
    })
    .await;
    for _ in 0..3 {
        app.signed_in("2").await;
    }
    let another = app.clone();
    drop(app);
    assert_eq!(Arc::strong_count(&witness), 2);
    another.signed_in("3").await;
    drop(another);
    eventually("the closure is gone", || async {
        Arc::strong_count(&witness) == 1
    })
    .await;
    assert_eq!(witness.load(Ordering::SeqCst), 4);
}
