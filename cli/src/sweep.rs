//! `sweep`: marks expired sessions as ended, and deletes old ones.

use countersign::{Sessions, Swept};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::{
    arguments::{Globals, Sweep},
    database,
    failure::{Exit, Outcome},
    output::Output,
    terminal,
};

#[derive(Serialize)]
struct Counts {
    expired: u64,
    lapsed: u64,
    deleted: u64,
    /// In a dry run: more rows are due than were counted.
    incomplete: bool,
}

pub(crate) async fn sweep(command: &Sweep, globals: &Globals, output: &mut Output) -> Outcome {
    let sessions = database::build(globals, |builder| {
        let builder = database::with_idle(builder, &command.idle);
        match command.retention {
            Some(retention) => builder.retention(retention),
            None => builder,
        }
    })
    .await?;
    let swept = match command.dry_run {
        true => sessions.sweep_dry_run().await?,
        false => with_progress(&sessions).await?,
    };
    let counts = Counts {
        expired: swept.expired,
        lapsed: swept.lapsed,
        deleted: swept.deleted,
        incomplete: swept.incomplete,
    };
    let text = in_words(swept);
    output.result(
        &counts,
        &if command.dry_run {
            format!("{text}; nothing was changed")
        } else {
            text
        },
    )?;
    if command.retention.is_none() && !output.is_json() {
        terminal::say(
            "No ended session was deleted: pass the application's retention with --retention to delete old ones.",
        );
    }
    Ok(Exit::Done)
}

async fn with_progress(sessions: &Sessions) -> Result<Swept, countersign::Error> {
    if !terminal::is_watched() {
        return sessions.sweep().await;
    }
    // Counts for the bar's length. If counting takes too long, the bar has no end.
    let bar = match sessions.sweep_dry_run().await {
        Ok(due) => ProgressBar::new(total(due)),
        Err(_) => ProgressBar::no_length(),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} {msg}") {
        bar.set_style(style);
    }
    let swept = sessions
        .sweep_with(|swept| {
            bar.set_position(total(swept));
            bar.set_message(in_words(swept));
        })
        .await;
    bar.finish_and_clear();
    swept
}

fn total(swept: Swept) -> u64 {
    swept.expired + swept.lapsed + swept.deleted
}

fn in_words(swept: Swept) -> String {
    let at_least = if swept.incomplete { "at least " } else { "" };
    format!(
        "{at_least}{} expired, {} lapsed, {} deleted",
        swept.expired, swept.lapsed, swept.deleted
    )
}
