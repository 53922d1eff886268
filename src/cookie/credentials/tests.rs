use proptest::prelude::*;

use super::*;

fn token() -> Token {
    Token::generate().unwrap()
}

#[test]
fn text_round_trips() {
    for id in ["2", "alice", "1", "zoë", "a b", "a;b=c", &"x".repeat(255)] {
        let (user_id, token) = (UserId::from(id), token());
        let text = to_text(&user_id, &token);
        let read = Credentials::from_text(&text).unwrap();
        assert_eq!(read.user_id, user_id);
        assert_eq!(read.token.hash(), token.hash());
    }
}

#[test]
fn the_layout_is_kept() {
    // Cookies of older releases must stay readable, so this changes with VERSION alone.
    let token = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let read = Credentials::from_text(&format!("1{token}2")).unwrap();
    assert_eq!(
        (read.user_id.as_str(), read.token.encode().as_str()),
        ("2", token)
    );
    assert_eq!(to_text(&read.user_id, &read.token), format!("1{token}2"));
}

#[test]
fn anything_else_is_refused() {
    fn check(text: &str, expected: Unreadable) {
        assert_eq!(
            Credentials::from_text(text).map(drop),
            Err(expected),
            "{text:?}"
        );
    }
    let token = token().encode();
    check("", Unreadable::Version);
    check(&format!("2{token}2"), Unreadable::Version);
    check(&format!("0{token}2"), Unreadable::Version);
    check(&format!("１{token}2"), Unreadable::Version);
    check(&format!(" 1{token}2"), Unreadable::Version);
    check("1", Unreadable::Content);
    check(&format!("1{token}"), Unreadable::Content);
    check(&format!("1{}", &token[1..]), Unreadable::Content);
    check(&format!("1{}!2", &token[..42]), Unreadable::Content);
    check(&format!("1{}é2", &token[..42]), Unreadable::Content); // no boundary where the token would end
    check(&format!("1={token}2"), Unreadable::Content);
    check(&format!("1{token}2\n"), Unreadable::Content);
    check(&format!("1{token}\0"), Unreadable::Content);
    check(&format!("1{token}{}", "x".repeat(256)), Unreadable::Content);
}

#[test]
fn debug_shows_the_user_and_not_the_token() {
    let credentials = Credentials {
        user_id: UserId::from(2),
        token: token(),
    };
    assert_eq!(
        format!("{credentials:?}"),
        r#"Credentials { user_id: UserId("2"), token: Token(redacted) }"#
    );
}

proptest! {
    #[test]
    fn whatever_is_read_is_written_the_same(text in "1?[A-Za-z0-9_-]{40,46}.{0,8}") {
        if let Ok(read) = Credentials::from_text(&text) {
            prop_assert_eq!(to_text(&read.user_id, &read.token), text);
        }
    }

    #[test]
    fn no_text_is_too_strange(text: String) {
        let _ = Credentials::from_text(&text);
    }
}
