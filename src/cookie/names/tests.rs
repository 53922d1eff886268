use super::*;

#[test]
fn names_are_prefixed_unless_cookies_are_insecure() {
    let names = CookieNames {
        session: "session",
        flash: "flash",
    };
    let pair = |session: &str, flash: &str| Ok((session.to_owned(), flash.to_owned()));
    assert_eq!(
        names.resolve(Protection::HostPrefixed),
        pair("__Host-session", "__Host-flash")
    );
    assert_eq!(
        names.resolve(Protection::InsecurePlainHttp),
        pair("session", "flash")
    );
}

#[test]
fn bad_names_are_refused_in_either_place() {
    fn check(name: &str, expected: fn(String) -> CookieNameError) {
        for names in [
            CookieNames {
                session: name,
                flash: "other",
            },
            CookieNames {
                session: "other",
                flash: name,
            },
        ] {
            for protection in [Protection::HostPrefixed, Protection::InsecurePlainHttp] {
                assert_eq!(
                    names.resolve(protection),
                    Err(expected(name.to_owned())),
                    "{name:?}"
                );
            }
        }
    }
    check("", |_| CookieNameError::Empty);
    check(&"a".repeat(65), |name| CookieNameError::TooLong { name });
    for name in [
        "a b",
        "a=b",
        "a;b",
        "a,b",
        "a\tb",
        "a\r\nSet-Cookie: b",
        "\"a\"",
        "a\0",
        "(a)",
        "a/b",
        "é",
        "[a]",
        "a:b",
    ] {
        check(name, |name| CookieNameError::NotAToken { name });
    }
    for name in [
        "__Host-session",
        "__host-x",
        "__HOST-x",
        "__Secure-x",
        "__sEcUrE-x",
        "__Http-x",
        "__Host-Http-x",
        "__Host-",
    ] {
        check(name, |name| CookieNameError::Prefixed { name });
    }
    for name in ["temporary-", "temporary-x", "Temporary-x"] {
        check(name, |name| CookieNameError::Reserved { name });
    }
}

#[test]
fn names_must_differ_to_the_byte() {
    let resolve = |session, flash| CookieNames { session, flash }.resolve(Protection::HostPrefixed);
    assert_eq!(
        resolve("a", "a"),
        Err(CookieNameError::Same { name: "a".into() })
    );
    assert!(resolve("a", "A").is_ok());
}

#[test]
fn good_names_are_taken() {
    for name in [
        "s",
        "sid",
        "my_app-session.v2",
        "Host-session",
        "temporary",
        "_Host-x",
        "%5F",
        &"a".repeat(64),
    ] {
        let names = CookieNames {
            session: name,
            flash: "flash",
        };
        assert!(names.resolve(Protection::HostPrefixed).is_ok(), "{name:?}");
    }
}

#[test]
fn errors_escape_the_name() {
    let error = CookieNameError::NotAToken {
        name: "a\nb".into(),
    };
    assert!(error.to_string().contains(r#""a\nb""#), "{error}");
}
