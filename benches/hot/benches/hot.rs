//! `cargo bench` in `benches/hot`: the pieces that every request with a session passes, with the allocations of each.

use std::{
    error::Error,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{HeaderValue, Request, header::SET_COOKIE},
    response::Result as Answered,
    routing::post,
};
use countersign::{
    Key, Session, Sessions,
    benches::{Answers, RequestWithSession},
};
use criterion::{BatchSize, Criterion};
use tower::ServiceExt;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    cookies(&mut criterion);
    verdicts(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

/// From the bytes of the `Cookie` header to the digest of the token.
fn cookies(criterion: &mut Criterion) {
    for (name, keys, neighbours) in [
        ("cookie to digest", 1, 0),
        ("cookie to digest, behind 20 others", 1, 20),
        ("cookie to digest, sealed by the third key", 3, 0),
    ] {
        let request = RequestWithSession::new(keys, neighbours);
        time(criterion, name, || (), |()| request.digest());
    }
}

/// From the rows of the driver to what the handler is given, for all who share a statement.
fn verdicts(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for sessions in [1, 16, 64] {
        let answers = runtime.block_on(answers(sessions))?;
        let name = format!("rows to verdicts, {sessions} sessions of 5 permissions");
        let all_live = |rows| assert_eq!(at_once(answers.live(rows)), sessions);
        time(criterion, &name, || answers.rows(), all_live);
    }
    Ok(())
}

/// What SQLite answers about so many users who have signed in.
async fn answers(users: usize) -> Result<Answers, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}?mode=rwc", folder.path().join("hot.db").display());
    let pool = sqlx::SqlitePool::connect_with(countersign::sqlite_options(&url)?).await?;
    sqlx::raw_sql(TABLES).execute(&pool).await?;
    countersign::migrate(&pool).await?;
    let sessions = Sessions::builder(pool.clone())
        .key(Key::generate())
        .account("users WHERE id = {user:int} AND NOT disabled")
        .permissions("permission", "user_permissions WHERE user_id = {user:int}")
        .build()
        .await?;
    let router = Router::new()
        .route("/login/{user}", post(login))
        .layer(sessions.layer());
    let mut cookies = Vec::new();
    for user in 1..=users {
        let request = Request::post(format!("/login/{user}")).body(Body::empty())?;
        let response = router.clone().oneshot(request).await?;
        let set = response
            .headers()
            .get(SET_COOKIE)
            .ok_or("no cookie")?
            .to_str()?;
        let pair = set.split(';').next().unwrap_or_default();
        cookies.push(HeaderValue::from_str(pair)?);
    }
    Ok(Answers::about(&sessions, &cookies).await)
}

async fn login(session: Session, Path(user): Path<i64>) -> Answered<()> {
    session.login(user).await?;
    Ok(())
}

const TABLES: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, disabled BOOLEAN NOT NULL DEFAULT FALSE);
    CREATE TABLE user_permissions (user_id INTEGER, permission TEXT, PRIMARY KEY (user_id, permission));
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 64) INSERT INTO users (id) SELECT i FROM n;
    INSERT INTO user_permissions SELECT id, name || ':' || action FROM users, (SELECT 'articles' AS name UNION ALL
        SELECT 'comments' UNION ALL SELECT 'invoices' UNION ALL SELECT 'reports' UNION ALL SELECT 'users'),
        (SELECT 'edit' AS action);";

/// Times a piece, after saying what one run of it allocates. What it takes up is made beforehand.
fn time<I, T>(
    criterion: &mut Criterion,
    name: &str,
    mut input: impl FnMut() -> I,
    mut piece: impl FnMut(I) -> T,
) {
    // What is made once and kept does not count.
    black_box(piece(input()));
    let taken = input();
    let allocated = allocation_counter::measure(|| drop(black_box(piece(taken))));
    println!(
        "{name}: {} allocations, {} bytes",
        allocated.count_total, allocated.bytes_total
    );
    criterion.bench_function(name, |bencher| {
        bencher.iter_batched(&mut input, &mut piece, BatchSize::SmallInput)
    });
}

/// The result of a future that has nothing to wait for.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it waits"),
    }
}
