//! Refusals as pages, and the headers of all answers.
//!
//! Handlers refuse with the same problems as the JSON routers. Around them, each is turned into a page of the same status
//! with the same headers, so that the two cannot drift apart.

use askama::Template;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{
    HeaderValue, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS,
    },
};

use super::{
    frame::{Frame, Site, html},
    mount::Mount,
};
use crate::{extract::problem::Problem, session::Session, web::refusal::Refusal};

/// Our own stylesheet, images and forms, and nothing else from anywhere: no script at all (ASVS 5.0, 3.4.3).
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// `no-referrer` would make browsers send `Origin: null` with our own forms, and those that send no `Sec-Fetch-Site`
/// would be refused as another site.
const REFERRER: HeaderValue = HeaderValue::from_static("same-origin");

/// No window of another site holds on to ours (ASVS 5.0, 3.4.8).
const OPENER: HeaderValue = HeaderValue::from_static("same-origin");

#[derive(Debug, Template)]
#[template(path = "error.html")]
struct FailurePage {
    frame: Frame,
    status: u16,
    title: &'static str,
    detail: String,
    sign_in: Option<String>,
    /// Whether the first page is worth going back to.
    leads_back: bool,
}

/// Middleware around a router of pages.
pub(crate) async fn as_pages(
    State(site): State<Site>,
    mut request: Request,
    next: Next,
) -> Response {
    let mount = Mount::of(&request);
    let session = request.extensions().get::<Session>().cloned();
    request.extensions_mut().insert(mount.clone());
    let mut response = next.run(request).await;

    let status = response.status();
    if (status.is_client_error() || status.is_server_error()) && !is_html(&response) {
        response = page_of(response, &site, &mount, session.as_ref());
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(REFERRER_POLICY, REFERRER);
    headers.insert("cross-origin-opener-policy", OPENER);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

fn is_html(response: &Response) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// The same head with a page in it: `Allow`, `Retry-After` and `WWW-Authenticate` stay.
fn page_of(response: Response, site: &Site, mount: &Mount, session: Option<&Session>) -> Response {
    let (mut head, _) = response.into_parts();
    let code = head.extensions.get::<Problem>().map(|problem| problem.code);
    let (title, detail) = words(head.status, code.unwrap_or_default());
    // The one that names a parameter knows better.
    let detail = match head.extensions.get::<Refusal>() {
        Some(refusal) if refusal.parameter_name().is_some() => refusal.detail(),
        _ => detail.to_owned(),
    };
    let asks_to_sign_in = head.status == StatusCode::UNAUTHORIZED;
    let page = FailurePage {
        // Messages wait for a page that went well.
        frame: site.frame_without_messages(mount, session),
        status: head.status.as_u16(),
        title,
        detail,
        sign_in: asks_to_sign_in.then(|| site.sign_in_link(mount)).flatten(),
        leads_back: !matches!(code, Some("signed-out" | "forbidden" | "internal")),
    };
    let (fresh, body) = html(head.status, &page).into_parts();
    head.status = fresh.status;
    head.headers.remove(CONTENT_LENGTH);
    head.headers.extend(fresh.headers);
    Response::from_parts(head, body)
}

fn words(status: StatusCode, code: &str) -> (&'static str, &'static str) {
    match (code, status) {
        ("signed-out", _) => (
            "Please sign in",
            "This page is for those who are signed in.",
        ),
        ("recent-sign-in-required", _) => (
            "Please sign in again",
            "To end a session, you have to have signed in a short while ago. Nothing was changed: sign in again and repeat it.",
        ),
        ("cross-site", _) => (
            "Refused",
            "This request came from another site, and nothing was changed. If you meant it, do it from the page itself.",
        ),
        ("current-session", _) => (
            "That is your own session",
            "Nothing was changed: this would have ended the session that you are using.",
        ),
        ("user-changed", _) => (
            "Another user is signed in now",
            "This page was made for a user who is no longer signed in here. Nothing was changed: look again before you go on.",
        ),
        ("invalid-page-token", _) => (
            "This page is gone",
            "The link to this part of the list is not valid, or no longer. Start again from the first page.",
        ),
        (_, StatusCode::FORBIDDEN) => ("Not allowed", "Your account may not do this."),
        (_, StatusCode::NOT_FOUND) => (
            "Nothing here",
            "What this address speaks of is not there, or no longer: a session may have ended meanwhile.",
        ),
        (_, StatusCode::METHOD_NOT_ALLOWED) => {
            ("Not this way", "This address does not answer to that.")
        }
        (_, StatusCode::CONFLICT) => ("Not at the moment", "Something else stands in the way."),
        (_, StatusCode::SERVICE_UNAVAILABLE) => (
            "Back in a moment",
            "The database cannot be reached. Nothing is lost and nobody was signed out: try again shortly.",
        ),
        (_, status) if status.is_client_error() => {
            ("That did not work", "The request could not be read.")
        }
        _ => (
            "Something went wrong",
            "This should not have happened. The application's log says more.",
        ),
    }
}
