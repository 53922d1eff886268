use super::*;

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap()
}

fn template(name: &str, protection: Protection) -> Template {
    Template::new(name.to_owned(), protection).unwrap()
}

#[test]
fn attributes_are_the_promised_ones() {
    let secure = template("__Host-session", Protection::HostPrefixed);
    assert_eq!(
        text(&secure.set("v", None).unwrap()),
        "__Host-session=v; HttpOnly; SameSite=Lax; Secure; Path=/"
    );
    let insecure = template("session", Protection::InsecurePlainHttp);
    assert_eq!(
        text(&insecure.set("v", None).unwrap()),
        "session=v; HttpOnly; SameSite=Lax; Path=/"
    );
}

#[test]
fn max_age_is_written_when_asked_for_and_never_removes_the_cookie() {
    fn check(max_age: Duration, expected: u64) {
        let set = template("s", Protection::HostPrefixed)
            .set("v", Some(max_age))
            .unwrap();
        assert_eq!(
            text(&set),
            format!("s=v; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age={expected}")
        );
    }
    check(Duration::from_secs(2_592_000), 2_592_000);
    check(Duration::from_millis(1999), 1);
    check(Duration::from_millis(1), 1);
    check(Duration::ZERO, 1);
    check(Duration::from_secs(400 * 86_400), 34_560_000);
    check(Duration::MAX, 34_560_000);
}

#[test]
fn removal_repeats_the_attributes_of_the_setting() {
    for protection in [Protection::HostPrefixed, Protection::InsecurePlainHttp] {
        let template = template("s", protection);
        let set = template.set("", None).unwrap();
        let removal = template.remove();
        let added = text(&removal).strip_prefix(text(&set)).unwrap();
        assert_eq!(added, "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    }
}

#[test]
fn a_browser_s_parser_understands_both() {
    let template = template("__Host-session", Protection::HostPrefixed);
    let set = template.set("YQ==", Some(Duration::from_secs(60))).unwrap();
    let cookie = ::cookie::Cookie::parse(text(&set)).unwrap();
    assert_eq!(cookie.name_value(), ("__Host-session", "YQ=="));
    assert_eq!((cookie.path(), cookie.domain()), (Some("/"), None));
    assert_eq!(
        (cookie.secure(), cookie.http_only()),
        (Some(true), Some(true))
    );
    assert_eq!(cookie.same_site(), Some(::cookie::SameSite::Lax));
    assert_eq!(cookie.max_age().unwrap().whole_seconds(), 60);

    let removal = template.remove();
    let cookie = ::cookie::Cookie::parse(text(&removal)).unwrap();
    assert_eq!(cookie.name_value(), ("__Host-session", ""));
    assert_eq!(cookie.max_age().unwrap().whole_seconds(), 0);
    assert_eq!(cookie.expires_datetime().unwrap().unix_timestamp(), 0);
}

#[test]
fn a_value_that_would_break_the_header_is_not_written() {
    let template = template("s", Protection::HostPrefixed);
    for value in ["a\r\nSet-Cookie: b=c", "a\0", "a\n"] {
        assert_eq!(template.set(value, None), None, "{value:?}");
    }
    assert!(Template::new("a\nb".into(), Protection::HostPrefixed).is_err());
}

#[test]
fn a_value_stays_out_of_debug_output() {
    let set = template("s", Protection::HostPrefixed)
        .set("secret", None)
        .unwrap();
    assert_eq!(format!("{set:?}"), "Sensitive");
}
