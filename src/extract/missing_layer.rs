//! A route without the session layer: a mistake that its developer must see at once.

use std::{error::Error as StdError, fmt, sync::Once};

use axum::response::{IntoResponse, Response};

use super::{problem::Problem, rejection::INTERNAL};

/// The route has no [`SessionLayer`](crate::SessionLayer). As a response: 500.
///
/// The error log says what to do. In a debug build the response says it too, and so does standard error once, if the
/// application has no `tracing` subscriber.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MissingSessionLayer;

impl MissingSessionLayer {
    pub(super) fn reported() -> Self {
        static TOLD: Once = Once::new();

        tracing::error!("{Self}");
        if cfg!(debug_assertions) && !tracing::dispatcher::has_been_set() {
            TOLD.call_once(|| eprintln!("countersign: {Self}"));
        }
        Self
    }
}

impl IntoResponse for MissingSessionLayer {
    fn into_response(self) -> Response {
        let detail = match cfg!(debug_assertions) {
            true => {
                "This route has no SessionLayer: put `.layer(sessions.layer())` on the router, after the routes that need it."
            }
            false => INTERNAL.detail,
        };
        Problem { detail, ..INTERNAL }.into_response()
    }
}

impl fmt::Display for MissingSessionLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "this route has no SessionLayer: put `.layer(sessions.layer())` on the router, after the routes that need it",
        )
    }
}

impl StdError for MissingSessionLayer {}
