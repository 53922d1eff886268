//! Tells developers why a sign-in does not last: browsers drop `Secure` cookies that come over plain HTTP.

use std::{net::IpAddr, sync::Once};

use http::{
    HeaderMap, HeaderValue,
    header::{HOST, ORIGIN},
};

use crate::session::Outcome;

/// Whether a browser reached this application over plain HTTP, by a name that is not its own machine's. Browsers send
/// `Origin` with each POST.
pub(super) fn is_plain_http(headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).and_then(|value| value.to_str().ok());
    let Some(authority) = origin.and_then(|origin| origin.strip_prefix("http://")) else {
        return false;
    };
    headers.get(HOST).is_some_and(|host| host == authority) && !is_loopback(authority)
}

/// Warns, once for each process, if the browser will drop the cookie of a session that was granted.
pub(super) fn warn_of_lost_cookie(outcome: &Outcome) {
    static WARNED: Once = Once::new();

    let granted = outcome
        .granted
        .as_ref()
        .and(outcome.session_cookie.as_ref());
    if granted.is_some_and(is_secure) {
        WARNED.call_once(|| {
            tracing::warn!(
                "a browser signs in over plain HTTP and drops the session cookie, which is `Secure`: the next request will be \
                 anonymous. Serve HTTPS; while you develop, open the application as `localhost`, or call \
                 `.insecure_cookies()` on the builder"
            );
        });
    }
}

fn is_secure(cookie: &HeaderValue) -> bool {
    let mut attributes = cookie.as_bytes().split(|byte| *byte == b';').skip(1);
    attributes.any(|attribute| attribute.trim_ascii().eq_ignore_ascii_case(b"Secure"))
}

/// Browsers keep `Secure` cookies of these names over plain HTTP as well.
fn is_loopback(authority: &str) -> bool {
    let (name, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let host = match port.bytes().all(|byte| byte.is_ascii_digit()) {
        true => name,
        false => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_address = host
        .parse()
        .is_ok_and(|address: IpAddr| address.is_loopback());
    is_address || host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_says_that_it_came_over_plain_http() {
        let is_plain = |origin: &'static str, host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
            headers.insert(HOST, HeaderValue::from_static(host));
            is_plain_http(&headers)
        };
        assert!(is_plain("http://app.test", "app.test"));
        assert!(is_plain("http://192.168.1.7:3000", "192.168.1.7:3000"));
        assert!(is_plain("http://[fd00::1]:3000", "[fd00::1]:3000"));
        for (origin, host) in [
            ("https://app.test", "app.test"),
            ("http://localhost:3000", "localhost:3000"),
            ("http://app.localhost", "app.localhost"),
            ("http://127.0.0.1:3000", "127.0.0.1:3000"),
            ("http://[::1]:3000", "[::1]:3000"),
            ("http://[::1]", "[::1]"),
            // Another site, and a privacy-sensitive context.
            ("http://other.test", "app.test"),
            ("null", "app.test"),
        ] {
            assert!(!is_plain(origin, host), "{origin} {host}");
        }
        assert!(!is_plain_http(&HeaderMap::new()));
    }

    #[test]
    fn only_a_secure_cookie_is_lost() {
        let is_secure = |cookie| is_secure(&HeaderValue::from_static(cookie));
        assert!(is_secure("__Host-session=x; HttpOnly; Secure; Path=/"));
        assert!(!is_secure("session=Secure; HttpOnly; Path=/"));
    }
}
