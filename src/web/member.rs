//! The user of a request. It must be a user of the application that the routes belong to, and the user for whom the
//! client made the request.

use std::ops::Deref;

use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use http::request::Parts;

use super::{conditions::parse_user_id, params::Fields, refusal::Refusal};
use crate::{
    extract::{self, SignedInRejection},
    session::{Session, Sessions, SignedIn},
};

/// The state of handlers, which knows the handle that its routes belong to.
pub(crate) trait MadeFor {
    fn sessions(&self) -> &Sessions;
}

/// A signed-in user of the application that the routes belong to. Only [`Member::of`] makes one, and every operation of
/// a router takes one. For example, user 2 of a shop must not act as user 2 of a blog whose routes are behind the
/// shop's layer.
#[derive(Clone, Debug)]
pub(crate) struct Member(SignedIn);

/// Why a request does not come from a [`Member`].
pub(crate) enum NotMember {
    /// The layer around the routes belongs to another handle.
    OtherApplication,
    SignedIn(SignedInRejection),
}

/// The user who the client believes is signed in: a field of every form, and a parameter of every JSON request that
/// changes something.
///
/// Suppose that Alice opens the page, Bob signs in with the same browser in another tab, and Alice's form is then sent.
/// Bob's sessions must not end for it. The field is neither a secret nor a proof: the cross-site check protects against
/// other sites.
pub(crate) const SIGNED_IN_AS: &str = "signed_in_as";

impl Member {
    pub(crate) fn of(parts: &Parts, sessions: &Sessions) -> Result<Self, NotMember> {
        let session = parts.extensions.get::<Session>();
        if session.is_some_and(|session| !session.sessions().is_same(sessions)) {
            tracing::error!(
                "this route has the SessionLayer of another `Sessions`: use the layer of the handle that made the router"
            );
            return Err(NotMember::OtherApplication);
        }
        match extract::signed_in(parts) {
            Ok(user) => Ok(Self(user)),
            Err(rejection) => Err(NotMember::SignedIn(rejection)),
        }
    }

    /// Whether the request names this user as [`SIGNED_IN_AS`]. Refuses a request that names another user.
    pub(crate) fn is_named_in(&self, fields: &mut Fields) -> Result<bool, Refusal> {
        let Some(text) = fields.text(SIGNED_IN_AS)? else {
            return Ok(false);
        };
        match parse_user_id(SIGNED_IN_AS, text)? == *self.user_id() {
            true => Ok(true),
            false => Err(Refusal::user_changed()),
        }
    }
}

impl Deref for Member {
    type Target = SignedIn;

    fn deref(&self) -> &SignedIn {
        &self.0
    }
}

impl<S: MadeFor + Send + Sync> FromRequestParts<S> for Member {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        Ok(Self::of(parts, state.sessions())?)
    }
}

/// Puts a route behind the check for a member. `refuse` makes the response if there is none.
pub(super) fn only_members<S>(
    sessions: &Sessions,
    refuse: fn(NotMember) -> Response,
    report: fn(&Member, &Response),
    route: MethodRouter<S>,
) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let check = Check {
        sessions: sessions.clone(),
        refuse,
        report,
    };
    route.route_layer(middleware::from_fn_with_state(check, check_member))
}

#[derive(Clone)]
struct Check {
    sessions: Sessions,
    refuse: fn(NotMember) -> Response,
    report: fn(&Member, &Response),
}

async fn check_member(State(check): State<Check>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let member = match Member::of(&parts, &check.sessions) {
        Ok(member) => member,
        Err(not_member) => return (check.refuse)(not_member),
    };
    let response = next.run(Request::from_parts(parts, body)).await;
    (check.report)(&member, &response);
    response
}

/// The response for programs: never a redirect.
pub(crate) fn refuse_program(not_member: NotMember) -> Response {
    Refusal::from(not_member).into_response()
}

impl From<NotMember> for Refusal {
    fn from(not_member: NotMember) -> Self {
        match not_member {
            NotMember::OtherApplication => Self::internal(),
            NotMember::SignedIn(rejection) => rejection.into(),
        }
    }
}
