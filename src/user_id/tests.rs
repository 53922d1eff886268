use proptest::prelude::*;
use uuid::{Uuid, uuid};

use super::*;

const UUID: Uuid = uuid!("0190f3c5-7a1b-7c3d-8e4f-a1b2c3d4e5f6");

#[test]
fn every_source_has_one_canonical_form() {
    fn check(id: impl Into<UserId>, expected: &str) {
        assert_eq!(id.into().as_str(), expected);
    }
    check(2, "2");
    check(2_i64, "2");
    check(i64::MIN, "-9223372036854775808");
    check(UUID, "0190f3c5-7a1b-7c3d-8e4f-a1b2c3d4e5f6");
    let borrowed: &Uuid = &UUID;
    check(borrowed, "0190f3c5-7a1b-7c3d-8e4f-a1b2c3d4e5f6");
    check("alice", "alice");
    check(String::from("alice"), "alice");
    let borrowed: &String = &String::from("alice");
    check(borrowed, "alice");
    let alice = UserId::from("alice");
    assert_eq!(UserId::from(&alice), alice);
}

#[test]
fn parse_is_the_way_back() {
    assert_eq!(UserId::from(-7).parse::<i64>(), Ok(-7));
    assert_eq!(UserId::from(UUID).parse::<Uuid>(), Ok(UUID));
    assert_eq!(
        UserId::from("alice").parse::<i64>(),
        Err(UserIdError::Parse { wanted: "i64" })
    );
}

#[test]
fn validate_bounds_length_in_bytes_and_refuses_what_databases_read_differently() {
    fn check(id: &str, expected: Result<(), UserIdError>) {
        assert_eq!(UserId::from(id).validate(), expected, "{id:?}");
    }
    check("", Err(UserIdError::Empty));
    check("a", Ok(()));
    check("a b", Ok(()));
    for padded in [" ", " a", "a ", "a\u{a0}"] {
        check(padded, Err(UserIdError::SurroundingSpace));
    }
    check("zoë@example.org", Ok(()));
    check(&"a".repeat(255), Ok(()));
    check(&"a".repeat(256), Err(UserIdError::TooLong { bytes: 256 }));
    check(&"é".repeat(127), Ok(()));
    check(&"é".repeat(128), Err(UserIdError::TooLong { bytes: 256 }));
    for control in [
        '\0', '\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}',
    ] {
        check(&format!("a{control}"), Err(UserIdError::ControlCharacter));
    }
}

#[test]
fn only_canonical_numbers_count_as_numbers() {
    fn check(id: &str, expected: bool) {
        assert_eq!(UserId::from(id).is_canonical_int(), expected, "{id:?}");
    }
    check("0", true);
    check("-1", true);
    check("9223372036854775807", true);
    check("-9223372036854775808", true);
    for other in [
        "",
        "-0",
        "+2",
        "02",
        " 2",
        "2 ",
        "2\0",
        "2.0",
        "2e0",
        "0x2",
        "２",
        "9223372036854775808",
        "-",
    ] {
        check(other, false);
    }
}

#[test]
fn only_canonical_uuids_count_as_uuids() {
    fn check(id: &str, expected: bool) {
        assert_eq!(UserId::from(id).is_canonical_uuid(), expected, "{id:?}");
    }
    let text = UUID.to_string();
    check(&text, true);
    check(&Uuid::nil().to_string(), true);
    check(&text.to_uppercase(), false);
    check(&text.replace('-', ""), false);
    check(&format!("{{{text}}}"), false);
    check(&format!("urn:uuid:{text}"), false);
    check(&format!("{text} "), false);
    check("", false);
}

#[test]
fn errors_say_what_to_do_and_keep_the_id_to_themselves() {
    let error = UserId::from("evil\nINFO admin signed in")
        .validate()
        .unwrap_err();
    assert!(error.to_string().contains("without line breaks"), "{error}");
    assert!(!error.to_string().contains("evil"), "{error}");
}

proptest! {
    #[test]
    fn numbers_round_trip(id: i64) {
        let user_id = UserId::from(id);
        prop_assert!(user_id.is_canonical_int());
        prop_assert_eq!(user_id.validate(), Ok(()));
        prop_assert_eq!(user_id.parse::<i64>(), Ok(id));
    }

    #[test]
    fn uuids_round_trip(id: u128) {
        let id = Uuid::from_u128(id);
        let user_id = UserId::from(id);
        prop_assert!(user_id.is_canonical_uuid());
        prop_assert_eq!(user_id.validate(), Ok(()));
        prop_assert_eq!(user_id.parse::<Uuid>(), Ok(id));
    }
}
