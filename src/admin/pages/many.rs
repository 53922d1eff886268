//! Ends all sessions that match a filter, after a preview.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::StatusCode;

use super::{
    Desk,
    consequences::{Consequences, done},
    filters,
};
use crate::{
    admin::control::Current,
    pages::{
        FormFields, Frame, SessionTable, Shown, Step, Trouble, Visit, html, no_query, with_query,
    },
    store::SessionState,
    web::{
        body::NoBody,
        conditions::Conditions,
        listing::ListQuery,
        params::{Blanks, Fields},
        refusal::Refusal,
    },
};

#[derive(Template)]
#[template(path = "admin/end_where.html")]
struct PreviewPage {
    frame: Frame,
    trail: Vec<Step>,
    here: &'static str,
    problem: Option<Trouble>,
    /// The filters in words.
    conditions: Vec<(&'static str, Shown)>,
    fields: Vec<(&'static str, String)>,
    is_everybody: bool,
    consequences: Consequences,
    action: String,
    cancel: String,
    table: Option<SessionTable>,
}

pub(super) async fn preview(
    visit: Visit,
    State(desk): State<Desk>,
    RawQuery(query): RawQuery,
    body: Result<NoBody, Refusal>,
) -> Result<Response, Refusal> {
    desk.control.revoker(visit.user.clone())?;
    desk.control.reader(visit.user.clone())?;
    let _: NoBody = body?;
    let mut fields = Fields::from_query(&query.unwrap_or_default(), Blanks::AreAbsent)?;
    let conditions = live_ones(&mut fields)?;
    fields.finish()?;
    page(&desk, &visit, conditions, None).await
}

async fn page(
    desk: &Desk,
    visit: &Visit,
    conditions: Conditions,
    refusal: Option<Refusal>,
) -> Result<Response, Refusal> {
    let revoker = desk.control.revoker(visit.user.clone())?;
    let reader = desk.control.reader(visit.user.clone())?;
    let filter = conditions.filter();
    let rulings = desk.control.rulings(&revoker, Current::Keep);
    let tally = desk.control.preview(&rulings, &filter).await?;
    // The list uses the same filter and the same rulings as the ending, so the page shows what would end.
    let first = ListQuery {
        conditions: conditions.clone(),
        page_size: None,
        page_token: None,
    };
    let listing = desk.control.list(&reader, &first).await?;
    let pairs = filters::pairs(&conditions);
    let more = listing.next_page_token.is_some();
    let mut sessions = Vec::new();
    for session in &listing.sessions {
        let acting_user = session.acting_user.as_ref();
        if rulings
            .permit(session.id, &session.user_id, acting_user)
            .await?
        {
            sessions.push(visit.view(session));
        }
    }
    let shown = PreviewPage {
        frame: desk.frame(visit),
        trail: Vec::new(),
        here: "End",
        problem: refusal.as_ref().map(|_| {
            Trouble::with(
                "everybody",
                "There is no filter: confirm that you mean the sessions of all users.",
            )
        }),
        conditions: filters::in_words(&conditions),
        is_everybody: !conditions.is_narrow(),
        consequences: tally.into(),
        action: visit.mount.to(&[&"end"]),
        cancel: with_query(visit.mount.start(), &pairs),
        table: (!sessions.is_empty()).then_some(SessionTable {
            caption: match more {
                true => "The newest of them",
                false => "All of them, newest first",
            },
            with_user: true,
            with_actions: false,
            sessions,
        }),
        fields: pairs,
    };
    let status = match refusal {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    Ok(html(status, &shown))
}

pub(super) async fn end(
    visit: Visit,
    State(desk): State<Desk>,
    RawQuery(query): RawQuery,
    form: Result<FormFields, Refusal>,
) -> Result<Response, Refusal> {
    let revoker = desk.control.revoker(visit.user.clone())?;
    no_query(query.as_deref())?;
    let FormFields(mut fields) = form?;
    let conditions = live_ones(&mut fields)?;
    let everybody = fields.flag("everybody")?;
    fields.finish()?;
    match (conditions.is_narrow(), everybody) {
        (false, false) => {
            let refusal = Refusal::parameter("everybody", "must be true if there is no filter");
            return page(&desk, &visit, conditions, Some(refusal)).await;
        }
        (true, true) => {
            let fault = "must not be true beside a filter: leave one of them out";
            return Err(Refusal::parameter("everybody", fault));
        }
        _ => {}
    }
    let filter = conditions.filter();
    let tally = desk
        .control
        .end_where(&revoker, &filter, Current::Keep)
        .await?;
    let next = with_query(visit.mount.start(), &filters::pairs(&conditions));
    Ok(visit.done(done(tally), &next))
}

/// The conditions of a filter for live sessions, since no others can be ended.
fn live_ones(fields: &mut Fields) -> Result<Conditions, Refusal> {
    let conditions = filters::conditions(fields)?;
    match conditions.state {
        Some(SessionState::Live) => Ok(conditions),
        _ => Err(Refusal::parameter(
            "state",
            "must be live: an ended session cannot end again",
        )),
    }
}
