use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

/// Two bytes whose spelling has each of the two characters by which the alphabets differ, and needs padding.
const BYTES: [u8; 4] = [0xfb, 0xff, 0xbf, 0xff];

#[track_caller]
fn check(value: &str, expected: Option<&[u8]>) {
    assert_eq!(bytes(value.as_bytes()).as_deref(), expected, "{value}");
}

#[test]
fn a_value_is_read_in_the_spellings_that_clients_make_of_it() {
    for value in [
        "-_-__w",       // as it goes out
        "-_-__w==",     // padded on the way
        "+/+//w==",     // as older releases wrote it
        "+/+//w",       // and without its padding
        "+/+//w%3D%3D", // URLSearchParams, encodeURIComponent
        "%2B%2F%2B%2F%2Fw%3D%3D",
        "%2b%2f%2b%2f%2fw%3d%3d",
        "+%2F+%2F/w=%3d", // each character by itself
        "%2B/%2B//w",
        "-_-__w%3D%3D",
    ] {
        check(value, Some(&BYTES));
        assert!(is_same(b"-_-__w", value.as_bytes()), "{value}");
        assert!(is_same(value.as_bytes(), b"+/+//w=="), "{value}");
    }
    check("", Some(&[]));
    check("QUJD", Some(b"ABC"));
    check("QUI=", Some(b"AB"));
}

#[test]
fn nothing_else_is_read() {
    for value in [
        // Mixed alphabets.
        "-/-__w",
        "+_+//w==",
        "%2B_-__w",
        "-_-__w/w",
        // Padding that is not whole, is too much, or stands in the middle.
        "+/+//w=",
        "-_-__w=",
        "+/+//w===",
        "+/+//w%3D",
        "QUJD=",
        "QUJD====",
        "QU==JD",
        "=QUJD",
        "=",
        "====",
        // Bits that are left over.
        "-_-__x",
        "+/+//x==",
        "QUJ=",
        "QUK",
        // No number of characters that base64 has.
        "-_-__",
        "A",
        "A===",
        // Other escapes, once or twice.
        "%2D%5F-__w",
        "%51UJD",
        "%252B%252F",
        "%2",
        "%",
        "QUJD%",
        "QUI%3",
        "QUI%3D%",
        "%3D",
        "%22QUJD%22",
        "QU%20JD",
        "+%2f%2B//w%253D%253D",
        // Other characters.
        "\"QUJD\"", // quotes are taken off before
        "QU JD",
        "QUJD\n",
        "QU,JD",
        "QU.JD",
        "QU~D",
        "\\057AAA",
        "ＱUJD",
    ] {
        check(value, None);
        assert!(!is_same(value.as_bytes(), b"QUJD"), "{value}");
    }
    assert_eq!(bytes(b"QUJD\xff"), None);
}

#[test]
fn one_pair_of_quotes_is_taken_off() {
    for (value, expected) in [
        ("\"v\"", "v"),
        ("\"\"", ""),
        ("\"\"v\"\"", "\"v\""),
        ("\"", "\""),
        ("\"v", "\"v"),
        ("v\"", "v\""),
        ("'v'", "'v'"),
        ("", ""),
        (" \"v\"", " \"v\""),
    ] {
        let unquoted = unquoted(value.as_bytes());
        assert_eq!(unquoted, expected.as_bytes(), "{value}");
    }
}

#[test]
fn what_is_no_spelling_is_the_same_only_to_the_byte() {
    assert!(is_same(b"!", b"!"));
    assert!(!is_same(b"!", b"%21"));
    assert!(!is_same(b"A", b"A==="));
    assert!(!is_same(b"", b"=") && !is_same(b"=", b""));
    assert!(!is_same(b"QUJD", b"QUJE"));
}

#[test]
fn the_length_is_checked_first() {
    let longest = "A".repeat(MAX_BYTES);
    assert!(bytes(longest.as_bytes()).is_some());
    let too_long = "A".repeat(MAX_BYTES + 4);
    assert_eq!(bytes(too_long.as_bytes()), None);
    assert!(is_same(too_long.as_bytes(), too_long.as_bytes()));
    assert!(!is_same(
        too_long.as_bytes(),
        format!("\"{too_long}").as_bytes()
    ));
}

proptest! {
    #[test]
    fn every_spelling_of_any_bytes_is_read(data: Vec<u8>, choices: Vec<bool>) {
        let padded = STANDARD.encode(&data);
        let mut choices = choices.into_iter().chain(std::iter::repeat(false));
        let mut spelled = String::new();
        for character in padded.chars() {
            let escape = choices.next().unwrap();
            match character {
                '+' if escape => spelled.push_str("%2B"),
                '/' if escape => spelled.push_str("%2f"),
                '=' if escape => spelled.push_str("%3D"),
                other => spelled.push(other),
            }
        }
        for value in [spelled.as_str(), &padded, padded.trim_end_matches('='), &URL_SAFE_NO_PAD.encode(&data)] {
            let read = bytes(value.as_bytes());
            prop_assert_eq!(read.as_ref(), Some(&data));
            prop_assert!(is_same(value.as_bytes(), padded.as_bytes()));
        }
    }

    /// Strictness: what is read is one of the spellings above, so no other text can stand for our value.
    #[test]
    fn what_is_read_is_a_spelling(value in "[-_+/=A-C%2BFDbfd3\"]{0,12}") {
        if let Some(data) = bytes(value.as_bytes()) {
            let plain = value
                .replace("%2B", "+").replace("%2b", "+").replace("%2F", "/").replace("%2f", "/")
                .replace("%3D", "=").replace("%3d", "=");
            let usual = STANDARD.encode(&data);
            let url_safe = usual.replace('+', "-").replace('/', "_");
            let forms = [usual.trim_end_matches('='), &usual, url_safe.trim_end_matches('='), &url_safe];
            prop_assert!(forms.contains(&plain.as_str()), "{}", value);
        }
    }
}
