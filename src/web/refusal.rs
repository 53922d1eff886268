//! Why a request was not carried out: a problem (RFC 9457) with a stable code, and the parameter that is to blame.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::params::Name;
use crate::{
    error::{Error, ErrorKind},
    extract::{
        Forbidden, NotRecent, SignedInRejection,
        problem::{ForPrograms, Problem},
        rejection::{FORBIDDEN, INTERNAL, NOT_RECENT, SIGNED_OUT, UNAVAILABLE},
    },
};

/// A request that was not carried out.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) problem: Problem,
    parameter: Option<Parameter>,
}

#[derive(Clone, Debug)]
struct Parameter {
    name: Name,
    /// Follows the name in a sentence.
    fault: &'static str,
}

const INVALID_PARAMETER: Problem = Problem {
    status: StatusCode::BAD_REQUEST,
    code: "invalid-parameter",
    detail: "A parameter cannot be right.",
};
const INVALID_PAGE_TOKEN: Problem = Problem {
    status: StatusCode::BAD_REQUEST,
    code: "invalid-page-token",
    detail: "The page token was not made for this listing, filter and user. Start again without one.",
};
const NOT_JSON: Problem = Problem {
    status: StatusCode::BAD_REQUEST,
    code: "invalid-body",
    detail: "The body has to be one JSON object.",
};
const UNEXPECTED_BODY: Problem = Problem {
    status: StatusCode::BAD_REQUEST,
    code: "invalid-body",
    detail: "This request takes no body.",
};
const BODY_TOO_LARGE: Problem = Problem {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    code: "invalid-body",
    detail: "The body is too large: 16 KiB are allowed.",
};
const UNSUPPORTED_BODY: Problem = Problem {
    status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
    code: "invalid-body",
    detail: "The body has to be JSON: send it with `Content-Type: application/json`.",
};
const NOT_FOUND: Problem = Problem {
    status: StatusCode::NOT_FOUND,
    code: "not-found",
    detail: "There is no such session, or it has ended already.",
};
const NO_ROUTE: Problem = Problem {
    status: StatusCode::NOT_FOUND,
    code: "not-found",
    detail: "There is nothing at this address.",
};
const METHOD_NOT_ALLOWED: Problem = Problem {
    status: StatusCode::METHOD_NOT_ALLOWED,
    code: "method-not-allowed",
    detail: "This address does not take this method. The Allow header says which ones it takes.",
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
    detail: "The request was made for a user who is no longer signed in here. Nothing was changed.",
};
const CROSS_SITE: Problem = Problem {
    status: StatusCode::FORBIDDEN,
    code: "cross-site",
    detail: "The request comes from another site.",
};
const ACTING: Problem = Problem {
    detail: "Whoever acts as another user decides over nobody's sessions. Sign in as yourself for that.",
    ..FORBIDDEN
};
const PROTECTED: Problem = Problem {
    detail: "This account may not decide over that user's sessions.",
    ..FORBIDDEN
};

impl Refusal {
    /// A parameter of the query, the path or the body; `fault` follows its name in a sentence.
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

    /// Another user has signed in since the request was made up.
    pub(crate) fn user_changed() -> Self {
        USER_CHANGED.into()
    }

    pub(crate) fn cross_site() -> Self {
        CROSS_SITE.into()
    }

    /// Somebody acts as a user who may decide over sessions.
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

    /// The parameter that is to blame, in a form that can be shown.
    pub(crate) fn parameter_name(&self) -> Option<String> {
        self.parameter
            .as_ref()
            .map(|parameter| parameter.name.to_string())
    }

    /// What is wrong with the parameter: follows its name in a sentence.
    pub(crate) fn fault(&self) -> &'static str {
        self.parameter
            .as_ref()
            .map_or("cannot be right", |parameter| parameter.fault)
    }

    /// For people. Safe to be shown: a hostile name is in it in escaped form.
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
        // The pages say it in their own words.
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
        }
    }
}
