//! The rounds on one database: every contender in turn, then all of them again.

use std::{
    collections::HashMap,
    error::Error,
    path::PathBuf,
    sync::atomic::{AtomicI64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    arguments::Arguments,
    contenders::{CONTENDERS, Contender, WITH_LIMIT},
    cpu::DatabaseProcesses,
    database::{Database, Kind, permissions},
    http::{Client, request},
    load::{Expected, Load, Measured, Target, Usage, run},
    probe::{Findings, probe},
    server::Server,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const WARM_UP: Duration = Duration::from_millis(300);
/// session-guard replaces a token that is ten minutes old: nobody's gets there.
const COOKIES_LAST: Duration = Duration::from_secs(300);
/// How long a refused sign-in is tried again while a server is prepared.
const SIGN_IN_PATIENCE: Duration = Duration::from_secs(30);
const SIGN_IN_CONNECTIONS: usize = 64;

/// What one database showed.
pub struct Results {
    pub kind: Kind,
    pub version: String,
    /// By contender and number of connections; the bare handler of the same process beside each.
    pub rounds: Vec<(Contender, usize, Vec<Round>)>,
    pub sign_ins: Vec<(Contender, Vec<Measured>)>,
    pub findings: Vec<Findings>,
}

#[derive(Clone, Copy)]
pub struct Round {
    pub bare: Measured,
    pub work: Measured,
}

/// A process with its database.
struct Stand {
    server: Server,
    database: Database,
    processes: DatabaseProcesses,
    program: PathBuf,
    cookies: Vec<String>,
    signed_in: Instant,
}

pub fn measure(kind: Kind, arguments: &Arguments) -> Result<Results> {
    let taking_part: Vec<Contender> = CONTENDERS
        .iter()
        .copied()
        .filter(|contender| contender.runs_on(kind) && arguments.takes_part(contender.process))
        .collect();
    let mut stands = HashMap::new();
    // The one with a table of sessions comes last of a process, and is the one to fill it.
    for contender in taking_part
        .iter()
        .filter(|contender| contender.sessions.is_some())
    {
        stands.insert(
            contender.process,
            Stand::set_up(contender, kind, arguments)?,
        );
    }
    let version = match stands.values_mut().next() {
        Some(stand) => stand.database.version()?,
        None => return Err("no contender".into()),
    };

    let mut rounds = Vec::new();
    for &connections in &arguments.connections {
        let mut measured: Vec<Vec<Round>> = vec![Vec::new(); taking_part.len()];
        for round in 1..=arguments.rounds {
            for (contender, measured) in taking_part.iter().zip(&mut measured) {
                let stand = stands.get_mut(contender.process).ok_or("no such process")?;
                let one = stand.round(contender, connections, arguments)?;
                eprintln!(
                    "{}, {connections} connections, round {round}: {} {:.0} a second, {:.2} of the bare handler",
                    kind.title(),
                    contender.title,
                    one.work.per_second,
                    one.work.per_second / one.bare.per_second
                );
                measured.push(one);
            }
        }
        rounds.extend(
            taking_part
                .iter()
                .zip(measured)
                .map(|(contender, measured)| (*contender, connections, measured)),
        );
    }

    let mut signing_in: Vec<Contender> = taking_part
        .iter()
        .copied()
        .filter(|contender| contender.sessions.is_some())
        .collect();
    if arguments.takes_part("countersign") {
        stands.insert(
            WITH_LIMIT.process,
            Stand::set_up(&WITH_LIMIT, kind, arguments)?,
        );
        signing_in.push(WITH_LIMIT);
    }
    let mut sign_ins: Vec<Vec<Measured>> = vec![Vec::new(); signing_in.len()];
    for round in 1..=arguments.rounds {
        for (contender, measured) in signing_in.iter().zip(&mut sign_ins) {
            let stand = stands.get(contender.process).ok_or("no such process")?;
            let one = stand.sign_ins(contender, arguments)?;
            eprintln!(
                "{}, round {round}: {} {:.0} sign-ins a second",
                kind.title(),
                contender.title,
                one.per_second
            );
            measured.push(one);
        }
    }

    let mut findings = Vec::new();
    for contender in &signing_in {
        // A limit changes none of the answers.
        if arguments.probe && *contender != WITH_LIMIT {
            let stand = stands.get_mut(contender.process).ok_or("no such process")?;
            findings.push(probe(
                contender,
                &mut stand.database,
                &stand.program,
                arguments.workers,
            )?);
        }
    }
    Ok(Results {
        kind,
        version,
        rounds,
        sign_ins: signing_in.into_iter().zip(sign_ins).collect(),
        findings,
    })
}

impl Stand {
    fn set_up(contender: &Contender, kind: Kind, arguments: &Arguments) -> Result<Self> {
        let name = format!("peers_{}", contender.process.replace('-', "_"));
        let program = program(contender, arguments)?;
        let mut database = Database::create(kind, &name)?;
        database.fill_application(arguments.users + arguments.rows / 10)?;
        let server = Server::start(
            &program,
            contender.process,
            &database.url,
            arguments.workers,
        )?;
        let cookies = sign_in_all(&server, arguments.users)?;
        if let Some(sessions) = &contender.sessions {
            database.fill_sessions(sessions, arguments.rows, arguments.users)?;
        }
        database.analyze(contender.sessions.as_ref())?;
        eprintln!("{}: {} is ready", kind.title(), contender.process);
        let processes = database.processes();
        Ok(Self {
            server,
            database,
            processes,
            program,
            cookies,
            signed_in: Instant::now(),
        })
    }

    fn round(
        &mut self,
        contender: &Contender,
        connections: usize,
        arguments: &Arguments,
    ) -> Result<Round> {
        if self.signed_in.elapsed() > COOKIES_LAST {
            self.cookies = sign_in_all(&self.server, arguments.users)?;
            self.signed_in = Instant::now();
        }
        let health = vec![(
            request("GET", "/health", None),
            Expected::Body(b"ok".into()),
        )];
        let bare = Load {
            connections,
            warm_up: WARM_UP,
            measured: arguments.seconds / 2,
        };
        let bare = self.run("bare handler", health, bare)?;
        let requests = match contender.sessions {
            None => vec![(
                request("GET", contender.path, None),
                Expected::Body(b"1".into()),
            )],
            Some(_) => (1..)
                .zip(&self.cookies)
                .map(|(user, cookies)| {
                    let body = permissions(user).join(",").into_bytes();
                    (
                        request("GET", contender.path, Some(cookies)),
                        Expected::Body(body),
                    )
                })
                .collect(),
        };
        let work = Load {
            connections,
            warm_up: WARM_UP,
            measured: arguments.seconds,
        };
        let work = self.run(contender.title, requests, work)?;
        Ok(Round { bare, work })
    }

    fn sign_ins(&self, contender: &Contender, arguments: &Arguments) -> Result<Measured> {
        let requests = (1..=arguments.users)
            .map(|user| (sign_in(user), Expected::SignIn))
            .collect();
        let load = Load {
            connections: SIGN_IN_CONNECTIONS,
            warm_up: WARM_UP,
            measured: arguments.seconds,
        };
        self.run(contender.title, requests, load)
    }

    fn run(&self, title: &str, requests: Vec<(Vec<u8>, Expected)>, load: Load) -> Result<Measured> {
        let target = Target {
            address: self.server.address,
            requests,
        };
        let usage = || Usage {
            server: self.server.cpu_seconds(),
            database: self.processes.seconds(),
        };
        run(target, load, usage).map_err(|error| format!("{title}: {error}").into())
    }
}

fn sign_in(user: i64) -> Vec<u8> {
    request("POST", &format!("/login?user={user}"), None)
}

/// Signs in the users from 1 on, and returns what their browsers send from then on.
fn sign_in_all(server: &Server, users: i64) -> Result<Vec<String>> {
    let next = AtomicI64::new(1);
    let one = || -> std::result::Result<Vec<(i64, String)>, String> {
        let mut client = Client::new(server.address, SIGN_IN_PATIENCE);
        let mut signed_in = Vec::new();
        loop {
            let user = next.fetch_add(1, Ordering::Relaxed);
            if user > users {
                return Ok(signed_in);
            }
            let began = Instant::now();
            let reply = loop {
                let reply = client
                    .exchange(&sign_in(user))
                    .map_err(|error| format!("user {user}: {error}"))?;
                // A server may be too busy for a moment; preparing is not what is measured.
                if reply.status < 500 || began.elapsed() > SIGN_IN_PATIENCE {
                    break reply;
                }
                thread::sleep(Duration::from_millis(50));
            };
            if reply.status != 200 || reply.cookies.is_empty() {
                return Err(format!("user {user} is answered {reply:?}"));
            }
            signed_in.push((user, reply.cookies));
        }
    };
    let parts: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a panic".to_owned()))
            .collect()
    });
    let mut all = Vec::new();
    for part in parts {
        all.extend(part??);
    }
    all.sort_unstable();
    Ok(all.into_iter().map(|(_, cookies)| cookies).collect())
}

fn program(contender: &Contender, arguments: &Arguments) -> Result<PathBuf> {
    if contender.process == "axum-login" {
        return arguments
            .axum_login
            .clone()
            .ok_or_else(|| "--axum-login is not given".into());
    }
    Ok(std::env::current_exe()?.with_file_name("server"))
}
