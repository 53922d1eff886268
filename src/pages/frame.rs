//! The frame of each page: title, stylesheets, navigation, messages.

use std::sync::Arc;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

use super::{look::PageLook, mount::Mount, person::Person, style};
use crate::{
    cookie::FlashMessage,
    session::{Session, Sessions},
    store::DisplayNames,
    user_id::UserId,
};

/// The settings that all pages of a router share.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    look: Arc<PageLook>,
    /// The name of the first page, to which all others link back.
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

    /// The address of the sign-in page, with the page to return to.
    pub(super) fn sign_in_link(&self, mount: &Mount) -> Option<String> {
        let page = self.sign_in_page.as_deref()?;
        Some(super::with_query(
            page,
            &[("next", mount.start().to_owned())],
        ))
    }

    /// A frame with the waiting messages.
    pub(crate) fn frame(&self, mount: &Mount, session: &Session, names: &DisplayNames) -> Frame {
        Frame {
            messages: session.flash().take(),
            ..self.frame_without_messages(mount, Some(session), names)
        }
    }

    pub(crate) fn frame_without_messages(
        &self,
        mount: &Mount,
        session: Option<&Session>,
        names: &DisplayNames,
    ) -> Frame {
        let own = self
            .look
            .own_stylesheet
            .then(|| mount.to(&[&style::file_name()]));
        let user = session.and_then(Session::signed_in);
        let stylesheets = own.into_iter().chain(self.look.stylesheets.clone());
        Frame {
            title: self.look.title.clone(),
            home: self.look.home.clone(),
            sign_out: self.look.sign_out.clone(),
            icon: self.look.icon.clone(),
            stylesheets: stylesheets.collect(),
            start: mount.start().to_owned(),
            section: self.section,
            who: user.map(|user| Who {
                user_id: user.user_id().clone(),
                user: Person::new(user.user_id(), names.user.as_deref()),
                acting_user: user
                    .acting_user()
                    .map(|acting| Person::new(acting, names.acting_user.as_deref())),
            }),
            messages: Vec::new(),
        }
    }
}

/// The frame of one page.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) home: Option<String>,
    /// Where a form signs out.
    pub(crate) sign_out: Option<String>,
    pub(crate) icon: String,
    pub(crate) stylesheets: Vec<String>,
    /// The address of the first page.
    pub(crate) start: String,
    pub(crate) section: &'static str,
    /// The signed-in user, and the administrator who acts as that user.
    pub(crate) who: Option<Who>,
    pub(crate) messages: Vec<FlashMessage>,
}

impl Frame {
    /// The value of `signed_in_as` in the forms of this page.
    pub(crate) fn signed_in_as(&self) -> &str {
        self.who.as_ref().map_or("", |who| who.user_id.as_str())
    }
}

/// The user who sees the page.
#[derive(Debug)]
pub(crate) struct Who {
    /// For the forms.
    user_id: UserId,
    pub(crate) user: Person,
    pub(crate) acting_user: Option<Person>,
}

/// A breadcrumb: a page between the first one and this one.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) href: String,
    pub(crate) text: String,
}

/// Renders a page as a response.
pub(crate) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
