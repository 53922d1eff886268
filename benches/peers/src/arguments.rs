//! The command line of the driver.

use std::{error::Error, path::PathBuf, str::FromStr, time::Duration};

use crate::database::Kind;

pub const HELP: &str = "\
Measures countersign beside its peers. Run it by scripts/peers, which builds the servers and starts the databases.

    --seconds N          of each measurement (2)
    --rounds N           of which the medians are shown (3)
    --connections LIST   (64,1,256)
    --databases LIST     of postgres, sqlite, mariadb (all)
    --contenders LIST    of plain, countersign, axum-login, session-guard, axum_session, axum_session_auth (all)
    --users N            who sign in (1000)
    --rows N             sessions of others in each table (100000)
    --workers N          threads of each server (the machine's cores)
    --no-probe           leaves out what happens after changes and outages
    --axum-login PATH    the server of axum-login
    --out FILE           where the report goes (standard output)";

pub struct Arguments {
    pub seconds: Duration,
    pub rounds: usize,
    pub connections: Vec<usize>,
    pub databases: Vec<Kind>,
    pub contenders: Option<Vec<String>>,
    pub users: i64,
    pub rows: i64,
    pub workers: usize,
    pub probe: bool,
    pub axum_login: Option<PathBuf>,
    pub out: Option<PathBuf>,
    /// As they came, for the report.
    pub line: String,
}

impl Arguments {
    pub fn parse() -> Result<Self, Box<dyn Error>> {
        let given: Vec<String> = std::env::args().skip(1).collect();
        let mut parsed = Self {
            seconds: Duration::from_secs(2),
            rounds: 3,
            connections: vec![64, 1, 256],
            databases: Kind::ALL.to_vec(),
            contenders: None,
            users: 1000,
            rows: 100_000,
            workers: std::thread::available_parallelism()?.get(),
            probe: true,
            axum_login: None,
            out: None,
            line: String::new(),
        };
        let mut shown = Vec::new();
        let mut words = given.iter();
        while let Some(word) = words.next() {
            if word == "--no-probe" {
                parsed.probe = false;
                shown.push(word.clone());
                continue;
            }
            if word == "--help" {
                return Err(HELP.into());
            }
            let value = words
                .next()
                .ok_or_else(|| format!("{word} takes a value\n\n{HELP}"))?;
            match word.as_str() {
                "--seconds" => parsed.seconds = Duration::try_from_secs_f64(value.parse()?)?,
                "--rounds" => parsed.rounds = value.parse()?,
                "--connections" => parsed.connections = list(value)?,
                "--databases" => {
                    parsed.databases = value.split(',').map(kind).collect::<Result<_, _>>()?
                }
                "--contenders" => parsed.contenders = Some(list(value)?),
                "--users" => parsed.users = value.parse()?,
                "--rows" => parsed.rows = value.parse()?,
                "--workers" => parsed.workers = value.parse()?,
                "--axum-login" => parsed.axum_login = Some(value.into()),
                "--out" => parsed.out = Some(value.into()),
                _ => return Err(format!("{word}?\n\n{HELP}").into()),
            }
            // Places of this machine say nothing to a reader.
            if !["--axum-login", "--out"].contains(&word.as_str()) {
                shown.push(format!("{word} {value}"));
            }
        }
        if parsed.rounds == 0 || parsed.users < 10 || parsed.seconds.is_zero() {
            return Err("at least one round, ten users, and some time".into());
        }
        if parsed.rows < parsed.users {
            return Err("at least as many rows of others as users".into());
        }
        parsed.line = shown.join(" ");
        Ok(parsed)
    }

    pub fn takes_part(&self, process: &str) -> bool {
        self.contenders
            .as_ref()
            .is_none_or(|some| some.iter().any(|name| name == process))
    }
}

fn list<T: FromStr<Err: Error + 'static>>(text: &str) -> Result<Vec<T>, Box<dyn Error>> {
    text.split(',')
        .map(|part| part.parse().map_err(Box::from))
        .collect()
}

fn kind(name: &str) -> Result<Kind, Box<dyn Error>> {
    match name {
        "sqlite" => Ok(Kind::Sqlite),
        "postgres" => Ok(Kind::Postgres),
        "mariadb" => Ok(Kind::MariaDb),
        _ => Err(format!("{name} is no database of ours").into()),
    }
}
