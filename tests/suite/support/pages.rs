//! The pages for administrators and accounts, nested where applications nest them, and what all of them have.

use std::collections::{BTreeSet, VecDeque};

use axum::Router;
use countersign::{PageLook, account, admin, uuid::Uuid};
use http::{HeaderValue, Method, StatusCode, header};
use percent_encoding::percent_decode_str;

use super::{Answer, App, Client};

/// The application with `/admin/sessions` and `/account/sessions` as they come.
pub fn with_pages(mut app: App) -> App {
    let pages = pages(&app, |admin| admin, |account| account);
    app.router = app.router.merge(pages);
    app
}

/// The same with something else configured.
pub fn pages(
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
    /// Sends a form of a page, as browsers do: with the user for whom the page was made.
    pub async fn submit(&mut self, app: &Router, path: &str, form: &str) -> Answer {
        let made_for = self
            .user
            .as_ref()
            .map(|user| format!("signed_in_as={user}"));
        let fields = [Some(form.to_owned()), made_for].into_iter().flatten();
        let fields: Vec<_> = fields.filter(|field| !field.is_empty()).collect();
        self.submit_only(app, path, &fields.join("&")).await
    }

    /// Sends these fields and no others.
    pub async fn submit_only(&mut self, app: &Router, path: &str, form: &str) -> Answer {
        let mut request = self.request(Method::POST, path);
        *request.body_mut() = form.to_owned().into();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        self.exchange(app, request).await
    }
}

/// What every answer has, whatever it says.
#[track_caller]
pub fn assert_page(answer: &Answer, status: StatusCode) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_safe(answer);
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(answer.all("html", "lang"), ["en"]);
    assert_eq!(
        answer.tags().iter().filter(|tag| tag.name == "h1").count(),
        1,
        "{}",
        answer.body
    );
    assert_eq!(
        answer
            .tags()
            .iter()
            .filter(|tag| tag.name == "main")
            .count(),
        1
    );
    assert_only_known_tags(answer);
}

#[track_caller]
fn assert_safe(answer: &Answer) {
    assert_eq!(
        answer.header("content-security-policy"),
        Some(
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
    );
    assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
    assert_eq!(
        answer.header("cross-origin-opener-policy"),
        Some("same-origin")
    );
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// Neither a tag nor an attribute that no template wrote.
#[track_caller]
fn assert_only_known_tags(answer: &Answer) {
    const TAGS: &str = "html head meta title link body a header div span nav ul ol li p b main h1 h2 section form label \
                        input select option button details summary fieldset legend table caption thead tbody tr th td time \
                        dl dt dd code bdi";
    const ATTRIBUTES: &str = "lang charset name content rel href class id aria-label aria-current aria-labelledby \
                              aria-describedby aria-invalid role tabindex method action for type value autocomplete \
                              autocapitalize spellcheck maxlength step selected checked required disabled inputmode scope \
                              data-label datetime title open dir";
    for tag in answer.tags() {
        assert!(
            TAGS.split_whitespace().any(|known| known == tag.name),
            "{tag:?}"
        );
        for (name, _) in &tag.attributes {
            assert!(
                ATTRIBUTES.split_whitespace().any(|known| known == name),
                "{tag:?}"
            );
        }
    }
}

/// Follows every link of every page below `start`, and gives all addresses of links and of forms.
pub async fn crawl(
    router: &Router,
    client: &mut Client,
    start: &str,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut links, mut forms) = (BTreeSet::from([start.to_owned()]), BTreeSet::new());
    let mut due = VecDeque::from([start.to_owned()]);
    while let Some(address) = due.pop_front() {
        let answer = client.get(router, &address).await;
        if address.ends_with(".css") {
            assert_eq!(answer.status, StatusCode::OK);
            continue;
        }
        assert_page(&answer, StatusCode::OK);
        for form in answer.forms() {
            assert_eq!(
                form.fields
                    .iter()
                    .filter(|(name, _)| name == "signed_in_as")
                    .count(),
                1,
                "{address}: {form:?}"
            );
            forms.insert(form.action);
        }
        let stylesheets = answer
            .all("link", "href")
            .into_iter()
            .filter(|link| link.starts_with('/'));
        for link in answer.all("a", "href").into_iter().chain(stylesheets) {
            // The application's own, and the way to the content.
            if link != "/" && !link.starts_with('#') && links.insert(link.clone()) {
                due.push_back(link);
            }
        }
    }
    (links, forms)
}

/// The sessions on a page of the admin's, by the links to them.
pub fn listed(answer: &Answer) -> Vec<Uuid> {
    let rows = answer.tags().into_iter().filter(|tag| tag.name == "a");
    let links = rows.filter_map(|tag| tag.get("href").map(str::to_owned));
    let ids = links.filter_map(|link| link.strip_prefix("/admin/sessions/")?.parse().ok());
    ids.collect()
}

/// A form that did something leads to a page with a message.
#[track_caller]
pub fn assert_leads_to(answer: &Answer, path: &str) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_eq!(answer.header("location"), Some(path));
}

/// Who ended the session; nobody yet.
pub async fn ended_by(app: &App, id: Uuid) -> Option<String> {
    let session = app.sessions.get(id).await.unwrap().unwrap();
    assert_eq!(session.ended_by.is_some(), session.ended_at.is_some());
    session.ended_by
}

/// The value of a name in the query of a link.
pub fn in_query(link: &str, name: &str) -> Option<String> {
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
