//! Changing one's password: what a careful application does with sessions when credentials change.

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response, Result};
use countersign::{Flash, Session, SignedIn};
use serde::Deserialize;

use super::home;
use crate::pages::ErrorPage;
use crate::passwords;
use crate::routes::App;

/// NIST SP 800-63B asks for eight at least.
pub const MINIMUM_CHARACTERS: usize = 8;

#[derive(Deserialize)]
pub struct NewPassword {
    new_password: String,
}

pub async fn change(
    State(app): State<App>,
    session: Session,
    who: SignedIn,
    flash: Flash,
    Form(form): Form<NewPassword>,
) -> Result<Response> {
    // A browser left open is not enough: whoever changes the password has just typed the old one.
    who.require_recent(app.recent_sign_in)?;
    if form.new_password.chars().count() < MINIMUM_CHARACTERS {
        let page = home::page(&app, &session).await?;
        let page = page.with_error(format!(
            "A password needs at least {MINIMUM_CHARACTERS} characters. Yours is unchanged."
        ));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }

    let hash = passwords::hash(form.new_password)
        .await
        .map_err(ErrorPage::failed)?;
    app.database.set_password(who.user_id(), &hash).await?;
    // Every session of the old password is over now, this one too. Those elsewhere are counted, and this browser gets a new
    // one.
    let ended = app.sessions.revoke_others(&who, who.user_id()).await?;
    session.login(who.user_id().clone()).await?;
    flash.success(match ended {
        0 => "Your password is changed. No other session was signed in.".to_owned(),
        1 => "Your password is changed, and your other session is ended.".to_owned(),
        others => format!("Your password is changed, and your {others} other sessions are ended."),
    });
    Ok(Redirect::to("/").into_response())
}
