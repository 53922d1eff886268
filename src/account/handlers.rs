//! The JSON routes: they check the sign-in, read parameters, and translate results.

use axum::{
    Router,
    extract::{FromRequestParts, OriginalUri, RawQuery, State},
    response::Response,
    routing::{delete, get},
};
use http::{StatusCode, request::Parts};

use super::own::{Own, Owner};
use crate::web::{
    body::NoBody,
    guard::{self, CrossSite, SessionIdInPath},
    member::{Member, refuse_program},
    params::{Blanks, Fields},
    refusal::Refusal,
    view::{RevokedView, json},
};

pub(super) fn routes<S>(own: Own, cross_site: &CrossSite) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let guarded = |route| cross_site.protect(&own.sessions, refuse_program, route);
    let routes = Router::new()
        .route("/sessions", guarded(get(list).delete(revoke_others)))
        .route("/sessions/{id}", guarded(delete(revoke)));
    guard::finish(routes).with_state(own)
}

async fn list(
    user: Member,
    State(own): State<Own>,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
    _: NoBody,
) -> Result<Response, Refusal> {
    let query = Own::list_query(&query.unwrap_or_default(), Blanks::AreValues)?;
    let listing = own.list(&user, &query).await?;
    Ok(listing.into_response(&user, &query, &uri))
}

async fn revoke(
    owner: Owner,
    State(own): State<Own>,
    SessionIdInPath(id): SessionIdInPath,
    RawQuery(query): RawQuery,
    _: NoBody,
) -> Result<StatusCode, Refusal> {
    nothing_else_in(&owner, query)?;
    own.end(&owner, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn revoke_others(
    owner: Owner,
    State(own): State<Own>,
    RawQuery(query): RawQuery,
    _: NoBody,
) -> Result<Response, Refusal> {
    nothing_else_in(&owner, query)?;
    let tally = own.end_others(&owner).await?;
    Ok(json(&RevokedView::from(tally)))
}

/// Allows only the parameter that names the user for whom the client made the request.
fn nothing_else_in(owner: &Owner, query: Option<String>) -> Result<(), Refusal> {
    let mut fields = Fields::from_query(&query.unwrap_or_default(), Blanks::AreValues)?;
    owner.member().is_named_in(&mut fields)?;
    fields.finish()
}

impl FromRequestParts<Own> for Owner {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, own: &Own) -> Result<Self, Refusal> {
        own.owner(Member::from_request_parts(parts, own).await?)
    }
}
