//! The lists that proxies write, read from the right.
//!
//! From the right, because the proxy next to us wrote the right end. The client may have invented what is further left,
//! and an open quote there must not swallow what the proxies appended.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::ForwardedHeader;

/// The hops of one header line, the nearest first. `None` stands for a hop that is not an address. Empty elements are
/// not hops (RFC 9110, section 5.6.1.2).
pub(super) fn hops_from_the_right(
    header: ForwardedHeader,
    line: &[u8],
) -> impl Iterator<Item = Option<IpAddr>> {
    let mut rest = Some(line);
    let elements = std::iter::from_fn(move || {
        let (before, element) = match header {
            ForwardedHeader::XForwardedFor => split_last(rest?),
            ForwardedHeader::Forwarded => split_last_outside_quotes(rest?),
        };
        rest = before;
        Some(element)
    });
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    elements
        .filter(move |element| !element.iter().all(is_blank))
        .map(move |element| {
            let element = trim(std::str::from_utf8(element).ok()?);
            match header {
                ForwardedHeader::XForwardedFor => parse_node(element),
                ForwardedHeader::Forwarded => {
                    let node = forwarded_for(element)?;
                    parse_node(node).or_else(|| parse_node(without_obfuscated_port(node)?))
                }
            }
        })
}

/// The last element of a list, and what comes before its comma.
fn split_last(list: &[u8]) -> (Option<&[u8]>, &[u8]) {
    split_at_comma(list, list.iter().rposition(|byte| *byte == b','))
}

/// The same for lists in which a quoted string may contain a comma. A quote with a backslash before it belongs to the
/// string, unless that backslash is escaped in turn.
fn split_last_outside_quotes(list: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let mut quoted = false;
    let comma = list.iter().enumerate().rev().find_map(|(at, byte)| {
        match byte {
            b'"' if !quoted => quoted = true,
            b'"' => quoted = backslashes_before(list, at) % 2 == 1,
            b',' if !quoted => return Some(at),
            _ => {}
        }
        None
    });
    split_at_comma(list, comma)
}

fn split_at_comma(list: &[u8], comma: Option<usize>) -> (Option<&[u8]>, &[u8]) {
    match comma.and_then(|at| Some((list.get(..at)?, list.get(at + 1..)?))) {
        Some((before, element)) => (Some(before), element),
        None => (None, list),
    }
}

fn backslashes_before(list: &[u8], at: usize) -> usize {
    list.iter()
        .take(at)
        .rev()
        .take_while(|byte| **byte == b'\\')
        .count()
}

/// The value of `for` in an element such as `for="[2001:db8::1]:4711";proto=https` (RFC 7239, section 4). `None` unless the
/// element is well-formed and has exactly one.
fn forwarded_for(element: &str) -> Option<&str> {
    let mut found = None;
    let mut rest = element;
    loop {
        // Empty parameters between semicolons are allowed.
        rest = rest.trim_start_matches([';', ' ', '\t']);
        if rest.is_empty() {
            return found;
        }
        let (name, after_name) = rest.split_once('=')?;
        let (value, after_value) = split_value(after_name)?;
        if name.contains(['"', '\\', ';', ' ', '\t']) {
            return None;
        }
        if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
        rest = trim(after_value);
        if !(rest.is_empty() || rest.starts_with(';')) {
            return None;
        }
    }
}

/// A parameter's value at the start of `text`, without its quotes, and what follows it.
fn split_value(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('"') {
        Some(quoted) => {
            let mut escaped = false;
            let end = quoted.find(|character| match character {
                _ if escaped => {
                    escaped = false;
                    false
                }
                '\\' => {
                    escaped = true;
                    false
                }
                other => other == '"',
            })?;
            Some((quoted.get(..end)?, quoted.get(end + 1..)?))
        }
        None => {
            let (value, after) =
                text.split_at_checked(text.find([';', ' ', '\t']).unwrap_or(text.len()))?;
            // More lenient than a token, since proxies often omit the quotes that an address needs.
            (!value.contains(['"', '\\'])).then_some((value, after))
        }
    }
}

/// An address as proxies write it: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn parse_node(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(with_port) = text.parse::<SocketAddr>() {
        return Some(with_port.ip());
    }
    text.strip_prefix('[')?
        .strip_suffix(']')?
        .parse::<Ipv6Addr>()
        .ok()
        .map(IpAddr::V6)
}

/// The address of a node whose port is hidden behind a name: `192.0.2.43:_obf`, `[2001:db8::1]:_obf` (RFC 7239, section 6).
fn without_obfuscated_port(node: &str) -> Option<&str> {
    let (address, port) = node.split_once(":_")?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    // An IPv6 address without brackets cannot have a port.
    let is_apart = !address.contains(':') || (address.starts_with('[') && address.ends_with(']'));
    (is_apart && !port.is_empty() && port.bytes().all(is_name)).then_some(address)
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
