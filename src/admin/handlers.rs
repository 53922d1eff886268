//! The JSON routes: they check permissions, read parameters, and translate results.

use axum::{
    Router,
    extract::{FromRequestParts, OriginalUri, RawQuery, State},
    response::Response,
    routing::{delete, get, post},
};
use http::{StatusCode, request::Parts};
use serde_json::Value;

use super::control::{Control, Current, Reader, Revoker};
use crate::{
    session::MaxSessions,
    web::{
        body::{JsonFields, NoBody},
        conditions::Conditions,
        guard::{self, CrossSite, SessionIdInPath, UserIdInPath},
        listing::ListQuery,
        member::{Member, refuse_program},
        params::{Blanks, Fields},
        refusal::Refusal,
        view::{LimitView, RevokedView, SessionView, json},
    },
};

pub(super) fn routes<S>(control: Control, cross_site: &CrossSite) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let guarded = |route| cross_site.protect(&control.sessions, refuse_program, route);
    let routes = Router::new()
        .route("/sessions", guarded(get(list)))
        .route("/sessions/revoke", guarded(post(revoke_where)))
        .route("/sessions/{id}", guarded(get(show).delete(revoke)))
        .route("/users/{user_id}/sessions", guarded(delete(revoke_user)))
        .route("/users/{user_id}/limit", guarded(get(limit).put(set_limit)));
    guard::finish(routes).with_state(control)
}

// The first argument of each handler checks the permission before the handler reads anything else.

async fn list(
    reader: Reader,
    State(control): State<Control>,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
    _: NoBody,
) -> Result<Response, Refusal> {
    let query = ListQuery::from_query(&query.unwrap_or_default(), Blanks::AreValues)?;
    let listing = control.list(&reader, &query).await?;
    Ok(listing.into_response(reader.user(), &query, &uri))
}

async fn show(
    reader: Reader,
    State(control): State<Control>,
    SessionIdInPath(id): SessionIdInPath,
    RawQuery(query): RawQuery,
    _: NoBody,
) -> Result<Response, Refusal> {
    query_fields(query)?.finish()?;
    let session = control.show(&reader, id).await?;
    Ok(json(&SessionView::new(&session, reader.user())))
}

async fn revoke(
    revoker: Revoker,
    State(control): State<Control>,
    SessionIdInPath(id): SessionIdInPath,
    RawQuery(query): RawQuery,
    _: NoBody,
) -> Result<StatusCode, Refusal> {
    let current = only_current(fields_for(revoker.member(), query)?)?;
    control.end(&revoker, id, current).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn revoke_user(
    revoker: Revoker,
    State(control): State<Control>,
    UserIdInPath(user_id): UserIdInPath,
    RawQuery(query): RawQuery,
    _: NoBody,
) -> Result<Response, Refusal> {
    let current = only_current(fields_for(revoker.member(), query)?)?;
    let tally = control.end_user(&revoker, &user_id, current).await?;
    Ok(json(&RevokedView::from(tally)))
}

async fn revoke_where(
    revoker: Revoker,
    State(control): State<Control>,
    RawQuery(query): RawQuery,
    JsonFields(fields): JsonFields,
) -> Result<Response, Refusal> {
    fields_for(revoker.member(), query)?.finish()?;
    let wanted = Revocation::read(fields)?;
    let filter = wanted.conditions.filter();
    let tally = match wanted.deed {
        Deed::Preview => {
            let rulings = control.rulings(&revoker, wanted.current);
            control.preview(&rulings, &filter).await?
        }
        Deed::End => control.end_where(&revoker, &filter, wanted.current).await?,
    };
    Ok(json(&RevokedView::from(tally)))
}

async fn limit(
    reader: Reader,
    State(control): State<Control>,
    UserIdInPath(user_id): UserIdInPath,
    RawQuery(query): RawQuery,
    _: NoBody,
) -> Result<Response, Refusal> {
    query_fields(query)?.finish()?;
    let max_sessions = control.limit(&reader, &user_id).await?;
    Ok(json(&LimitView { max_sessions }))
}

async fn set_limit(
    revoker: Revoker,
    State(control): State<Control>,
    UserIdInPath(user_id): UserIdInPath,
    RawQuery(query): RawQuery,
    JsonFields(mut fields): JsonFields,
) -> Result<Response, Refusal> {
    fields_for(revoker.member(), query)?.finish()?;
    let max_sessions = max_sessions(&mut fields)?;
    fields.finish()?;
    control.set_limit(&revoker, &user_id, max_sessions).await?;
    Ok(json(&LimitView { max_sessions }))
}

fn query_fields(query: Option<String>) -> Result<Fields, Refusal> {
    Fields::from_query(&query.unwrap_or_default(), Blanks::AreValues)
}

/// The query of a request that changes something. It may name the user for whom the client made the request.
fn fields_for(member: &Member, query: Option<String>) -> Result<Fields, Refusal> {
    let mut fields = query_fields(query)?;
    member.is_named_in(&mut fields)?;
    Ok(fields)
}

fn only_current(mut fields: Fields) -> Result<Current, Refusal> {
    let current = current(&mut fields)?;
    fields.finish()?;
    Ok(current)
}

fn current(fields: &mut Fields) -> Result<Current, Refusal> {
    Ok(match fields.flag("include_current")? {
        true => Current::Include,
        false => Current::Keep,
    })
}

/// Which sessions to end, and whether to end them.
pub(crate) struct Revocation {
    pub(crate) conditions: Conditions,
    pub(crate) current: Current,
    pub(crate) deed: Deed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    End,
    Preview,
}

impl Revocation {
    pub(crate) fn read(mut fields: Fields) -> Result<Self, Refusal> {
        let conditions = Conditions::take_from(&mut fields)?;
        let everybody = fields.flag("everybody")?;
        let read = Self {
            current: current(&mut fields)?,
            deed: match fields.flag("dry_run")? {
                true => Deed::Preview,
                false => Deed::End,
            },
            conditions,
        };
        fields.finish()?;
        match (read.conditions.is_narrow(), everybody) {
            (false, false) => Err(Refusal::parameter(
                "everybody",
                "must be true if there is no condition",
            )),
            (true, true) => Err(Refusal::parameter(
                "everybody",
                "must not be true beside a condition: leave one of them out",
            )),
            _ => Ok(read),
        }
    }
}

fn max_sessions(fields: &mut Fields) -> Result<Option<MaxSessions>, Refusal> {
    const FAULT: &str =
        "must be a number from 0 to 4294967295, \"unlimited\", or null for the default";
    match fields.take("max_sessions") {
        Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text == "unlimited" => Ok(Some(MaxSessions::Unlimited)),
        Some(Value::Number(number)) => match whole(&number) {
            Some(max) => Ok(Some(MaxSessions::AtMost(max))),
            None => Err(Refusal::parameter("max_sessions", FAULT)),
        },
        _ => Err(Refusal::parameter("max_sessions", FAULT)),
    }
}

/// JSON has one kind of number: `3.0` is the integer 3, also in JSON Schema, and some programs write it that way.
fn whole(number: &serde_json::Number) -> Option<u32> {
    match number.as_u64() {
        Some(number) => u32::try_from(number).ok(),
        None => number
            .as_f64()
            .filter(|number| number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number))
            .map(|number| number as u32),
    }
}

impl FromRequestParts<Control> for Reader {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Refusal> {
        control.reader(Member::from_request_parts(parts, control).await?)
    }
}

impl FromRequestParts<Control> for Revoker {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Refusal> {
        control.revoker(Member::from_request_parts(parts, control).await?)
    }
}
