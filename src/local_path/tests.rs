use proptest::prelude::*;
use url::Url;

use super::local_path;

const OWN: &[&str] = &[
    "/",
    "/articles",
    "/articles/",
    "/a/b/c?d=e&f=g#h",
    "/?next=https://elsewhere.example/",
    "/?a=//b",
    "/#//fragment",
    "/a//b",
    "/a/b//",
    "/caf%C3%A9?q=%F0%9F%98%80",
    "/a%20b",
    "/a?text=%0D%0A%09%5C",
    "/a#%00",
    "/@user",
    "/user@host:80/x",
    "/:80",
    "/a:b",
    "/https://host/",
    "/%",
    "/100%",
    "/%zz",
    "/%25%32%66",
    "/...",
    "/.well-known/change-password",
    "/..a/b..",
    "/a;b=c,d!$&'()*+~",
    "/a%2fb",
    "/a%2f..%2f..",
    "/[::1]",
    "/{a}|b^`c\"<>",
];

const NOT_OWN: &[&str] = &[
    "",
    "articles",
    "?a=b",
    "#a",
    ".",
    "..",
    "./a",
    "//",
    "//evil.example",
    "//evil.example/a",
    "///evil.example",
    "////evil.example",
    "//user@evil.example",
    "//evil.example:80",
    "//[::1]",
    "//%65vil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/a\\..\\..\\evil.example",
    "/a?b=\\c",
    // Browsers drop tabs and line breaks everywhere.
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "\t//evil.example",
    "/\t\\evil.example",
    "/a\n",
    "/a\r\nSet-Cookie: a=b",
    " /a",
    " //evil.example",
    "/a b",
    "/ /evil.example",
    "/\0/evil.example",
    "\u{1}//evil.example",
    "/\u{7f}/evil.example",
    "/\u{85}/evil.example",
    "/\u{a0}/evil.example",
    "/\u{2028}/evil.example",
    // Letters that look like slashes, or are normalised to them.
    "/\u{2215}evil.example",
    "/\u{ff0f}evil.example",
    "\u{ff0f}\u{ff0f}evil.example",
    "/\u{202e}elpmaxe.live//",
    "/größe",
    // Decoded once more, each is another text.
    "/%2Fevil.example",
    "/%2fevil.example",
    "%2F/evil.example",
    "%2F%2Fevil.example",
    "/%5Cevil.example",
    "/%5cevil.example",
    "/a%5C..%5Cb",
    "/%09/evil.example",
    "/%0A/evil.example",
    "/%0d/evil.example",
    "/%00/evil.example",
    "/a%0D%0ASet-Cookie:%20a=b",
    "/%7F",
    "/.%2f/evil.example",
    "/a%2f..%2f/evil.example",
    "/%252e%2f/evil.example",
    // Browsers take these out of a path.
    "/.",
    "/..",
    "/./a",
    "/../a",
    "/.//evil.example",
    "/..//evil.example",
    "/a/..//evil.example",
    "/a/../..//evil.example",
    "/%2e//evil.example",
    "/%2E%2e//evil.example",
    "/.%2e//evil.example",
    "/%2e.//evil.example",
    "/a/%2e%2E//evil.example",
    "/a/..",
    // Schemes.
    "https://evil.example",
    "https://app.example/",
    "https:/evil.example",
    "https:evil.example",
    "https:\\\\evil.example",
    "HTTPS://evil.example",
    "http://evil.example",
    "ftp://evil.example",
    "javascript:alert(1)",
    "javascript://app.example/%0aalert(1)",
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,a",
    "vbscript:a",
    "file:///etc/passwd",
    "blob:https://app.example/a",
    "about:blank",
    "mailto:a@b.example",
    "evil.example",
    "evil.example/a",
    "@evil.example",
    "user@evil.example",
    ":@evil.example",
    ".evil.example",
    ":80/",
    "app.example.evil.example/",
];

/// Where a browser that shows one of these pages would go.
fn stays(next: &str) -> bool {
    let pages = [
        "https://app.example/",
        "http://localhost:3000/a/b?c#d",
        "https://app.example//",
    ];
    pages.iter().all(|page| {
        let page = Url::parse(page).unwrap();
        let leads_here = |to: &str| {
            page.join(to)
                .ok()
                .filter(|there| there.origin() == page.origin())
        };
        // Its path must not lead elsewhere either, when a program reads it as an address.
        leads_here(next).is_some_and(|there| leads_here(there.path()).is_some())
    })
}

#[test]
fn own_paths_are_let_through_as_they_are() {
    for next in OWN {
        assert_eq!(local_path(next), Some(*next));
        assert!(stays(next), "{next}");
    }
}

#[test]
fn what_may_lead_elsewhere_is_refused() {
    for next in NOT_OWN {
        assert_eq!(local_path(next), None, "{next:?}");
    }
}

#[test]
fn it_fits_into_a_header() {
    for next in OWN {
        assert!(http::HeaderValue::from_str(next).is_ok(), "{next}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// Browsers read addresses as the WHATWG specifies, and so does the crate `url`.
    #[test]
    fn whatever_is_let_through_stays_on_the_site(
        next in "(/|\\\\|\\.|%2[eEfF]|%5[cC]|%09|%0a|@|:|\\?|#|[\t\n\r ]|evil\\.example|https?:|a|\\PC){0,12}",
    ) {
        for next in [next.clone(), format!("/{next}")] {
            if let Some(path) = local_path(&next) {
                prop_assert_eq!(path, next.as_str());
                prop_assert!(stays(path), "{}", path);
                // It also stays there if a server decodes it once more.
                let decoded = percent_encoding::percent_decode_str(path.split(['?', '#']).next().unwrap()).decode_utf8_lossy();
                prop_assert!(stays(&decoded), "{}", decoded);
            }
        }
    }
}
