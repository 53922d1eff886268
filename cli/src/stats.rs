//! `stats`: the number of sessions in each realm.

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
struct Realms {
    realms: Vec<Counts>,
}

#[derive(Serialize)]
struct Counts {
    realm: String,
    live: u64,
    users: u64,
    reserved: u64,
    lapsed: u64,
    ended: BTreeMap<&'static str, u64>,
}

pub(crate) async fn stats(command: &Stats, globals: &Globals, output: &mut Output) -> Outcome {
    let sessions = database::sessions(globals).await?;
    let mut names = match &globals.realm {
        Some(realm) => vec![realm.clone()],
        None => sessions.realms().await?,
    };
    if names.is_empty() {
        names.push(sessions.realm().to_owned());
    }
    let mut realms = Vec::new();
    for realm in names {
        let sessions = database::build(globals, |builder| {
            database::with_idle(builder.realm(realm), &command.idle)
        });
        let sessions = sessions.await?;
        realms.push(Counts::new(sessions.realm(), &sessions.stats().await?));
    }
    let realms = Realms { realms };
    output.result(&realms, &realms.table())?;
    Ok(Exit::Done)
}

impl Realms {
    fn table(&self) -> String {
        let names = ["REALM", "SESSIONS", "NUMBER"].map(str::to_owned).to_vec();
        table::columns(
            [names]
                .into_iter()
                .chain(self.realms.iter().flat_map(Counts::rows)),
        )
    }
}

impl Counts {
    fn new(realm: &str, stats: &countersign::Stats) -> Self {
        let ended = stats
            .ended
            .iter()
            .map(|(reason, number)| (reason.as_str(), *number));
        Self {
            realm: realm.to_owned(),
            live: stats.live,
            users: stats.users,
            reserved: stats.reserved,
            lapsed: stats.lapsed,
            ended: ended.collect(),
        }
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row =
            |name: &str, number: u64| vec![self.realm.clone(), name.to_owned(), number.to_string()];
        let mut rows = vec![
            row("live", self.live),
            row("users with a live session", self.users),
            row("sign-ins under way", self.reserved),
            row("sign-ins that came to nothing", self.lapsed),
        ];
        rows.extend(
            self.ended
                .iter()
                .map(|(reason, number)| row(&format!("ended: {reason}"), *number)),
        );
        rows
    }
}
