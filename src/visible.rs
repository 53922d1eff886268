//! Untrusted text, shown so that a person sees all of it.

use std::borrow::Cow;

/// Writes out characters that are invisible, or that change how the rest of the text is displayed: `\u{202e}`.
///
/// User ids and user agents come from outside. A bidirectional control character (U+202E) reverses the text after it,
/// and a zero-width character makes two ids look alike. An administrator would then mistake one user for another. This
/// function writes out control characters, bidirectional ones, characters without a glyph or a width, and all white
/// space but U+0020. It doubles the backslashes of such a text, so that no two texts look the same. Letters of every
/// script stay unchanged.
///
/// Use it for what people read: pages, tables, messages. Escape the result for HTML like any other text, and isolate it
/// there (`<bdi>`), since right-to-left letters are not control characters. Never use it for text that is compared,
/// stored or sent back.
///
/// ```
/// use countersign::visible;
///
/// assert_eq!(visible("alice"), "alice");
/// assert_eq!(visible("עדי"), "עדי");
/// assert_eq!(visible("\u{202e}ecila"), r"\u{202e}ecila");
/// assert_eq!(visible("alice\u{200b}"), r"alice\u{200b}");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) && !text.contains(r"\u{") {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\\' => shown.push_str(r"\\"),
            hidden if is_hidden(hidden) => shown.extend(hidden.escape_unicode()),
            other => shown.push(other),
        }
    }
    Cow::Owned(shown)
}

/// Control and format characters, fillers, and white space other than U+0020. In Unicode 17 these are `Cc`, `Zl`, `Zp`,
/// `Zs` and `Default_Ignorable_Code_Point`, and the format characters of annotations and of musical and hieroglyphic
/// script.
pub(crate) fn is_hidden(character: char) -> bool {
    match character {
        ' '..='~' => false,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{70f}' | '\u{3164}' | '\u{ffa0}' | '\u{feff}' => true,
        '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        // No width, joiners, marks and embeddings of bidirectional text, isolates, invisible operators.
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        // A pattern of Braille without dots.
        | '\u{2800}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{13430}'..='\u{1343f}'
        | '\u{16fe4}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d159}'
        | '\u{1d173}'..='\u{1d17a}'
        // Tags and variation selectors, assigned or not.
        | '\u{e0000}'..='\u{e0fff}' => true,
        other => other.is_control() || other.is_whitespace(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::visible;

    #[test]
    fn what_is_not_to_be_seen_is_written_out() {
        for hidden in [
            // Of bidirectional text.
            '\u{61c}',
            '\u{200e}',
            '\u{200f}',
            '\u{202a}',
            '\u{202b}',
            '\u{202c}',
            '\u{202d}',
            '\u{202e}',
            '\u{2066}',
            '\u{2067}',
            '\u{2068}',
            '\u{2069}',
            '\u{206a}',
            '\u{206f}',
            // Control characters.
            '\0',
            '\u{1}',
            '\t',
            '\n',
            '\r',
            '\u{1b}',
            '\u{7f}',
            '\u{80}',
            '\u{85}',
            '\u{9b}',
            '\u{9f}',
            // Without a width.
            '\u{ad}',
            '\u{34f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{2060}',
            '\u{2063}',
            '\u{feff}',
            '\u{fe0f}',
            '\u{fff9}',
            '\u{fffb}',
            '\u{e0001}',
            '\u{e0061}',
            '\u{e007f}',
            '\u{e01ef}',
            // Without a glyph.
            '\u{115f}',
            '\u{1160}',
            '\u{3164}',
            '\u{ffa0}',
            '\u{2800}',
            '\u{17b5}',
            // White space of other kinds.
            '\u{a0}',
            '\u{1680}',
            '\u{2000}',
            '\u{2007}',
            '\u{200a}',
            '\u{2028}',
            '\u{2029}',
            '\u{202f}',
            '\u{205f}',
            '\u{3000}',
        ] {
            let text = format!("a{hidden}b");
            assert_eq!(visible(&text), format!("a\\u{{{:x}}}b", u32::from(hidden)));
        }
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in [
            "",
            " ",
            "alice",
            "a b",
            "DOMAIN\\alice",
            "~!@#$%^&*()_+{}|:\"<>?`-=[];',./",
            "zoë",
            "zoe\u{308}",
            "Ærøskøbing",
            "Ελένη",
            "Юлия",
            "עדי",
            "محمد",
            "नेहा",
            "สมชาย",
            "李雷",
            "ゆき",
            "민준",
            "🦀",
            "a\u{fffd}",
            "\u{e000}",
        ] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn no_two_texts_look_the_same() {
        for (text, shown) in [
            (r"\u{202e}", r"\\u{202e}"),
            ("\u{202e}", r"\u{202e}"),
            ("\\\u{202e}", r"\\\u{202e}"),
            (r"\\u{202e}", r"\\\\u{202e}"),
            (r"a\b", r"a\b"),
            ("a\\b\u{200b}", r"a\\b\u{200b}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    proptest! {
        #[test]
        fn different_texts_stay_different(one in "(\\\\|u|\\{|\\}|202e|\u{202e}|\u{200b}|a){0,8}", other in "(\\\\|u|\\{|\\}|202e|\u{202e}|\u{200b}|a){0,8}") {
            prop_assert_eq!(one == other, visible(&one) == visible(&other));
            let hidden = visible(&one).contains(['\u{202e}', '\u{200b}']);
            prop_assert!(!hidden);
        }
    }
}
