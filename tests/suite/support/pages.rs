//! The pages for administrators and accounts, nested where applications nest them, and eyes to read them with.

use axum::Router;
use countersign::{PageLook, account, admin};
use http::{HeaderValue, Method, header};
use percent_encoding::percent_decode_str;

use super::{Answer, App, Client};

/// The application with `/admin/sessions` and `/account/sessions` as they come.
pub(crate) fn with_pages(mut app: App) -> App {
    let pages = pages(&app, |admin| admin, |account| account);
    app.router = app.router.merge(pages);
    app
}

/// The same with something else configured.
pub(crate) fn pages(
    app: &App,
    configure_admin: impl FnOnce(admin::AdminPages) -> admin::AdminPages,
    configure_account: impl FnOnce(account::AccountPages) -> account::AccountPages,
) -> Router {
    let look = PageLook::new("Example Shop").home("/");
    let admin = configure_admin(admin::pages(&app.sessions).look(look.clone()));
    let account = configure_account(account::pages(&app.sessions).look(look));
    Router::new()
        .nest("/admin/sessions", admin.build())
        .nest("/account/sessions", account.build())
        .layer(app.sessions.layer())
}

impl Client {
    /// Sends a form as browsers do.
    pub(crate) async fn submit(&mut self, app: &Router, path: &str, form: &str) -> Answer {
        let mut request = self.request(Method::POST, path);
        *request.body_mut() = form.to_owned().into();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        self.exchange(app, request).await
    }
}

/// A tag of a page, as a browser reads it.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// The text up to the next tag.
    pub(crate) text: String,
}

impl Tag {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Answer {
    /// All tags in their order, closing ones without their slash left out.
    pub(crate) fn tags(&self) -> Vec<Tag> {
        let after_the_doctype = self.body.split('<').skip(2);
        after_the_doctype
            .filter(|piece| !piece.starts_with('/'))
            .map(tag)
            .collect()
    }

    /// The values of this attribute of all tags of this name.
    pub(crate) fn all(&self, name: &str, attribute: &str) -> Vec<String> {
        let tags = self.tags().into_iter().filter(|tag| tag.name == name);
        tags.filter_map(|tag| tag.get(attribute).map(str::to_owned))
            .collect()
    }

    /// What the link with this text leads to.
    pub(crate) fn link(&self, text: &str) -> Option<String> {
        let links = self.tags().into_iter().filter(|tag| tag.name == "a");
        let mut found = links.filter(|tag| tag.text.trim() == text);
        found
            .next()
            .and_then(|tag| tag.get("href").map(str::to_owned))
    }

    /// The value in the field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let inputs = self.tags().into_iter().filter(|tag| tag.name == "input");
        let mut found = inputs.filter(|tag| tag.get("name") == Some(name));
        found
            .next()
            .and_then(|tag| tag.get("value").map(str::to_owned))
    }

    /// The text of the page without its tags.
    pub(crate) fn words(&self) -> String {
        let pieces = self.body.split('<').skip(1);
        let texts = pieces.filter_map(|piece| Some(piece.split_once('>')?.1));
        let words = texts.collect::<Vec<_>>().join(" ");
        unescaped(&words.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// Reads `name a="b" c>text`. Values in quotes are all that the templates write.
fn tag(piece: &str) -> Tag {
    let (head, text) = piece
        .split_once('>')
        .unwrap_or_else(|| panic!("an open tag: {piece}"));
    let (name, mut rest) = head.split_once(' ').unwrap_or((head, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let (attribute, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => quoted
                .split_once('"')
                .unwrap_or_else(|| panic!("an open value: {head}")),
            None => ("", after),
        };
        assert!(!after.starts_with('='), "a value without quotes: {head}");
        attributes.push((attribute.to_owned(), unescaped(value)));
        rest = after;
    }
    Tag {
        name: name.to_owned(),
        attributes,
        text: unescaped(text),
    }
}

fn unescaped(text: &str) -> String {
    let known = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ];
    known
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The value of a name in the query of a link.
pub(crate) fn in_query(link: &str, name: &str) -> Option<String> {
    let (_, query) = link.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(known, _)| *known == name)?;
    Some(
        percent_decode_str(value)
            .decode_utf8()
            .unwrap()
            .into_owned(),
    )
}
