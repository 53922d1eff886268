//! What people see. askama escapes whatever a template shows.

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use countersign::{FlashMessage, SignedIn};
use serde::Deserialize;

use crate::database::Article;
use crate::handlers::passwords::MINIMUM_CHARACTERS;
use crate::seed::ACCOUNTS;

#[derive(Template)]
#[template(path = "home.html", config = "askama.toml")]
pub struct HomePage {
    pub visitor: Option<Visitor>,
    /// Why this browser is signed out, where that was not its own doing.
    pub notice: Option<String>,
    pub messages: Vec<FlashMessage>,
    /// What was wrong with the form that has just been sent.
    pub error: Option<String>,
    /// What the sign-in form starts with.
    pub user_name: String,
    /// The page that asked to sign in first, where there is one.
    pub next: Option<String>,
}

pub struct Visitor {
    pub who: SignedIn,
    pub name: String,
    pub since: String,
    /// Whether the sign-in is recent enough for it.
    pub may_change_password: bool,
    /// Nothing for those who may not read articles.
    pub articles: Option<Vec<Article>>,
}

impl HomePage {
    pub fn with_error(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }

    pub fn with_next(mut self, next: Option<String>) -> Self {
        self.next = next;
        self
    }

    pub fn with_user_name(mut self, name: String) -> Self {
        self.user_name = name;
        self
    }
}

#[derive(Template)]
#[template(path = "about.html", config = "askama.toml")]
pub struct AboutPage;

#[derive(Template)]
#[template(path = "error.html", config = "askama.toml")]
pub struct ErrorPage {
    status: StatusCode,
    title: &'static str,
    detail: String,
}

impl ErrorPage {
    fn new(status: StatusCode, detail: Option<String>) -> Self {
        let (title, usual) = match status {
            StatusCode::UNAUTHORIZED => ("Please sign in", "This is for those who are signed in."),
            StatusCode::FORBIDDEN => ("Not allowed", "You may not do this."),
            StatusCode::NOT_FOUND => ("Nothing here", "There is no page at this address."),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("Not this way", "This address answers to a form alone.")
            }
            StatusCode::CONFLICT => ("Not at the moment", "Something else stands in the way."),
            StatusCode::SERVICE_UNAVAILABLE => (
                "Back in a moment",
                "The database cannot be reached. Nothing is lost: try again shortly.",
            ),
            status if status.is_client_error() => {
                ("That did not work", "The request could not be read.")
            }
            _ => (
                "Something went wrong",
                "It is our fault, not yours, and it is in the log.",
            ),
        };
        Self {
            status,
            title,
            detail: detail.unwrap_or_else(|| usual.into()),
        }
    }

    /// The database is away: neither let in nor signed out.
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, None)
    }

    pub fn failed(error: impl std::error::Error) -> Self {
        tracing::error!(%error, "request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, None)
    }
}

impl IntoResponse for HomePage {
    fn into_response(self) -> Response {
        html(&self)
    }
}

impl IntoResponse for AboutPage {
    fn into_response(self) -> Response {
        html(&self)
    }
}

impl IntoResponse for ErrorPage {
    fn into_response(self) -> Response {
        let page = (self.status, html(&self));
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => ([(header::RETRY_AFTER, "5")], page).into_response(),
            _ => page.into_response(),
        }
    }
}

fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

pub async fn not_found() -> ErrorPage {
    ErrorPage::new(StatusCode::NOT_FOUND, None)
}

pub async fn style() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("style.css"),
    )
}

pub async fn icon() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "image/svg+xml")],
        include_str!("icon.svg"),
    )
}

/// Programs get an error as a problem document (RFC 9457), which is what countersign answers with;
/// people, whose browsers ask for HTML, get a page that says the same.
pub async fn errors_as_pages(request: Request, next: Next) -> Response {
    let for_a_person = mentions(request.headers(), header::ACCEPT, "text/html");
    let response = next.run(request).await;
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    if !for_a_person || !is_error || mentions(response.headers(), header::CONTENT_TYPE, "text/html")
    {
        return response;
    }

    let (mut parts, body) = response.into_parts();
    let page = ErrorPage::new(parts.status, detail(&parts.headers, body).await);
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    // The rest of the head stays: Set-Cookie, Retry-After, Allow.
    (parts.status, parts.headers, html(&page)).into_response()
}

/// The sentence about what went wrong, where the answer has one.
async fn detail(headers: &HeaderMap, body: Body) -> Option<String> {
    #[derive(Deserialize)]
    struct Problem {
        detail: Option<String>,
    }

    let body = to_bytes(body, 16 * 1024).await.ok()?;
    if mentions(headers, header::CONTENT_TYPE, "application/problem+json") {
        return serde_json::from_slice::<Problem>(&body).ok()?.detail;
    }
    String::from_utf8(body.to_vec())
        .ok()
        .filter(|text| !text.is_empty())
}

fn mentions(headers: &HeaderMap, name: header::HeaderName, what: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| value.contains(what)))
}
