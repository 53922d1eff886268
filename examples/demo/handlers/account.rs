//! Signing in and out.

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response, Result};
use countersign::{Flash, LoginError, LogoutOutcome, Session, local_path};
use serde::Deserialize;

use super::home;
use crate::database::Account;
use crate::pages::ErrorPage;
use crate::passwords;
use crate::routes::App;

#[derive(Deserialize)]
pub struct Credentials {
    username: String,
    password: String,
    /// A checkbox: sent when it is ticked, missing when it is not.
    remember: Option<String>,
    /// Where to go when that is done.
    next: Option<String>,
}

pub async fn sign_in(
    State(app): State<App>,
    session: Session,
    flash: Flash,
    Form(form): Form<Credentials>,
) -> Result<Response> {
    let next = form.next.filter(|path| local_path(path).is_some());
    let Checked::Right(account) = check(&app, &form.username, form.password).await? else {
        return refused(&app, &session, form.username, next).await;
    };

    let mut login = session.login(account.id);
    if form.remember.is_some() {
        login = login.remember();
    }
    match login.await {
        Ok(_) => {
            if has_changed(&app, &account).await? {
                return refused(&app, &session, form.username, next).await;
            }
            flash.success(format!("Welcome, {}. You are signed in.", account.name));
            Ok(Redirect::to(next.as_deref().unwrap_or("/")).into_response())
        }
        Err(LoginError::LimitReached { max }) => {
            let page = home::page(&app, &session).await?;
            let page = page.with_next(next).with_user_name(account.name).with_error(format!(
                "The password is right, but this account is signed in {max} times already, and that is all it may. \
                 Sign out somewhere else, then try again.",
            ));
            Ok((StatusCode::CONFLICT, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether a name and a password belong together.
pub enum Checked {
    Right(Account),
    Wrong,
}

pub async fn check(app: &App, name: &str, password: String) -> Result<Checked> {
    let account = app.database.account(name).await?;
    let stored = account
        .as_ref()
        .map(|account| account.password_hash.clone());
    let matches = passwords::verify(password, stored)
        .await
        .map_err(ErrorPage::failed)?;
    Ok(match account.filter(|_| matches) {
        Some(account) => Checked::Right(account),
        None => Checked::Wrong,
    })
}

/// Whether the password was changed since it was read. A change ends all sessions but this one, which was not there yet. It
/// is by now, so either the change is found here, or the session is ended there.
pub async fn has_changed(app: &App, account: &Account) -> Result<bool> {
    let now = app.database.account(&account.name).await?;
    Ok(now.is_none_or(|now| now.password_hash != account.password_hash))
}

async fn refused(
    app: &App,
    session: &Session,
    user_name: String,
    next: Option<String>,
) -> Result<Response> {
    let page = home::page(app, session).await?;
    let page = page
        .with_next(next)
        .with_user_name(user_name)
        .with_error("That user name and password do not belong together.");
    Ok((StatusCode::UNAUTHORIZED, page).into_response())
}

pub async fn sign_out(session: Session, flash: Flash) -> Result<Redirect> {
    match session.logout().await? {
        LogoutOutcome::CookieUnreadable => flash.warning(
            "This browser has forgotten your session, but the session could not be ended: this server cannot read the \
             cookie. Sign in again and end it under “Your devices”.",
        ),
        _ => flash.info("You are signed out."),
    }
    Ok(Redirect::to("/"))
}
