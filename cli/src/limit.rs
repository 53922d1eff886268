//! `limit`: a user's own maximum of sessions.

use countersign::MaxSessions;

use super::{
    arguments::{Globals, Limit},
    database,
    failure::{Exit, Outcome},
    json,
    output::Output,
};

/// A name is required, but this program records it in no row and no log.
const BY: &str = "cli";

pub(crate) async fn limit(command: &Limit, globals: &Globals, output: &mut Output) -> Outcome {
    let sessions = database::sessions(globals).await?;
    let (max, exit) = match command {
        Limit::Show { user } => {
            let max = sessions.limit(user.as_str()).await?;
            let exit = max.map_or(Exit::NothingFound, |_| Exit::Done);
            (max, exit)
        }
        Limit::Set { user, max } => {
            sessions.set_limit(user.as_str(), Some(*max), BY).await?;
            (Some(*max), Exit::Done)
        }
        Limit::Unset { user } => {
            sessions.set_limit(user.as_str(), None, BY).await?;
            (None, Exit::Done)
        }
    };
    output.result(&json::Limit::from(max), &in_words(max))?;
    Ok(exit)
}

fn in_words(max: Option<MaxSessions>) -> String {
    match max {
        Some(MaxSessions::AtMost(0)) => "at most 0 sessions: the user cannot sign in".into(),
        Some(MaxSessions::AtMost(1)) => "at most 1 session".into(),
        Some(MaxSessions::AtMost(number)) => format!("at most {number} sessions"),
        Some(MaxSessions::Unlimited) => "unlimited".into(),
        None => "none of its own: the application's limit applies".into(),
    }
}
