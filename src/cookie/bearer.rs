//! Reads and writes bearer tokens: the same contents as the session cookie, for clients that are no browser of this site.
// docs/decisions/55-bearer-tokens.md

use http::{
    HeaderMap,
    header::{AUTHORIZATION, HeaderValue},
};

/// What a bearer token is bound to. No cookie can have this name, so no cookie's value is a bearer token.
pub(super) const PURPOSE: &str = "authorization bearer";

/// The credentials of a request's `Authorization` headers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// No header, or another scheme, which is the application's own.
    Absent,
    /// What stands behind `Bearer`.
    One(&'a [u8]),
    /// Several headers, of which one or more are bearer tokens.
    Conflicting,
}

pub(super) fn find(headers: &HeaderMap) -> Found<'_> {
    let mut values = headers
        .get_all(AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes);
    let Some(first) = values.next() else {
        return Found::Absent;
    };
    match (token_of(first), values.next()) {
        (Some(token), None) => Found::One(token),
        (None, None) => Found::Absent,
        (first, Some(second)) => {
            let is_ours = first.is_some()
                || token_of(second).is_some()
                || values.any(|value| token_of(value).is_some());
            match is_ours {
                true => Found::Conflicting,
                false => Found::Absent,
            }
        }
    }
}

/// The scheme's name is of either case, and one space or more follow it (RFC 9110, section 11.4).
fn token_of(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked("Bearer".len())?;
    let is_bearer = scheme.eq_ignore_ascii_case(b"Bearer");
    match (is_bearer, rest) {
        (true, []) => Some(rest),
        (true, [b' ' | b'\t', ..]) => Some(rest.trim_ascii()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
    use proptest::prelude::*;

    use super::{Found, find};

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_token_is_what_follows_the_scheme() {
        for (value, expected) in [
            ("Bearer abc", Found::One(b"abc" as &[u8])),
            ("bearer abc", Found::One(b"abc")),
            ("BEARER   abc ", Found::One(b"abc")),
            ("Bearer\tabc", Found::One(b"abc")),
            ("Bearer abc def", Found::One(b"abc def")),
            ("Bearer \"abc\"", Found::One(b"\"abc\"")),
            ("Bearer", Found::One(b"")),
            ("Bearer ", Found::One(b"")),
            ("Bearerabc", Found::Absent),
            ("Bearer=abc", Found::Absent),
            ("Basic abc", Found::Absent),
            ("Bear", Found::Absent),
            ("", Found::Absent),
            ("Digest Bearer abc", Found::Absent),
        ] {
            assert_eq!(find(&headers(&[value.as_bytes()])), expected, "{value}");
        }
        assert_eq!(find(&HeaderMap::new()), Found::Absent);
    }

    #[test]
    fn of_several_headers_none_is_chosen() {
        let ours = b"Bearer abc" as &[u8];
        for values in [
            &[ours, ours][..],
            &[ours, b"Basic abc"],
            &[b"Basic abc", ours],
            &[b"a", b"b", ours],
        ] {
            assert_eq!(find(&headers(values)), Found::Conflicting, "{values:?}");
        }
        assert_eq!(find(&headers(&[b"Basic a", b"Basic b"])), Found::Absent);
    }

    proptest! {
        #[test]
        fn no_header_is_too_strange(values in prop::collection::vec(prop::collection::vec(0x20_u8..=0xff, 0..40), 0..4)) {
            let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).filter(|value| !value.contains(&0x7f)).collect();
            let headers = headers(&values);
            if let Found::One(token) = find(&headers) {
                prop_assert_eq!(values.len(), 1);
                prop_assert!(values[0].ends_with(token) || values[0].trim_ascii().ends_with(token));
            }
        }
    }
}
