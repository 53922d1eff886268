use proptest::prelude::*;

use super::device_name;

#[test]
fn what_says_nothing_is_unknown() {
    for user_agent in [
        "",
        "  ",
        "Mozilla/5.0",
        "<script>alert(1)</script>",
        "\u{202e}drowssap/1.0",
        "/1.0",
        "//",
        "(((",
        "%",
    ] {
        assert_eq!(device_name(user_agent), "Unknown device", "{user_agent:?}");
    }
    assert_eq!(device_name(&"a".repeat(255)), "Unknown device");
}

#[test]
fn names_are_words_and_no_parts_of_them() {
    for (user_agent, name) in [
        (
            "Mozilla/5.0 (Linux; Android 9; CUBOT_P30) Chrome/99.0 Safari/537.36",
            "Chrome on Android",
        ),
        ("Bottle/1.0", "Bottle"),
        ("Headline/1.0", "Headline"),
        ("Linkshare/2.0", "Linkshare"),
    ] {
        assert_eq!(device_name(user_agent), name);
    }
}

#[test]
fn what_is_longer_than_a_user_agent_is_not_looked_at() {
    let long = "Mozilla/5.0 ( ; ".repeat(100_000);
    assert_eq!(
        device_name(&format!("{long} Firefox/140.0")),
        "Unknown device"
    );
}

#[test]
fn what_an_app_is_called_is_taken_over_only_in_plain_letters() {
    for (user_agent, name) in [
        ("My%20App/42 CFNetwork/1410.0.3 Darwin/22.6.0", "My App"),
        ("%FF/1 CFNetwork/1", "An app"),
        ("%00/1 CFNetwork/1", "An app"),
        ("%E2%80%AE/1 CFNetwork/1", "An app"),
        ("%3Cb%3E/1 CFNetwork/1", "An app"),
    ] {
        assert_eq!(device_name(user_agent), name);
    }
}

proptest! {
    /// Whatever is sent, the name is short, and made of plain characters.
    #[test]
    fn nothing_hostile_gets_into_a_name(
        sent in "(Mozilla/5.0 |Chrome/|Version/|Android |Linux; |MSIE |DoCoMo/|iPhone|wv|Electron/|%E2%80%AE|%3C|CFNetwork/|bot/|Windows |\\(|\\)|;|/|[ -~]|\\PC|\u{202e}|\u{200f}|\u{0}){0,60}",
    ) {
        let name = device_name(&sent);
        prop_assert!(!name.is_empty());
        prop_assert!(name.chars().count() <= 80, "{}", name);
        prop_assert!(name.chars().all(|c| c.is_alphanumeric() || " -_./+!&'".contains(c)), "{}", name);
        // A name that consists of the device has it only once.
        if let Some((program, system)) = name.rsplit_once(" on ") {
            prop_assert_ne!(program, system);
        }
    }
}
