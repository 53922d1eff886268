//! Which sessions are meant: the conditions that `list` and `revoke where` share.

use std::net::IpAddr;

use clap::Args;
use countersign::{
    Filter,
    time::{OffsetDateTime, format_description::well_known::Rfc3339},
};

/// Which sessions: all conditions together.
#[derive(Args, Debug)]
pub(crate) struct Filters {
    /// Whose they are: the user's id, letter for letter
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
    /// In which this administrator acts as somebody else
    #[arg(long, value_name = "ID")]
    pub(crate) acting_user: Option<String>,
    /// Which were signed in from this address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ip: Option<IpAddr>,
    /// Whose user agent contains this text, letter for letter
    #[arg(long, value_name = "TEXT")]
    pub(crate) user_agent: Option<String>,
    /// Which were signed in at this time or later: 2026-05-31T22:00:00Z
    #[arg(long, value_parser = time, value_name = "TIME")]
    pub(crate) created_after: Option<OffsetDateTime>,
    /// Which were signed in before this time
    #[arg(long, value_parser = time, value_name = "TIME")]
    pub(crate) created_before: Option<OffsetDateTime>,
}

impl Filters {
    /// The filter, or `None` when there is no condition.
    pub(crate) fn filter(&self) -> Option<Filter> {
        let everybody = Filter::everybody();
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
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "write it as 2026-05-31T22:00:00Z".into())
}
