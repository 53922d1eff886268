//! A user agent, split into words.

/// How many bytes of a user agent are read. The store keeps fewer.
const LONGEST: usize = 512;

/// The words of a user agent, such as `Firefox/140.0`.
pub(super) struct Words<'a> {
    /// As it was sent.
    pub(super) sent: &'a str,
    /// The same in lower case.
    small: String,
    words: Vec<Word>,
}

/// The position of a word, in bytes.
struct Word {
    start: usize,
    /// The end of the name: at the slash, or at the end of the word.
    name_end: usize,
}

impl<'a> Words<'a> {
    pub(super) fn of(user_agent: &'a str) -> Self {
        let sent = user_agent.trim();
        let sent = sent
            .get(..sent.floor_char_boundary(LONGEST))
            .unwrap_or_default();
        let is_between = |byte: u8| byte <= b' ' || b"();,[]".contains(&byte);
        let mut words = Vec::new();
        let mut start = 0;
        for (at, byte) in sent.bytes().chain([b' ']).enumerate() {
            if !is_between(byte) {
                continue;
            }
            if let Some(word) = sent.get(start..at).filter(|word| !word.is_empty()) {
                let name = word.find('/').unwrap_or(word.len());
                words.push(Word {
                    start,
                    name_end: start + name,
                });
            }
            start = at + 1;
        }
        Self {
            sent,
            small: sent.to_ascii_lowercase(),
            words,
        }
    }

    /// Whether a word has this name; `name` must be in lower case.
    pub(super) fn names(&self, name: &str) -> bool {
        self.names_of(&self.small).any(|word| word == name)
    }

    /// Whether the text contains this; `part` must be in lower case.
    pub(super) fn has(&self, part: &str) -> bool {
        self.small.contains(part)
    }

    /// Whether a word's name starts with this; `start` must be in lower case.
    pub(super) fn starts(&self, start: &str) -> bool {
        self.names_of(&self.small)
            .any(|word| word.starts_with(start))
    }

    /// Whether a word's name ends with this; `end` must be in lower case.
    pub(super) fn ends(&self, end: &str) -> bool {
        self.names_of(&self.small).any(|word| word.ends_with(end))
    }

    /// The names of all words, as they were sent and in lower case.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names_of(self.sent).zip(self.names_of(&self.small))
    }

    /// The offsets fit both texts, since ASCII lower case keeps lengths.
    fn names_of<'t>(&'t self, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.words
            .iter()
            .filter_map(|word| text.get(word.start..word.name_end))
    }
}
