use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

#[test]
fn tokens_differ_from_each_other() {
    let hashes: HashSet<_> = (0..1000)
        .map(|_| Token::generate().unwrap().hash())
        .collect();
    assert_eq!(hashes.len(), 1000);
}

#[test]
fn text_and_digest_are_the_published_ones() {
    let token = Token(std::array::from_fn(|position| position as u8));
    // `printf '%b' "$(printf '\\x%02x' $(seq 0 31))" | basenc --base64url`, and the same through sha256sum.
    assert_eq!(
        token.encode(),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    );
    let digest: String = token
        .hash()
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        digest,
        "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"
    );
}

#[test]
fn decode_takes_the_canonical_text_alone() {
    let canonical = Token([0xff; 32]).encode();
    assert_eq!(canonical.len(), Token::ENCODED_LENGTH);
    assert!(Token::decode(&canonical).is_some());

    let body = &canonical[..42];
    for text in [
        String::new(),
        body.to_owned(),
        format!("{canonical}="),
        format!("{canonical}A"),
        format!("{canonical} "),
        format!(" {canonical}"),
        format!("{canonical}\n"),
        format!("{body}9"), // the same 32 bytes, with a bit left over in the last character
        format!("{body}é"),
        canonical.replace('_', "/"),
        "A".repeat(44),
        "A".repeat(10_000),
    ] {
        assert!(Token::decode(&text).is_none(), "{text:?}");
    }
}

#[test]
fn a_digest_has_32_bytes() {
    let hash = Token([7; 32]).hash();
    assert_eq!(TokenHash::from_slice(hash.as_bytes()), Some(hash));
    for length in [0, 31, 33, 64] {
        assert_eq!(TokenHash::from_slice(&vec![0; length]), None);
    }
}

#[test]
fn debug_shows_neither_token_nor_digest() {
    let token = Token([7; 32]);
    assert_eq!(
        format!("{token:?} {:?}", token.hash()),
        "Token(redacted) TokenHash(redacted)"
    );
}

proptest! {
    #[test]
    fn text_round_trips(bytes: [u8; 32]) {
        let decoded = Token::decode(&Token(bytes).encode());
        prop_assert_eq!(decoded.map(|token| token.0), Some(bytes));
    }

    #[test]
    fn whatever_decodes_encodes_to_the_same_text(text in "[A-Za-z0-9_-]{43}") {
        if let Some(token) = Token::decode(&text) {
            prop_assert_eq!(token.encode(), text);
        }
    }
}
