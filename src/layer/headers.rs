//! The headers that the layer adds to a response.

use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, RETRY_AFTER, SET_COOKIE, VARY, WWW_AUTHENTICATE},
};

use crate::session::Outcome;

/// Seconds after which a client may try again.
pub(crate) const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

pub(super) fn finish<R>(
    mut response: Response<R>,
    outcome: Outcome,
    consulted: bool,
    bearer_challenge: Option<HeaderValue>,
) -> Response<R> {
    let is_refusal = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    let Outcome {
        session_cookie,
        other_cookies,
        granted,
    } = outcome;
    let sets_cookie = session_cookie.is_some() || !other_cookies.is_empty();
    for cookie in session_cookie.into_iter().chain(other_cookies) {
        headers.append(SET_COOKIE, cookie);
    }
    if sets_cookie {
        forbid_storing(headers);
    }
    if consulted || sets_cookie {
        vary_by(headers, "cookie");
        if bearer_challenge.is_some() {
            vary_by(headers, "authorization");
        }
    }
    // A 401 of the application's own may be about something else.
    let is_ours = is_refusal
        && headers
            .get(WWW_AUTHENTICATE)
            .is_some_and(|by| by == "Cookie");
    if let Some(challenge) = bearer_challenge.filter(|_| is_ours) {
        headers.append(WWW_AUTHENTICATE, challenge);
    }
    if let Some(mut granted) = granted {
        granted.accept();
    }
    response
}

/// Marks the response of [`unavailable`], so that an outer layer may word it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotGranted;

/// Replaces a response that reports a sign-in which was not activated.
pub(super) fn unavailable<R: Default>() -> Response<R> {
    let mut response = Response::new(R::default());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.extensions_mut().insert(NotGranted);
    response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A shared cache that stored a cookie would give one user's session to the next.
fn forbid_storing(headers: &mut HeaderMap) {
    let forbidden = lists(headers, CACHE_CONTROL, |directive| {
        directive.eq_ignore_ascii_case("no-store")
    });
    if !forbidden {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

fn vary_by(headers: &mut HeaderMap, name: &'static str) {
    let varies = lists(headers, VARY, |field| {
        field == "*" || field.eq_ignore_ascii_case(name)
    });
    if !varies {
        headers.append(VARY, HeaderValue::from_static(name));
    }
}

fn lists(headers: &HeaderMap, name: http::HeaderName, is_it: impl Fn(&str) -> bool) -> bool {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|item| is_it(item.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(
        handler_says: &[(http::HeaderName, &'static str)],
        sets_cookie: bool,
        consulted: bool,
    ) -> HeaderMap {
        let mut response = Response::new(());
        for (name, value) in handler_says {
            response
                .headers_mut()
                .append(name, HeaderValue::from_static(value));
        }
        let cookie = sets_cookie.then(|| HeaderValue::from_static("a=b"));
        let outcome = Outcome {
            session_cookie: cookie,
            other_cookies: Vec::new(),
            granted: None,
        };
        finish(response, outcome, consulted, None)
            .into_parts()
            .0
            .headers
    }

    #[test]
    fn a_cookie_is_never_stored_by_a_cache() {
        assert_eq!(finished(&[], true, false)[CACHE_CONTROL], "no-store");
        assert_eq!(
            finished(&[(CACHE_CONTROL, "public, max-age=60")], true, false)[CACHE_CONTROL],
            "no-store"
        );
        let stricter = "no-store, private, no-transform";
        assert_eq!(
            finished(&[(CACHE_CONTROL, stricter)], true, false)[CACHE_CONTROL],
            stricter
        );
        assert_eq!(
            finished(&[(CACHE_CONTROL, "public")], false, true)[CACHE_CONTROL],
            "public"
        );
    }

    #[test]
    fn an_answer_that_depends_on_the_session_varies_by_cookie() {
        assert_eq!(finished(&[], false, true)[VARY], "cookie");
        assert!(!finished(&[], false, false).contains_key(VARY));
        assert_eq!(
            finished(&[(VARY, "accept, Cookie")], false, true)
                .get_all(VARY)
                .iter()
                .count(),
            1
        );
        assert_eq!(
            finished(&[(VARY, "accept")], false, true)
                .get_all(VARY)
                .iter()
                .count(),
            2
        );
        assert_eq!(
            finished(&[(VARY, "*")], false, true)
                .get_all(VARY)
                .iter()
                .count(),
            1
        );
    }
}
