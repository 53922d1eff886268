//! Signing in programs, which send a bearer token instead of a cookie.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response, Result};
use axum::{Form, Json};
use countersign::{BearerToken, Session};
use serde::{Deserialize, Serialize};

use super::account::{self, Checked};
use crate::routes::App;

#[derive(Deserialize)]
pub struct Credentials {
    username: String,
    password: String,
}

/// With the member names of OAuth 2 (RFC 6749, section 5.1), which clients know.
#[derive(Serialize)]
struct Token {
    access_token: BearerToken,
    token_type: &'static str,
}

pub async fn token(
    State(app): State<App>,
    session: Session,
    Form(form): Form<Credentials>,
) -> Result<Response> {
    let Checked::Right(found) = account::check(&app, &form.username, form.password).await? else {
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    };
    let access_token = session.login(found.id).bearer().await?;
    if account::has_changed(&app, &found).await? {
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    }
    let token = Token {
        access_token,
        token_type: "Bearer",
    };
    Ok(Json(token).into_response())
}
