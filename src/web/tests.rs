use proptest::prelude::*;

use super::{
    conditions::Conditions,
    listing::ListQuery,
    page_token::{MAX_LENGTH, Scope},
    params::{Blanks, Fields, Name},
};
use crate::{
    keys::{Key, KeyRing},
    store::Cursor,
    user_id::UserId,
    web::listing::ListingKind,
};

fn read(query: &str) -> Result<ListQuery, String> {
    ListQuery::from_query(query, Blanks::AreValues).map_err(|refusal| refusal.detail())
}

#[test]
fn a_blank_field_of_a_form_was_left_out() {
    let form = "user_id=&acting_user=&state=live&ip=&user_agent=&created_after=&created_before=";
    let read = ListQuery::from_query(form, Blanks::AreAbsent).unwrap();
    assert_eq!(read.query_of_page(None), "state=live");
    assert!(ListQuery::from_query(form, Blanks::AreValues).is_err());
    // A repeated parameter is refused, even if one of the two is blank.
    assert!(ListQuery::from_query("ip=&ip=10.0.0.1", Blanks::AreAbsent).is_err());
}

#[test]
fn only_a_state_excludes_no_user() {
    for (query, narrow) in [
        ("", false),
        ("state=live", false),
        ("state=ended", false),
        ("user_id=2", true),
        ("acting_user=2", true),
        ("ip=10.0.0.1", true),
        ("user_agent=x", true),
        ("created_after=2026-01-01T00:00:00Z", true),
        ("created_before=2026-01-01T00:00:00Z&state=live", true),
    ] {
        assert_eq!(
            read(query).unwrap().conditions.is_narrow(),
            narrow,
            "{query}"
        );
    }
}

#[test]
fn every_condition_counts_for_a_page_token() {
    let keys = KeyRing::new(vec![Key::generate()]).unwrap();
    let everything: Vec<_> = [
        "user_id=2",
        "acting_user=2",
        "state=live",
        "state=ended",
        "ip=10.0.0.1",
        "user_agent=2",
        "created_after=2026-01-01T00:00:00Z",
        "created_before=2026-01-01T00:00:00Z",
        "",
        "user_id=2&acting_user=2",
        "user_id=22",
    ]
    .into_iter()
    .map(|query| read(query).unwrap().conditions)
    .collect();
    let user_id = UserId::from(1);
    let scope = |conditions| Scope {
        kind: ListingKind::Admin,
        realm: "default",
        user_id: &user_id,
        conditions,
    };
    let after: Cursor = "AXgAeQ".parse().unwrap();
    for one in &everything {
        let token = scope(one).seal(&keys, &after).unwrap();
        assert!(token.len() <= MAX_LENGTH);
        for other in &everything {
            let opened = scope(other).open(&keys, &token);
            assert_eq!(
                opened,
                (one == other).then(|| after.clone()),
                "{one:?} {other:?}"
            );
        }
    }
}

#[test]
fn times_are_compared_in_utc() {
    let one = read("created_after=2026-01-01T01:00:00%2B01:00").unwrap();
    assert_eq!(
        one.query_of_page(None),
        "created_after=2026-01-01T00%3A00%3A00Z"
    );
    assert_eq!(
        one.conditions,
        read("created_after=2026-01-01T00:00:00Z")
            .unwrap()
            .conditions
    );
}

#[test]
fn a_link_keeps_what_was_asked_for() {
    let query = "user_id=a%2Fb%26c&user_agent=%3Cb%3E+%2B%C3%A4%22&page_size=7&page_token=x";
    let read = read(query).unwrap();
    assert_eq!(
        read.query_of_page(Some("next")),
        "user_id=a%2Fb%26c&user_agent=%3Cb%3E%20%2B%C3%A4%22&page_size=7&page_token=next"
    );
}

#[test]
fn members_of_an_object_are_typed() {
    let conditions = |body: &str| {
        let mut fields = Fields::from_json(body.as_bytes()).map_err(|refusal| refusal.detail())?;
        let conditions = Conditions::take_from(&mut fields).map_err(|refusal| refusal.detail())?;
        fields.finish().map_err(|refusal| refusal.detail())?;
        Ok::<_, String>(conditions)
    };
    assert_eq!(
        conditions(r#"{"user_id":"2"}"#).unwrap(),
        read("user_id=2").unwrap().conditions
    );
    assert_eq!(conditions("{}").unwrap(), Conditions::default());
    for body in [
        r#"{"user_id":2}"#,
        r#"{"user_id":null}"#,
        r#"{"state":true}"#,
        r#"{"x":1}"#,
        "[]",
        "{} {}",
    ] {
        assert!(conditions(body).is_err(), "{body}");
    }
}

proptest! {
    #[test]
    fn what_is_read_reads_the_same_when_it_is_written(query in ".{0,60}|((user_id|user_agent|state|ip|created_after|page_size|page_token)=[ -~]{0,20}&){0,3}") {
        if let Ok(once) = read(&query) {
            let written = once.query_of_page(once.page_token.as_deref());
            prop_assert_eq!(read(&written).unwrap(), once);
        }
    }

    #[test]
    fn a_name_is_shown_in_a_few_letters(name in any::<String>()) {
        let shown = Name::shown(&name).to_string();
        prop_assert!(shown.len() <= 80);
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-.\\{}".contains(letter);
        prop_assert!(shown.chars().all(plain));
    }

    #[test]
    fn a_token_that_was_not_sealed_opens_nothing(token in ".{0,100}|[A-Za-z0-9_-]{80}") {
        let keys = KeyRing::new(vec![Key::generate()]).unwrap();
        let (user_id, conditions) = (UserId::from(1), Conditions::default());
        let scope = Scope { kind: ListingKind::Account, realm: "default", user_id: &user_id, conditions: &conditions };
        prop_assert_eq!(scope.open(&keys, &token), None);
    }
}
