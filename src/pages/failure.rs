//! Refusals as pages, and the headers of all responses.
//!
//! Handlers of pages refuse with the same problems as the JSON routers. A middleware turns each problem into a page
//! with the same status and headers, so that the two cannot drift apart.

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
use crate::{
    extract::problem::Problem, session::Session, store::DisplayNames, web::refusal::Refusal,
};

/// Allows only stylesheets, images and forms of this origin, and no scripts at all (ASVS 5.0, 3.4.3).
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// `no-referrer` would make browsers send `Origin: null` with our own forms. The cross-site check would then refuse
/// browsers that send no `Sec-Fetch-Site`.
const REFERRER: HeaderValue = HeaderValue::from_static("same-origin");

/// Keeps windows of other sites from referring to ours (ASVS 5.0, 3.4.8).
const OPENER: HeaderValue = HeaderValue::from_static("same-origin");

#[derive(Debug, Template)]
#[template(path = "error.html")]
struct FailurePage {
    frame: Frame,
    status: u16,
    title: &'static str,
    detail: String,
    sign_in: Option<String>,
    /// Whether to link back to the first page.
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

/// A page with the head of the response: `Allow`, `Retry-After` and `WWW-Authenticate` stay.
fn page_of(response: Response, site: &Site, mount: &Mount, session: Option<&Session>) -> Response {
    let (mut head, _) = response.into_parts();
    let code = head.extensions.get::<Problem>().map(|problem| problem.code);
    let (title, detail) = words(head.status, code.unwrap_or_default());
    // A refusal that names a parameter is more exact than the text for its status.
    let detail = match head.extensions.get::<Refusal>() {
        Some(refusal) if refusal.parameter_name().is_some() => refusal.detail(),
        _ => detail.to_owned(),
    };
    let asks_to_sign_in = head.status == StatusCode::UNAUTHORIZED;
    let page = FailurePage {
        // Messages wait for a page without an error.
        frame: site.frame_without_messages(mount, session, &DisplayNames::default()),
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
        ("signed-out", _) => ("Please sign in", "You must sign in to see this page."),
        ("recent-sign-in-required", _) => (
            "Please sign in again",
            "Your last sign-in is too long ago for ending a session. Nothing was changed. Sign in again and repeat it.",
        ),
        ("cross-site", _) => (
            "Refused",
            "Another site sent this request, so nothing was changed. If you meant to do it, go back and use the page itself.",
        ),
        ("current-session", _) => (
            "That is your own session",
            "This would have ended the session that you are using. Nothing was changed. To end it, sign out.",
        ),
        ("user-changed", _) => (
            "Another user is signed in now",
            "Another user has signed in since this page was loaded. Nothing was changed. Load the page again before you go on.",
        ),
        ("invalid-page-token", _) => (
            "Page no longer valid",
            "The link to this part of the list is not valid. Start again from the first page.",
        ),
        (_, StatusCode::FORBIDDEN) => (
            "Not allowed",
            "The account that you are using may not do this. If you need to do it, ask an administrator.",
        ),
        (_, StatusCode::NOT_FOUND) => (
            "Page not found",
            "There is no page at this address, or its session has ended already. Go back to the list.",
        ),
        (_, StatusCode::METHOD_NOT_ALLOWED) => (
            "Method not allowed",
            "This address does not support that request. Go back and use the page itself.",
        ),
        (_, StatusCode::CONFLICT) => (
            "Not possible now",
            "Something has changed meanwhile. Go back, load the page again and repeat it.",
        ),
        (_, StatusCode::SERVICE_UNAVAILABLE) => (
            "Temporarily unavailable",
            "The database cannot be reached, so your request may be unfinished. This has not signed you out. Try again shortly.",
        ),
        (_, status) if status.is_client_error() => (
            "Invalid request",
            "The application could not read the request. Go back and send the form again.",
        ),
        _ => (
            "Something went wrong",
            "The application has failed. Its log says why: tell its operators.",
        ),
    }
}
