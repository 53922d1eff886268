//! Refusals in the application's own words and shape.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    response::{Html, IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderName, Method, StatusCode, Uri,
    header::{CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS},
};

use super::{
    navigation,
    problem::{ForPrograms, Problem},
    rejection::UNAVAILABLE,
};
use crate::layer::NotGranted;

/// Words the refusals of this crate: `SignedIn` without a user, a missing permission, a sign-in that is too old, a database
/// that is away. Without it, each is a problem document (RFC 9457) in JSON.
///
/// By [`default`](Self::default), browsers that navigate get a small page and everything else the problem. With
/// [`new`](Self::new), the application words them: as JSON of its own, as a page of its own, as a redirect.
///
/// ```
/// use axum::{Router, response::{IntoResponse, Redirect}, routing::get};
/// use countersign::{RefusalLayer, Refused, Sessions, SignedIn};
///
/// fn app(sessions: &Sessions) -> Router {
///     let wording = RefusalLayer::new(|refused: &Refused<'_>| match refused.code() {
///         // A sign-in that is too old leads to the page that asks for the password.
///         "recent-sign-in-required" if refused.navigates() => Some(Redirect::to("/confirm").into_response()),
///         code if !refused.navigates() => {
///             let body = format!("{{\"error\": \"{code}\"}}");
///             Some((refused.status(), [("content-type", "application/json")], body).into_response())
///         }
///         _ => None, // as by default
///     });
///     Router::new()
///         .route("/me", get(|user: SignedIn| async move { user.user_id().to_string() }))
///         .layer(sessions.layer())
///         .layer(wording) // outside of the session layer
/// }
/// ```
///
/// The head stays: `Retry-After`, `WWW-Authenticate`, `Set-Cookie` and `Vary` go along, unless the new answer sets them. What a
/// handler granted is undone all the same, whatever the new answer's status. Redirects to the
/// [sign-in page](crate::SessionsBuilder::sign_in_page) are no refusals any more, and pass. So do the routers and pages for
/// administrators and accounts, whose refusals have words of their own.
#[derive(Clone)]
pub struct RefusalLayer {
    words: Words,
}

type Words = Arc<dyn Fn(&Refused<'_>) -> Option<Response> + Send + Sync>;

/// A refusal that is to be worded.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    problem: Problem,
    asked: &'a Asked,
}

/// What was asked for.
#[derive(Clone, Debug)]
struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl RefusalLayer {
    /// Words refusals by this; where it says nothing, they are worded as by default. It runs on the way of a request, so
    /// it must not block.
    pub fn new(words: impl Fn(&Refused<'_>) -> Option<Response> + Send + Sync + 'static) -> Self {
        Self {
            words: Arc::new(words),
        }
    }
}

/// A small page for browsers that navigate.
impl Default for RefusalLayer {
    fn default() -> Self {
        Self::new(|_| None)
    }
}

impl Refused<'_> {
    /// The status that it has.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.problem.status
    }

    /// What it is, for programs: `signed-out`, `forbidden`, `recent-sign-in-required`, `limit-reached`, `unavailable`,
    /// `internal` and so on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.problem.code
    }

    /// What it is, for people: a sentence in English that says what to do.
    #[must_use]
    pub fn detail(&self) -> &'static str {
        self.problem.detail
    }

    /// Whether a browser asks for a page to show. If not, it is a program or a script.
    #[must_use]
    pub fn navigates(&self) -> bool {
        navigation::is_navigation(&self.asked.headers)
    }

    /// The method of the request.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.asked.method
    }

    /// The address of the request.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.asked.uri
    }

    /// The headers of the request.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.asked.headers
    }

    fn page(&self) -> Response {
        let title = self.status().canonical_reason().unwrap_or("Error");
        // Nothing in it comes from outside.
        let page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n</head>\n\
             <body>\n<main>\n<h1>{title}</h1>\n<p>{}</p>\n</main>\n</body>\n</html>\n",
            self.detail()
        );
        let headers = [
            (
                CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'",
            ),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (self.status(), headers, Html(page)).into_response()
    }
}

impl std::fmt::Debug for RefusalLayer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RefusalLayer")
            .finish_non_exhaustive()
    }
}

impl<S> tower::Layer<S> for RefusalLayer {
    type Service = RefusalService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RefusalService {
            inner,
            words: self.words.clone(),
        }
    }
}

/// The middleware of [`RefusalLayer`].
#[derive(Clone)]
pub struct RefusalService<S> {
    inner: S,
    words: Words,
}

impl<S> std::fmt::Debug for RefusalService<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RefusalService")
            .finish_non_exhaustive()
    }
}

impl<S> tower::Service<Request> for RefusalService<S>
where
    S: tower::Service<Request, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let asked = Asked {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
        };
        let (words, answer) = (self.words.clone(), self.inner.call(request));
        Box::pin(async move { Ok(word(answer.await?, &words, &asked)) })
    }
}

fn word(response: Response, words: &Words, asked: &Asked) -> Response {
    let extensions = response.extensions();
    let problem = match extensions.get::<Problem>() {
        Some(problem) => *problem,
        // The session layer has put an answer of its own in the place of one that spoke of a sign-in.
        None if extensions.get::<NotGranted>().is_some() => UNAVAILABLE,
        None => return response,
    };
    if extensions.get::<ForPrograms>().is_some() {
        return response;
    }
    let refused = Refused { problem, asked };
    let worded = words(&refused).or_else(|| refused.navigates().then(|| refused.page()));
    let mut worded = match worded {
        Some(worded) => with_head_of(worded, response.headers()),
        // What the session layer answers has no words at all.
        None if response.extensions().get::<NotGranted>().is_some() => {
            with_head_of(problem.into_response(), response.headers())
        }
        None => response,
    };
    worded.headers_mut().append(VARY, navigation::VARIES_BY);
    worded
}

/// The answer with what the refusal had in its head and this one has not.
fn with_head_of(mut answer: Response, refusal: &HeaderMap) -> Response {
    let own: Vec<HeaderName> = answer.headers().keys().cloned().collect();
    for (name, value) in refusal {
        let describes_body = *name == CONTENT_TYPE || *name == CONTENT_LENGTH;
        if !describes_body && (*name == VARY || !own.contains(name)) {
            answer.headers_mut().append(name, value.clone());
        }
    }
    answer
}
