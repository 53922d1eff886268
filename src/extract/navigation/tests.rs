use http::{HeaderMap, HeaderName, HeaderValue};

use super::is_navigation;

const CHROME: &str = "accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";
const FIREFOX: &str = "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn headers(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

#[track_caller]
fn check(navigates: bool, cases: &[(&str, &[&str])]) {
    for (who, lines) in cases {
        assert_eq!(
            is_navigation(&headers(lines)),
            navigates,
            "{who}: {lines:?}"
        );
    }
}

#[test]
fn browsers_that_navigate_are_sent_to_the_sign_in_page() {
    let navigate = ["sec-fetch-mode: navigate", "sec-fetch-dest: document"];
    let [mode, document] = navigate;
    check(
        true,
        &[
            (
                "Chrome and Edge",
                &[
                    CHROME,
                    "sec-fetch-site: none",
                    mode,
                    "sec-fetch-user: ?1",
                    document,
                ],
            ),
            (
                "Chrome, plain HTTP",
                &[CHROME, "upgrade-insecure-requests: 1"],
            ),
            (
                "Chrome, a page in a frame",
                &[CHROME, mode, "sec-fetch-dest: iframe"],
            ),
            (
                "Chrome 79, a page in a frame",
                &[CHROME, "sec-fetch-mode: nested-navigate"],
            ),
            (
                "Chrome, a page fetched in advance",
                &[CHROME, mode, document, "sec-purpose: prefetch"],
            ),
            ("Firefox", &[FIREFOX, mode, document]),
            ("Firefox, plain HTTP", &[FIREFOX]),
            (
                "Safari",
                &[FIREFOX, "sec-fetch-site: same-origin", mode, document],
            ),
            ("Safari 15", &[FIREFOX]),
            (
                "Internet Explorer 11",
                &["accept: text/html, application/xhtml+xml, */*"],
            ),
            (
                "Internet Explorer 11, other types",
                &["accept: text/html, application/xhtml+xml, image/jxr, */*"],
            ),
            (
                "a web view of Android",
                &[CHROME, "x-requested-with: com.example.app", mode, document],
            ),
            (
                "Lynx",
                &[
                    "accept: text/html, text/plain, text/sgml, text/css, application/xhtml+xml, */*;q=0.01",
                ],
            ),
            (
                "w3m",
                &["accept: text/html, text/*;q=0.5, image/*, application/*"],
            ),
            (
                "Googlebot",
                &[
                    "accept: text/html,application/xhtml+xml,application/signed-exchange;v=b3,application/xml;q=0.9,*/*;q=0.8",
                ],
            ),
            ("curl that asks for HTML", &["accept: text/html"]),
            ("in capitals", &["accept: TEXT/HTML"]),
            ("with blanks", &["accept: text/html ; Q = 0.5 , */*;q=0.1"]),
            ("with a parameter", &["accept: text/html;charset=utf-8"]),
            ("in two lines", &["accept: image/png", "accept: text/html"]),
            (
                "with a comma in quotes",
                &["accept: image/png;a=\"\\\",\", text/html"],
            ),
            (
                "HTML rather than JSON",
                &["accept: text/html, application/json;q=0.9"],
            ),
            ("XHTML alone", &["accept: application/xhtml+xml"]),
        ],
    );
}

#[test]
fn programs_and_scripts_are_told_401() {
    check(
        false,
        &[
            ("nothing said", &[]),
            ("curl", &["accept: */*"]),
            ("wget", &["accept: */*", "accept-encoding: identity"]),
            (
                "fetch",
                &[
                    "accept: */*",
                    "sec-fetch-mode: cors",
                    "sec-fetch-dest: empty",
                ],
            ),
            (
                "fetch that asks for JSON",
                &[
                    "accept: application/json",
                    "sec-fetch-mode: same-origin",
                    "sec-fetch-dest: empty",
                ],
            ),
            (
                "fetch that asks for HTML",
                &[
                    "accept: text/html",
                    "sec-fetch-mode: cors",
                    "sec-fetch-dest: empty",
                ],
            ),
            (
                "fetch of any kind, HTML among them",
                &["accept: text/html, */*", "sec-fetch-dest: empty"],
            ),
            (
                "Turbo",
                &[
                    "accept: text/html, application/xhtml+xml",
                    "sec-fetch-mode: cors",
                    "sec-fetch-dest: empty",
                ],
            ),
            ("axios", &["accept: application/json, text/plain, */*"]),
            (
                "jQuery",
                &["accept: */*", "x-requested-with: XMLHttpRequest"],
            ),
            (
                "jQuery for HTML",
                &[
                    "accept: text/html, */*; q=0.01",
                    "x-requested-with: XMLHttpRequest",
                ],
            ),
            (
                "the same in small letters",
                &[
                    "accept: text/html, */*; q=0.01",
                    "x-requested-with: xmlhttprequest",
                ],
            ),
            (
                "htmx",
                &[
                    "accept: */*",
                    "hx-request: true",
                    "hx-current-url: https://app.example/",
                ],
            ),
            (
                "htmx that asks for HTML",
                &["accept: text/html, */*", "hx-request: true"],
            ),
            (
                "a WebSocket",
                &[
                    "upgrade: websocket",
                    "connection: Upgrade",
                    "sec-fetch-mode: websocket",
                    "sec-fetch-dest: empty",
                ],
            ),
            (
                "an EventSource",
                &[
                    "accept: text/event-stream",
                    "sec-fetch-mode: cors",
                    "sec-fetch-dest: empty",
                ],
            ),
            (
                "an image in Chrome",
                &[
                    "accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
                    "sec-fetch-mode: no-cors",
                    "sec-fetch-dest: image",
                ],
            ),
            (
                "an image in Firefox",
                &[
                    "accept: image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
                    "sec-fetch-dest: image",
                ],
            ),
            (
                "an image in an old browser",
                &["accept: text/html, image/png, */*", "sec-fetch-dest: image"],
            ),
            (
                "a script of a page",
                &[
                    "accept: */*",
                    "sec-fetch-mode: no-cors",
                    "sec-fetch-dest: script",
                ],
            ),
            (
                "a stylesheet",
                &[
                    "accept: text/css,*/*;q=0.1",
                    "sec-fetch-mode: no-cors",
                    "sec-fetch-dest: style",
                ],
            ),
            (
                "a video",
                &[
                    "accept: */*",
                    "sec-fetch-mode: no-cors",
                    "sec-fetch-dest: video",
                ],
            ),
            (
                "an object in a page",
                &[CHROME, "sec-fetch-mode: navigate", "sec-fetch-dest: object"],
            ),
            (
                "a service worker's own fetch",
                &[
                    CHROME,
                    "sec-fetch-mode: same-origin",
                    "sec-fetch-dest: empty",
                ],
            ),
            (
                "Python's requests",
                &["accept: */*", "accept-encoding: gzip, deflate"],
            ),
            ("Postman", &["accept: */*", "postman-token: 1"]),
            ("Go", &["accept-encoding: gzip"]),
            ("HTML refused", &["accept: application/json, text/html;q=0"]),
            (
                "HTML refused in three digits",
                &["accept: text/html;q=0.000, */*"],
            ),
            (
                "JSON rather than HTML",
                &["accept: application/json, text/html;q=0.9"],
            ),
            (
                "JSON as well as HTML",
                &["accept: application/json, text/html"],
            ),
            (
                "problems rather than HTML",
                &["accept: text/html;q=0.5, application/problem+json"],
            ),
            ("any text", &["accept: text/*"]),
            ("nearly HTML", &["accept: text/htmlx, text/html-sandboxed"]),
            (
                "HTML in quotes",
                &["accept: application/x;a=\", text/html\""],
            ),
            ("a liking that is none", &["accept: text/html;q=high"]),
            ("a liking beyond all", &["accept: text/html;q=1.5"]),
            (
                "a liking with too many digits",
                &["accept: text/html;q=0.0001"],
            ),
            ("a liking below none", &["accept: text/html;q=-1"]),
            ("an empty one", &["accept: "]),
            (
                "two modes",
                &[CHROME, "sec-fetch-mode: navigate", "sec-fetch-mode: cors"],
            ),
        ],
    );
}
