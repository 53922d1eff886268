//! Finds a cookie in the bytes of a request.
//!
//! The usual parsers decode percent escapes in names, or drop a whole header for one bad pair. The first lets a
//! sibling subdomain get round the `__Host-` prefix with `%5F%5FHost-session`, the second lets it force a logout
//! with a cookie of one strange byte. So this one reads what stands there:
//!
//! - pair by pair, parted by `;` alone: quotes hide no semicolon (RFC 6265bis, section 5.7.3);
//! - quotes around a whole value are taken off, since some clients add them (RFC 6265, section 4.1.1, has them);
//! - a name is equal to the byte or it is another cookie; spaces and tabs around it are not part of it;
//! - whatever the other pairs look like, ours is found;
//! - several `Cookie` headers are one (HTTP/2 splits them: RFC 9113, section 8.2.3);
//! - two values under one name are refused, and two spellings of one value are one value.

use memchr::memchr;

use super::spelling;

/// What stands under a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// No pair has this name.
    Absent,
    /// The value without quotes, the same one in every pair of this name. It may be empty.
    One(&'a [u8]),
    /// Pairs of this name that differ in their values.
    Conflicting,
}

/// Looks for the cookie `name` in all the `Cookie` headers of a request. Allocates nothing, unless the cookie is there more
/// than once.
pub(super) fn find<'a>(headers: impl Iterator<Item = &'a [u8]>, name: &[u8]) -> Found<'a> {
    let mut values = headers
        .flat_map(pairs)
        .filter_map(|pair| value_of(pair, name));
    match values.next() {
        None => Found::Absent,
        Some(first) if values.all(|other| spelling::is_same(first, other)) => Found::One(first),
        Some(_) => Found::Conflicting,
    }
}

/// The names that start like this, in the order in which they stand there, repetitions included. Allocates nothing.
pub(super) fn names_with<'a>(
    headers: impl Iterator<Item = &'a [u8]>,
    prefix: &[u8],
) -> impl Iterator<Item = &'a [u8]> {
    headers.flat_map(pairs).filter_map(move |pair| {
        let pair = trim_start(pair);
        let name = pair.starts_with(prefix).then_some(pair)?;
        let (name, _) = name.split_at_checked(memchr(b'=', name)?)?;
        Some(trim_end(name))
    })
}

/// What stands between the semicolons.
fn pairs(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(header);
    std::iter::from_fn(move || {
        let header = rest.take()?;
        let (pair, after) = match memchr(b';', header).and_then(|at| header.split_at_checked(at)) {
            Some((pair, after)) => (pair, after.get(1..)),
            None => (header, None),
        };
        rest = after;
        Some(pair)
    })
}

/// The pair's value if it has this name.
fn value_of<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let after_name = trim_start(pair).strip_prefix(name)?;
    trim_start(after_name)
        .strip_prefix(b"=")
        .map(|value| spelling::unquoted(trim_end(trim_start(value))))
}

fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests;
