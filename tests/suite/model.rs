//! Whatever happens in whatever order, every browser sees what a few lines of plain Rust say it should.

mod oracle;

use std::time::Duration;

use countersign::{Limit, MaxSessions, UserId, uuid::Uuid};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any},
    prop_oneof,
    test_runner::{Config, TestError, TestRunner},
};
use tokio::runtime::Handle;

use self::oracle::{ABSOLUTE, BROWSERS, GRACE, IDLE, LIMIT, Oracle, PERMISSIONS, USERS};
use crate::support::{App, Client, Database, on_every_database};

#[derive(Clone, Copy, Debug)]
enum Step {
    Login {
        browser: usize,
        user: usize,
    },
    /// A sign-in whose handler fails.
    FailedLogin {
        browser: usize,
        user: usize,
    },
    Logout {
        browser: usize,
    },
    Rotate {
        browser: usize,
    },
    /// Somebody copies a browser's cookies into another.
    Copy {
        from: usize,
        to: usize,
    },
    /// One session of all that were ever made.
    Revoke {
        session: usize,
    },
    RevokeUser {
        user: usize,
    },
    RevokeOthers {
        browser: usize,
    },
    Disable {
        user: usize,
    },
    Enable {
        user: usize,
    },
    Grant {
        user: usize,
        permission: usize,
    },
    Remove {
        user: usize,
        permission: usize,
    },
    SetLimit {
        user: usize,
        max: Option<u32>,
    },
    /// Time passes, in seconds: some ends the grace of a rotation, more the idle timeout, all together the absolute one.
    Age {
        seconds: u64,
    },
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let (browser, user, permission) = (|| 0..BROWSERS, || 0..USERS, || 0..PERMISSIONS.len());
    let max = prop_oneof![Just(None), (0..4_u32).prop_map(Some)];
    prop_oneof![
        6 => (browser(), user()).prop_map(|(browser, user)| Step::Login { browser, user }),
        1 => (browser(), user()).prop_map(|(browser, user)| Step::FailedLogin { browser, user }),
        2 => browser().prop_map(|browser| Step::Logout { browser }),
        3 => browser().prop_map(|browser| Step::Rotate { browser }),
        2 => (browser(), browser()).prop_map(|(from, to)| Step::Copy { from, to }),
        1 => (0..16_usize).prop_map(|session| Step::Revoke { session }),
        1 => user().prop_map(|user| Step::RevokeUser { user }),
        1 => browser().prop_map(|browser| Step::RevokeOthers { browser }),
        1 => user().prop_map(|user| Step::Disable { user }),
        2 => user().prop_map(|user| Step::Enable { user }),
        1 => (user(), permission()).prop_map(|(user, permission)| Step::Grant { user, permission }),
        1 => (user(), permission()).prop_map(|(user, permission)| Step::Remove { user, permission }),
        1 => (user(), max).prop_map(|(user, max)| Step::SetLimit { user, max }),
        2 => prop_oneof![4 => Just(700_u64), 1 => Just(2100)].prop_map(|seconds| Step::Age { seconds }),
        1 => any::<()>().prop_map(|()| Step::Sweep),
    ]
}

/// The application as it is: two nodes, and what each browser keeps.
struct World<'a> {
    database: &'a Database,
    nodes: &'a [App; 2],
    browsers: [Client; BROWSERS],
    /// All that were ever made.
    sessions: Vec<Uuid>,
    turn: usize,
}

impl World<'_> {
    /// The nodes take turns.
    fn app(&mut self) -> &App {
        self.turn += 1;
        &self.nodes[self.turn % 2]
    }

    async fn take(&mut self, step: Step) {
        let database = self.database;
        let app = self.app().clone();
        let sessions = &app.sessions;
        let id = |user: usize| UserId::from(user as i64 + 1);
        match step {
            Step::Login { browser, user } => {
                let answer = app
                    .login(&mut self.browsers[browser], id(user).as_str())
                    .await;
                if answer.status.is_success() {
                    self.sessions.push(answer.body.parse().unwrap());
                }
            }
            Step::FailedLogin { browser, user } => {
                let path = format!("/login/{}/500", id(user));
                self.browsers[browser].post(&app.router, &path).await;
            }
            Step::Logout { browser } => {
                drop(self.browsers[browser].post(&app.router, "/logout").await)
            }
            Step::Rotate { browser } => {
                drop(self.browsers[browser].post(&app.router, "/rotate").await)
            }
            Step::Copy { from, to } => self.browsers[to] = self.browsers[from].clone(),
            Step::Revoke { session } => {
                if let Some(id) = self.sessions.get(session) {
                    sessions.revoke(*id, "model").await.unwrap();
                }
            }
            Step::RevokeUser { user } => sessions
                .revoke_user(&id(user), "model")
                .await
                .map(drop)
                .unwrap(),
            Step::RevokeOthers { browser } => {
                drop(
                    self.browsers[browser]
                        .post(&app.router, "/revoke-others")
                        .await,
                );
            }
            Step::Disable { user } => {
                let sql = format!("UPDATE users SET disabled = TRUE WHERE id = {}", id(user));
                database.execute(&sql).await;
            }
            Step::Enable { user } => {
                let sql = format!("UPDATE users SET disabled = FALSE WHERE id = {}", id(user));
                database.execute(&sql).await;
            }
            Step::Grant { user, permission } => {
                self.take_permission(user, permission).await;
                let sql = format!(
                    "INSERT INTO user_permissions VALUES ({}, '{}')",
                    id(user),
                    PERMISSIONS[permission]
                );
                database.execute(&sql).await;
            }
            Step::Remove { user, permission } => self.take_permission(user, permission).await,
            Step::SetLimit { user, max } => {
                let max = max.map(MaxSessions::AtMost);
                sessions.set_limit(&id(user), max, "test").await.unwrap();
            }
            Step::Age { seconds } => {
                for column in [
                    "created_at",
                    "authenticated_at",
                    "last_seen_at",
                    "expires_at",
                    "previous_until",
                ] {
                    database.age(column, seconds).await;
                }
            }
            Step::Sweep => drop(sessions.sweep().await.unwrap()),
        }
    }

    async fn take_permission(&self, user: usize, permission: usize) {
        let (user, permission) = (user + 1, PERMISSIONS[permission]);
        let sql = format!(
            "DELETE FROM user_permissions WHERE user_id = {user} AND permission = '{permission}'"
        );
        self.database.execute(&sql).await;
    }

    /// What a browser sees: who it is, or why it is nobody any longer; and what it may do.
    async fn look(&mut self, browser: usize) -> (String, Option<String>) {
        let router = self.app().router.clone();
        let mut client = self.browsers[browser].clone();
        let who = client.get(&router, "/identity").await.body;
        let permissions = client.get(&router, "/permissions").await;
        (
            who,
            permissions.status.is_success().then_some(permissions.body),
        )
    }
}

/// Starts from nothing and takes all steps, comparing after each.
async fn compare(database: &Database, nodes: &[App; 2], steps: Vec<Step>) -> Result<(), String> {
    for sql in [
        "DELETE FROM countersign_sessions",
        "DELETE FROM countersign_users",
        "DELETE FROM user_permissions",
        "UPDATE users SET disabled = FALSE",
    ] {
        database.execute(sql).await;
    }
    let mut oracle = Oracle::default();
    let mut world = World {
        database,
        nodes,
        browsers: Default::default(),
        sessions: Vec::new(),
        turn: 0,
    };
    for (number, step) in steps.into_iter().enumerate() {
        world.take(step).await;
        oracle.take(step);
        for browser in 0..BROWSERS {
            let (seen, expected) = (world.look(browser).await, oracle.look(browser));
            if seen != expected {
                return Err(format!(
                    "after step {number}, {step:?}, browser {browser} sees {seen:?} instead of {expected:?}"
                ));
            }
        }
        // Whoever was seen is written down as seen before time passes again.
        for app in nodes {
            app.sessions.close().await;
        }
        let (live, expected) = (database.live().await, oracle.unended());
        if live != expected {
            return Err(format!(
                "after step {number}, {step:?}, {live} sessions have not ended instead of {expected}"
            ));
        }
    }
    Ok(())
}

on_every_database! {
    async fn every_browser_sees_what_a_few_lines_of_plain_rust_say(database: Database) {
        let configure = |builder: countersign::SessionsBuilder| {
            builder
                .limit(Limit::end_oldest(LIMIT))
                .rotation_grace(Duration::from_secs(GRACE))
                .idle_timeout(Duration::from_secs(IDLE))
                .absolute_timeout(Duration::from_secs(ABSOLUTE))
        };
        let nodes = [App::with(&database, configure).await, App::beside(&database, configure).await];
        let config = Config { cases: 24, max_shrink_iters: 400, failure_persistence: None, ..Config::default() };
        let outcome = tokio::task::block_in_place(|| {
            TestRunner::new(config).run(&vec(step(), 1..40), |steps| {
                Handle::current()
                    .block_on(compare(&database, &nodes, steps))
                    .map_err(proptest::test_runner::TestCaseError::fail)
            })
        });
        match outcome {
            Ok(()) => {}
            Err(TestError::Fail(reason, steps)) => panic!("{reason}\n{steps:#?}"),
            Err(TestError::Abort(reason)) => panic!("{reason}"),
        }
    }
}
