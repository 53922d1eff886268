use http::header::SET_COOKIE;

use super::*;
use crate::keys::Key;

mod flash;
mod hostile;

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
        cookies.keys.seal("__Host-session", text).unwrap()
    )
}

fn outcome(presented: &Presented) -> String {
    match presented {
        Presented::Absent => "absent".to_owned(),
        Presented::Rejected(rejection) => crate::event::CookieRejection::from(*rejection)
            .as_str()
            .to_owned(),
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

const NOW: Moment = Moment::from_seconds(1_795_629_000);

fn waiting(level: FlashLevel, text: impl Into<String>) -> Waiting {
    let text = text.into();
    Waiting::from(FlashMessage { level, text }, NOW)
}

fn info(text: impl Into<String>) -> Waiting {
    waiting(FlashLevel::Info, text)
}

fn set_flash(cookies: &Cookies, messages: &[Waiting]) -> Option<HeaderValue> {
    cookies.set_flash(messages, Holder::Anonymous)
}

fn flash_of(cookies: &Cookies, headers: &HeaderMap) -> Vec<Waiting> {
    cookies
        .raw_flash(headers)
        .map(|value| cookies.decode_flash(&value, Holder::Anonymous, NOW))
        .unwrap_or_default()
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
        "__Host-session=\"\"",
        "__Host-session=; __Host-session=\"\"",
    ] {
        check(&cookies, header, "absent");
    }
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
    assert_eq!(attributes(&set), "HttpOnly; SameSite=Lax; Secure; Path=/");
    let flash = set_flash(&cookies, &[info("hello")]).unwrap();
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
