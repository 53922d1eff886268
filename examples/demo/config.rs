//! Settings come from the environment. A wrong one stops the start and says what would be right.

use std::env::{self, VarError};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use countersign::{Key, Limit};

use crate::keys;

pub struct Config {
    /// `DATABASE_URL`
    pub database_url: String,
    /// `LISTEN`
    pub listen: SocketAddr,
    /// `SESSION_KEYS`: the first one writes, all of them read.
    pub keys: Vec<Key>,
    /// `SESSION_LIMIT`: sessions per user, 0 for no limit.
    pub session_limit: u32,
    /// `SESSION_LIMIT_POLICY`: what happens at the limit.
    pub at_limit: fn(u32) -> Limit,
    /// `IDLE_TIMEOUT`: since last seen.
    pub idle_timeout: Duration,
    /// `REMEMBERED_IDLE_TIMEOUT`: the same for who ticked “Remember me”.
    pub remembered_idle_timeout: Duration,
    /// `ABSOLUTE_TIMEOUT`: since sign-in.
    pub absolute_timeout: Duration,
    /// `TOUCH_INTERVAL`: how exact "last seen" is.
    pub touch_interval: Duration,
    /// `TIME_BUDGET`: how long a request waits for the database.
    pub time_budget: Duration,
    /// `RECENT_SIGN_IN`: how long ago one may have signed in to change the password or to end other sessions of one's own.
    pub recent_sign_in: Duration,
    /// `SECURE_COOKIES`
    pub cookies: Cookies,
}

pub enum Cookies {
    /// `__Host-session` and `__Host-flash`, over HTTPS alone.
    Secure,
    /// `session` and `flash`, for a demo on one's own machine.
    PlainHttp,
}

impl Config {
    pub fn from_env() -> Result<Self, SettingError> {
        let absolute_timeout = duration("ABSOLUTE_TIMEOUT", days(30), LONGEST)?;
        let idle_timeout = duration("IDLE_TIMEOUT", minutes(30), absolute_timeout)?;
        let remembered_default = days(14).clamp(idle_timeout, absolute_timeout);
        let remembered_idle_timeout = duration(
            "REMEMBERED_IDLE_TIMEOUT",
            remembered_default,
            absolute_timeout,
        )?;
        // How exactly "last seen" is known bounds how exactly an idle session can be told.
        let touch_default = minutes(1).min(idle_timeout / 4);
        let touch_interval = duration("TOUCH_INTERVAL", touch_default, idle_timeout / 2)?;
        Ok(Self {
            database_url: given("DATABASE_URL")?
                .unwrap_or_else(|| "sqlite:demo.db?mode=rwc".into()),
            listen: setting(
                "LISTEN",
                "127.0.0.1:3000",
                "an address and a port, such as 127.0.0.1:3000 or [::]:3000",
                |text| text.parse().ok(),
            )?,
            keys: match given("SESSION_KEYS")? {
                Some(list) => keys::from_list(&list)?,
                None => keys::kept_in_file()?,
            },
            session_limit: setting(
                "SESSION_LIMIT",
                "2",
                "a whole number of sessions per user, 0 for no limit",
                |text| text.parse().ok(),
            )?,
            at_limit: setting(
                "SESSION_LIMIT_POLICY",
                "end-oldest",
                "end-oldest, end-least-recently-seen or refuse",
                |text| match text {
                    "end-oldest" => Some(Limit::end_oldest as fn(u32) -> Limit),
                    "end-least-recently-seen" => Some(Limit::end_least_recently_seen),
                    "refuse" => Some(Limit::refuse),
                    _ => None,
                },
            )?,
            idle_timeout,
            remembered_idle_timeout,
            absolute_timeout,
            touch_interval,
            time_budget: duration("TIME_BUDGET", Duration::from_secs(2), LONGEST)?,
            recent_sign_in: duration("RECENT_SIGN_IN", minutes(5), LONGEST)?,
            cookies: setting(
                "SECURE_COOKIES",
                "0",
                "0 (plain HTTP) or 1 (HTTPS alone)",
                |text| match text {
                    "0" => Some(Cookies::PlainHttp),
                    "1" => Some(Cookies::Secure),
                    _ => None,
                },
            )?,
        })
    }

    pub fn limit(&self) -> Limit {
        match self.session_limit {
            0 => Limit::unlimited(),
            max => (self.at_limit)(max),
        }
    }
}

/// The default gives way where `longest` is less.
fn duration(
    name: &'static str,
    default: Duration,
    longest: Duration,
) -> Result<Duration, SettingError> {
    let Some(text) = given(name)? else {
        return Ok(default.min(longest));
    };
    let shortest = Duration::from_millis(1);
    humantime::parse_duration(&text)
        .ok()
        .filter(|duration| (shortest..=longest).contains(duration))
        .ok_or_else(|| {
            let longest = humantime::format_duration(longest);
            SettingError::new(
                name,
                &text,
                format!("a length of time such as 45s, 30m or 12h, from 1ms to {longest}"),
            )
        })
}

/// Ten years, as humantime counts them.
const LONGEST: Duration = Duration::from_secs(10 * 31_557_600);

fn minutes(number: u64) -> Duration {
    Duration::from_secs(number * 60)
}

fn days(number: u64) -> Duration {
    minutes(number * 24 * 60)
}

fn setting<T>(
    name: &'static str,
    default: &str,
    allowed: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, SettingError> {
    let text = given(name)?;
    let text = text.as_deref().unwrap_or(default);
    parse(text).ok_or_else(|| SettingError::new(name, text, allowed))
}

fn given(name: &'static str) -> Result<Option<String>, SettingError> {
    match env::var(name) {
        Ok(text) => Ok(Some(text)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(SettingError::secret(name, "is not UTF-8 text")),
    }
}

/// A setting that does not hold: which one, what was given, what is allowed.
#[derive(Debug)]
pub struct SettingError {
    name: &'static str,
    fault: String,
}

impl SettingError {
    fn new(name: &'static str, given: &str, allowed: impl fmt::Display) -> Self {
        Self {
            name,
            fault: format!("is {given:?}; allowed: {allowed}"),
        }
    }

    /// For what must not be repeated on a screen or in a log: `fault` says it without the value.
    pub fn secret(name: &'static str, fault: impl Into<String>) -> Self {
        Self {
            name,
            fault: fault.into(),
        }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.fault)
    }
}

impl std::error::Error for SettingError {}
