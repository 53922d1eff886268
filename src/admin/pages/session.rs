//! One session: its details, its history, and ending it.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::StatusCode;

use super::Desk;
use crate::{
    admin::control::Current,
    pages::{FormFields, Frame, History, SessionView, Step, Visit, html, no_query},
    store::SessionState,
    web::{body::NoBody, guard::SessionIdInPath, refusal::Refusal},
};

#[derive(Template)]
#[template(path = "admin/session.html")]
struct SessionPage {
    frame: Frame,
    trail: Vec<Step>,
    here: &'static str,
    session: SessionView,
    history: History,
    may_end: bool,
}

#[derive(Template)]
#[template(path = "admin/end_session.html")]
struct EndPage {
    frame: Frame,
    trail: Vec<Step>,
    here: &'static str,
    session: SessionView,
}

pub(super) async fn show(
    visit: Visit,
    State(desk): State<Desk>,
    id: Result<SessionIdInPath, Refusal>,
    RawQuery(query): RawQuery,
    body: Result<NoBody, Refusal>,
) -> Result<Response, Refusal> {
    let reader = desk.control.reader(visit.user.clone())?;
    let (SessionIdInPath(id), NoBody) = (id?, body?);
    no_query(query.as_deref())?;
    let info = desk.control.show(&reader, id).await?;
    let session = visit.view(&info);
    let page = SessionPage {
        frame: desk.frame(&visit),
        trail: vec![user_step(&session)],
        here: "Session",
        history: History::of(&info, visit.now),
        may_end: session.may_end && desk.offers_ending(&visit),
        session,
    };
    Ok(html(StatusCode::OK, &page))
}

pub(super) async fn confirm(
    visit: Visit,
    State(desk): State<Desk>,
    id: Result<SessionIdInPath, Refusal>,
    RawQuery(query): RawQuery,
    body: Result<NoBody, Refusal>,
) -> Result<Response, Refusal> {
    let revoker = desk.control.revoker(visit.user.clone())?;
    // The page shows the session, which is reading.
    let reader = desk.control.reader(visit.user.clone())?;
    let (SessionIdInPath(id), NoBody) = (id?, body?);
    no_query(query.as_deref())?;
    let info = desk.control.show(&reader, id).await?;
    if info.state == SessionState::Ended {
        return Err(Refusal::not_found());
    }
    // Refused here too, so that the page does not ask for what the next step would refuse.
    let rulings = desk.control.rulings(&revoker, Current::Include);
    let acting_user = info.acting_user.as_ref();
    if !rulings.permit(id, &info.user_id, acting_user).await? {
        return Err(Refusal::protected());
    }
    let session = visit.view(&info);
    let page = EndPage {
        frame: desk.frame(&visit),
        trail: vec![
            user_step(&session),
            Step {
                href: session.href.clone(),
                text: "Session".into(),
            },
        ],
        here: "End",
        session,
    };
    Ok(html(StatusCode::OK, &page))
}

pub(super) async fn end(
    visit: Visit,
    State(desk): State<Desk>,
    id: Result<SessionIdInPath, Refusal>,
    RawQuery(query): RawQuery,
    form: Result<FormFields, Refusal>,
) -> Result<Response, Refusal> {
    let revoker = desk.control.revoker(visit.user.clone())?;
    let (SessionIdInPath(id), FormFields(mut fields)) = (id?, form?);
    no_query(query.as_deref())?;
    let current = match fields.flag("include_current")? {
        true => Current::Include,
        false => Current::Keep,
    };
    fields.finish()?;
    desk.control.end(&revoker, id, current).await?;
    Ok(visit.done("The session has ended.", &visit.mount.to(&[&id])))
}

fn user_step(session: &SessionView) -> Step {
    Step {
        href: session.user_href.clone(),
        text: format!("User {}", session.user),
    }
}
