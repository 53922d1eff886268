//! Whether a redirect target that came with a request stays on this site.

/// Returns `next` if a browser that is sent there stays on this site. Use it for the page to open after a sign-in.
///
/// An attacker can send a user a link to your site with any `?next=…`. `//evil.example` and its many disguises then
/// lead the user on to another site (an open redirect). This function returns the text unchanged; it is safe in a
/// `Location` header, in a link and in a form.
///
/// ```
/// use axum::response::Redirect;
/// use countersign::local_path;
///
/// fn after_sign_in(next: Option<&str>) -> Redirect {
///     Redirect::to(next.and_then(local_path).unwrap_or("/"))
/// }
///
/// assert_eq!(local_path("/articles?page=2#new"), Some("/articles?page=2#new"));
/// assert_eq!(local_path("//evil.example"), None);
/// assert_eq!(local_path("/\t/evil.example"), None);
/// assert_eq!(local_path("https://evil.example/"), None);
/// ```
///
/// `next` must be a path from the root, with an optional query and fragment. It must have the form that browsers send:
/// non-ASCII letters percent-encoded, and no `.` or `..` segment. The result is `None` for
///
/// - anything that does not start with one `/`: other schemes, host names, relative paths, an empty text;
/// - `//` and `/\` at the start, percent-encoded too: browsers read a host after them, and some servers decode first;
/// - backslashes, white space and control characters anywhere, and percent-encoded ones in the path: browsers treat a
///   backslash as a slash, and drop tabs and line breaks.
///
/// # Security
///
/// It checks only the site: the target page must still check who is signed in. Pass the text on unchanged. Once decoded
/// again, or joined to anything but a scheme and a host, it is no longer the checked text (OWASP Unvalidated Redirects
/// and Forwards Cheat Sheet; ASVS 5.0, 3.7.2).
#[must_use]
pub fn local_path(next: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if !next.starts_with('/') || !next.bytes().all(is_plain) {
        return None;
    }
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let is_hostile = |byte: u8| byte.is_ascii_control() || byte == b'\\';
    let stays = !path.split('/').any(|segment| dots(segment) > 0)
        && !starts_with_host(&decoded)
        && !decoded.bytes().any(is_hostile);
    stays.then_some(next)
}

/// Whether a browser reads a host where this path starts, as it is or without its dots.
fn starts_with_host(path: &str) -> bool {
    let mut kept = Vec::new();
    for segment in path.split('/').skip(1) {
        match dots(segment) {
            0 => kept.push(segment),
            1 => {}
            _ => drop(kept.pop()),
        }
    }
    path.starts_with("//") || kept.len() > 1 && kept.first().is_some_and(|first| first.is_empty())
}

/// How many dots make up this segment: 1, 2, or 0 for any other segment. Browsers remove `.` from the path, and `..`
/// together with the segment before it.
fn dots(segment: &str) -> usize {
    let is_dot = |text: &str| text == "." || text.eq_ignore_ascii_case("%2e");
    let halves = |at: usize| segment.split_at_checked(at);
    let mut splits = [1, 3].into_iter().filter_map(halves);
    match splits.any(|(first, second)| is_dot(first) && is_dot(second)) {
        true => 2,
        false => usize::from(is_dot(segment)),
    }
}

#[cfg(test)]
mod tests;
