use http::header::SET_COOKIE;
use proptest::prelude::*;

use super::*;
use crate::keys::Key;

const NAMES: CookieNames<'_> = CookieNames {
    session: "session",
    flash: "flash",
};

fn cookies_with(keys: &[&Key]) -> Cookies {
    let keys = KeyRing::new(keys.iter().map(|key| (*key).clone()).collect()).unwrap();
    Cookies::new(NAMES, Protection::HostPrefixed, keys).unwrap()
}

fn cookies() -> Cookies {
    cookies_with(&[&Key::generate()])
}

fn request(cookie: impl AsRef<[u8]>) -> HeaderMap {
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_bytes(cookie.as_ref()).unwrap())])
}

/// Name and value, as a browser would send them back.
fn pair(set_cookie: &HeaderValue) -> String {
    set_cookie
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned()
}

fn session_pair(cookies: &Cookies, user_id: &str) -> (String, Token) {
    let token = Token::generate().unwrap();
    (
        pair(
            &cookies
                .set_session(&UserId::from(user_id), &token, None)
                .unwrap(),
        ),
        token,
    )
}

/// A session cookie with any text inside.
fn sealed_pair(cookies: &Cookies, text: &str) -> String {
    format!(
        "__Host-session={}",
        cookies
            .keys
            .seal("__Host-session", text.to_owned())
            .unwrap()
    )
}

fn outcome(presented: &Presented) -> String {
    match presented {
        Presented::Absent => "absent".to_owned(),
        Presented::Rejected(rejection) => rejection.as_str().to_owned(),
        Presented::Credentials(credentials) => format!("user {}", credentials.user_id),
    }
}

#[track_caller]
fn check(cookies: &Cookies, cookie: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(
        outcome(&cookies.session(&request(&cookie))),
        expected,
        "{}",
        cookie.as_ref().escape_ascii()
    );
}

fn info(text: impl Into<String>) -> FlashMessage {
    FlashMessage {
        level: FlashLevel::Info,
        text: text.into(),
    }
}

#[test]
fn what_is_set_comes_back() {
    let cookies = cookies();
    for id in [
        "2",
        "0190f3c5-7a1b-7c3d-8e4f-a1b2c3d4e5f6",
        "zoë",
        "a; b=c",
        &"é".repeat(127),
    ] {
        let (pair, token) = session_pair(&cookies, id);
        let Presented::Credentials(read) = cookies.session(&request(pair)) else {
            panic!("{id:?} is lost")
        };
        assert_eq!(read.user_id.as_str(), id);
        assert_eq!(read.token.hash(), token.hash());
    }
}

#[test]
fn no_cookie_and_an_emptied_one_are_absent() {
    let cookies = cookies();
    assert_eq!(outcome(&cookies.session(&HeaderMap::new())), "absent");
    for header in [
        "",
        "a=b",
        "__Host-session",
        "__Host-session=",
        "__Host-session= ;",
        "__Host-session=; __Host-session=",
    ] {
        check(&cookies, header, "absent");
    }
}

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
        format!("\"{value}\""),
        format!("{value}="),
        format!("{value}A"),
        format!("A{value}"),
        format!("{value}{value}"),
        value.replace('=', ""),
        format!("%{value}"),
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
    // What a flash message would have to look like to be taken for a session.
    let as_flash = cookies
        .keys
        .seal("__Host-flash", format!("1{token}2"))
        .unwrap();
    check(
        &cookies,
        format!("__Host-session={as_flash}"),
        "undecipherable",
    );

    let flash = pair(&cookies.set_flash(&[info("hello")]).unwrap());
    check(
        &cookies,
        flash.replace("__Host-flash", "__Host-session"),
        "undecipherable",
    );
    let (session, _) = session_pair(&cookies, "2");
    assert_eq!(
        cookies.flash(&request(session.replace("__Host-session", "__Host-flash"))),
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

#[test]
fn keys_are_rotated_without_signing_anybody_out() {
    let [old, new] = std::array::from_fn(|_| Key::generate());
    let [before, not_yet, rotated, after] = [
        cookies_with(&[&old]),
        cookies_with(&[&old, &new]),
        cookies_with(&[&new, &old]),
        cookies_with(&[&new]),
    ];
    let (from_old, _) = session_pair(&before, "2");
    let (from_new, _) = session_pair(&rotated, "2");
    // Two nodes in the middle of a rotation read each other's cookies.
    for cookies in [&not_yet, &rotated] {
        check(cookies, &from_old, "user 2");
        check(cookies, &from_new, "user 2");
    }
    check(&after, &from_new, "user 2");
    check(&after, &from_old, "undecipherable");
    check(&before, &from_new, "undecipherable");
}

#[test]
fn what_is_removed_is_what_was_set() {
    let cookies = cookies();
    let attributes = |value: &HeaderValue| {
        value
            .to_str()
            .unwrap()
            .split_once("; ")
            .unwrap()
            .1
            .to_owned()
    };
    let set = cookies
        .set_session(&UserId::from(2), &Token::generate().unwrap(), None)
        .unwrap();
    assert_eq!(attributes(&set), "Path=/; Secure; HttpOnly; SameSite=Lax");
    let flash = cookies.set_flash(&[info("hello")]).unwrap();
    assert_eq!(attributes(&flash), attributes(&set));
    for (removal, name) in [
        (cookies.remove_session(), "__Host-session="),
        (cookies.remove_flash(), "__Host-flash="),
    ] {
        assert_eq!(pair(&removal), name);
        assert!(attributes(&removal).starts_with(&format!(
            "{}; Max-Age=0; Expires=Thu, 01 Jan 1970",
            attributes(&set)
        )));
    }
}

#[test]
fn a_session_is_remembered_when_asked_to() {
    let cookies = cookies();
    let set = cookies
        .set_session(
            &UserId::from(2),
            &Token::generate().unwrap(),
            Some(Duration::from_secs(3600)),
        )
        .unwrap();
    assert!(set.to_str().unwrap().ends_with("; Max-Age=3600"));
}

#[test]
fn an_invalid_user_id_gets_no_cookie() {
    let cookies = cookies();
    for id in ["", "a\nb", &"x".repeat(256)] {
        let user_id = UserId::from(id);
        let set = cookies.set_session(&user_id, &Token::generate().unwrap(), None);
        assert_eq!(
            set,
            Err(SetCookieError::InvalidUserId(
                user_id.validate().unwrap_err()
            ))
        );
    }
}

#[test]
fn the_longest_session_fits() {
    let names = CookieNames {
        session: &"s".repeat(64),
        flash: &"f".repeat(64),
    };
    let keys = KeyRing::new(vec![Key::generate()]).unwrap();
    let cookies = Cookies::new(names, Protection::HostPrefixed, keys).unwrap();
    let (pair, _) = session_pair(&cookies, &"x".repeat(255));
    assert!(pair.len() - "=".len() <= MAX_BYTES);
    check(&cookies, pair, &format!("user {}", "x".repeat(255)));
}

#[test]
fn flash_messages_come_back_and_fill_one_cookie_at_most() {
    let cookies = cookies();
    let few = [
        info("Welcome"),
        FlashMessage {
            level: FlashLevel::Error,
            text: "<b>\"ü\"</b>\n".into(),
        },
    ];
    assert_eq!(
        cookies.flash(&request(pair(&cookies.set_flash(&few).unwrap()))),
        few
    );

    for many in [
        (0..500)
            .map(|number| info(format!("message {number}")))
            .collect::<Vec<_>>(),
        vec![info("🦀".repeat(5000))],
        vec![info("\0".repeat(5000))],
        vec![info("x".repeat(1_000_000)), info("last")],
    ] {
        let set = pair(&cookies.set_flash(&many).unwrap());
        assert!(set.len() - "=".len() <= MAX_BYTES, "{}", set.len());
        let kept = cookies.flash(&request(set));
        assert!(
            many.last()
                .unwrap()
                .text
                .starts_with(&kept.last().unwrap().text)
        );
        assert!(!kept.last().unwrap().text.is_empty());
    }
    let long = pair(&cookies.set_flash(&[info("x".repeat(10_000))]).unwrap());
    assert!(
        long.len() > MAX_BYTES - 8,
        "the room is used: {}",
        long.len()
    );
    assert_eq!(cookies.set_flash(&[]), None);
}

#[test]
fn a_flash_that_cannot_be_read_is_no_flash_but_can_be_removed() {
    let cookies = cookies();
    let one = pair(&cookies.set_flash(&[info("one")]).unwrap());
    let two = pair(&cookies.set_flash(&[info("two")]).unwrap());
    let too_long = format!("__Host-flash={}", "A".repeat(5000));
    let check = |header: &str, messages: &[FlashMessage], has_flash: bool| {
        let headers = request(header);
        assert_eq!(cookies.flash(&headers), messages, "{header}");
        assert_eq!(cookies.has_flash(&headers), has_flash, "{header}");
        let lazily = cookies
            .raw_flash(&headers)
            .map(|value| cookies.decode_flash(&value))
            .unwrap_or_default();
        assert_eq!(lazily, messages, "{header}");
    };
    check(&one, &[info("one")], true);
    check(&format!("{one}; {one}"), &[info("one")], true);
    check(&format!("{one}; {two}"), &[], true);
    check(&one[..one.len() - 4], &[], true);
    check("__Host-flash=x", &[], true);
    check(&too_long, &[], true);
    check("__Host-flash=", &[], false);
    check("a=b", &[], false);
    check("__host-flash=x", &[], false);
    assert_eq!(cookies.raw_flash(&request(&too_long)), None);
}

#[test]
fn nothing_secret_is_in_debug_output() {
    let cookies = cookies();
    let (pair, token) = session_pair(&cookies, "2");
    let presented = cookies.session(&request(&pair));
    let set = cookies.set_session(&UserId::from(2), &token, None).unwrap();
    let headers = HeaderMap::from_iter([(SET_COOKIE, set)]);
    let shown = format!("{cookies:?} {presented:?} {headers:?}");
    assert!(
        !shown.contains(&token.encode()) && !shown.contains(&pair[20..]),
        "{shown}"
    );
    assert!(
        shown.contains("redacted") && shown.contains("Sensitive"),
        "{shown}"
    );
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
        prop_assert_eq!(cookies.decode_flash(&value), []);
    }
}
