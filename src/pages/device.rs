//! "Firefox on Linux": a name for what a user agent says, that a person understands.
//!
//! A hint and nothing more: browsers call themselves as they like, and anybody can send anything. The pages show what was
//! really sent beside it.

use woothee::parser::{Parser, WootheeResult};

/// What woothee says where it does not know.
const UNKNOWN: &str = "UNKNOWN";

/// The longest name of a program that woothee does not know, in characters.
const LONGEST_NAME: usize = 40;

/// A name for the device of a session.
pub(crate) fn device_name(user_agent: Option<&str>) -> String {
    let Some(user_agent) = user_agent.filter(|sent| !sent.trim().is_empty()) else {
        return "Unknown device".into();
    };
    match Parser::new().parse(user_agent) {
        Some(found) if found.name != UNKNOWN => of_known(&found),
        _ => first_product(user_agent).unwrap_or("Unknown device").into(),
    }
}

fn of_known(found: &WootheeResult<'_>) -> String {
    let program = match found.name {
        // For libraries, what is called the version is which one.
        "HTTP Library" if found.version != UNKNOWN => found.version,
        "HTTP Library" => "A program",
        "SamsungBrowser" => "Samsung Internet",
        name => name,
    };
    match system(found.os) {
        Some(system) => format!("{program} on {system}"),
        None => program.to_owned(),
    }
}

/// Browsers no longer tell versions of a system truly: all of them say Windows 10 and Android 10.
fn system(os: &str) -> Option<&str> {
    match os {
        UNKNOWN | "" => None,
        "Mac OSX" | "Mac OS Classic" => Some("macOS"),
        os if os.starts_with("Windows Phone") => Some("Windows Phone"),
        os if os.starts_with("Windows") => Some("Windows"),
        os => Some(os),
    }
}

/// The name in front of the first slash, where programs name themselves (RFC 9110, section 10.1.5).
fn first_product(user_agent: &str) -> Option<&str> {
    let product = user_agent.split([' ', '/', '(', ';']).next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_name = !product.is_empty()
        && product.len() <= LONGEST_NAME
        && product.bytes().all(plain)
        && product != "Mozilla";
    is_name.then_some(product)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LONGEST_NAME, device_name};

    #[test]
    fn browsers_and_programs_have_names() {
        let cases = [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 OPR/120.0.0.0",
                "Opera on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0.0.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPad",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
                "Firefox on Android",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
                "Chrome on ChromeOS",
            ),
            ("curl/8.5.0", "curl"),
            ("python-requests/2.32.3", "python-requests"),
            ("okhttp/4.12.0", "okhttp"),
        ];
        for (user_agent, name) in cases {
            assert_eq!(device_name(Some(user_agent)), name, "{user_agent}");
        }
    }

    #[test]
    fn what_says_nothing_is_unknown() {
        for user_agent in [
            None,
            Some(""),
            Some("  "),
            Some("Mozilla/5.0"),
            Some("<script>alert(1)</script>"),
            Some("\u{202e}drowssap/1.0"),
            Some("/1.0"),
        ] {
            assert_eq!(device_name(user_agent), "Unknown device", "{user_agent:?}");
        }
        assert_eq!(device_name(Some(&"a".repeat(255))), "Unknown device");
    }

    proptest! {
        /// Whatever is sent, the name is short, and made of plain characters.
        #[test]
        fn nothing_hostile_gets_into_a_name(
            sent in "(Mozilla/5.0 |Chrome/|Version/|Android |Linux; |MSIE |DoCoMo/|KDDI-|Windows |\\(|\\)|;|/|[ -~]|\\PC){0,60}",
        ) {
            let end = sent.char_indices().map(|(start, _)| start).take_while(|start| *start <= 255).last().unwrap_or(0);
            let name = device_name(sent.get(..end));
            prop_assert!(name.len() <= LONGEST_NAME + 40, "{name}");
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || " -_./+!".contains(c)), "{name}");
        }
    }
}
