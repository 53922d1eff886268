//! What others may send under our name, or beside it.

use proptest::prelude::*;

use super::*;

#[test]
fn what_we_did_not_write_is_undecipherable() {
    let cookies = cookies();
    let (pair, _) = session_pair(&cookies, "2");
    let (name, value) = pair.split_once('=').unwrap();
    for value in [
        "x".to_owned(),
        "!".to_owned(),
        "=".to_owned(),
        "2".to_owned(),
        "null".to_owned(),
        format!("\"\"{value}\"\""),
        format!("\"{value}"),
        format!("{value}\""),
        format!("'{value}'"),
        format!("%22{value}%22"),
        format!("{value}==="),
        format!("{value}=A"),
        format!("{value}A"),
        format!("A{value}"),
        format!("{value}{value}"),
        format!("%{value}"),
        format!("{value}%"),
        format!("{value}%3"),
        value.replacen(|letter: char| letter.is_ascii_lowercase(), "%61", 1),
        format!("{value},"),
        value.to_lowercase(),
        value.chars().rev().collect(),
        "A".repeat(value.len()),
        "A".repeat(4000),
    ] {
        check(&cookies, format!("{name}={value}"), "undecipherable");
    }
    check(&cookies, b"__Host-session=\xff\xfe", "undecipherable");
    check(
        &cookies,
        [b"__Host-session=\xa0", value.as_bytes()].concat(),
        "undecipherable",
    );
}

/// What clients are known to make of a value, of this release and of older ones.
fn spellings(value: &str) -> Vec<String> {
    let usual = value.replace('-', "+").replace('_', "/");
    let padding = "=".repeat((4 - value.len() % 4) % 4);
    let padded = format!("{usual}{padding}");
    let escape = |text: &str| {
        text.replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D")
    };
    let plain = [
        value.to_owned(),
        format!("{value}{padding}"),
        escape(&padded),
        escape(&padded)
            .replace("%2B", "%2b")
            .replace("%2F", "%2f")
            .replace("%3D", "%3d"),
        escape(&usual),
        usual,
        padded,
    ];
    let quoted = plain.clone().map(|text| format!("\"{text}\""));
    plain.into_iter().chain(quoted).collect()
}

#[test]
fn a_value_is_ours_however_a_client_spells_it() {
    let cookies = cookies();
    // Ids of three lengths, so that there are values with padding and without.
    for id in ["2", "22", "222"] {
        let (alice, _) = session_pair(&cookies, id);
        let (mallory, _) = session_pair(&cookies, "mallory");
        let (name, value) = alice.split_once('=').unwrap();
        let is_url_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        assert!(value.bytes().all(is_url_safe), "{value}");
        for one in spellings(value) {
            check(&cookies, format!("{name}={one}"), &format!("user {id}"));
            for other in spellings(value) {
                let both = format!("{name}={one}; {name}={other}");
                check(&cookies, both, &format!("user {id}"));
            }
            check(&cookies, format!("{name}={one}; {mallory}"), "ambiguous");
            check(&cookies, format!("{mallory}; {name}={one}"), "ambiguous");
            check(
                &cookies,
                format!("{name}={one}; {name}={one}A"),
                "ambiguous",
            );
            // The name has one spelling.
            check(&cookies, format!("%5F%5FHost-session={one}"), "absent");
            check(&cookies, format!("\"{name}\"={one}"), "absent");
        }
    }
}

#[test]
fn every_shortened_value_is_undecipherable() {
    let cookies = cookies();
    let (pair, _) = session_pair(&cookies, "2");
    for end in "__Host-session=".len() + 1..pair.len() {
        check(&cookies, &pair[..end], "undecipherable");
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let cookies = cookies();
    let (pair, _) = session_pair(&cookies, "2");
    let start = "__Host-session=".len();
    for (position, bit) in
        (start..pair.len()).flat_map(|position| (0..8).map(move |bit| (position, bit)))
    {
        let mut edited = pair.clone().into_bytes();
        edited[position] ^= 1 << bit;
        // As bytes: some of these no header value can hold.
        let presented = cookies.session_in(std::iter::once(edited.as_slice()));
        let absent = position == start && edited[position] == b';';
        let expected = if absent { "absent" } else { "undecipherable" };
        assert_eq!(
            outcome(&presented),
            expected,
            "bit {bit} of byte {position}"
        );
    }
}

#[test]
fn the_length_is_checked_before_anything_is_deciphered() {
    let cookies = cookies();
    let room = MAX_BYTES - "__Host-session".len();
    check(
        &cookies,
        format!("__Host-session={}", "A".repeat(room)),
        "undecipherable",
    );
    check(
        &cookies,
        format!("__Host-session={}", "A".repeat(room + 1)),
        "too-long",
    );
    check(
        &cookies,
        format!("__Host-session={}", "A".repeat(1_000_000)),
        "too-long",
    );
    check(
        &cookies,
        format!("__Host-session=\"{}\"", "%2B".repeat(room / 3 + 1)),
        "too-long",
    );
    // Authentic, and refused all the same.
    check(
        &cookies,
        sealed_pair(&cookies, &"1".repeat(3200)),
        "too-long",
    );
}

#[test]
fn two_values_are_nobody_s_to_choose_between() {
    let cookies = cookies();
    let (alice, _) = session_pair(&cookies, "alice");
    let (mallory, _) = session_pair(&cookies, "mallory");
    check(&cookies, format!("{alice}; {alice}"), "user alice");
    check(&cookies, format!("{alice}; {mallory}"), "ambiguous");
    check(&cookies, format!("{mallory}; {alice}"), "ambiguous");
    check(&cookies, format!("{alice}; __Host-session="), "ambiguous");
    check(
        &cookies,
        format!("{alice}; __Host-session=\"\""),
        "ambiguous",
    );

    let mut headers = request(&alice);
    headers.append(COOKIE, HeaderValue::from_str(&alice).unwrap());
    assert_eq!(outcome(&cookies.session(&headers)), "user alice");
    headers.append(COOKIE, HeaderValue::from_str(&mallory).unwrap());
    assert_eq!(outcome(&cookies.session(&headers)), "ambiguous");
}

#[test]
fn a_sibling_subdomain_cannot_put_its_cookie_in_place_of_ours() {
    let cookies = cookies();
    let (alice, _) = session_pair(&cookies, "alice");
    let (mallory, _) = session_pair(&cookies, "mallory");
    let value = mallory.strip_prefix("__Host-session=").unwrap();
    for name in [
        "%5F%5FHost-session",
        "__host-session",
        "__HOST-session",
        "session",
        "=__Host-session",
        "\u{a0}__Host-session",
    ] {
        check(&cookies, format!("{name}={value}"), "absent");
        check(&cookies, format!("{name}={value}; {alice}"), "user alice");
        check(&cookies, format!("{alice}; {name}={value}"), "user alice");
    }
}

#[test]
fn bad_neighbours_do_not_sign_anybody_out() {
    let cookies = cookies();
    let (alice, _) = session_pair(&cookies, "alice");
    let pairs: String = (0..3000).map(|number| format!("c{number}=\"; ")).collect();
    for neighbour in [
        "\u{ff}=\u{ff}",
        "a=\"",
        "noequals",
        "=",
        &"x".repeat(8192),
        &pairs,
    ] {
        check(&cookies, format!("{neighbour}; {alice}"), "user alice");
        check(&cookies, format!("{alice}; {neighbour}"), "user alice");
    }
}

#[test]
fn authentic_text_that_is_no_session_is_told_apart() {
    let cookies = cookies();
    let token = Token::generate().unwrap().encode();
    check(
        &cookies,
        sealed_pair(&cookies, &format!("1{token}2")),
        "user 2",
    );
    check(
        &cookies,
        sealed_pair(&cookies, &format!("2{token}2")),
        "unknown-version",
    );
    check(&cookies, sealed_pair(&cookies, ""), "unknown-version");
    check(&cookies, sealed_pair(&cookies, "1"), "malformed");
    check(
        &cookies,
        sealed_pair(&cookies, &format!("1{token}")),
        "malformed",
    );
    check(
        &cookies,
        sealed_pair(&cookies, &format!("1{token}\n")),
        "malformed",
    );
}

#[test]
fn one_cookie_s_value_is_worth_nothing_in_the_other() {
    let cookies = cookies();
    let token = Token::generate().unwrap().encode();
    // What a flash message would look like that could be taken for a session.
    let as_flash = cookies
        .keys
        .seal("__Host-flash", &format!("1{token}2"))
        .unwrap();
    check(
        &cookies,
        format!("__Host-session={as_flash}"),
        "undecipherable",
    );

    let flash = pair(&set_flash(&cookies, &[info("hello")]).unwrap());
    check(
        &cookies,
        flash.replace("__Host-flash", "__Host-session"),
        "undecipherable",
    );
    let (session, _) = session_pair(&cookies, "2");
    assert_eq!(
        flash_of(
            &cookies,
            &request(session.replace("__Host-session", "__Host-flash"))
        ),
        []
    );
}

#[test]
fn cookies_of_plain_http_are_worth_nothing_under_https() {
    let key = Key::generate();
    let ring = || KeyRing::new(vec![key.clone()]).unwrap();
    let insecure = Cookies::new(NAMES, Protection::InsecurePlainHttp, ring()).unwrap();
    let secure = Cookies::new(NAMES, Protection::HostPrefixed, ring()).unwrap();
    let (session, _) = session_pair(&insecure, "2");
    check(&insecure, &session, "user 2");
    check(&secure, &session, "absent");
    check(&secure, format!("__Host-{session}"), "undecipherable");
}

proptest! {
    #[test]
    fn no_header_is_too_strange(lines in prop::collection::vec(any::<Vec<u8>>(), 0..4)) {
        let cookies = cookies();
        let presented = cookies.session_in(lines.iter().map(Vec::as_slice));
        prop_assert!(!matches!(presented, Presented::Credentials(_)));
    }

    #[test]
    fn no_value_is_too_strange(value: Vec<u8>) {
        let cookies = cookies();
        let header = [b"__Host-session=".as_slice(), &value].concat();
        let presented = cookies.session_in(std::iter::once(header.as_slice()));
        prop_assert!(!matches!(presented, Presented::Credentials(_)));
        prop_assert_eq!(cookies.decode_flash(&value, Holder::Anonymous, NOW), []);
    }
}
