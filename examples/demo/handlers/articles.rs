//! Articles. Who may publish one is said where the route is: `require("articles:edit")`.

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response, Result};
use countersign::{Flash, Session, SignedIn};
use serde::Deserialize;

use super::home;
use crate::routes::App;

/// What the column holds.
const MAXIMUM_CHARACTERS: usize = 200;

#[derive(Deserialize)]
pub struct NewArticle {
    title: String,
}

pub async fn publish(
    State(app): State<App>,
    session: Session,
    who: SignedIn,
    flash: Flash,
    Form(form): Form<NewArticle>,
) -> Result<Response> {
    let title = form.title.trim();
    if title.is_empty()
        || title.chars().count() > MAXIMUM_CHARACTERS
        || title.contains(char::is_control)
    {
        let page = home::page(&app, &session).await?;
        let page = page.with_error(format!(
            "A title is one line of 1 to {MAXIMUM_CHARACTERS} characters."
        ));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    app.database.add_article(who.user_id(), title).await?;
    flash.success(format!("“{title}” is published."));
    Ok(Redirect::to("/").into_response())
}
