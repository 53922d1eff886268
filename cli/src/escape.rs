//! Makes untrusted text safe to show. A client can send any user agent. On a terminal, control characters move the
//! cursor, change the title or rewrite the lines above, and bidirectional ones show text in another order.

use std::{borrow::Cow, fmt::Write};

use countersign::visible;

/// Writes out unprintable characters as Rust does, such as `\u{1b}`. Doubles backslashes, so that no two texts look the
/// same.
pub(crate) fn for_terminal(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' => shown.push(character),
            hidden if is_hidden(hidden) => shown.extend(hidden.escape_unicode()),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

/// Escapes a message of several lines, in which untrusted text may be quoted.
pub(crate) fn lines_for_terminal(text: &str) -> String {
    text.lines()
        .map(|line| line.chars().map(if_printable).collect::<String>())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Escapes more characters in JSON, which keeps its meaning. serde_json escapes those below U+0020, but terminals obey
/// others too.
pub(crate) fn json_for_terminal(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if prints(character) || character == '\n' {
            shown.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

fn if_printable(character: char) -> String {
    match prints(character) {
        true => character.into(),
        false => character.escape_unicode().to_string(),
    }
}

/// Whether it is neither a control nor a format character, and has a glyph.
fn prints(character: char) -> bool {
    matches!(character, '"' | '\'' | '\\')
        || character.escape_debug().len() == 1 && !is_hidden(character)
}

/// Whether people cannot see the character, even if Rust counts it as printable.
fn is_hidden(character: char) -> bool {
    matches!(visible(character.encode_utf8(&mut [0; 4])), Cow::Owned(_))
}

#[cfg(test)]
mod tests {
    use super::{for_terminal, json_for_terminal, lines_for_terminal};

    #[test]
    fn what_does_not_print_is_written_out() {
        for (text, shown) in [
            ("Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"),
            ("\u{1b}[2J\u{7}", "\\u{1b}[2J\\u{7}"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("a\nb\tc", "a\\u{a}b\\u{9}c"),
            ("\u{202e}txt.exe\u{200b}", "\\u{202e}txt.exe\\u{200b}"),
            ("\\u{1b}", "\\\\u{1b}"),
            ("a\u{3164}\u{2800}\u{a0}b", "a\\u{3164}\\u{2800}\\u{a0}b"),
            ("it's \"Zoë\" 漢字", "it's \"Zoë\" 漢字"),
        ] {
            assert_eq!(for_terminal(text), shown);
        }
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(
            lines_for_terminal("one \\\n\u{1b}two\r"),
            "one \\\n\\u{1b}two\\u{d}"
        );
    }

    #[test]
    fn json_means_the_same_and_has_no_control_characters() {
        let text = "\u{1b}[2J \u{9b}31m \u{7f} \u{202e} \u{e0001} \"quoted\" \\ Zoë 漢字\n";
        let json = serde_json::to_string(text).unwrap_or_default();
        let shown = json_for_terminal(&json);
        assert!(!shown.chars().any(char::is_control), "{shown}");
        assert!(!shown.contains(['\u{202e}', '\u{e0001}']), "{shown}");
        assert!(shown.contains("Zoë 漢字"), "{shown}");
        assert_eq!(
            serde_json::from_str::<String>(&shown).ok().as_deref(),
            Some(text)
        );
    }
}
