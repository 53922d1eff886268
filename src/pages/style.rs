//! The stylesheet. Its path changes with its text, so that browsers can cache it for ever.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use sha2::{Digest, Sha256};

const TEXT: &str = include_str!("../../templates/style.css");

/// `style-` and the first bytes of the text's digest.
pub(super) fn file_name() -> &'static str {
    static NAME: LazyLock<String> = LazyLock::new(|| {
        let digest = Sha256::digest(TEXT.as_bytes());
        let start: String = digest
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("style-{start}.css")
    });
    &NAME
}

pub(crate) fn stylesheet_route() -> String {
    format!("/{}", file_name())
}

pub(crate) async fn stylesheet() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, TEXT).into_response()
}
