//! The operations, each on tables of all sizes by turns: whatever else the machine does meets them alike.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use countersign::{Filter, Page, SessionState, UserId, uuid::Uuid};

use crate::{
    Failure,
    application::{Application, PAGE},
    database::Kind,
    rows::{Statistics, addresses},
};

/// Turns that are not counted: they prepare statements and fill caches.
const WARM_UP: u64 = 3;
/// How many sessions a sweep finds expired.
const EXPIRED: u64 = 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Whoami,
    SignIn,
    FirstPage,
    Page1000,
    FirstPageOfLive,
    Devices,
    EndOne,
    EndUser,
    PreviewAddress,
    Sweep,
    SweepDryRun,
    ListRare,
    PreviewRare,
    PreviewAll,
    Stats,
    EndAll,
    ForgetAll,
}

impl Operation {
    const ALL: [(&str, Self); 17] = [
        ("`/whoami`", Self::Whoami),
        ("sign-in, limit of 3", Self::SignIn),
        ("list, page 1", Self::FirstPage),
        ("list, page 1000", Self::Page1000),
        ("list, live ones, page 1", Self::FirstPageOfLive),
        ("one user's devices", Self::Devices),
        ("end one session", Self::EndOne),
        ("end all of a user", Self::EndUser),
        ("preview, one address", Self::PreviewAddress),
        ("sweep, 20 expired", Self::Sweep),
        ("sweep, dry run", Self::SweepDryRun),
        ("list, an agent that no session has", Self::ListRare),
        ("preview, an agent that no session has", Self::PreviewRare),
        ("preview, everything", Self::PreviewAll),
        ("stats", Self::Stats),
        ("end everything, request by request", Self::EndAll),
        ("sweep, everything", Self::ForgetAll),
    ];

    /// It looks at every row, or changes every row.
    fn times(self, times: u64) -> u64 {
        match self {
            Self::ListRare
            | Self::PreviewRare
            | Self::PreviewAll
            | Self::Stats
            | Self::SweepDryRun => times.min(3),
            Self::EndAll | Self::ForgetAll => 1,
            _ => times,
        }
    }

    fn warm_up(self, times: u64) -> u64 {
        if self.times(times) == times {
            WARM_UP
        } else {
            0
        }
    }
}

/// How long it took. Some say how far they got instead of going on for too long.
struct Outcome {
    time: Duration,
    is_incomplete: bool,
}

/// What an operation needs, made before the clock starts.
enum Prepared {
    Nothing,
    Id(Uuid),
    User(UserId),
}

impl Application {
    async fn prepare(&self, operation: Operation, n: u64) -> Result<Prepared, Failure> {
        Ok(match operation {
            Operation::EndOne | Operation::EndUser => {
                let user = self.further_user(5000 + n);
                self.sign_in(user).await?;
                self.sign_in(user).await?;
                let user = UserId::from(i64::try_from(user)?);
                let own = self
                    .sessions
                    .list(&Filter::user(user.clone()), Page::first(1))
                    .await?;
                let id = own
                    .sessions
                    .first()
                    .ok_or("no session came of a sign-in")?
                    .id;
                match operation {
                    Operation::EndOne => Prepared::Id(id),
                    _ => Prepared::User(user),
                }
            }
            Operation::Sweep => {
                self.database.add_expired(EXPIRED, n).await?;
                Prepared::Nothing
            }
            Operation::ForgetAll => {
                self.database.let_years_pass().await?;
                Prepared::Nothing
            }
            _ => Prepared::Nothing,
        })
    }

    async fn carry_out(
        &self,
        operation: Operation,
        n: u64,
        prepared: &Prepared,
    ) -> Result<Outcome, Failure> {
        let everything = Filter::all;
        let first = Page::first(PAGE);
        let start = Instant::now();
        let mut is_incomplete = false;
        match operation {
            Operation::Whoami => drop(self.get("/whoami").await?),
            Operation::SignIn => drop(self.sign_in(self.further_user(n)).await?),
            Operation::FirstPage => drop(self.get("/admin/sessions").await?),
            Operation::Page1000 => drop(self.sessions.list(&everything(), self.far_page()).await?),
            Operation::FirstPageOfLive => {
                let live = everything().state(SessionState::Live);
                drop(self.sessions.list(&live, first).await?);
            }
            Operation::Devices => {
                let user = i64::try_from(self.user(n))?;
                let devices = Filter::user(user).state(SessionState::Live);
                drop(self.sessions.list(&devices, first).await?);
            }
            Operation::EndOne => {
                let Prepared::Id(id) = prepared else {
                    return Err("no session".into());
                };
                drop(self.delete(&format!("/admin/sessions/{id}")).await?);
            }
            Operation::EndUser => {
                let Prepared::User(user) = prepared else {
                    return Err("no user".into());
                };
                drop(
                    self.delete(&format!("/admin/users/{user}/sessions"))
                        .await?,
                );
            }
            Operation::PreviewAddress => {
                let address = n % addresses(self.size);
                self.preview(&format!(r#""ip": "10.0.0.{address}""#))
                    .await?;
            }
            Operation::Sweep => drop(self.sessions.sweep().await?),
            Operation::SweepDryRun => {
                is_incomplete = self.sessions.sweep_dry_run().await?.incomplete
            }
            Operation::ListRare => {
                let page = self
                    .sessions
                    .list(&everything().user_agent("rare"), first)
                    .await?;
                is_incomplete = page.incomplete;
            }
            Operation::PreviewRare => {
                is_incomplete = self.preview(r#""user_agent": "rare""#).await?;
            }
            Operation::PreviewAll => {
                is_incomplete = self.preview(r#""everybody": true"#).await?;
            }
            Operation::Stats => drop(self.sessions.stats().await?),
            Operation::EndAll => self.end_all().await?,
            Operation::ForgetAll => drop(self.sessions.sweep().await?),
        }
        Ok(Outcome {
            time: start.elapsed(),
            is_incomplete,
        })
    }

    /// What ending by this filter would do; whether the answer is incomplete.
    async fn preview(&self, filter: &str) -> Result<bool, Failure> {
        self.revoke(&format!(r#"{{{filter}, "dry_run": true}}"#))
            .await
    }

    /// Ends all sessions but the administrator's own, as often as the answer says that it is incomplete.
    async fn end_all(&self) -> Result<(), Failure> {
        let mut requests = 1;
        while self.revoke(r#"{"everybody": true}"#).await? {
            requests += 1;
        }
        eprintln!("{} sessions: {requests} requests ended all", self.size);
        Ok(())
    }

    async fn revoke(&self, body: &str) -> Result<bool, Failure> {
        let answer = self.post("/admin/sessions/revoke", body).await?;
        let answer: serde_json::Value = serde_json::from_str(&answer)?;
        answer["incomplete"]
            .as_bool()
            .ok_or_else(|| format!("a strange answer: {answer}").into())
    }
}

/// Measures all operations, and returns a table of them.
pub async fn measure(
    applications: &[Application],
    kind: Kind,
    statistics: Statistics,
    times: u64,
) -> Result<String, Failure> {
    let version = match applications.first() {
        Some(application) => application.database.version().await?,
        None => return Err("no size is given".into()),
    };
    let mut table = format!("\n## {version}, {}\n\n|", told(kind, statistics));
    for application in applications {
        write!(table, " | {} rows", application.size)?;
    }
    writeln!(table, " |\n| ---{} |", " | ---:".repeat(applications.len()))?;
    for (name, operation) in Operation::ALL {
        eprintln!("{}: {name}", kind.name());
        let mut taken = vec![Vec::new(); applications.len()];
        let mut marks = vec![""; applications.len()];
        let warm_up = operation.warm_up(times);
        for n in 0..warm_up + operation.times(times) {
            for ((application, taken), mark) in applications.iter().zip(&mut taken).zip(&mut marks)
            {
                let prepared = application.prepare(operation, n).await?;
                let outcome = application.carry_out(operation, n, &prepared).await?;
                if outcome.is_incomplete {
                    *mark = " *";
                }
                if n >= warm_up {
                    taken.push(outcome.time);
                }
            }
        }
        table.push_str("| ");
        table.push_str(name);
        let medians: Vec<_> = taken.iter_mut().map(median).collect();
        for (median, mark) in medians.iter().zip(marks) {
            let ratio = median.as_secs_f64() / medians[0].as_secs_f64();
            write!(table, " | {} ({ratio:.2} ×){mark}", time(*median))?;
        }
        table.push_str(" |\n");
    }
    table.push_str("\n\\* incomplete: it stopped within its budget, and told how far it got.\n");
    Ok(table)
}

fn told(kind: Kind, statistics: Statistics) -> &'static str {
    match (statistics, kind) {
        (Statistics::Fresh, _) => "with statistics",
        (Statistics::None, Kind::Sqlite) => "`ANALYZE` never run",
        (Statistics::None, _) => "statistics of the empty table",
    }
}

fn median(times: &mut Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn time(time: Duration) -> String {
    match time.as_micros() {
        micros @ 0..10_000 => format!("{micros} µs"),
        micros @ 10_000..10_000_000 => format!("{} ms", micros / 1000),
        micros => format!("{} s", micros / 1_000_000),
    }
}
