//! Problem details for HTTP APIs (RFC 9457), as everything in this crate answers errors.

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};

use crate::layer::RETRY_SECONDS;

/// An error as a client sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// Stable: programs may depend on it.
    pub(crate) code: &'static str,
    /// For people; says what to do.
    pub(crate) detail: &'static str,
}

/// Marks the answer of a router for programs: its shape is documented, and worded by no application.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForPrograms;

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.with_body(&self.body())
    }
}

impl Problem {
    /// The members that every problem has.
    pub(crate) fn body(&self) -> serde_json::Value {
        serde_json::json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        })
    }

    /// The answer, with members of its own.
    pub(crate) fn with_body(&self, body: &serde_json::Value) -> Response {
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, RETRY_SECONDS);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // A 401 names a way to authenticate (RFC 9110, section 11.6.1). Browsers ignore a scheme that they do not
            // know, which is what keeps their own password window away.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Cookie"));
        }
        // The pages say it in their own words.
        response.extensions_mut().insert(*self);
        response
    }
}
