//! One page of sessions: its parameters, and the token for the next page.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Uri, header::LINK};
use percent_encoding::{AsciiSet, utf8_percent_encode};

use super::{
    conditions::Conditions,
    link,
    page_token::Scope,
    params::{Blanks, Fields},
    refusal::Refusal,
    view::{SessionView, SessionsView},
};
use crate::{
    keys::KeyRing,
    session::{Sessions, SignedIn},
    store::{Filter, Page, SessionInfo},
};

pub(crate) const DEFAULT_PAGE_SIZE: u32 = 50;

/// The parameters of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListQuery {
    pub(crate) conditions: Conditions,
    /// `None`: [`DEFAULT_PAGE_SIZE`].
    pub(crate) page_size: Option<u32>,
    pub(crate) page_token: Option<String>,
}

impl ListQuery {
    /// Reads a query that may have all conditions of a filter.
    pub(crate) fn from_query(query: &str, blanks: Blanks) -> Result<Self, Refusal> {
        Self::read(query, blanks, Conditions::take_for_list)
    }

    /// Reads a query whose conditions `conditions` takes.
    pub(crate) fn read(
        query: &str,
        blanks: Blanks,
        conditions: impl FnOnce(&mut Fields) -> Result<Conditions, Refusal>,
    ) -> Result<Self, Refusal> {
        let mut fields = Fields::from_query(query, blanks)?;
        let read = Self {
            conditions: conditions(&mut fields)?,
            page_size: page_size(&mut fields)?,
            page_token: fields.text("page_token")?,
        };
        fields.finish()?;
        Ok(read)
    }

    /// Lists the sessions that match `filter`. It must mean [`conditions`](Self::conditions), plus at most what `kind`
    /// and `user` add, since the page token is bound to these three.
    pub(crate) async fn list(
        &self,
        sessions: &Sessions,
        kind: ListingKind,
        user: &SignedIn,
        filter: &Filter,
    ) -> Result<Listing, Refusal> {
        let keys: &KeyRing = sessions.core().cookies.keys();
        let scope = Scope {
            kind,
            realm: sessions.realm(),
            user_id: user.user_id(),
            conditions: &self.conditions,
        };
        let mut page = Page::first(self.page_size.unwrap_or(DEFAULT_PAGE_SIZE));
        if let Some(token) = &self.page_token {
            let after = scope.open(keys, token);
            page = page.after(after.ok_or_else(Refusal::invalid_page_token)?);
        }
        let found = sessions.list(filter, page).await?;
        let next_page_token = match found.next {
            Some(next) => Some(scope.seal(keys, &next).ok_or_else(Refusal::internal)?),
            None => None,
        };
        Ok(Listing {
            sessions: found.sessions,
            next_page_token,
            incomplete: found.incomplete,
        })
    }

    /// The query of another page, without its question mark.
    pub(crate) fn query_of_page(&self, page_token: Option<&str>) -> String {
        let mut pairs = self.conditions.pairs();
        pairs.extend(self.page_size.map(|size| ("page_size", size.to_string())));
        pairs.extend(page_token.map(|token| ("page_token", token.to_owned())));
        link::query(&pairs)
    }
}

/// Which router lists. The page tokens of one are invalid for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListingKind {
    Admin,
    Account,
}

fn page_size(fields: &mut Fields) -> Result<Option<u32>, Refusal> {
    let Some(text) = fields.text("page_size")? else {
        return Ok(None);
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(size) if digits && (1..=Page::MAX_SIZE).contains(&size) => Ok(Some(size)),
        _ => Err(Refusal::parameter(
            "page_size",
            "must be a number from 1 to 1000",
        )),
    }
}

/// One page of sessions.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    pub(crate) sessions: Vec<SessionInfo>,
    pub(crate) next_page_token: Option<String>,
    /// Time ran out before the page was full.
    pub(crate) incomplete: bool,
}

impl Listing {
    /// The response to a request. `uri` is its address as the client sees it.
    pub(crate) fn into_response(self, user: &SignedIn, query: &ListQuery, uri: &Uri) -> Response {
        let link = self.next_page_token.as_deref().map(|token| {
            // A path may contain characters that would end the address in this header.
            let path = utf8_percent_encode(uri.path(), IN_LINK);
            format!(
                "<{path}?{}>; rel=\"next\"",
                query.query_of_page(Some(token))
            )
        });
        let view = SessionsView {
            sessions: self
                .sessions
                .iter()
                .map(|session| SessionView::new(session, user))
                .collect(),
            next_page_token: self.next_page_token,
            incomplete: self.incomplete,
        };
        let mut response = super::view::json(&view);
        if let Some(link) = link {
            match HeaderValue::try_from(link) {
                Ok(link) => drop(response.headers_mut().insert(LINK, link)),
                Err(_) => return Refusal::internal().into_response(),
            }
        }
        response
    }
}

const IN_LINK: &AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\');
