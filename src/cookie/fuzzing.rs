//! What the fuzz targets `cookie_header`, `authorization`, `session_payload` and `flash_payload` ask of this module.

use std::sync::LazyLock;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::header::AUTHORIZATION;

use super::*;
use crate::keys::Key;

/// The bytes 0 to 63 as a key, so that a corpus can hold cookies that are authentic.
static COOKIES: LazyLock<Cookies> = LazyLock::new(|| {
    let bytes: Vec<u8> = (0..64).collect();
    let key = Key::from_bytes(&bytes).expect("64 different bytes are a key");
    let keys = KeyRing::new(vec![key]).expect("one key is a ring");
    let names = CookieNames {
        session: "session",
        flash: "flash",
    };
    Cookies::new(names, Protection::HostPrefixed, keys).expect("the names are valid")
});

/// Takes every line for a `Cookie` header.
pub fn cookie_header(data: &[u8]) {
    let name = COOKIES.session.name().as_bytes();
    let lines = || data.split(|byte| *byte == b'\n');
    let found = find(lines(), name);
    if let Found::One(value) = found {
        assert!(!value.contains(&b';') && value.len() <= data.len());
        spelled(value);
    }
    let neighbours: [&[u8]; 2] = [b"a=\"\xff", b"__Host-session"];
    let among_others = find(lines().chain(neighbours), name);
    assert_eq!(found, among_others, "a bad neighbour hides ours");

    match COOKIES.session_in(lines()) {
        Presented::Absent => assert!(matches!(found, Found::Absent | Found::One([]))),
        Presented::Rejected(rejection) => {
            assert_eq!(
                rejection == Rejection::Ambiguous,
                found == Found::Conflicting
            );
        }
        Presented::Credentials(credentials) => assert_eq!(credentials.user_id.validate(), Ok(())),
    }
    let values = lines().filter_map(|line| HeaderValue::from_bytes(line).ok());
    let headers: HeaderMap = values.map(|value| (COOKIE, value)).collect();
    for brought in COOKIES.brought_temporaries(&headers) {
        assert!(COOKIES.temporary_purpose(&brought.name).is_some());
        assert!(brought.length() <= MAX_BYTES);
        COOKIES.open_temporary(&brought, Holder::Anonymous, Moment::now());
    }
    if let Found::One(value) = find(lines(), COOKIES.flash.name().as_bytes()) {
        COOKIES.decode_flash(value, Holder::Anonymous, Moment::now());
    }
}

/// Takes every line for an `Authorization` header: beside no cookie, and beside one.
pub fn authorization(data: &[u8]) {
    let cookies = COOKIES.clone().with_bearer_tokens();
    let lines = data.split(|byte| *byte == b'\n');
    let values = lines.filter_map(|line| HeaderValue::from_bytes(line).ok());
    let mut headers: HeaderMap = values.map(|value| (AUTHORIZATION, value)).collect();
    let (carrier, presented) = cookies.presented(&headers);
    match (carrier, &presented) {
        (Carrier::Cookie, Presented::Absent) => {}
        (Carrier::Bearer, Presented::Credentials(credentials)) => {
            assert_eq!(credentials.user_id.validate(), Ok(()));
            assert_eq!(headers.len(), 1, "one of several was chosen");
        }
        (Carrier::Bearer, Presented::Rejected(_)) => {}
        other => panic!("{other:?} without a cookie"),
    }
    headers.insert(COOKIE, HeaderValue::from_static("__Host-session=x"));
    let (beside, presented) = cookies.presented(&headers);
    assert_eq!(carrier, beside);
    if carrier == Carrier::Bearer {
        assert!(matches!(
            presented,
            Presented::Rejected(Rejection::TwoCredentials)
        ));
    }
}

/// A value means the same in every spelling, and bytes have one text that is written.
fn spelled(value: &[u8]) {
    let Some(bytes) = spelling::bytes(value) else {
        return;
    };
    let written = URL_SAFE_NO_PAD.encode(&bytes);
    let padded = STANDARD.encode(&bytes);
    let escaped = ["+", "/", "="]
        .iter()
        .zip(["%2B", "%2f", "%3D"])
        .fold(padded.clone(), |text, (from, to)| text.replace(from, to));
    for other in [written, padded, escaped] {
        if other.len() <= MAX_BYTES {
            assert_eq!(spelling::bytes(other.as_bytes()).as_ref(), Some(&bytes));
            assert!(spelling::is_same(value, other.as_bytes()));
        }
    }
}

/// Takes all of it for what is inside a session cookie.
pub fn session_payload(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(read) = Credentials::from_text(text) {
        assert_eq!(read.user_id.validate(), Ok(()));
        let written = credentials::to_text(&read.user_id, &read.token);
        assert_eq!(written, text, "two texts for one session");
    }
}

/// Takes all of it for what is inside a flash cookie, then each line of it for a message.
pub fn flash_payload(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // The time in the corpus is this one.
    let now = Moment::from_seconds(1_795_629_000);
    for holder in [Holder::Anonymous, Holder::Session(uuid::Uuid::nil())] {
        if let Some(body) = envelope::body_of(text, holder, now, flash::LIFETIME) {
            assert!(text.ends_with(body) && body.len() < text.len());
        }
    }
    let messages = flash::from_text(text, now);
    if let Some(written) = flash::to_text(&messages, usize::MAX) {
        assert_eq!(flash::from_text(&written, now), messages);
    }
    let lines: Vec<Waiting> = text
        .lines()
        .map(|line| FlashMessage {
            level: FlashLevel::Info,
            text: line.to_owned(),
        })
        .map(|message| Waiting::from(message, now))
        .collect();
    for longest in [0, 30, 100, 2980] {
        if let Some(written) = flash::to_text(&lines, longest) {
            assert!(written.len() <= longest);
            assert!(!flash::from_text(&written, now).is_empty());
        }
    }
    if let Some(set) = COOKIES.set_flash(&lines, Holder::Anonymous) {
        let pair = set.as_bytes().split(|byte| *byte == b';').next();
        assert!(pair.is_some_and(|pair| pair.len() - "=".len() <= MAX_BYTES));
    }
}
