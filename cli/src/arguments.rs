//! The arguments of the command line.

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use countersign::{Cursor, MaxSessions, SessionState, uuid::Uuid};

use super::{failure::EXIT_CODES, filters::Filters, output::Format};

/// See and end the sessions of an application that uses countersign, directly in its database
///
/// The application need not run. Every node refuses a session that you end here, from the next request on.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, after_help = EXIT_CODES, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) globals: Globals,
}

/// The options of every command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Globals {
    /// The database's address: sqlite:app.db, postgres://user:password@host/name or mysql://…
    ///
    /// Other users of this machine can read a program's arguments. Put an address with a password into the environment.
    // clap must not parse it: it quotes what it cannot parse, and this may contain a password.
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        global = true
    )]
    pub(crate) database_url: Option<String>,
    /// The realm of the application, if several share the database. Default: default; for stats, all realms
    #[arg(long, env = "COUNTERSIGN_REALM", value_name = "NAME", global = true)]
    pub(crate) realm: Option<String>,
    /// The format of the result
    #[arg(long, value_enum, default_value_t = Format::Table, global = true)]
    pub(crate) format: Format,
    /// How long the database may take for each step
    #[arg(long, default_value = "10s", value_parser = step, value_name = "DURATION", global = true)]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List sessions, newest first, live and ended ones
    List(List),
    /// Show one session
    Show(Show),
    /// End sessions, at once and permanently
    #[command(subcommand)]
    Revoke(Revoke),
    /// Show, set or remove a user's own maximum of sessions
    #[command(subcommand)]
    Limit(Limit),
    /// Count sessions, live and ended ones
    Stats(Stats),
    /// Mark expired sessions as ended, and delete old ones
    Sweep(Sweep),
    /// Create countersign's tables, or bring them up to date
    ///
    /// You can run it repeatedly, and in several places at once.
    Migrate,
}

#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) filters: Filters,
    /// Only live sessions, or only ended ones
    #[arg(long, value_enum)]
    pub(crate) state: Option<State>,
    /// The most sessions to list
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..), value_name = "NUMBER")]
    pub(crate) limit: u64,
    /// List all sessions
    #[arg(long, conflicts_with = "limit")]
    pub(crate) all: bool,
    /// Only sessions whose user's display name contains this text, in upper or lower case; needs --display-name
    #[arg(long, value_name = "TEXT", requires = "display_name")]
    pub(crate) name: Option<String>,
    /// Continue here: the next_page_token of the previous page
    #[arg(long, value_name = "TOKEN")]
    pub(crate) page_token: Option<Cursor>,
    #[command(flatten)]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) idle: Idle,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The session's id
    pub(crate) id: Uuid,
    #[command(flatten)]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) idle: Idle,
}

/// Where the application keeps what people call its users.
#[derive(Args, Debug)]
pub(crate) struct Names {
    /// Show users by name: a column and the FROM part of the query for one user, in SQL
    ///
    /// The same as in the application's `.display_name(…)`: "name FROM users WHERE id = {user:int}"
    #[arg(long, env = "COUNTERSIGN_DISPLAY_NAME", value_name = "SQL", value_parser = display_name)]
    pub(crate) display_name: Option<DisplayName>,
}

#[derive(Clone, Debug)]
pub(crate) struct DisplayName {
    pub(crate) column: String,
    pub(crate) from: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Revoke {
    /// End the sessions with these ids
    Session {
        /// The sessions' ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<Uuid>,
        #[command(flatten)]
        actor: Actor,
    },
    /// End all sessions of a user, including those in which they act as another user, and sign-ins under way
    ///
    /// The user can sign in again unless you also disable the account in the application.
    User {
        /// The user's id, exactly as the application has it
        #[arg(value_name = "USER")]
        user: String,
        /// Only count the sessions
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        actor: Actor,
    },
    /// Show the sessions that match, ask for confirmation, and end them
    Where(RevokeWhere),
}

#[derive(Args, Debug)]
pub(crate) struct RevokeWhere {
    #[command(flatten)]
    pub(crate) filters: Filters,
    /// The sessions of all users: use it instead of a condition
    #[arg(long)]
    pub(crate) everybody: bool,
    /// Only count the sessions
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Do not ask for confirmation, for scripts
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) actor: Actor,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Limit {
    /// Show the maximum
    Show {
        /// The user's id, exactly as the application has it
        user: String,
    },
    /// Set the maximum. It applies from the next sign-in on; sessions beyond it stay until then
    Set {
        /// The user's id, exactly as the application has it
        user: String,
        /// A number, or "unlimited"; with 0 the user cannot sign in
        #[arg(value_parser = max_sessions)]
        max: MaxSessions,
    },
    /// Remove the maximum: the application's limit applies again
    Unset {
        /// The user's id, exactly as the application has it
        user: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Stats {
    #[command(flatten)]
    pub(crate) idle: Idle,
}

#[derive(Args, Debug)]
pub(crate) struct Sweep {
    #[command(flatten)]
    pub(crate) idle: Idle,
    /// The application's retention: sessions that ended longer ago are deleted. Without it, none are
    #[arg(long, value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) retention: Option<Duration>,
    /// Only count what it would do
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// The idle timeout, which only the application knows.
#[derive(Args, Debug)]
pub(crate) struct Idle {
    /// The application's idle timeout, such as 30m. Without it, idle sessions still count as live
    #[arg(long, value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) idle_timeout: Option<Duration>,
    /// The application's idle timeout of remembered sessions. Without it, remembered sessions do not count as idle
    #[arg(long, value_parser = humantime::parse_duration, value_name = "DURATION", requires = "idle_timeout")]
    pub(crate) remembered_idle_timeout: Option<Duration>,
}

#[derive(Args, Debug)]
pub(crate) struct Actor {
    /// Who ends them, as recorded in ended_by [default: cli: and the name of the system's user]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    Live,
    Ended,
}

impl Actor {
    pub(crate) fn name(&self) -> String {
        let user = || {
            ["USER", "LOGNAME"]
                .iter()
                .find_map(|name| std::env::var(name).ok())
        };
        match &self.by {
            Some(name) => name.clone(),
            None => user().map_or_else(|| "cli".to_owned(), |user| format!("cli:{user}")),
        }
    }
}

impl From<State> for SessionState {
    fn from(state: State) -> Self {
        match state {
            State::Live => Self::Live,
            State::Ended => Self::Ended,
        }
    }
}

fn step(text: &str) -> Result<Duration, String> {
    let step = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let sensible = Duration::from_millis(1)..=Duration::from_secs(24 * 60 * 60);
    match sensible.contains(&step) {
        true => Ok(step),
        false => Err("it must be between 1ms and 1day".into()),
    }
}

fn display_name(text: &str) -> Result<DisplayName, String> {
    // ASCII letters alone change, so the places of bytes stay.
    let place = text.to_ascii_uppercase().find(" FROM ");
    let (column, from) = place
        .and_then(|place| Some((text.get(..place)?, text.get(place + " FROM ".len()..)?)))
        .ok_or("it must be a column and a FROM part: name FROM users WHERE id = {user:int}")?;
    Ok(DisplayName {
        column: column.trim().to_owned(),
        from: from.trim().to_owned(),
    })
}

fn max_sessions(text: &str) -> Result<MaxSessions, String> {
    match text {
        "unlimited" => Ok(MaxSessions::Unlimited),
        number => number
            .parse()
            .map(MaxSessions::AtMost)
            .map_err(|_| "it must be a number from 0 to 4294967295, or unlimited".into()),
    }
}
