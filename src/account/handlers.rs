//! The routes: they check who asks, read what is asked, and translate.

use axum::{
    Router,
    extract::{FromRequestParts, OriginalUri, RawQuery, State},
    response::Response,
    routing::{delete, get},
};
use http::{StatusCode, request::Parts};

use super::own::{Own, Owner};
use crate::{
    extract,
    session::SignedIn,
    web::{
        body::NoBody,
        guard::{self, CrossSite, SessionIdInPath},
        params::{Blanks, Fields},
        refusal::Refusal,
        view::{RevokedView, json},
    },
};

pub(super) fn routes<S>(own: Own, cross_site: &CrossSite) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let guarded = |route| guard::only_of(&own.sessions, cross_site.protect(route));
    let routes = Router::new()
        .route("/sessions", guarded(get(list).delete(revoke_others)))
        .route("/sessions/{id}", guarded(delete(revoke)));
    guard::finish(routes).with_state(own)
}

async fn list(
    Myself(user): Myself,
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
    nothing_in(query)?;
    own.end(&owner, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn revoke_others(
    owner: Owner,
    State(own): State<Own>,
    RawQuery(query): RawQuery,
    _: NoBody,
) -> Result<Response, Refusal> {
    nothing_in(query)?;
    let tally = own.end_others(&owner).await?;
    Ok(json(&RevokedView::from(tally)))
}

fn nothing_in(query: Option<String>) -> Result<(), Refusal> {
    Fields::from_query(&query.unwrap_or_default(), Blanks::AreValues)?.finish()
}

/// Whoever is signed in.
struct Myself(SignedIn);

impl FromRequestParts<Own> for Myself {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Own) -> Result<Self, Refusal> {
        Ok(Self(extract::signed_in(parts)?))
    }
}

impl FromRequestParts<Own> for Owner {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, own: &Own) -> Result<Self, Refusal> {
        own.owner(extract::signed_in(parts)?)
    }
}
