//! What is around each page: title, stylesheets, navigation, messages.

use std::sync::Arc;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

use super::{look::PageLook, mount::Mount, shown::Shown, style};
use crate::{
    cookie::FlashMessage,
    session::{Session, Sessions},
    user_id::UserId,
};

/// What is the same on all pages of a router.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    look: Arc<PageLook>,
    /// The name of the first page, which all others lead back to.
    section: &'static str,
    sign_in_page: Option<Arc<str>>,
}

impl Site {
    pub(crate) fn new(look: PageLook, section: &'static str, sessions: &Sessions) -> Self {
        let sign_in_page = look.sign_in_page.clone();
        let sign_in_page = sign_in_page.or_else(|| sessions.core().sign_in_page.clone());
        Self {
            sign_in_page: sign_in_page.map(Into::into),
            look: Arc::new(look),
            section,
        }
    }

    /// Where to sign in again, and the page to come back to.
    pub(super) fn sign_in_link(&self, mount: &Mount) -> Option<String> {
        let page = self.sign_in_page.as_deref()?;
        Some(super::with_query(
            page,
            &[("next", mount.start().to_owned())],
        ))
    }

    /// With the messages that wait to be shown.
    pub(crate) fn frame(&self, mount: &Mount, session: &Session) -> Frame {
        Frame {
            messages: session.flash().take(),
            ..self.frame_without_messages(mount, Some(session))
        }
    }

    pub(crate) fn frame_without_messages(&self, mount: &Mount, session: Option<&Session>) -> Frame {
        let own = self
            .look
            .own_stylesheet
            .then(|| mount.to(&[&style::file_name()]));
        let user = session.and_then(Session::signed_in);
        let stylesheets = own.into_iter().chain(self.look.stylesheets.clone());
        Frame {
            title: self.look.title.clone(),
            home: self.look.home.clone(),
            icon: self.look.icon.clone(),
            stylesheets: stylesheets.collect(),
            start: mount.start().to_owned(),
            section: self.section,
            who: user.map(|user| Who {
                user_id: user.user_id().clone(),
                user: Shown::new(user.user_id()),
                acting_user: user.acting_user().map(Shown::new),
            }),
            messages: Vec::new(),
        }
    }
}

/// What is around one page.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) home: Option<String>,
    pub(crate) icon: String,
    pub(crate) stylesheets: Vec<String>,
    /// The first page.
    pub(crate) start: String,
    pub(crate) section: &'static str,
    /// Who is signed in, and who acts as that user.
    pub(crate) who: Option<Who>,
    pub(crate) messages: Vec<FlashMessage>,
}

impl Frame {
    /// Whom the forms of this page are made for.
    pub(crate) fn signed_in_as(&self) -> &str {
        self.who.as_ref().map_or("", |who| who.user_id.as_str())
    }
}

/// Who sees the page.
#[derive(Debug)]
pub(crate) struct Who {
    /// For the forms.
    user_id: UserId,
    pub(crate) user: Shown,
    pub(crate) acting_user: Option<Shown>,
}

/// A page between the first one and this.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) href: String,
    pub(crate) text: String,
}

/// A page as an answer.
pub(crate) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
