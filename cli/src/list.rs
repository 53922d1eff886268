//! `list` and `show`.

use countersign::{Cursor, Filter, Page, SessionPage};

use super::{
    arguments::{Globals, List, Show},
    database,
    failure::{Exit, Failure, Outcome},
    json,
    output::Output,
    table::{self, Header},
    terminal,
};

/// Writes each page before it reads the next one, since there may be more sessions than fit into memory.
pub(crate) async fn list(command: &List, globals: &Globals, output: &mut Output) -> Outcome {
    let mut filter = command.filters.filter().unwrap_or_else(Filter::all);
    if let Some(state) = command.state {
        filter = filter.state(state.into());
    }
    if let Some(part) = &command.name {
        filter = filter.display_name(part.as_str());
    }
    let sessions = database::sessions_with_names(globals, &command.idle, &command.names).await?;
    let (mut wanted, mut written) = (if command.all { u64::MAX } else { command.limit }, 0);
    let mut next = command.page_token.clone();
    loop {
        let page = sessions.list(&filter, page_of(wanted, next)).await?;
        write(&page, written, output)?;
        let length = u64::try_from(page.sessions.len()).unwrap_or(u64::MAX);
        (wanted, written) = (wanted - length.min(wanted), written + length);
        next = page.next;
        if wanted == 0 || next.is_none() {
            break;
        }
    }
    if output.is_json() {
        output.write(if written == 0 { "" } else { "\n" })?;
        output.write("],\"next_page_token\":")?;
        output.json(&next.as_ref().map(ToString::to_string))?;
        // Always false: a command reads until it has as many sessions as requested.
        output.line(",\"incomplete\":false}")?;
    }
    output.flush()?;
    if let (Some(token), false) = (next, output.is_json()) {
        terminal::say(&format!(
            "There are more sessions: continue with --page-token {token}, or list them with --all"
        ));
    }
    if written > 0 {
        return Ok(Exit::Done);
    }
    if !output.is_json() {
        terminal::say("No session matches.");
    }
    database::say_other_realms(globals, &sessions).await;
    Ok(Exit::NothingFound)
}

fn page_of(wanted: u64, after: Option<Cursor>) -> Page {
    let page = Page::first(u32::try_from(wanted).unwrap_or(Page::MAX_SIZE));
    match after {
        Some(cursor) => page.after(cursor),
        None => page,
    }
}

fn write(page: &SessionPage, before: u64, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        let mut separator = if before == 0 {
            "{\"sessions\":[\n"
        } else {
            ",\n"
        };
        if page.sessions.is_empty() && before == 0 {
            output.write("{\"sessions\":[")?;
        }
        for session in &page.sessions {
            output.write(separator)?;
            output.json(&json::Session::from(session))?;
            separator = ",\n";
        }
    } else if !page.sessions.is_empty() {
        let header = if before == 0 {
            Header::Shown
        } else {
            Header::Left
        };
        output.line(&table::sessions(&page.sessions, header))?;
    }
    Ok(output.flush()?)
}

pub(crate) async fn show(command: &Show, globals: &Globals, output: &mut Output) -> Outcome {
    let sessions = database::sessions_with_names(globals, &command.idle, &command.names).await?;
    let Some(session) = sessions.get(command.id).await? else {
        return Err(Failure::new(
            Exit::NothingFound,
            "there is no session with this id",
        ));
    };
    output.result(&json::Session::from(&session), &table::session(&session))?;
    Ok(Exit::Done)
}
