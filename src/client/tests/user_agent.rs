use proptest::prelude::*;

use super::*;

fn user_agent(value: &[u8]) -> Option<String> {
    let policy = ClientPolicy::default();
    let headers = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_bytes(value).unwrap())]);
    policy.user_agent(&policy.observe(None, &headers))
}

#[test]
fn a_user_agent_is_one_line_of_text() {
    fn check(value: &[u8], expected: Option<&str>) {
        assert_eq!(
            user_agent(value).as_deref(),
            expected,
            "{}",
            value.escape_ascii()
        );
    }
    check(
        b"Mozilla/5.0 (X11; Linux x86_64)",
        Some("Mozilla/5.0 (X11; Linux x86_64)"),
    );
    check("Häschen/1 🐇".as_bytes(), Some("Häschen/1 🐇"));
    check(b"a\tb", Some("a b"));
    check("a\u{85}b\u{9b}c".as_bytes(), Some("a b c"));
    check(b"a\xffb\xe2\x82", Some("a\u{fffd}b\u{fffd}"));
    check(b"", None);
    check(b" \t ", None);
    check("\u{85}\u{9b}".as_bytes(), None);
    check(
        b"<script>alert(1)</script>",
        Some("<script>alert(1)</script>"),
    ); // escaped where it is shown
    let policy = ClientPolicy::default();
    assert_eq!(
        policy.user_agent(&policy.observe(None, &HeaderMap::new())),
        None
    );
}

#[test]
fn a_long_user_agent_is_cut_where_a_character_ends() {
    fn check(value: impl AsRef<[u8]>, expected: &str) {
        assert_eq!(user_agent(value.as_ref()).as_deref(), Some(expected));
    }
    check("x".repeat(255), &"x".repeat(255));
    check("x".repeat(100_000), &"x".repeat(255));
    check("é".repeat(200), &"é".repeat(127));
    check(
        format!("x{}", "🦀".repeat(100)),
        &format!("x{}", "🦀".repeat(63)),
    );
    check(vec![0xff; 8192], &"\u{fffd}".repeat(85));
}

proptest! {
    #[test]
    fn a_user_agent_always_fits(value: Vec<u8>) {
        if let Ok(value) = HeaderValue::from_bytes(&value)
            && let Some(kept) = user_agent(value.as_bytes())
        {
            prop_assert!(!kept.is_empty() && kept.len() <= 255 && !kept.contains(char::is_control));
        }
    }
}
