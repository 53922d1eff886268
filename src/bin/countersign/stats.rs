//! `stats`: how many sessions there are.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    arguments::{Globals, Stats},
    database,
    failure::{Exit, Outcome},
    output::Output,
    table,
};

#[derive(Serialize)]
struct Counts {
    live: u64,
    users: u64,
    reserved: u64,
    lapsed: u64,
    ended: BTreeMap<&'static str, u64>,
}

pub(crate) async fn stats(command: &Stats, globals: &Globals, output: &mut Output) -> Outcome {
    let sessions = database::sessions_with_idle(globals, &command.idle).await?;
    let counts = Counts::from(sessions.stats().await?);
    output.result(&counts, &counts.table())?;
    Ok(Exit::Done)
}

impl Counts {
    fn table(&self) -> String {
        let row = |name: &str, reason: &str, number: u64| {
            vec![name.to_owned(), reason.to_owned(), number.to_string()]
        };
        let first = [
            row("live", "", self.live),
            row("users", "with a live session", self.users),
            row("reserved", "sign-ins under way", self.reserved),
            row("lapsed", "sign-ins that came to nothing", self.lapsed),
        ];
        let ended = self
            .ended
            .iter()
            .map(|(reason, number)| row("ended", reason, *number));
        table::columns(first.into_iter().chain(ended))
    }
}

impl From<countersign::Stats> for Counts {
    fn from(stats: countersign::Stats) -> Self {
        Self {
            live: stats.live,
            users: stats.users,
            reserved: stats.reserved,
            lapsed: stats.lapsed,
            ended: stats
                .ended
                .iter()
                .map(|(reason, number)| (reason.as_str(), *number))
                .collect(),
        }
    }
}
