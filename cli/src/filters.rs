//! The conditions that `list` and `revoke where` share.

use std::net::IpAddr;

use clap::Args;
use countersign::{
    Filter,
    time::{OffsetDateTime, format_description::well_known::Rfc3339},
};

/// Which sessions: those that match all conditions.
#[derive(Args, Debug)]
pub(crate) struct Filters {
    /// Only sessions of this user: the id exactly as the application has it
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
    /// Only sessions in which this administrator acts as another user
    #[arg(long, value_name = "ID")]
    pub(crate) acting_user: Option<String>,
    /// Only sessions that were signed in from this address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ip: Option<IpAddr>,
    /// Only sessions whose user agent contains exactly this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) user_agent: Option<String>,
    /// Only sessions that were signed in at this time or later: 2026-05-31T22:00:00Z
    #[arg(long, value_parser = time, value_name = "TIME")]
    pub(crate) created_after: Option<OffsetDateTime>,
    /// Only sessions that were signed in before this time
    #[arg(long, value_parser = time, value_name = "TIME")]
    pub(crate) created_before: Option<OffsetDateTime>,
}

impl Filters {
    /// The filter, or `None` if there is no condition.
    pub(crate) fn filter(&self) -> Option<Filter> {
        let everybody = Filter::all();
        let mut filter = match &self.user {
            Some(user) => Filter::user(user.as_str()),
            None => everybody.clone(),
        };
        if let Some(user) = &self.acting_user {
            filter = filter.acting_user(user.as_str());
        }
        if let Some(ip) = self.ip {
            filter = filter.ip(ip.to_canonical().to_string());
        }
        if let Some(part) = &self.user_agent {
            filter = filter.user_agent(part.as_str());
        }
        if let Some(time) = self.created_after {
            filter = filter.created_after(time);
        }
        if let Some(time) = self.created_before {
            filter = filter.created_before(time);
        }
        (filter != everybody).then_some(filter)
    }
}

fn time(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| "it must be an RFC 3339 time, such as 2026-05-31T22:00:00Z".into())
}
