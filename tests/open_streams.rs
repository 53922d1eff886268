//! Ten thousand open streams on one node: what they cost, counted in statements, and how they end.
//!
//! A test binary of its own, as it listens to the logs of the whole process; so its tests take turns.
#![cfg_attr(
    not(all(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(
        unused_imports,
        dead_code,
        reason = "some of it is about one database alone"
    )
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use ::support;

use std::{
    collections::BTreeSet,
    convert::Infallible,
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    Router,
    response::sse::{Event, Sse},
    routing::get,
};
use countersign::{Filter, Session, SessionsBuilder, SignedIn};
use futures::{Stream, StreamExt, stream};
use http::{Method, StatusCode};
use support::{
    App, Client, Database,
    counter::{about_sessions, counted, missed_rounds},
    eventually, on_every_database_in_turn,
    rows::NewRow,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
};
use tower::ServiceExt;

const STREAMS: usize = 10_000;
const USERS: [&str; 3] = ["1", "2", "3"];
const AN_HOUR: Duration = Duration::from_secs(3600);
/// Long enough for any machine, and far from "never".
use support::PATIENCE;

/// A stream has come to its end.
#[derive(Clone, Copy, Debug)]
struct Closed {
    session: usize,
    at: Instant,
    /// How many statements there had been in all.
    statements: u64,
}

impl Closed {
    fn now(session: usize) -> Self {
        Self {
            session,
            at: Instant::now(),
            statements: about_sessions(),
        }
    }
}

/// Sessions, with a stream open in each.
struct Open {
    rows: Vec<NewRow>,
    closed: UnboundedReceiver<Closed>,
    /// Dropping them closes the connections.
    readers: JoinSet<()>,
}

/// Says hello, and nothing more for as long as the session lasts.
async fn events(
    _: SignedIn,
    session: Session,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let hello = stream::iter([Ok(Event::default().data("hello"))]);
    Sse::new(session.until_ended(hello.chain(stream::pending())))
}

fn router(app: &App) -> Router {
    Router::new()
        .route("/events", get(events))
        .layer(app.sessions.layer())
}

async fn node(
    database: &Database,
    configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
) -> App {
    database.pool.migrate().await.unwrap();
    App::on(&database.pool_of(8).await, configure).await
}

/// So many sessions, written at once, of the three users in turn.
async fn sessions(database: &Database, number: usize) -> Vec<NewRow> {
    let rows: Vec<_> = (0..number)
        .map(|number| NewRow::live(USERS[number % USERS.len()]))
        .collect();
    database.insert(&rows).await;
    rows
}

impl Open {
    /// Through the router, without sockets.
    async fn streams(app: &App, rows: Vec<NewRow>) -> Self {
        let (sender, closed) = unbounded_channel();
        let (router, mut readers) = (router(app), JoinSet::new());
        // Not all at once: the queue of requests is bounded.
        for (chunk, some) in rows.chunks(1000).enumerate() {
            let opening = some.iter().map(async |row| {
                let request = row.client().request(Method::GET, "/events");
                let response = router.clone().oneshot(request).await.unwrap();
                assert_eq!(response.status(), StatusCode::OK);
                let mut body = response.into_body().into_data_stream();
                let first = body.next().await.unwrap().unwrap();
                assert_eq!(first, "data: hello\n\n");
                body
            });
            let bodies = futures::future::join_all(opening).await;
            for (number, mut body) in bodies.into_iter().enumerate() {
                let sender = sender.clone();
                readers.spawn(async move {
                    assert!(body.next().await.is_none());
                    // Nobody listens when the test is over.
                    let _ = sender.send(Closed::now(chunk * 1000 + number));
                });
            }
        }
        Self {
            rows,
            closed,
            readers,
        }
    }

    /// Over real sockets.
    async fn connections(server: SocketAddr, rows: Vec<NewRow>) -> Self {
        let (sender, closed) = unbounded_channel();
        let mut readers = JoinSet::new();
        for (number, row) in rows.iter().enumerate() {
            let socket = connect(server, &row.client()).await;
            readers.spawn(read_to_the_end(socket, number, sender.clone()));
        }
        Self {
            rows,
            closed,
            readers,
        }
    }

    /// The numbers of this user's sessions.
    fn of(&self, user: &str) -> BTreeSet<usize> {
        let of_user = |number: &usize| self.rows[*number].user_id == user;
        (0..self.rows.len()).filter(of_user).collect()
    }

    /// Waits for exactly these to close; that no other has closed by then. The last one.
    async fn close(&mut self, mut expected: BTreeSet<usize>) -> Closed {
        let mut last = None;
        while !expected.is_empty() {
            let closed = tokio::time::timeout(PATIENCE, self.closed.recv()).await;
            let closed = closed
                .unwrap_or_else(|_| panic!("{} never closed", expected.len()))
                .unwrap();
            assert!(expected.remove(&closed.session), "{closed:?}");
            last = Some(closed);
        }
        assert!(self.closed.try_recv().is_err(), "another has closed");
        last.unwrap()
    }

    fn is_open(&mut self) -> bool {
        self.closed.try_recv().is_err()
    }
}

/// A stream that has said hello.
async fn connect(server: SocketAddr, client: &Client) -> TcpStream {
    let cookie = client.session_cookie().unwrap();
    let request = format!(
        "GET /events HTTP/1.1\r\nHost: localhost\r\nCookie: __Host-session={cookie}\r\n\r\n"
    );
    let mut socket = TcpStream::connect(server).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !seen.windows(5).any(|word| word == b"hello") {
        assert_ne!(
            socket.read_buf(&mut seen).await.unwrap(),
            0,
            "closed before it began"
        );
    }
    assert!(seen.starts_with(b"HTTP/1.1 200 "));
    socket
}

/// The end of an answer in chunks, as a browser sees it: not a connection that was cut.
async fn read_to_the_end(mut socket: TcpStream, number: usize, sender: UnboundedSender<Closed>) {
    let mut seen = Vec::new();
    while !seen.ends_with(b"0\r\n\r\n") {
        assert_ne!(socket.read_buf(&mut seen).await.unwrap(), 0, "cut off");
    }
    let _ = sender.send(Closed::now(number));
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// No more statements about sessions in so long than one per interval, and two more: one for where the time begins, and one since a
/// round that came late is followed by one that does not.
fn at_most_one_per(interval: Duration, statements: u64, elapsed: Duration) {
    let most = elapsed.as_millis() / interval.as_millis() + 2;
    assert!(
        u128::from(statements) <= most,
        "{statements} in {elapsed:?}"
    );
}

on_every_database_in_turn! {
    async fn ten_thousand_streams_share_one_statement_per_interval_and_end_within_two(database: Database) {
        let interval = Duration::from_millis(500);
        let app = node(&database, |builder| builder.watch_interval(interval)).await;
        let other = App::beside(&database, |builder| builder).await;
        let mut open = Open::streams(&app, sessions(&database, STREAMS).await).await;
        let started = Instant::now();
        let before = about_sessions();
        eventually("five rounds", || async { about_sessions() - before >= 5 }).await;
        let asked = about_sessions() - before;
        at_most_one_per(interval, asked, started.elapsed());
        println!("{STREAMS} streams: {asked} statements in {:?}", started.elapsed());
        assert!(open.is_open());

        let one = open.rows[5].id;
        assert!(other.sessions.revoke(one, "test").await.unwrap());
        let (before, at) = (about_sessions(), Instant::now());
        let closed = open.close([5].into()).await;
        println!("one of {STREAMS}, on another node: {:?}", closed.at - at);
        assert!(closed.statements - before <= 2, "{} rounds", closed.statements - before);

        let mut expected = open.of("3");
        expected.remove(&5);
        let all = other.sessions.revoke_where(&Filter::user(3), "test").await.unwrap();
        assert_eq!(all, expected.len() as u64);
        let at = Instant::now();
        let closed = open.close(expected).await;
        println!("{all} of {STREAMS}, on another node: {:?}", closed.at - at);
    }

    async fn a_revocation_on_this_node_closes_its_streams_without_any_round(database: Database) {
        // No round will ever come: only being told can close them.
        let app = node(&database, |builder| builder.watch_interval(AN_HOUR)).await;
        let mut open = Open::streams(&app, sessions(&database, STREAMS).await).await;
        let mut longest = Duration::ZERO;
        for number in 0..50 {
            let started = Instant::now();
            assert!(app.sessions.revoke(open.rows[number].id, "test").await.unwrap());
            let closed = open.close([number].into()).await;
            longest = longest.max(closed.at - started);
        }
        println!("one of {STREAMS}, on this node: {longest:?} at the longest, with the revocation itself");

        let (rest, started) = (open.of("2").split_off(&50), Instant::now());
        let all = app.sessions.revoke_user(2, "test").await.unwrap();
        assert_eq!(all, rest.len() as u64);
        let closed = open.close(rest).await;
        println!("{all} of {STREAMS}, on this node: {:?}, with the revocation itself", closed.at - started);
    }

    async fn many_endings_ask_no_more_often_than_every_50_milliseconds(database: Database) {
        database.pool.migrate().await.unwrap();
        let app = App::on(&database.pool_of(1).await, |builder| builder.watch_interval(AN_HOUR)).await;
        let mut open = Open::streams(&app, sessions(&database, 300).await).await;
        let started = Instant::now();
        let before = about_sessions();
        for number in 0..200 {
            assert!(app.sessions.revoke(open.rows[number].id, "test").await.unwrap());
        }
        let closed = open.close((0..200).collect()).await;
        let asked = about_sessions() - before;
        // Each revocation looks, ends sign-ins under way, and ends what is live.
        at_most_one_per(Duration::from_millis(50), asked - 200 * 3, closed.at - started);
    }

    async fn streams_over_sockets_end_as_an_answer_does_and_are_forgotten_when_their_clients_go(database: Database) {
        let interval = Duration::from_millis(100);
        let app = node(&database, |builder| builder.watch_interval(interval)).await;
        let other = App::beside(&database, |builder| builder).await;
        let server = serve(router(&app)).await;
        let mut open = Open::connections(server, sessions(&database, 300).await).await;
        app.sessions.revoke_user(1, "test").await.unwrap();
        open.close(open.of("1")).await;
        other.sessions.revoke_user(2, "test").await.unwrap();
        open.close(open.of("2")).await;
        assert_eq!(open.of("3").len(), 100);

        open.readers.shutdown().await;
        eventually("nothing is asked where nobody listens", || async {
            counted(tokio::time::sleep(interval * 4)).await.0 == 0
        }).await;
    }
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
mod outage {
    use super::*;
    use support::proxy::{Mode, Proxy};

    const INTERVAL: Duration = Duration::from_millis(50);

    async fn behind_proxy(database: &Database, grace: Duration) -> (Proxy, App) {
        database.pool.migrate().await.unwrap();
        let proxy = Proxy::before(database).await;
        let pool = proxy.pool(database, 4).await;
        let app = App::on(&pool, |builder| {
            builder
                .watch_interval(INTERVAL)
                .watch_grace(grace)
                .time_budget(Duration::from_millis(500))
        })
        .await;
        (proxy, app)
    }

    async fn rounds_are_missed(number: u64) {
        let before = missed_rounds();
        eventually("rounds without an answer", || async {
            missed_rounds() - before >= number
        })
        .await;
    }

    async fn nothing_ends_before_the_database_is_back(database: Database) {
        let (proxy, app) = behind_proxy(&database, AN_HOUR).await;
        let other = App::on(&database.pool, |builder| builder).await;
        let mut open = Open::streams(&app, sessions(&database, 2000).await).await;
        for (mode, user) in [(Mode::Reset, "1"), (Mode::BlackHole, "2")] {
            proxy.set(mode);
            rounds_are_missed(3).await;
            other.sessions.revoke_user(user, "test").await.unwrap();
            rounds_are_missed(2).await;
            assert!(open.is_open(), "unknown is not ended");
            // What hangs in a connection that fell silent is cut.
            proxy.set(Mode::Reset);
            proxy.set(Mode::Pass);
            open.close(open.of(user)).await;
        }
        let before = about_sessions();
        eventually("all is well again", || async {
            about_sessions() - before >= 5
        })
        .await;
        assert!(open.is_open(), "the others go on");
    }

    async fn all_end_when_the_grace_is_over_and_not_before(database: Database) {
        let grace = Duration::from_secs(2);
        let (proxy, app) = behind_proxy(&database, grace).await;
        let mut open = Open::streams(&app, sessions(&database, 2000).await).await;
        let started = Instant::now();
        proxy.set(Mode::Reset);
        let first = tokio::time::timeout(PATIENCE, open.closed.recv())
            .await
            .unwrap()
            .unwrap();
        // The last answer may be as old as a round.
        assert!(
            first.at - started >= grace - INTERVAL * 2,
            "{:?}",
            first.at - started
        );
        let rest = (0..2000)
            .filter(|number| *number != first.session)
            .collect();
        open.close(rest).await;
    }

    macro_rules! on_every_server_in_turn {
        ($($name:ident),+) => {
            $(
                mod $name {
                    use super::*;

                    #[cfg(feature = "postgres")]
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn postgres() {
                        let _turn = support::counter::TURN.lock().await;
                        super::$name(Database::postgres().await).await;
                    }

                    #[cfg(feature = "mysql")]
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn mysql() {
                        let _turn = support::counter::TURN.lock().await;
                        super::$name(Database::mysql().await).await;
                    }
                }
            )+
        };
    }

    on_every_server_in_turn!(
        nothing_ends_before_the_database_is_back,
        all_end_when_the_grace_is_over_and_not_before
    );
}
