//! Why a route refused a request: a problem (RFC 9457) with a stable code, and the parameter that caused it.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::params::Name;
use crate::{
    error::{Error, ErrorKind},
    extract::{
        Forbidden, NotRecent, SignedInRejection,
        problem::{ForPrograms, Problem},
        rejection::{FORBIDDEN, INTERNAL, NOT_RECENT, SIGNED_OUT, TWO_CREDENTIALS, UNAVAILABLE},
    },
};

/// Why a route refused a request.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) problem: Problem,
    parameter: Option<Parameter>,
}

#[derive(Clone, Debug)]
struct Parameter {
    name: Name,
    /// Continues a sentence after the name.
    fault: &'static str,
}

const INVALID_PARAMETER: Problem = Problem {
    status: StatusCode::BAD_REQUEST,
    code: "invalid-parameter",
    detail: "A parameter is invalid.",
};
const INVALID_PAGE_TOKEN: Problem = Problem {
    status: StatusCode::BAD_REQUEST,
    code: "invalid-page-token",
    detail: "The page token is not for this listing, filter and user. Start again without one.",
};
const NOT_JSON: Problem = Problem {
    status: StatusCode::BAD_REQUEST,
    code: "invalid-body",
    detail: "The body must be one JSON object.",
};
const UNEXPECTED_BODY: Problem = Problem {
    status: StatusCode::BAD_REQUEST,
    code: "invalid-body",
    detail: "This request must not have a body. Send it without one.",
};
const BODY_TOO_LARGE: Problem = Problem {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    code: "invalid-body",
    detail: "The body is too large. Send at most 16 KiB.",
};
const UNSUPPORTED_BODY: Problem = Problem {
    status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
    code: "invalid-body",
    detail: "The body must be JSON. Send it with `Content-Type: application/json`.",
};
const NOT_FOUND: Problem = Problem {
    status: StatusCode::NOT_FOUND,
    code: "not-found",
    detail: "The session does not exist, or it has ended already. List the sessions again.",
};
const NO_ROUTE: Problem = Problem {
    status: StatusCode::NOT_FOUND,
    code: "not-found",
    detail: "There is no route at this address. Check the path.",
};
const METHOD_NOT_ALLOWED: Problem = Problem {
    status: StatusCode::METHOD_NOT_ALLOWED,
    code: "method-not-allowed",
    detail: "This address does not support this method. The Allow header lists the methods that it supports.",
};
const CURRENT_SESSION: Problem = Problem {
    status: StatusCode::CONFLICT,
    code: "current-session",
    detail: "This is the session that the request came with. It is kept unless the request says otherwise; signing out \
             ends it.",
};
const USER_CHANGED: Problem = Problem {
    status: StatusCode::CONFLICT,
    code: "user-changed",
    detail: "`signed_in_as` names a user who is not the one signed in. Nothing was changed. Check who is signed in before you repeat the request.",
};
const CROSS_SITE: Problem = Problem {
    status: StatusCode::FORBIDDEN,
    code: "cross-site",
    detail: "The request comes from another site's page. Send it from a page of this site.",
};
const ACTING: Problem = Problem {
    detail: "You are acting as another user, so you cannot manage sessions. Sign in as yourself.",
    ..FORBIDDEN
};
const PROTECTED: Problem = Problem {
    detail: "Your account may not manage this user's sessions.",
    ..FORBIDDEN
};

impl Refusal {
    /// A parameter of the query, the path or the body is invalid; `fault` continues a sentence after its name.
    pub(crate) fn parameter(name: &str, fault: &'static str) -> Self {
        Self {
            problem: INVALID_PARAMETER,
            parameter: Some(Parameter {
                name: Name::shown(name),
                fault,
            }),
        }
    }

    pub(crate) fn invalid_page_token() -> Self {
        INVALID_PAGE_TOKEN.into()
    }

    pub(crate) fn not_json() -> Self {
        NOT_JSON.into()
    }

    pub(crate) fn unexpected_body() -> Self {
        UNEXPECTED_BODY.into()
    }

    pub(crate) fn body_too_large() -> Self {
        BODY_TOO_LARGE.into()
    }

    pub(crate) fn unsupported_body() -> Self {
        UNSUPPORTED_BODY.into()
    }

    pub(crate) fn not_found() -> Self {
        NOT_FOUND.into()
    }

    pub(crate) fn no_route() -> Self {
        NO_ROUTE.into()
    }

    pub(crate) fn method_not_allowed() -> Self {
        METHOD_NOT_ALLOWED.into()
    }

    pub(crate) fn current_session() -> Self {
        CURRENT_SESSION.into()
    }

    /// Another user has signed in since the client made the request.
    pub(crate) fn user_changed() -> Self {
        USER_CHANGED.into()
    }

    pub(crate) fn cross_site() -> Self {
        CROSS_SITE.into()
    }

    /// An administrator who acts as a user tried to manage sessions.
    pub(crate) fn acting() -> Self {
        ACTING.into()
    }

    /// The user is protected from this administrator.
    pub(crate) fn protected() -> Self {
        PROTECTED.into()
    }

    pub(crate) fn internal() -> Self {
        INTERNAL.into()
    }

    /// The parameter that caused it, safe to show.
    pub(crate) fn parameter_name(&self) -> Option<String> {
        self.parameter
            .as_ref()
            .map(|parameter| parameter.name.to_string())
    }

    /// What is wrong with the parameter, as the rest of a sentence after its name.
    pub(crate) fn fault(&self) -> &'static str {
        self.parameter
            .as_ref()
            .map_or("is invalid", |parameter| parameter.fault)
    }

    /// The explanation for people. It is safe to show: it contains the parameter's name in escaped form.
    pub(crate) fn detail(&self) -> String {
        match self.parameter_name() {
            Some(name) => format!("The parameter `{name}` {}.", self.fault()),
            None => self.problem.detail.to_owned(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = self.problem.body();
        if let (Some(name), Some(members)) = (self.parameter_name(), body.as_object_mut()) {
            members.insert("detail".into(), self.detail().into());
            members.insert("parameter".into(), name.into());
        }
        let mut response = self.problem.with_body(&body);
        // The pages replace it with their own wording.
        response.extensions_mut().insert(self);
        response.extensions_mut().insert(ForPrograms);
        response
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            parameter: None,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Unavailable => UNAVAILABLE.into(),
            ErrorKind::InvalidInput => INVALID_PARAMETER.into(),
            ErrorKind::Store => {
                tracing::error!(%error, source = std::error::Error::source(&error), "session operation failed");
                INTERNAL.into()
            }
        }
    }
}

impl From<Forbidden> for Refusal {
    fn from(_: Forbidden) -> Self {
        FORBIDDEN.into()
    }
}

impl From<NotRecent> for Refusal {
    fn from(_: NotRecent) -> Self {
        NOT_RECENT.into()
    }
}

/// Programs are never redirected to a sign-in page.
impl From<SignedInRejection> for Refusal {
    fn from(rejection: SignedInRejection) -> Self {
        match rejection {
            SignedInRejection::MissingSessionLayer(_) => INTERNAL.into(),
            SignedInRejection::SignedOut(_) => SIGNED_OUT.into(),
            SignedInRejection::Unavailable(_) => UNAVAILABLE.into(),
            SignedInRejection::TwoCredentials(_) => TWO_CREDENTIALS.into(),
        }
    }
}
