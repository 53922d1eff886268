//! `revoke`: ending sessions.

use countersign::{Filter, Page, SessionState, Sessions, UserId, uuid::Uuid};

use super::{
    arguments::{Globals, Revoke, RevokeWhere},
    database,
    failure::{Exit, Failure, Outcome},
    json,
    output::Output,
    table::{self, Header},
    terminal,
};

/// How many sessions to show before the question.
const SHOWN: u32 = 10;

pub(crate) async fn revoke(command: &Revoke, globals: &Globals, output: &mut Output) -> Outcome {
    let (sessions, exit) = match command {
        Revoke::Session { ids, actor } => {
            let sessions = database::sessions(globals).await?;
            let exit = one_by_one(&sessions, ids, &actor.name(), output).await?;
            (sessions, exit)
        }
        Revoke::User {
            user,
            dry_run,
            actor,
        } => {
            let sessions = database::sessions(globals).await?;
            let user = UserId::new(user.as_str());
            let exit = match dry_run {
                true => {
                    let own = Filter::user(user.clone());
                    let acting = Filter::all().acting_user(user);
                    preview(&sessions, &[own, acting], output).await?
                }
                false => {
                    let ended = sessions.revoke_user(&user, actor.name()).await;
                    finish(ended.map_err(halfway)?, output)?
                }
            };
            (sessions, exit)
        }
        Revoke::Where(command) => {
            let filter = filter_of(command)?;
            let sessions = database::sessions(globals).await?;
            let exit = end_where(command, filter, &sessions, output).await?;
            (sessions, exit)
        }
    };
    if exit == Exit::NothingFound {
        database::say_other_realms(globals, &sessions).await;
    }
    Ok(exit)
}

async fn end_where(
    command: &RevokeWhere,
    filter: Filter,
    sessions: &Sessions,
    output: &mut Output,
) -> Outcome {
    if command.dry_run {
        return preview(sessions, &[filter], output).await;
    }
    if !command.yes {
        confirm(sessions, &filter).await?;
    }
    let ended = sessions.revoke_where(&filter, command.actor.name()).await;
    finish(ended.map_err(halfway)?, output)
}

/// Refuses an empty filter: by accident, it would sign all users out.
fn filter_of(command: &RevokeWhere) -> Result<Filter, Failure> {
    match (command.filters.filter(), command.everybody) {
        (Some(filter), false) => Ok(filter),
        (None, true) => Ok(Filter::all()),
        (None, false) => Err(Failure::usage(
            "no sessions are named: give a condition, or --everybody for all users",
        )),
        (Some(_), true) => Err(Failure::usage(
            "--everybody and a condition contradict each other: give one of them",
        )),
    }
}

async fn one_by_one(sessions: &Sessions, ids: &[Uuid], by: &str, output: &mut Output) -> Outcome {
    let (mut ended, mut exit) = (0, Exit::Done);
    for id in ids {
        match sessions.revoke(*id, by).await {
            Ok(true) => ended += 1,
            Ok(false) => {
                terminal::say(&format!("{id}: no live session has this id"));
                exit = Exit::NothingFound;
            }
            Err(error) => {
                return Err(Failure::from(error).after(&format!("{ended} ended, then, at {id}")));
            }
        }
    }
    show(ended, "ended", output)?;
    Ok(exit)
}

/// Counts what would end; ends nothing.
async fn preview(sessions: &Sessions, filters: &[Filter], output: &mut Output) -> Outcome {
    let mut live = 0;
    for filter in filters {
        live += sessions.revoke_where_dry_run(filter).await?;
    }
    show(live, "live, none ended", output)?;
    Ok(found(live))
}

/// Shows the sessions and asks for confirmation; an error unless the answer is yes.
async fn confirm(sessions: &Sessions, filter: &Filter) -> Result<(), Failure> {
    if !terminal::can_ask() {
        return Err(Failure::new(
            Exit::NotConfirmed,
            "this needs a confirmation, but stdin is not a terminal: pass --yes, or --dry-run to only count the sessions",
        ));
    }
    let live = sessions.revoke_where_dry_run(filter).await?;
    let first = filter.clone().state(SessionState::Live);
    let page = sessions.list(&first, Page::first(SHOWN)).await?;
    // On stderr, since stdout has only the result.
    if !page.sessions.is_empty() {
        terminal::say_shown(&table::sessions(&page.sessions, Header::Shown));
    }
    if page.next.is_some() {
        terminal::say(&format!("… the {SHOWN} newest of {live}"));
    }
    let question = format!("End {}, and sign-ins under way that match?", count(live));
    match terminal::ask(&question)? {
        true => Ok(()),
        false => Err(Failure::new(
            Exit::NotConfirmed,
            "not confirmed, so no session was ended",
        )),
    }
}

fn finish(ended: u64, output: &mut Output) -> Outcome {
    show(ended, "ended", output)?;
    Ok(found(ended))
}

fn found(number: u64) -> Exit {
    match number {
        0 => Exit::NothingFound,
        _ => Exit::Done,
    }
}

fn show(number: u64, what: &str, output: &mut Output) -> Result<(), Failure> {
    let json = json::Revoked {
        revoked: number,
        kept: 0,
        incomplete: false,
    };
    Ok(output.result(&json, &format!("{}: {what}", count(number)))?)
}

fn count(number: u64) -> String {
    match number {
        1 => "1 session".into(),
        _ => format!("{number} sessions"),
    }
}

/// Finished batches stay done.
fn halfway(error: countersign::Error) -> Failure {
    let failure = Failure::from(error);
    match failure.exit() {
        Exit::Usage => failure,
        _ => failure.after("some sessions may have ended, so run it again"),
    }
}
