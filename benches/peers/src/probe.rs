//! What a change in the database does to requests that come after it, asked of each contender.

use std::{
    error::Error,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{
    contenders::Contender,
    database::{Database, Kind, permissions},
    http::{Client, Reply, request},
    proxy::{Mode, Proxy},
    server::Server,
};

/// How long a change is waited for, and how often it is looked for.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(100);
/// How long an answer is waited for.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a server may take until it answers again.
const RECOVERY: Duration = Duration::from_secs(20);

pub struct Findings {
    pub title: &'static str,
    pub permission: String,
    pub account: String,
    pub row: String,
    pub stopped: String,
    pub silent: String,
}

/// Leaves the database without sessions.
pub fn probe(
    contender: &Contender,
    database: &mut Database,
    program: &Path,
    workers: usize,
) -> Result<Findings, Box<dyn Error>> {
    let sessions = contender.sessions.ok_or("a contender without sessions")?;
    // A server of its own, behind a proxy that takes its database away.
    let proxy = match database.kind.server()? {
        None => None,
        Some(_) => Some(Proxy::to(address_in(&database.url)?.parse()?)?),
    };
    let url = match &proxy {
        None => database.url.clone(),
        Some(proxy) => {
            database
                .url
                .replacen(address_in(&database.url)?, &proxy.address.to_string(), 1)
        }
    };
    let server = Server::start(program, contender.process, &url, workers)?;
    let visitor = |user: i64| Visitor::sign_in(&server, user);

    let mut first = visitor(1)?;
    let gone = permissions(1).pop().unwrap_or_default();
    database.run(&format!(
        "DELETE FROM user_permissions WHERE user_id = 1 AND permission = '{gone}'"
    ))?;
    let permission = first.until("still held", |reply| {
        !reply.body.split(',').any(|name| name == gone)
    });

    let mut second = visitor(2)?;
    database.run("UPDATE users SET disabled = TRUE WHERE id = 2")?;
    let account = second.until("still accepted", |reply| reply.status != 200);

    let mut third = visitor(3)?;
    database.run(&format!("DELETE FROM {}", sessions.table(database.kind)))?;
    let row = third.until("still accepted", |reply| reply.status != 200);

    let (stopped, silent) = match proxy {
        None => ("–".into(), "–".into()),
        Some(proxy) => {
            let mut fourth = visitor(4)?;
            (fourth.outage(&proxy, Mode::Stopped), {
                let mut fifth = visitor(5)?;
                fifth.outage(&proxy, Mode::Silent)
            })
        }
    };
    Ok(Findings {
        title: contender.title,
        permission,
        account,
        row,
        stopped,
        silent,
    })
}

fn address_in(url: &str) -> Result<&str, &'static str> {
    let (_, rest) = url.split_once("://").ok_or("an address without a scheme")?;
    let authority = rest.split('/').next().unwrap_or_default();
    Ok(authority.rsplit('@').next().unwrap_or_default())
}

/// A browser with one session.
struct Visitor {
    client: Client,
    request: Vec<u8>,
    expected: String,
}

impl Visitor {
    fn sign_in(server: &Server, user: i64) -> Result<Self, Box<dyn Error>> {
        let mut client = Client::new(server.address, ANSWER);
        let mut last = String::new();
        // After an outage a pool may hand out connections that are broken: as long as it takes.
        let began = Instant::now();
        while began.elapsed() < RECOVERY {
            match client.exchange(&request("POST", &format!("/login?user={user}"), None)) {
                Ok(reply) if reply.status == 200 => {
                    let request = request("GET", "/whoami", Some(&reply.cookies));
                    let mut visitor = Self {
                        client,
                        request,
                        expected: permissions(user).join(","),
                    };
                    let seen = visitor.ask()?;
                    if seen.status != 200 || seen.body != visitor.expected {
                        return Err(format!("user {user} is answered {seen:?}").into());
                    }
                    return Ok(visitor);
                }
                Ok(reply) => last = format!("{reply:?}"),
                Err(error) => last = error.to_string(),
            }
            thread::sleep(PAUSE);
        }
        Err(format!("user {user} cannot sign in: {last}").into())
    }

    fn ask(&mut self) -> std::io::Result<Reply> {
        self.client.exchange(&self.request)
    }

    fn until(&mut self, otherwise: &str, seen: impl Fn(&Reply) -> bool) -> String {
        let began = Instant::now();
        let mut requests = 0;
        while began.elapsed() < PATIENCE {
            requests += 1;
            match self.ask() {
                Ok(reply) if seen(&reply) => {
                    let what = match reply.status {
                        200 => "gone".to_owned(),
                        status => format!("refused ({status})"),
                    };
                    return match requests {
                        1 => format!("{what} at once"),
                        _ => format!(
                            "{what} after {:.1} s, {requests} requests",
                            began.elapsed().as_secs_f64()
                        ),
                    };
                }
                Ok(_) => {}
                Err(_) => return "no answer".into(),
            }
            thread::sleep(PAUSE);
        }
        format!(
            "{otherwise} after {} s, {requests} requests",
            PATIENCE.as_secs()
        )
    }

    /// The first answer without the database, and how long the right one takes once it is back.
    fn outage(&mut self, proxy: &Proxy, mode: Mode) -> String {
        proxy.turn(mode);
        let began = Instant::now();
        let first = self.ask();
        let took = began.elapsed().as_secs_f64();
        let first = match first {
            Ok(reply) if reply.status == 200 && reply.body == self.expected => {
                "still accepted".into()
            }
            Ok(reply) if reply.status == 401 => format!("signed out (401) after {took:.1} s"),
            Ok(reply) => format!("{} after {took:.1} s", reply.status),
            Err(_) => format!("no answer within {} s", ANSWER.as_secs()),
        };
        proxy.turn(Mode::Open);
        let back = Instant::now();
        while back.elapsed() < RECOVERY {
            if self
                .ask()
                .is_ok_and(|reply| reply.status == 200 && reply.body == self.expected)
            {
                return match back.elapsed().as_secs_f64() {
                    seconds if seconds < 0.1 => first,
                    seconds => format!("{first}; well again {seconds:.1} s after the database"),
                };
            }
            thread::sleep(PAUSE);
        }
        format!(
            "{first}; not well again {} s after the database",
            RECOVERY.as_secs()
        )
    }
}

/// Whether a database can be taken away at all.
pub fn can_stop(kind: Kind) -> bool {
    kind != Kind::Sqlite
}
