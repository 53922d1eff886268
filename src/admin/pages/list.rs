//! The first page: all sessions, with filters.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::StatusCode;

use super::{
    Desk,
    filters::{self, Filters},
};
use crate::{
    pages::{Frame, SessionTable, Trouble, Visit, html, with_query},
    web::{body::NoBody, listing::ListQuery, params::Blanks, refusal::Refusal},
};

#[derive(Template)]
#[template(path = "admin/list.html")]
struct ListPage {
    frame: Frame,
    filters: Filters,
    states: [(&'static str, &'static str); 3],
    problem: Option<Trouble>,
    table: Option<SessionTable>,
    /// Where to end all sessions that match the filters.
    end_href: Option<String>,
    is_incomplete: bool,
    newest: Option<String>,
    older: Option<String>,
}

pub(super) async fn show(
    visit: Visit,
    State(desk): State<Desk>,
    RawQuery(query): RawQuery,
    body: Result<NoBody, Refusal>,
) -> Result<Response, Refusal> {
    let reader = desk.control.reader(visit.user.clone())?;
    let _: NoBody = body?;
    let query = query.unwrap_or_default();
    let asked = match ListQuery::read(&query, Blanks::AreAbsent, filters::of_list) {
        Ok(asked) => asked,
        Err(refusal) => return Ok(refused(&desk, &visit, &query, &refusal)),
    };
    let listing = desk.control.list(&reader, &asked).await?;

    let offers_ending = desk.offers_ending(&visit);
    let pairs = filters::pairs(&asked.conditions);
    let page = |token: Option<&String>| {
        let mut pairs = pairs.clone();
        pairs.extend(asked.page_size.map(|size| ("page_size", size.to_string())));
        pairs.extend(token.map(|token| ("page_token", token.clone())));
        with_query(visit.mount.start(), &pairs)
    };
    let sessions: Vec<_> = listing
        .sessions
        .iter()
        .map(|session| visit.view(session))
        .collect();
    let any_live = sessions.iter().any(|session| session.may_end);
    // Several users can have one name: nothing is ended by it.
    let is_by_name = asked.conditions.display_name.is_some();
    let end_href = (offers_ending && any_live && !is_by_name).then(|| {
        let mut pairs = pairs.clone();
        // Only live sessions can be ended, whatever state the list shows.
        pairs.retain(|(name, _)| *name != "state");
        with_query(&visit.mount.to(&[&"end"]), &pairs)
    });
    let shown = ListPage {
        frame: desk.frame(&visit),
        filters: Filters::of(&asked.conditions, desk.control.has_display_names()),
        states: Filters::STATES,
        problem: None,
        table: (!sessions.is_empty()).then_some(SessionTable {
            caption: "Sessions, newest first",
            with_user: true,
            with_actions: offers_ending,
            sessions,
        }),
        end_href,
        is_incomplete: listing.incomplete,
        newest: asked.page_token.is_some().then(|| page(None)),
        older: listing
            .next_page_token
            .as_ref()
            .map(|token| page(Some(token))),
    };
    Ok(html(StatusCode::OK, &shown))
}

/// The form as it was sent, with the problem.
fn refused(desk: &Desk, visit: &Visit, query: &str, refusal: &Refusal) -> Response {
    let trouble = filters::trouble(refusal);
    let page = ListPage {
        frame: desk.frame(visit),
        filters: Filters::as_sent(query, &trouble, desk.control.has_display_names()),
        states: Filters::STATES,
        problem: Some(trouble),
        table: None,
        end_href: None,
        is_incomplete: false,
        newest: None,
        older: None,
    };
    html(StatusCode::BAD_REQUEST, &page)
}
