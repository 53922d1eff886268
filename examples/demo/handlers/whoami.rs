//! Who is asking, for programs.

use axum::Json;
use axum::response::{IntoResponse, Response};
use countersign::SignedIn;
use serde::Serialize;
use uuid::Uuid;

#[derive(Serialize)]
struct WhoAmI<'a> {
    user_id: &'a str,
    session_id: Uuid,
    permissions: Vec<&'a str>,
}

/// Asking for [`SignedIn`] is all it takes: whoever is not gets a 401 that says so.
pub async fn whoami(who: SignedIn) -> Response {
    Json(WhoAmI {
        user_id: who.user_id().as_str(),
        session_id: who.session_id(),
        permissions: who.permissions().iter().collect(),
    })
    .into_response()
}
