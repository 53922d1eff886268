//! Whether a request is a browser's that wants a page to show: then a redirect to the sign-in page helps. A program, and a
//! script of a page, is better served by a 401: it would follow the redirect and take the sign-in page for its answer.

use http::{HeaderMap, HeaderName, HeaderValue, header::ACCEPT};

/// What the decision depends on, for `Vary`.
pub(super) const VARIES_BY: HeaderValue = HeaderValue::from_static(
    "accept, sec-fetch-mode, sec-fetch-dest, x-requested-with, hx-request",
);

const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");
const HTMX: HeaderName = HeaderName::from_static("hx-request");

/// Whether a browser navigates, and takes HTML rather than JSON.
pub(super) fn is_navigation(headers: &HeaderMap) -> bool {
    prefers_html(headers)
        && !is_made_by_script(headers)
        // Browsers say what a request is for, where the site has TLS (Fetch Metadata). Others leave these out.
        && is_absent_or(headers, &FETCH_MODE, &["navigate", "nested-navigate"])
        && is_absent_or(
            headers,
            &FETCH_DEST,
            &["document", "iframe", "frame", "fencedframe", "nested-document"],
        )
}

/// What scripts say of themselves. A web view of Android writes its application's name into `X-Requested-With`, and that
/// when it navigates too.
fn is_made_by_script(headers: &HeaderMap) -> bool {
    let is = |name: &HeaderName, value: &[u8]| {
        let mut values = headers.get_all(name).into_iter();
        values.any(|sent| sent.as_bytes().eq_ignore_ascii_case(value))
    };
    is(&REQUESTED_WITH, b"XMLHttpRequest") || is(&HTMX, b"true")
}

fn is_absent_or(headers: &HeaderMap, name: &HeaderName, values: &[&str]) -> bool {
    let mut sent = headers.get_all(name).into_iter();
    sent.all(|sent| {
        values
            .iter()
            .any(|value| sent.as_bytes() == value.as_bytes())
    })
}

/// Whether HTML is named in `Accept`, and liked better than JSON where that is named too (RFC 9110, 12.5.1). A wildcard
/// names neither: a client without a preference is a program, since browsers ask for HTML by name.
fn prefers_html(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get_all(ACCEPT)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let (mut html, mut json) = (0, 0);
    for range in accepted.flat_map(|value| outside_quotes(value, ',')) {
        let mut parts = outside_quotes(range, ';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let liking = quality(parts);
        match kind.as_str() {
            "text/html" | "application/xhtml+xml" => html = html.max(liking),
            "application/json" | "application/problem+json" => json = json.max(liking),
            _ => {}
        }
    }
    html > json
}

/// The `q` among the parameters of a range, in thousandths. One that cannot be read is no liking at all.
fn quality<'a>(mut parameters: impl Iterator<Item = &'a str>) -> u16 {
    let quality = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    let Some(quality) = quality else {
        return 1000;
    };
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, format!("{fraction:0<3}").parse::<u16>()) {
        ("0", Ok(thousandths)) if digits => thousandths,
        ("1", Ok(0)) if digits => 1000,
        _ => 0,
    }
}

/// Splits at a separator, but not inside of a quoted string (RFC 9110, 5.6.4).
fn outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character: char| {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            other => return other == separator && !quoted,
        }
        false
    })
}

#[cfg(test)]
mod tests;
