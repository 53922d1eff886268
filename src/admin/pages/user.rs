//! One user: their sessions, their limit, and ending all of the sessions.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::StatusCode;

use super::{
    Desk,
    consequences::{Consequences, done},
    limit::{LimitForm, read_limit},
};
use crate::{
    admin::control::{Current, Reader, of_user},
    pages::{
        FormFields, Frame, Person, SessionTable, Step, Trouble, Visit, html, no_query, with_query,
    },
    user_id::UserId,
    web::{
        body::NoBody, conditions::Conditions, guard::UserIdInPath, listing::ListQuery,
        params::Blanks, refusal::Refusal,
    },
};

#[derive(Template)]
#[template(path = "admin/user.html")]
struct UserPage {
    frame: Frame,
    trail: Vec<Step>,
    here: String,
    problem: Option<Trouble>,
    user: Person,
    table: Option<SessionTable>,
    is_incomplete: bool,
    newest: Option<String>,
    older: Option<String>,
    /// The list of the sessions in which the user acts as another user.
    acting_href: String,
    end_href: Option<String>,
    limit: LimitForm,
    limit_href: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/end_user.html")]
struct EndPage {
    frame: Frame,
    trail: Vec<Step>,
    here: &'static str,
    user: Person,
    consequences: Consequences,
    /// In how many of them the user acts as another user.
    acting: u64,
    action: String,
    cancel: String,
}

pub(super) async fn show(
    visit: Visit,
    State(desk): State<Desk>,
    user_id: Result<UserIdInPath, Refusal>,
    RawQuery(query): RawQuery,
    body: Result<NoBody, Refusal>,
) -> Result<Response, Refusal> {
    desk.control.reader(visit.user.clone())?;
    let (UserIdInPath(user_id), NoBody) = (user_id?, body?);
    page(&desk, &visit, user_id, &query.unwrap_or_default(), None).await
}

/// The page, with the problem of the form for the limit if there was one.
async fn page(
    desk: &Desk,
    visit: &Visit,
    user_id: UserId,
    query: &str,
    wrong: Option<(LimitForm, Refusal)>,
) -> Result<Response, Refusal> {
    let reader = desk.control.reader(visit.user.clone())?;
    let asked = ListQuery::read(query, Blanks::AreAbsent, |_| {
        Ok(Conditions {
            user_id: Some(user_id.clone()),
            ..Conditions::default()
        })
    })?;
    let listing = desk.control.list(&reader, &asked).await?;
    let any = listing.sessions.first();
    let user = Person::new(
        &user_id,
        any.and_then(|session| session.display_name.as_deref()),
    );
    let limit = desk.control.limit(&reader, &user_id).await?;

    let offers_ending = desk.offers_ending(visit);
    let here = visit.mount.to(&[&"users", &user_id]);
    let page = |token: Option<&String>| {
        let size = asked.page_size.map(|size| ("page_size", size.to_string()));
        let token = token.map(|token| ("page_token", token.clone()));
        with_query(&here, &size.into_iter().chain(token).collect::<Vec<_>>())
    };
    let sessions: Vec<_> = listing
        .sessions
        .iter()
        .map(|session| visit.view(session))
        .collect();
    let any_live = sessions.iter().any(|session| session.may_end);
    let (limit, problem, status) = match wrong {
        None => (LimitForm::of(limit), None, StatusCode::OK),
        Some((sent, refusal)) => {
            let text = format!("Number of sessions {}.", refusal.fault());
            (
                sent,
                Some(Trouble::with("max_sessions", text)),
                StatusCode::BAD_REQUEST,
            )
        }
    };
    let shown = UserPage {
        frame: desk.frame(visit),
        trail: Vec::new(),
        here: format!("User {user}"),
        problem,
        table: (!sessions.is_empty()).then_some(SessionTable {
            caption: "Sessions, newest first",
            with_user: false,
            with_actions: offers_ending && any_live,
            sessions,
        }),
        is_incomplete: listing.incomplete,
        newest: asked.page_token.is_some().then(|| page(None)),
        older: listing
            .next_page_token
            .as_ref()
            .map(|token| page(Some(token))),
        acting_href: with_query(
            visit.mount.start(),
            &[
                ("acting_user", user_id.to_string()),
                ("state", "all".into()),
            ],
        ),
        end_href: offers_ending.then(|| visit.mount.to(&[&"users", &user_id, &"end"])),
        limit,
        limit_href: offers_ending.then(|| visit.mount.to(&[&"users", &user_id, &"limit"])),
        user,
    };
    Ok(html(status, &shown))
}

pub(super) async fn confirm(
    visit: Visit,
    State(desk): State<Desk>,
    user_id: Result<UserIdInPath, Refusal>,
    RawQuery(query): RawQuery,
    body: Result<NoBody, Refusal>,
) -> Result<Response, Refusal> {
    let revoker = desk.control.revoker(visit.user.clone())?;
    // The page counts sessions, which is reading.
    let reader = desk.control.reader(visit.user.clone())?;
    let (UserIdInPath(user_id), NoBody) = (user_id?, body?);
    no_query(query.as_deref())?;
    let [own, acting] = of_user(&user_id);
    let rulings = desk.control.rulings(&revoker, Current::Keep);
    let own = desk.control.preview(&rulings, &own).await?;
    let acting = desk.control.preview(&rulings, &acting).await?;
    let user = person(&desk, &reader, &user_id).await;
    let href = visit.mount.to(&[&"users", &user_id]);
    let page = EndPage {
        frame: desk.frame(&visit),
        trail: vec![Step {
            href: href.clone(),
            text: format!("User {user}"),
        }],
        here: "End all",
        consequences: (own + acting).into(),
        acting: acting.ended,
        action: visit.mount.to(&[&"users", &user_id, &"end"]),
        cancel: href,
        user,
    };
    Ok(html(StatusCode::OK, &page))
}

/// The user by name, as far as a session of the user can tell it.
async fn person(desk: &Desk, reader: &Reader, user_id: &UserId) -> Person {
    let newest = ListQuery {
        conditions: Conditions {
            user_id: Some(user_id.clone()),
            ..Conditions::default()
        },
        page_size: Some(1),
        page_token: None,
    };
    let found = desk.control.list(reader, &newest).await.ok();
    let session = found.and_then(|listing| listing.sessions.into_iter().next());
    let name = session.and_then(|session| session.display_name);
    Person::new(user_id, name.as_deref())
}

pub(super) async fn end(
    visit: Visit,
    State(desk): State<Desk>,
    user_id: Result<UserIdInPath, Refusal>,
    RawQuery(query): RawQuery,
    form: Result<FormFields, Refusal>,
) -> Result<Response, Refusal> {
    let revoker = desk.control.revoker(visit.user.clone())?;
    let (UserIdInPath(user_id), FormFields(fields)) = (user_id?, form?);
    no_query(query.as_deref())?;
    fields.finish()?;
    let tally = desk
        .control
        .end_user(&revoker, &user_id, Current::Keep)
        .await?;
    Ok(visit.done(done(tally), &visit.mount.to(&[&"users", &user_id])))
}

pub(super) async fn set_limit(
    visit: Visit,
    State(desk): State<Desk>,
    user_id: Result<UserIdInPath, Refusal>,
    RawQuery(query): RawQuery,
    form: Result<FormFields, Refusal>,
) -> Result<Response, Refusal> {
    let revoker = desk.control.revoker(visit.user.clone())?;
    let (UserIdInPath(user_id), FormFields(mut fields)) = (user_id?, form?);
    no_query(query.as_deref())?;
    let sent = LimitForm::read(&mut fields)?;
    fields.finish()?;
    match read_limit(&sent) {
        Ok(max) => {
            desk.control.set_limit(&revoker, &user_id, max).await?;
            let next = visit.mount.to(&[&"users", &user_id]);
            Ok(visit.done(
                "The limit is saved. It applies from the user's next sign-in on.",
                &next,
            ))
        }
        Err(refusal) => page(&desk, &visit, user_id, "", Some((sent, refusal))).await,
    }
}
