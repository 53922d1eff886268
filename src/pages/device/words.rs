//! A user agent, taken apart.

/// As much of a user agent as is looked at, in bytes. What is stored is shorter.
const LONGEST: usize = 512;

/// The words of a user agent, each with what is behind its slash.
pub(super) struct Words<'a> {
    /// As it was sent.
    pub(super) sent: &'a str,
    /// The same in small letters.
    small: String,
    words: Vec<Word>,
}

/// Where a word is, in bytes.
struct Word {
    start: usize,
    /// The end of the name: at the slash, or of the word.
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

    /// Whether a word has this name; `name` in small letters.
    pub(super) fn names(&self, name: &str) -> bool {
        self.names_of(&self.small).any(|word| word == name)
    }

    /// Whether the text has this in it; `part` in small letters.
    pub(super) fn has(&self, part: &str) -> bool {
        self.small.contains(part)
    }

    /// Whether a word's name starts like this; `start` in small letters.
    pub(super) fn starts(&self, start: &str) -> bool {
        self.names_of(&self.small)
            .any(|word| word.starts_with(start))
    }

    /// Whether a word's name ends like this; `end` in small letters.
    pub(super) fn ends(&self, end: &str) -> bool {
        self.names_of(&self.small).any(|word| word.ends_with(end))
    }

    /// The names of all words, as they were sent and in small letters.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names_of(self.sent).zip(self.names_of(&self.small))
    }

    /// Small letters take as many bytes as the others, in ASCII.
    fn names_of<'t>(&'t self, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.words
            .iter()
            .filter_map(|word| text.get(word.start..word.name_end))
    }
}
