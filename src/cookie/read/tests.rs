use proptest::prelude::*;

use super::*;

const NAME: &str = "__Host-session";

fn check_all(headers: &[&[u8]], expected: Found<'_>) {
    let found = find(headers.iter().copied(), NAME.as_bytes());
    let shown: Vec<_> = headers
        .iter()
        .map(|header| header.escape_ascii().to_string())
        .collect();
    assert_eq!(found, expected, "{shown:?}");
}

fn check(header: impl AsRef<[u8]>, expected: Found<'_>) {
    check_all(&[header.as_ref()], expected);
}

fn one(value: &str) -> Found<'_> {
    Found::One(value.as_bytes())
}

#[test]
fn a_cookie_is_found_wherever_it_stands() {
    check("__Host-session=v", one("v"));
    check("a=b; __Host-session=v", one("v"));
    check("__Host-session=v; a=b", one("v"));
    check("a=b; __Host-session=v; c=d", one("v"));
    check("a=b;__Host-session=v;c=d", one("v"));
    check(";;; __Host-session=v ;;;", one("v"));
    check("", Found::Absent);
    check(";", Found::Absent);
    check("a=b; c=d", Found::Absent);
    check_all(&[], Found::Absent);
}

#[test]
fn spaces_and_tabs_around_name_and_value_are_no_part_of_them() {
    check(" \t __Host-session \t = \t v \t ", one("v"));
    check("a=b; \t__Host-session=v\t; c=d", one("v"));
    check("__Host-session=a b", one("a b"));
}

#[test]
fn no_other_character_is_trimmed() {
    // NUL, vertical tab, form feed, line breaks, no-break space as Latin-1 and as UTF-8, byte order mark, zero width space.
    let strange: [&[u8]; 9] = [
        b"\0",
        b"\x0b",
        b"\x0c",
        b"\n",
        b"\r",
        b"\xa0",
        b"\xc2\xa0",
        b"\xef\xbb\xbf",
        b"\xe2\x80\x8b",
    ];
    for bytes in strange {
        check([bytes, b"__Host-session=v"].concat(), Found::Absent);
        check([b"__Host-session", bytes, b"=v"].concat(), Found::Absent);
        check(
            [b"__Host-session=", bytes, b"v"].concat(),
            Found::One(&[bytes, b"v"].concat()),
        );
        check(
            [b"__Host-session=v", bytes].concat(),
            Found::One(&[b"v", bytes].concat()),
        );
        check(
            [b"a=b;", bytes, b"__Host-session=evil; __Host-session=v"].concat(),
            one("v"),
        );
    }
}

#[test]
fn a_name_is_equal_to_the_byte_or_another_name() {
    for name in [
        // What a sibling subdomain may set, as no browser sees the prefix in it.
        "%5F%5FHost-session",
        "%5f%5fHost-session",
        "__Host%2Dsession",
        "__Host-sessio%6E",
        "+__Host-session",
        "__host-session",
        "__HOST-SESSION",
        "__Host-Session",
        "__Hoſt-session",
        "＿＿Host-session",
        "session",
        "__Host-sessio",
        "__Host-session2",
        "__Host-sessions",
        "x__Host-session",
        "__Host-",
        "__Secure-session",
        "__Host-session.",
        "$__Host-session",
        "\"__Host-session\"",
        "__Host-session;",
        "__Host- session",
        "",
        " ",
        "__Host-session __Host-session",
        "__Host-session,__Host-session",
    ] {
        check(format!("{name}=evil"), Found::Absent);
        check(format!("{name}=evil; __Host-session=v"), one("v"));
        check(format!("__Host-session=v; {name}=evil"), one("v"));
    }
}

#[test]
fn the_value_of_a_nameless_cookie_is_no_name() {
    check("=__Host-session=evil", Found::Absent);
    check("a==__Host-session=evil", Found::Absent);
    check("__Host-session", Found::Absent);
    check("__Host-session; =v", Found::Absent);
    check("a=__Host-session=evil; __Host-session=v", one("v"));
}

#[test]
fn bad_neighbours_do_not_hide_ours() {
    let long = [b'x'; 8192];
    let neighbours: [&[u8]; 14] = [
        b"",
        b"=",
        b"==",
        b"no-equals",
        b"=nameless",
        b"\xff\xfe=\xff",
        b"\xc3=\x28",
        b"\0=\0",
        b"a=\"open",
        b"\"=\"",
        b"a={\"json\":[1,2]}",
        b"a=b,c=d",
        b"%zz=%",
        &long,
    ];
    for neighbour in neighbours {
        check([neighbour, b"; __Host-session=v"].concat(), one("v"));
        check([b"__Host-session=v;", neighbour].concat(), one("v"));
        check(
            [neighbour, b";__Host-session=v;", neighbour].concat(),
            one("v"),
        );
        check_all(&[neighbour, b"__Host-session=v"], one("v"));
        check_all(&[b"__Host-session=v", neighbour], one("v"));
    }
}

#[test]
fn thousands_of_neighbours_do_not_hide_ours() {
    let before: String = (0..5000)
        .map(|number| format!("c{number}=v{number}; "))
        .collect();
    check(format!("{before}__Host-session=v; {before}"), one("v"));
    check(before.trim_end_matches("; "), Found::Absent);
    check(
        format!("{};__Host-session=v", ";".repeat(100_000)),
        one("v"),
    );
}

#[test]
fn a_value_is_taken_as_it_stands() {
    check("__Host-session=", one(""));
    check("__Host-session= ", one(""));
    check("__Host-session=a=b=", one("a=b="));
    // But for one pair of quotes, which some clients add.
    check("__Host-session=\"v\"", one("v"));
    check("__Host-session= \t\"v\" ", one("v"));
    check("__Host-session=\"\"", one(""));
    check("__Host-session=\"\"v\"\"", one("\"v\""));
    check("__Host-session=\"v", one("\"v"));
    check("__Host-session=v\"", one("v\""));
    check("__Host-session=\"", one("\""));
    check("__Host-session=%76", one("%76"));
    check("__Host-session=a,b", one("a,b"));
    check("__Host-session=\"a;b\"", one("\"a"));
}

#[test]
fn several_headers_are_one() {
    check_all(&[b"a=b", b"__Host-session=v", b"c=d"], one("v"));
    check_all(&[b"", b"", b"__Host-session=v"], one("v"));
    // A pair ends with its header.
    check_all(&[b"__Host-", b"session=v"], Found::Absent);
    check_all(&[b"__Host-session", b"=v"], Found::Absent);
}

#[test]
fn repetitions_are_fine_and_contradictions_are_not() {
    check("__Host-session=v; __Host-session=v", one("v"));
    check(
        "__Host-session=v; __Host-session = v ; a=b; __Host-session=v",
        one("v"),
    );
    check_all(&[b"__Host-session=v", b"__Host-session=v"], one("v"));
    check("__Host-session=v; __Host-session=w", Found::Conflicting);
    check(
        "__Host-session=v; __Host-session=v; __Host-session=w",
        Found::Conflicting,
    );
    check("__Host-session=v; __Host-session=V", Found::Conflicting);
    check("__Host-session=v; __Host-session=", Found::Conflicting);
    check("__Host-session=; __Host-session=v", Found::Conflicting);
    check("__Host-session=; __Host-session=", one(""));
    // Quoted or not, it is one value; so is one that is spelled in another way.
    check("__Host-session=v; __Host-session=\"v\"", one("v"));
    check("__Host-session=\"v\"; __Host-session=v", one("v"));
    check(
        "__Host-session=-_-__w; __Host-session=+/+//w==",
        one("-_-__w"),
    );
    check(
        "__Host-session=\"+/+//w==\"; __Host-session=%2B%2F%2b/%2fw%3D%3d; __Host-session=-_-__w",
        one("+/+//w=="),
    );
    check(
        "__Host-session=-_-__w; __Host-session=-/-__w",
        Found::Conflicting,
    );
    check(
        "__Host-session=-_-__w; __Host-session=-_-__w=",
        Found::Conflicting,
    );
    check(
        "__Host-session=-_-__w; __Host-session=-_-__x",
        Found::Conflicting,
    );
    check("__Host-session=%76; __Host-session=v", Found::Conflicting);
    check("__Host-session=v; __Host-session=\"\"", Found::Conflicting);
    check_all(
        &[b"__Host-session=v", b"a=b", b"__Host-session=w"],
        Found::Conflicting,
    );
}

#[test]
fn names_are_found_by_what_they_start_with() {
    let names = |headers: &[&str]| -> Vec<String> {
        let headers = headers.iter().map(|header| header.as_bytes());
        let found = names_with(headers, b"__Host-t-");
        found
            .map(|name| String::from_utf8(name.to_vec()).unwrap())
            .collect()
    };
    assert_eq!(
        names(&[
            "a=b; __Host-t-1=x; \t__Host-t-2 = y",
            "c=d;__Host-t-1=z;__Host-t-="
        ]),
        ["__Host-t-1", "__Host-t-2", "__Host-t-1", "__Host-t-"]
    );
    let others =
        "__host-t-1=x; %5F%5FHost-t-1=x; =__Host-t-1=x; a=__Host-t-1; __Host-t-1; __Host-t=x";
    assert_eq!(names(&[others, ""]), Vec::<String>::new());
}

/// The same rules, written as plainly as the standard library allows.
fn find_plainly<'a>(headers: &[&'a [u8]], name: &[u8]) -> Found<'a> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let trim = |bytes: &'a [u8]| -> &'a [u8] {
        let start = bytes
            .iter()
            .position(|byte| !is_blank(byte))
            .unwrap_or(bytes.len());
        let end = bytes
            .iter()
            .rposition(|byte| !is_blank(byte))
            .map_or(start, |last| last + 1);
        &bytes[start..end]
    };
    // Spellings have tests of their own.
    let unquote = |bytes: &'a [u8]| match bytes.len() >= 2
        && bytes.starts_with(b"\"")
        && bytes.ends_with(b"\"")
    {
        true => &bytes[1..bytes.len() - 1],
        false => bytes,
    };
    let mut values: Vec<&[u8]> = Vec::new();
    for pair in headers
        .iter()
        .flat_map(|header| header.split(|byte| *byte == b';'))
    {
        if let Some(equals) = pair.iter().position(|byte| *byte == b'=')
            && trim(&pair[..equals]) == name
        {
            values.push(unquote(trim(&pair[equals + 1..])));
        }
    }
    match values.as_slice() {
        [] => Found::Absent,
        [first, others @ ..] if others.iter().all(|other| spelling::is_same(first, other)) => {
            Found::One(first)
        }
        _ => Found::Conflicting,
    }
}

proptest! {
    #[test]
    fn agrees_with_the_plain_reading(headers in prop::collection::vec("[ab=; \t\"\0é]{0,24}", 0..4)) {
        let headers: Vec<&[u8]> = headers.iter().map(String::as_bytes).collect();
        for name in ["a", "ab", "aa"] {
            prop_assert_eq!(find(headers.iter().copied(), name.as_bytes()), find_plainly(&headers, name.as_bytes()));
        }
    }

    #[test]
    fn finds_ours_among_arbitrary_bytes(before: Vec<u8>, after: Vec<u8>, value in "[A-Za-z0-9+/]{1,64}=?") {
        prop_assume!(![&before, &after].iter().any(|bytes| bytes.windows(NAME.len()).any(|at| at == NAME.as_bytes())));
        let header = [&before, b";__Host-session=".as_slice(), value.as_bytes(), b";", &after].concat();
        prop_assert_eq!(find(std::iter::once(header.as_slice()), NAME.as_bytes()), Found::One(value.as_bytes()));
    }
}
