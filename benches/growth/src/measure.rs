//! The operations, each on tables of all sizes by turns.

use std::time::{Duration, Instant};

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{Request, StatusCode, header},
    routing::{get, post},
};
use countersign::{
    Cursor, Filter, Key, Limit, Page, Session, SessionState, Sessions, SignedIn, UserId,
};
use tower::ServiceExt;

use crate::seed::{EACH, Failure, Place};

/// How often each operation is measured on each table.
const TIMES: u64 = 41;
const PAGE: u32 = 50;

pub struct Table {
    place: Place,
    size: u64,
    sessions: Sessions,
    router: Router,
    cookie: String,
    /// Where page 1,000 starts, or the last page of a smaller table.
    far: Option<Cursor>,
}

#[derive(Clone, Copy)]
enum Operation {
    Verify,
    SignIn,
    FirstPage,
    Page1000,
    FirstPageOfLive,
    RareUserAgent,
    Devices,
    EndOne,
    EndUser,
    PreviewAddress,
    DryRunOfAll,
    SweepDryRun,
    Sweep,
}

const OPERATIONS: [(&str, Operation); 13] = [
    ("verify", Operation::Verify),
    ("sign-in, limit of 3", Operation::SignIn),
    ("list, page 1", Operation::FirstPage),
    ("list, page 1000", Operation::Page1000),
    ("list, live, page 1", Operation::FirstPageOfLive),
    ("one user's devices", Operation::Devices),
    ("end one session", Operation::EndOne),
    ("end all of a user", Operation::EndUser),
    ("dry run, one address", Operation::PreviewAddress),
    ("sweep, nothing due", Operation::Sweep),
    ("sweep, dry run", Operation::SweepDryRun),
    // These grow: they look at all that is live, or at all.
    ("list, rare user agent", Operation::RareUserAgent),
    ("dry run, everybody", Operation::DryRunOfAll),
];

impl Table {
    pub async fn new(place: Place, size: u64) -> Result<Self, Failure> {
        let sessions = place
            .builder()
            .key(Key::generate())
            .account("users WHERE id = {user:int}")
            .limit(Limit::end_oldest(3))
            .build()
            .await?;
        let router = Router::new()
            .route(
                "/whoami",
                get(async |user: SignedIn| user.user_id().to_string()),
            )
            .route("/login/{id}", post(login))
            .layer(sessions.layer());
        let answer = router.clone().oneshot(sign_in(1)?).await?;
        let cookie = answer
            .headers()
            .get(header::SET_COOKIE)
            .ok_or("no cookie came")?
            .to_str()?
            .split(';')
            .next()
            .unwrap_or_default()
            .to_owned();
        let mut far = None;
        let mut left = 999 * u64::from(PAGE);
        while left > 0 {
            let length = left.min(1000);
            let mut page = Page::first(u32::try_from(length)?);
            if let Some(cursor) = far.clone() {
                page = page.after(cursor);
            }
            match sessions.list(&Filter::everybody(), page).await?.next {
                Some(next) => far = Some(next),
                None => break,
            }
            left -= length;
        }
        Ok(Self {
            place,
            size,
            sessions,
            router,
            cookie,
            far,
        })
    }

    pub async fn close(self) -> Result<(), Failure> {
        self.sessions.close().await;
        self.place.gone().await
    }

    /// One operation, the n-th time; how much there was to see.
    async fn run(&self, operation: Operation, n: u64) -> Result<Option<String>, Failure> {
        let users = self.size.div_ceil(EACH).max(1);
        let user = UserId::from(i64::try_from((n * 7 + 3) % users)?);
        let everybody = Filter::everybody;
        let first = Page::first(PAGE);
        match operation {
            Operation::Verify => {
                let request = Request::get("/whoami").header(header::COOKIE, &self.cookie);
                let answer = self
                    .router
                    .clone()
                    .oneshot(request.body(Body::empty())?)
                    .await?;
                if answer.status() != StatusCode::OK {
                    return Err(format!("verify: {}", answer.status()).into());
                }
            }
            Operation::SignIn => {
                // Others than those whose sessions are ended.
                let answer = self
                    .router
                    .clone()
                    .oneshot(sign_in(users + 1 + n % 900)?)
                    .await?;
                if answer.status() != StatusCode::OK {
                    return Err(format!("sign-in: {}", answer.status()).into());
                }
            }
            Operation::FirstPage => drop(self.sessions.list(&everybody(), first).await?),
            Operation::Page1000 => {
                let page = match &self.far {
                    Some(far) => first.after(far.clone()),
                    None => first,
                };
                drop(self.sessions.list(&everybody(), page).await?);
            }
            Operation::FirstPageOfLive => {
                let live = everybody().state(SessionState::Live);
                drop(self.sessions.list(&live, first).await?);
            }
            Operation::RareUserAgent => {
                let page = self
                    .sessions
                    .list(&everybody().user_agent("rare"), first)
                    .await?;
                return Ok(page.incomplete.then(|| "incomplete".into()));
            }
            Operation::Devices => {
                let devices = Filter::user(user).state(SessionState::Live);
                drop(self.sessions.list(&devices, first).await?);
            }
            Operation::EndOne => {
                let page = first.after_first(&self.far);
                let page = self
                    .sessions
                    .list(&everybody().state(SessionState::Live), page)
                    .await?;
                let Some(session) = page.sessions.get(usize::try_from(n % 5)?) else {
                    return Ok(None);
                };
                let start = Instant::now();
                self.sessions.revoke(session.id, "growth").await?;
                return Ok(Some(format!("{}", start.elapsed().as_nanos())));
            }
            Operation::EndUser => drop(self.sessions.revoke_user(&user, "growth").await?),
            Operation::PreviewAddress => {
                let address =
                    everybody().ip(format!("10.0.0.{}", n % self.size.div_ceil(20).max(1)));
                drop(self.sessions.revoke_where_dry_run(&address).await?);
            }
            Operation::DryRunOfAll => drop(self.sessions.revoke_where_dry_run(&everybody()).await?),
            Operation::SweepDryRun => drop(self.sessions.sweep_dry_run().await?),
            Operation::Sweep => drop(self.sessions.sweep().await?),
        }
        Ok(None)
    }
}

trait AfterFirst {
    fn after_first(self, far: &Option<Cursor>) -> Self;
}

impl AfterFirst for Page {
    /// A session somewhere in the middle of a large table.
    fn after_first(self, far: &Option<Cursor>) -> Self {
        match far {
            Some(far) => self.after(far.clone()),
            None => self,
        }
    }
}

async fn login(session: Session, Path(id): Path<i64>) -> Result<(), axum::response::ErrorResponse> {
    session.login(id).await?;
    Ok(())
}

fn sign_in(user: u64) -> Result<Request<Body>, Failure> {
    Ok(Request::post(format!("/login/{user}")).body(Body::empty())?)
}

/// Measures all operations and prints a table of them.
pub async fn print(tables: &mut [Table]) -> Result<(), Failure> {
    print!("{:24}", "");
    for table in &*tables {
        print!("{:>22}", table.size);
    }
    println!();
    for (name, operation) in OPERATIONS {
        let slow = matches!(operation, Operation::RareUserAgent | Operation::DryRunOfAll);
        let times = if slow { 3 } else { TIMES };
        let mut taken = vec![Vec::new(); tables.len()];
        let mut notes = vec![""; tables.len()];
        for n in 0..times + 3 {
            for (at, table) in tables.iter().enumerate() {
                let start = Instant::now();
                let told = table.run(operation, n).await?;
                let mut time = start.elapsed();
                match told.as_deref() {
                    Some("incomplete") => notes[at] = " *",
                    // Only a part of it was the operation.
                    Some(nanos) => time = Duration::from_nanos(nanos.parse()?),
                    None => {}
                }
                // The first ones prepare statements.
                if n >= 3.min(times - 1) {
                    taken[at].push(time);
                }
            }
        }
        print!("{name:24}");
        let medians: Vec<_> = taken
            .iter_mut()
            .map(|times| {
                times.sort_unstable();
                times[times.len() / 2].as_secs_f64() * 1e6
            })
            .collect();
        for (median, note) in medians.iter().zip(notes) {
            print!("{median:>12.0} µs {:>5.2}×{note:2}", median / medians[0]);
        }
        println!();
    }
    println!("* time ran out: a partial page, with the place where it goes on\n");
    Ok(())
}
