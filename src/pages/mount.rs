//! The path under which the application nested the pages. Every link starts with it.

use std::fmt::Display;

use axum::extract::{NestedPath, OriginalUri, Request};
use percent_encoding::utf8_percent_encode;

use crate::web::link::{UNRESERVED, query};

/// The path of the pages as the browser sees it, for example `/admin/sessions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    base: String,
    /// The path of the first page, with a slash at the end if the application nested it so.
    start: String,
}

impl Mount {
    /// Finds the part before the path that the nested router sees.
    pub(crate) fn of(request: &Request) -> Self {
        let inner = request.uri().path();
        let extensions = request.extensions();
        let original = extensions
            .get::<OriginalUri>()
            .map_or(inner, |original| original.0.path());
        let nested = extensions
            .get::<NestedPath>()
            .map_or("", NestedPath::as_str);
        Self::new(original, inner, nested)
    }

    /// `nested` is the path that the application gave; it may end with a slash.
    fn new(original: &str, inner: &str, nested: &str) -> Self {
        let base = match original.strip_suffix(inner) {
            Some(base) => base,
            // The request is for the prefix alone, without a slash.
            None if inner == "/" => original,
            None => "",
        };
        // A browser would read the start of such a path as another host's name.
        let base = match base.as_bytes() {
            [b'/', b'/' | b'\\', ..] => "",
            _ => base,
        };
        let start = match base.is_empty() || nested.ends_with('/') {
            true => format!("{base}/"),
            false => base.to_owned(),
        };
        Self {
            base: base.to_owned(),
            start,
        }
    }

    /// The path of the first page.
    pub(crate) fn start(&self) -> &str {
        &self.start
    }

    /// The path of a page below it, with the segments escaped.
    pub(crate) fn to(&self, segments: &[&dyn Display]) -> String {
        let mut path = self.base.clone();
        for segment in segments {
            path.push('/');
            path.extend(utf8_percent_encode(&segment.to_string(), UNRESERVED));
        }
        path
    }
}

/// Adds a query to a path.
pub(crate) fn with_query(path: &str, pairs: &[(&str, String)]) -> String {
    match pairs.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", query(pairs)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Mount, with_query};

    fn links(original: &str, inner: &str, nested: &str) -> (String, String) {
        let mount = Mount::new(original, inner, nested);
        (mount.start().to_owned(), mount.to(&[&"users", &"a/b ü"]))
    }

    #[test]
    fn links_start_where_the_router_is_nested() {
        for (original, inner) in [
            ("/admin/sessions", "/"),
            ("/admin/sessions/", "/"),
            ("/admin/sessions/users/2", "/users/2"),
            ("/admin/sessions/%2F", "/%2F"),
        ] {
            let (start, below) = links(original, inner, "/admin/sessions");
            assert_eq!(start, "/admin/sessions", "{original}");
            assert_eq!(below, "/admin/sessions/users/a%2Fb%20%C3%BC", "{original}");
        }
        for path in ["/", "/users/2"] {
            let expected = ("/".to_owned(), "/users/a%2Fb%20%C3%BC".to_owned());
            assert_eq!(links(path, path, ""), expected);
        }
        assert_eq!(links("/a/", "/", "/a/").0, "/a/");
        assert_eq!(links("/a/b", "/b", "/a/").0, "/a/");
    }

    #[test]
    fn no_link_leads_to_another_host() {
        for original in ["//evil.example/sessions/x", "/\\evil.example/sessions/x"] {
            assert_eq!(links(original, "/x", "").0, "/");
        }
    }

    #[test]
    fn values_of_a_query_are_escaped() {
        let link = with_query("/a", &[("b", "c&d=\"<é>".into()), ("e", "+ ".into())]);
        assert_eq!(link, "/a?b=c%26d%3D%22%3C%C3%A9%3E&e=%2B%20");
        assert_eq!(with_query("/a", &[]), "/a");
    }
}
