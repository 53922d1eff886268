use super::{ring::KeyRingError, *};

fn bytes() -> Vec<u8> {
    (0..64).collect()
}

#[test]
fn a_key_has_exactly_64_bytes() {
    for length in [0, 1, 32, 63, 65, 128] {
        let bytes: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
        assert_eq!(
            Key::from_bytes(&bytes).unwrap_err(),
            KeyError::Length { found: length }
        );
    }
    assert!(Key::from_bytes(&bytes()).is_ok());
}

#[test]
fn a_key_that_is_one_byte_repeated_is_refused_in_either_half() {
    let good: Vec<u8> = (0..32).collect();
    for guessable in [
        vec![0; 64],
        vec![0xff; 64],
        [good.clone(), vec![0; 32]].concat(),
        [vec![b'x'; 32], good.clone()].concat(),
    ] {
        assert_eq!(
            Key::from_bytes(&guessable).unwrap_err(),
            KeyError::Repetitive
        );
    }
}

#[test]
fn base64_is_read_as_openssl_prints_it() {
    let text = Key::from_bytes(&bytes()).unwrap().to_base64();
    assert_eq!(text.len(), 88);
    for variant in [
        text.clone(),
        text.trim_end_matches('=').to_owned(),
        format!("{}\n{}\n", &text[..64], &text[64..]),
        format!("  {text}\r\n"),
    ] {
        assert_eq!(
            Key::from_base64(&variant).unwrap().to_base64(),
            text,
            "{variant:?}"
        );
    }
}

#[test]
fn what_is_not_base64_is_said_to_be_so() {
    let text = Key::from_bytes(&bytes()).unwrap().to_base64();
    for variant in [
        "!",
        "correct horse, battery staple",
        &text.replace('/', "_").replace('A', "-"),
        &format!("{text}é"),
    ] {
        assert_eq!(
            Key::from_base64(variant).unwrap_err(),
            KeyError::NotBase64,
            "{variant:?}"
        );
    }
    assert_eq!(
        Key::from_base64("").unwrap_err(),
        KeyError::Length { found: 0 }
    );
}

#[test]
fn generated_keys_differ() {
    assert_ne!(Key::generate().to_base64(), Key::generate().to_base64());
}

#[test]
fn debug_and_errors_show_nothing_of_a_key() {
    let key = Key::from_bytes(&bytes()).unwrap();
    let ring = KeyRing::new(vec![key.clone()]).unwrap();
    assert_eq!(format!("{key:?}"), "Key(redacted)");
    assert_eq!(
        format!("{ring:?}"),
        "KeyRing { writes: Key(redacted), only_read: [] }"
    );
    let error = Key::from_base64("hunter2!").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter"));
    assert!(
        error.to_string().contains("openssl rand -base64 64"),
        "{error}"
    );
}

#[test]
fn a_ring_has_keys_and_none_of_them_twice() {
    let [a, b, c] = std::array::from_fn(|_| Key::generate());
    let check = |keys: &[&Key], expected: Result<(), KeyRingError>| {
        let ring = KeyRing::new(keys.iter().map(|key| (*key).clone()).collect());
        assert_eq!(ring.map(drop), expected);
    };
    check(&[], Err(KeyRingError::Empty));
    check(&[&a], Ok(()));
    check(&[&a, &b, &c], Ok(()));
    check(&[&a, &a], Err(KeyRingError::Duplicate { position: 1 }));
    check(
        &[&a, &b, &c, &b, &a],
        Err(KeyRingError::Duplicate { position: 3 }),
    );

    // Two keys that differ only in the unused half are the same key.
    let mut other_half = bytes();
    other_half[0] ^= 1;
    let (one, two) = (
        Key::from_bytes(&bytes()).unwrap(),
        Key::from_bytes(&other_half).unwrap(),
    );
    check(&[&one, &two], Err(KeyRingError::Duplicate { position: 1 }));
}

#[test]
fn the_first_key_writes_and_all_of_them_read() {
    let [old, new, stranger] = std::array::from_fn(|_| Key::generate());
    let ring =
        |keys: &[&Key]| KeyRing::new(keys.iter().map(|key| (*key).clone()).collect()).unwrap();
    let seal = |keys: &[&Key]| ring(keys).seal("session", "text").unwrap();
    let check = |sealed: &str, keys: &[&Key], expected: Option<&str>| {
        assert_eq!(ring(keys).unseal("session", sealed).as_deref(), expected);
    };

    let before = seal(&[&old]);
    check(&before, &[&old], Some("text"));
    check(&before, &[&new, &old], Some("text"));
    check(&before, &[&stranger, &new, &old], Some("text"));
    check(&before, &[&new], None);

    let after = seal(&[&new, &old]);
    check(&after, &[&new], Some("text"));
    check(&after, &[&old, &new], Some("text")); // a node that has the keys in the other order
    check(&after, &[&old], None);
    check(&after, &[&stranger], None);
}

#[test]
fn what_is_sealed_is_bound_to_the_name() {
    let ring = KeyRing::new(vec![Key::generate()]).unwrap();
    let sealed = ring.seal("flash", "text").unwrap();
    assert_eq!(ring.unseal("flash", &sealed).as_deref(), Some("text"));
    for name in ["session", "Flash", "flas", "flash ", ""] {
        assert_eq!(ring.unseal(name, &sealed), None);
    }
}

#[test]
fn sealing_twice_gives_two_texts() {
    let ring = KeyRing::new(vec![Key::generate()]).unwrap();
    assert_ne!(ring.seal("a", "text"), ring.seal("a", "text"));
}

#[test]
fn the_longest_text_for_a_length_is_known_before_sealing() {
    let ring = KeyRing::new(vec![Key::generate()]).unwrap();
    let sealed_length = |length| ring.seal("a", &"x".repeat(length)).unwrap().len();
    for room in 40..200 {
        let longest = KeyRing::longest_for(room).unwrap();
        assert!(sealed_length(longest) <= room, "{room}");
        assert!(sealed_length(longest + 1) > room, "{room}");
    }
    assert_eq!(KeyRing::longest_for(36), None);
    assert_eq!(KeyRing::longest_for(0), None);
}

#[test]
fn the_layout_is_that_of_the_cookie_crate_s_private_jar() {
    use ::cookie::{Cookie, CookieJar};
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    // Cookies of older releases must stay readable. The cookie crate wrote them.
    let key = Key::from_bytes(&bytes()).unwrap();
    let other = ::cookie::Key::from(&bytes());
    let ring = KeyRing::new(vec![Key::generate(), key.clone()]).unwrap();
    for text in ["", "text", "z\u{f6}\u{eb}", &"x".repeat(3000)] {
        let mut jar = CookieJar::new();
        jar.private_mut(&other)
            .add(Cookie::new("session", text.to_owned()));
        let sealed = STANDARD
            .decode(jar.get("session").unwrap().value())
            .unwrap();
        assert_eq!(ring.open("session", sealed).as_deref(), Some(text));

        let ours = KeyRing::new(vec![key.clone()]).unwrap();
        let sealed = URL_SAFE_NO_PAD
            .decode(ours.seal("session", text).unwrap())
            .unwrap();
        let cookie = Cookie::new("session", STANDARD.encode(sealed));
        let opened = jar.private(&other).decrypt(cookie).unwrap();
        assert_eq!(opened.value(), text);
    }
}

#[test]
fn what_is_too_short_for_nonce_and_tag_is_nothing() {
    let ring = KeyRing::new(vec![Key::generate()]).unwrap();
    for length in 0..30 {
        assert_eq!(ring.open("session", vec![0; length]), None);
    }
}

#[test]
fn a_sealed_text_has_one_spelling_here() {
    let ring = KeyRing::new(vec![Key::generate()]).unwrap();
    let sealed = ring.seal("page", &"x".repeat(32)).unwrap();
    assert_eq!(sealed.len(), 80);
    assert_eq!(ring.unseal("page", &sealed), Some("x".repeat(32)));
    for other in [
        format!("\"{sealed}\""),
        format!("{sealed}="),
        sealed.replace('-', "+").replace('_', "/") + "====",
    ] {
        assert_eq!(ring.unseal("page", &other), None, "{other}");
    }
}
