//! The conditions of a filter, as parameters of a listing or members of a revocation's body.

use std::net::IpAddr;

use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::{params::Fields, refusal::Refusal};
use crate::{
    store::{Filter, SessionState},
    user_id::UserId,
};

/// The store keeps no more of a user agent, and no name that people use is longer.
const MAX_TEXT_BYTES: usize = 255;

/// Which sessions a request means, with valid values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    pub(crate) user_id: Option<UserId>,
    pub(crate) acting_user: Option<UserId>,
    pub(crate) state: Option<SessionState>,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
    /// For listings alone.
    pub(crate) display_name: Option<String>,
    pub(crate) created_after: Option<OffsetDateTime>,
    pub(crate) created_before: Option<OffsetDateTime>,
}

impl Conditions {
    /// Takes and checks the parameters that are conditions.
    pub(crate) fn take_from(fields: &mut Fields) -> Result<Self, Refusal> {
        Ok(Self {
            user_id: user_id(fields, "user_id")?,
            acting_user: user_id(fields, "acting_user")?,
            state: state(fields)?,
            ip: ip(fields)?,
            user_agent: part(fields, "user_agent")?,
            display_name: None,
            created_after: time(fields, "created_after")?,
            created_before: time(fields, "created_before")?,
        })
    }

    /// The same with the conditions that only a listing has.
    pub(crate) fn take_for_list(fields: &mut Fields) -> Result<Self, Refusal> {
        Ok(Self {
            display_name: Self::display_name(fields)?,
            ..Self::take_from(fields)?
        })
    }

    pub(crate) fn display_name(fields: &mut Fields) -> Result<Option<String>, Refusal> {
        part(fields, "display_name")
    }

    pub(crate) fn filter(&self) -> Filter {
        let mut filter = match &self.user_id {
            Some(user_id) => Filter::user(user_id),
            None => Filter::all(),
        };
        if let Some(user_id) = &self.acting_user {
            filter = filter.acting_user(user_id);
        }
        if let Some(state) = self.state {
            filter = filter.state(state);
        }
        if let Some(ip) = self.ip {
            filter = filter.ip(ip.to_string());
        }
        if let Some(part) = &self.user_agent {
            filter = filter.user_agent(part);
        }
        if let Some(part) = &self.display_name {
            filter = filter.display_name(part);
        }
        if let Some(time) = self.created_after {
            filter = filter.created_after(time);
        }
        if let Some(time) = self.created_before {
            filter = filter.created_before(time);
        }
        filter
    }

    /// Whether the conditions exclude any sessions of any user. A state does not count: only live sessions can be ended
    /// anyway.
    pub(crate) fn is_narrow(&self) -> bool {
        let stateless = Self {
            state: None,
            ..self.clone()
        };
        stateless != Self::default()
    }

    /// The conditions as parameters again, always in the same order and form.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let moment = |time: OffsetDateTime| time.to_offset(UtcOffset::UTC).format(&Rfc3339).ok();
        let pairs = [
            ("user_id", self.user_id.as_ref().map(ToString::to_string)),
            (
                "acting_user",
                self.acting_user.as_ref().map(ToString::to_string),
            ),
            (
                "state",
                self.state.map(|state| state_name(state).to_owned()),
            ),
            ("ip", self.ip.map(|ip| ip.to_string())),
            ("user_agent", self.user_agent.clone()),
            ("display_name", self.display_name.clone()),
            ("created_after", self.created_after.and_then(moment)),
            ("created_before", self.created_before.and_then(moment)),
        ];
        pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

/// The state's name in parameters and responses.
pub(crate) fn state_name(state: SessionState) -> &'static str {
    match state {
        SessionState::Live => "live",
        SessionState::Ended => "ended",
    }
}

/// Reads a user's id from a parameter, a path or a form.
pub(crate) fn parse_user_id(name: &str, text: String) -> Result<UserId, Refusal> {
    let user_id = UserId::from(text);
    match user_id.validate() {
        Ok(()) => Ok(user_id),
        Err(_) => Err(Refusal::parameter(
            name,
            "must be the id of a user: 1 to 255 bytes, no control characters, no white space at either end",
        )),
    }
}

fn user_id(fields: &mut Fields, name: &str) -> Result<Option<UserId>, Refusal> {
    let text = fields.text(name)?;
    text.map(|text| parse_user_id(name, text)).transpose()
}

pub(crate) fn state(fields: &mut Fields) -> Result<Option<SessionState>, Refusal> {
    match fields.text("state")?.as_deref() {
        None => Ok(None),
        Some("live") => Ok(Some(SessionState::Live)),
        Some("ended") => Ok(Some(SessionState::Ended)),
        Some(_) => Err(Refusal::parameter("state", "must be live or ended")),
    }
}

fn ip(fields: &mut Fields) -> Result<Option<IpAddr>, Refusal> {
    let Some(text) = fields.text("ip")? else {
        return Ok(None);
    };
    match text.parse::<IpAddr>() {
        Ok(ip) => Ok(Some(ip.to_canonical())),
        Err(_) => Err(Refusal::parameter("ip", "must be an IPv4 or IPv6 address")),
    }
}

fn part(fields: &mut Fields, name: &str) -> Result<Option<String>, Refusal> {
    match fields.text(name)? {
        Some(part) if part.is_empty() || part.len() > MAX_TEXT_BYTES => {
            Err(Refusal::parameter(name, "must be a text of 1 to 255 bytes"))
        }
        other => Ok(other),
    }
}

fn time(fields: &mut Fields, name: &str) -> Result<Option<OffsetDateTime>, Refusal> {
    let Some(text) = fields.text(name)? else {
        return Ok(None);
    };
    let fault =
        "must be an RFC 3339 time, such as 2026-01-31T23:59:59Z; in a query, write + as %2B";
    match OffsetDateTime::parse(&text, &Rfc3339) {
        Ok(time) => Ok(Some(in_utc(time))),
        Err(_) => Err(Refusal::parameter(name, fault)),
    }
}

/// Moves a time to UTC. The result may be outside of the years 0 to 9999. The nearest time inside then means the same,
/// since no session is that old or new.
fn in_utc(time: OffsetDateTime) -> OffsetDateTime {
    let latest = PrimitiveDateTime::MAX.assume_utc();
    match time.checked_to_offset(UtcOffset::UTC) {
        Some(time) if time.year() < 0 => OffsetDateTime::UNIX_EPOCH,
        Some(time) => time,
        None => latest,
    }
}
