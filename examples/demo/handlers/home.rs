//! The pages one can look at. The forms' handlers show the first of them too, when something is wrong.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::Result;
use countersign::{EndedReason, Identity, Session, SignedIn, local_path};
use serde::Deserialize;

use crate::pages::{AboutPage, ErrorPage, HomePage, Visitor};
use crate::routes::App;

#[derive(Deserialize)]
pub struct Wanted {
    /// The page that asked to sign in first.
    next: Option<String>,
}

pub async fn home(
    State(app): State<App>,
    session: Session,
    Query(wanted): Query<Wanted>,
) -> Result<HomePage> {
    let page = page(&app, &session).await?;
    // It comes from the address, and so from anybody.
    let next = wanted.next.filter(|path| local_path(path).is_some());
    Ok(page.with_next(next))
}

/// Asks for no session, and so has nothing to lose when the database is away.
pub async fn about() -> AboutPage {
    AboutPage
}

pub async fn page(app: &App, session: &Session) -> Result<HomePage> {
    let visitor = match session.identity() {
        Identity::SignedIn(who) => Some(visitor(app, who).await?),
        Identity::Anonymous => None,
        // Nobody knows, so nothing is claimed: neither "signed in" nor "signed out".
        Identity::Unavailable => return Err(ErrorPage::unavailable().into()),
    };
    Ok(HomePage {
        visitor,
        notice: session
            .ended_reason()
            .and_then(|reason| why_signed_out(reason, app.session_limit)),
        messages: session.flash().take(),
        error: None,
        user_name: String::new(),
        next: None,
    })
}

async fn visitor(app: &App, who: SignedIn) -> Result<Visitor> {
    Ok(Visitor {
        name: app
            .database
            .user_name(who.user_id())
            .await?
            .unwrap_or_else(|| who.user_id().to_string()),
        articles: match who.can("articles:read") {
            true => Some(app.database.articles().await?),
            false => None,
        },
        since: since(who.age()),
        may_change_password: who.require_recent(app.recent_sign_in).is_ok(),
        who,
    })
}

/// For the browser whose session ended without its doing.
fn why_signed_out(reason: EndedReason, limit: u32) -> Option<String> {
    match reason {
        EndedReason::Limit if limit == 1 => Some(
            "You were signed out because this account signed in elsewhere, and it may have one session at a time.".into(),
        ),
        EndedReason::Limit => Some(format!(
            "You were signed out because this account signed in elsewhere and the limit of {limit} sessions was reached.",
        )),
        EndedReason::Revoked => Some(
            "You were signed out because this session was ended from elsewhere, by you or by an administrator.".into(),
        ),
        EndedReason::Expired => Some("You were signed out because it has been a while. Please sign in again.".into()),
        _ => None,
    }
}

fn since(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    match minutes {
        0 => "just now".into(),
        1 => "a minute ago".into(),
        2..=119 => format!("{minutes} minutes ago"),
        _ if minutes < 48 * 60 => format!("{} hours ago", minutes / 60),
        _ => format!("{} days ago", minutes / (24 * 60)),
    }
}
