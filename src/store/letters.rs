//! Which letters a database can hold. What is only shown must not fail a sign-in or an ending for a letter that it
//! lacks.

use std::{borrow::Cow, fmt::Write};

/// The letters that the database's encoding has for certain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Letters {
    #[default]
    All,
    /// Those of ISO 8859-1, which are the first 256 of Unicode.
    Latin1,
    Ascii,
}

impl Letters {
    /// By the name that PostgreSQL has for an encoding. `SQL_ASCII` is none: it keeps whatever bytes come.
    pub(crate) fn of_encoding(name: &str) -> Self {
        match name {
            "UTF8" | "SQL_ASCII" => Self::All,
            "LATIN1" => Self::Latin1,
            _ => Self::Ascii,
        }
    }

    /// The text, with `\u{20ac}` for `€` where the database has no such letter. A filter that asks for the text asks
    /// for the same.
    pub(crate) fn keep(self, text: &str) -> Cow<'_, str> {
        if text.chars().all(|letter| self.has(letter)) {
            return Cow::Borrowed(text);
        }
        let mut kept = String::with_capacity(text.len() * 2);
        for letter in text.chars() {
            match self.has(letter) {
                true => kept.push(letter),
                // Writing into a string does not fail.
                false => write!(kept, "{}", letter.escape_unicode()).unwrap_or_default(),
            }
        }
        Cow::Owned(kept)
    }

    fn has(self, letter: char) -> bool {
        match self {
            Self::All => true,
            Self::Latin1 => letter <= '\u{ff}',
            Self::Ascii => letter.is_ascii(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Letters;

    #[test]
    fn what_a_database_lacks_is_spelled_out() {
        for (encoding, kept) in [
            ("UTF8", "Zoë 5 € 🦊"),
            ("SQL_ASCII", "Zoë 5 € 🦊"),
            ("LATIN1", r"Zoë 5 \u{20ac} \u{1f98a}"),
            ("WIN1252", r"Zo\u{eb} 5 \u{20ac} \u{1f98a}"),
            ("EUC_JP", r"Zo\u{eb} 5 \u{20ac} \u{1f98a}"),
        ] {
            let letters = Letters::of_encoding(encoding);
            assert_eq!(letters.keep("Zoë 5 € 🦊"), kept, "{encoding}");
            assert_eq!(letters.keep("curl/8.5"), "curl/8.5");
        }
    }
}
