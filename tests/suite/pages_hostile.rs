//! Whatever comes from outside is shown as text, and what cannot be right beside the field that it stands in.

use countersign::{Access, Key, PermissionSource, SourceFuture, UserId};
use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::support::{
    Answer, App, KEY,
    control::sign_in,
    on_every_database,
    pages::{assert_leads_to, assert_page, crawl, ended_by, listed, with_pages},
};

/// Accounts of any form, whose permissions follow from their name.
#[derive(Debug)]
struct ByName;

impl PermissionSource for ByName {
    fn access<'a>(&'a self, user_id: &'a UserId) -> SourceFuture<'a> {
        let all = ["sessions:read", "sessions:revoke"];
        let permissions = all.into_iter().filter(|_| user_id.as_str() == "admin");
        let access = Access::Granted(permissions.collect());
        Box::pin(async { Ok(access) })
    }
}

on_every_database! {
    async fn a_wrong_filter_is_shown_beside_its_field(database: Database) {
        let app = with_pages(App::new(&database).await);
        let (mut admin, _) = sign_in(&app, "1", "192.0.2.1", "").await;
        for (query, field, sent, says) in [
            ("ip=192.0.2", "ip", "192.0.2", "IP address must be an IPv4 or IPv6 address."),
            ("created_after=yesterday&ip=", "created_after", "yesterday", "Signed in after (UTC) must be a date and a time"),
            ("user_id=%20a%22%3E", "user_id", " a\">", "User must be the id of a user"),
        ] {
            let page = admin.get(&app.router, &format!("/admin/sessions?{query}&user_agent=kept")).await;
            assert_page(&page, StatusCode::BAD_REQUEST);
            assert!(page.body.contains("<title>Error: Sessions"), "{query}");
            assert!(page.words().contains(says), "{}", page.words());
            assert_eq!(page.field(field).unwrap(), sent);
            assert_eq!(page.field("user_agent").unwrap(), "kept");
            let wrong = page.tags().into_iter().find(|tag| tag.get("aria-invalid") == Some("true")).unwrap();
            assert_eq!(wrong.get("name"), Some(field));
            let description = wrong.get("aria-describedby").unwrap().to_owned();
            assert!(page.tags().iter().any(|tag| tag.get("id") == Some(&description) && tag.text.contains(says)));
            assert!(page.all("a", "href").contains(&format!("#{field}")), "the summary leads to the field");
        }
        for query in ["usr_id=2", "ip=::1&ip=::1", "state=dead", "page_size=0", "user_id=%zz", "page_token=x"] {
            assert_page(&admin.get(&app.router, &format!("/admin/sessions?{query}")).await, StatusCode::BAD_REQUEST);
        }
        let bounds = "created_after=2020-01-01T00%3A00&created_before=2020-01-01T00%3A00%3A01.5";
        assert_page(&admin.get(&app.router, &format!("/admin/sessions?{bounds}")).await, StatusCode::OK);
    }

    async fn nothing_from_outside_is_more_than_text(database: Database) {
        let hostile = [
            "\"><script>alert(1)</script>", "' onmouseover='alert(1)", "<img src=x onerror=alert(1)>", "{{7*7}}{% raw %}",
            "</title><base href=//evil>", "&lt;b&gt;&#38;", "../../x?y#z", "%3Cscript%3E", "\u{202e}\u{fffd}é",
        ];
        database.pool.migrate().await.unwrap();
        let builder = database.builder().key(Key::from_base64(KEY).unwrap()).permission_source(ByName);
        let app = with_pages(App::of(builder.build().await.unwrap()));
        for text in hostile {
            let user: String = utf8_percent_encode(text, NON_ALPHANUMERIC).collect();
            let (mut client, id) = sign_in(&app, &user, "192.0.2.7", text).await;
            assert_eq!(app.sessions.get(id).await.unwrap().unwrap().user_id.as_str(), text);
            assert_page(&client.get(&app.router, "/account/sessions").await, StatusCode::OK);
            assert_page(&client.get(&app.router, &format!("/account/sessions/{id}")).await, StatusCode::OK);
            assert_page(&client.get(&app.router, "/admin/sessions").await, StatusCode::FORBIDDEN);
        }
        let (mut admin, _) = sign_in(&app, "admin", "192.0.2.7", "").await;
        let (links, _) = crawl(&app.router, &mut admin, "/admin/sessions").await;
        for text in hostile {
            let encoded: String = utf8_percent_encode(text, NON_ALPHANUMERIC).collect();
            let users = links.iter().filter_map(|link| link.strip_prefix("/admin/sessions/users/"));
            let mut users = users.map(|user| percent_decode_str(user).decode_utf8().unwrap());
            assert!(users.any(|user| user == text), "{text}: {links:?}");
            for name in ["user_id", "acting_user", "ip", "user_agent", "created_after", "state", "page_token", &encoded] {
                let answer = admin.get(&app.router, &format!("/admin/sessions?{name}={encoded}")).await;
                assert!(answer.status.is_success() || answer.status == StatusCode::BAD_REQUEST);
                assert_page(&answer, answer.status);
            }
            let page = admin.get(&app.router, &format!("/admin/sessions?user_agent={encoded}")).await;
            assert_eq!(page.field("user_agent").unwrap(), text);
            assert_eq!(listed(&page).len(), 1, "{text}");
            let answer = admin.get(&app.router, &format!("/admin/sessions/{encoded}")).await;
            assert_page(&answer, StatusCode::BAD_REQUEST);
        }
    }

    async fn what_is_not_to_be_seen_is_written_out_wherever_it_is_shown(database: Database) {
        database.pool.migrate().await.unwrap();
        let builder = database.builder().key(Key::from_base64(KEY).unwrap()).permission_source(ByName);
        let app = with_pages(App::of(builder.build().await.unwrap()));
        let (mut admin, _) = sign_in(&app, "admin", "192.0.2.7", "").await;
        for hidden in HIDDEN {
            let user = format!("a{hidden}b");
            let encoded: String = utf8_percent_encode(&user, NON_ALPHANUMERIC).collect();
            let (mut client, id) = sign_in(&app, &encoded, "192.0.2.7", &format!("Browser/1 {hidden}x")).await;
            let (_, ended) = sign_in(&app, &encoded, "192.0.2.7", "").await;
            app.sessions.revoke(ended, format!("job{hidden}x")).await.unwrap();
            let written = format!("a\\u{{{:x}}}b", u32::from(hidden));

            let (own, all) = ("/account/sessions", "/admin/sessions");
            for path in [own.to_owned(), format!("{own}/{id}"), format!("{own}/{ended}")] {
                let page = client.get(&app.router, &path).await;
                assert_all_is_seen(&page);
                assert!(page.words().contains(&format!("Signed in as {written}")), "{path}: {}", page.words());
            }
            for path in [
                format!("{all}?user_id={encoded}&state=all&user_agent={encoded}"), format!("{all}?user_id={encoded}"), format!("{all}/{id}"),
                format!("{all}/{ended}"), format!("{all}/{id}/end"), format!("{all}/users/{encoded}"), format!("{all}/users/{encoded}/end"),
                format!("{all}/end?user_id={encoded}"), format!("{all}?ip={encoded}"), format!("{all}?{encoded}=1"),
            ] {
                let page = admin.get(&app.router, &path).await;
                assert_all_is_seen(&page);
                if !path.contains(&format!("{encoded}=1")) && !path.ends_with(&format!("{id}/end")) {
                    assert!(page.words().contains(&written), "{path}: {}", page.words());
                }
            }
            let title = |page: &Answer| page.tags().into_iter().find(|tag| tag.name == "title").unwrap().text;
            let page = admin.get(&app.router, &format!("{all}/users/{encoded}")).await;
            assert!(title(&page).contains(&written), "{}", title(&page));
            assert!(page.all("a", "aria-label").iter().any(|label| label.contains(&written)), "{}", page.body);
            // What is sent back is what was given.
            let page = admin.get(&app.router, &format!("{all}?user_id={encoded}")).await;
            assert_eq!(page.field("user_id"), Some(user));
            let answer = admin.submit(&app.router, &format!("{all}/end"), &format!("user_id={encoded}")).await;
            assert_leads_to(&answer, &format!("{all}?user_id={encoded}"));
            assert!(ended_by(&app, id).await.is_some());
        }
    }
}

/// Of bidirectional text, without a width, without a glyph, and white space that looks like another.
const HIDDEN: [char; 20] = [
    '\u{61c}',
    '\u{200e}',
    '\u{200f}',
    '\u{202a}',
    '\u{202b}',
    '\u{202c}',
    '\u{202d}',
    '\u{202e}',
    '\u{2066}',
    '\u{2067}',
    '\u{2068}',
    '\u{2069}',
    '\u{ad}',
    '\u{200b}',
    '\u{200d}',
    '\u{2060}',
    '\u{feff}',
    '\u{3164}',
    '\u{2800}',
    '\u{e0061}',
];

/// Nothing of it is on the page but in the values of forms, which are sent back as they are.
#[track_caller]
fn assert_all_is_seen(page: &Answer) {
    assert_page(page, page.status);
    assert!(!page.words().contains(HIDDEN), "{:?}", page.words());
    for tag in page.tags() {
        for (name, value) in &tag.attributes {
            assert!(name == "value" || !value.contains(HIDDEN), "{tag:?}");
        }
    }
}
