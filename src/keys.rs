//! The keys that cookies are encrypted with.

use std::{error::Error, fmt};

use ::cookie::{Cookie, CookieJar};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const KEY_BYTES: usize = 64;

/// The usual alphabet; padding is written, and may be missing when read.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A secret of 64 random bytes that encrypts and authenticates cookies (AES-256-GCM).
///
/// Make one with `openssl rand -base64 64` or [`Key::generate`], keep it out of the repository, and give the same
/// one to every node. To replace it, configure the new key first and the old one after it: the first key writes,
/// all of them read. Drop the old key once every cookie that it wrote has expired.
///
/// # Security
///
/// Whoever has the key can make cookies, but not sessions: a cookie opens nothing unless the database knows the
/// token inside it. `Debug` shows nothing of a key.
#[derive(Clone)]
pub struct Key(::cookie::Key);

impl Key {
    /// Makes a new random key. Cookies that it wrote are unreadable once it is lost, so store it
    /// ([`Key::to_base64`]) unless that is what you want, as in a test.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give.
    pub fn generate() -> Self {
        Self(::cookie::Key::generate())
    }

    /// Takes a key that was stored as 64 bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::Length`] unless there are exactly 64 of them, [`KeyError::Repetitive`] when they are not random.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != KEY_BYTES {
            return Err(KeyError::Length { found: bytes.len() });
        }
        // Either half, since only one of them encrypts: 32 good bytes padded with zeros are no key.
        if bytes.chunks(KEY_BYTES / 2).any(is_one_byte_repeated) {
            return Err(KeyError::Repetitive);
        }
        ::cookie::Key::try_from(bytes)
            .map(Self)
            .map_err(|_| KeyError::Length { found: bytes.len() })
    }

    /// Takes a key that was stored as base64, as `openssl rand -base64 64` prints it: white space and line breaks
    /// are skipped, padding is optional.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotBase64`], and those of [`Key::from_bytes`].
    ///
    /// ```
    /// use countersign::{Key, KeyError};
    ///
    /// let stored = Key::generate().to_base64();
    /// assert!(Key::from_base64(&stored).is_ok());
    /// assert_eq!(Key::from_base64("c2hvcnQ=").unwrap_err(), KeyError::Length { found: 5 });
    /// ```
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let text: String = text
            .chars()
            .filter(|character| !character.is_ascii_whitespace())
            .collect();
        let bytes = BASE64.decode(text).map_err(|_| KeyError::NotBase64)?;
        Self::from_bytes(&bytes)
    }

    /// The key as 88 characters of base64, for storing it.
    ///
    /// # Security
    ///
    /// This is the secret itself: it belongs in a secret store, never in a log.
    pub fn to_base64(&self) -> String {
        BASE64.encode(self.0.master())
    }

    /// Whether both encrypt alike; the other half is used for nothing here.
    fn is_same(&self, other: &Self) -> bool {
        self.0.encryption() == other.0.encryption()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

/// Why something is no [`Key`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// It has not exactly 64 bytes.
    Length {
        /// How many bytes it has.
        found: usize,
    },
    /// It is not base64.
    NotBase64,
    /// It, or a half of it, is one byte over and over, so nothing about it is random.
    Repetitive,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => {
                write!(f, "a key has {KEY_BYTES} bytes, this one has {found}")?
            }
            Self::NotBase64 => f.write_str("the key is not base64")?,
            Self::Repetitive => {
                f.write_str("the key is one byte repeated, which anybody can guess")?
            }
        }
        write!(f, ": make one with `openssl rand -base64 {KEY_BYTES}`")
    }
}

impl Error for KeyError {}

/// The keys in force: the first writes, all of them read.
#[derive(Clone, Debug)]
pub(crate) struct KeyRing {
    writes: Key,
    only_read: Vec<Key>,
}

impl KeyRing {
    pub(crate) fn new(keys: Vec<Key>) -> Result<Self, KeyRingError> {
        let repeated = keys.iter().enumerate().find(|(position, key)| {
            keys.iter()
                .take(*position)
                .any(|earlier| earlier.is_same(key))
        });
        if let Some((position, _)) = repeated {
            return Err(KeyRingError::Duplicate { position });
        }
        let mut keys = keys.into_iter();
        let writes = keys.next().ok_or(KeyRingError::Empty)?;
        Ok(Self {
            writes,
            only_read: keys.collect(),
        })
    }

    /// Encrypts `text` for a cookie of this name, and for no other: the name is authenticated with it.
    ///
    /// Printable ASCII comes out. `None` would mean that the cookie crate lost what it was just given.
    pub(crate) fn seal(&self, cookie_name: &str, text: String) -> Option<String> {
        let mut jar = CookieJar::new();
        jar.private_mut(&self.writes.0)
            .add(Cookie::new(cookie_name.to_owned(), text));
        jar.get(cookie_name).map(|cookie| cookie.value().to_owned())
    }

    /// Decrypts what [`KeyRing::seal`] made under the same name with any of the keys.
    pub(crate) fn unseal(&self, cookie_name: &str, sealed: &str) -> Option<String> {
        let jar = CookieJar::new();
        std::iter::once(&self.writes)
            .chain(&self.only_read)
            .find_map(|key| {
                let cookie = Cookie::new(cookie_name.to_owned(), sealed.to_owned());
                jar.private(&key.0)
                    .decrypt(cookie)
                    .map(|cookie| cookie.value().to_owned())
            })
    }

    /// The longest text that seals to no more than `length` characters; `None` when not even an empty one does.
    pub(crate) fn longest_for(length: usize) -> Option<usize> {
        (length / 4 * 3).checked_sub(SEAL_BYTES)
    }
}

/// A nonce of 12 bytes and a tag of 16.
const SEAL_BYTES: usize = 28;

/// Why some keys are no [`KeyRing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRingError {
    /// There are none, and there is no default key.
    Empty,
    /// The key at `position`, counted from 0, stands before it already. Most often a rotation that was
    /// configured but did not happen.
    Duplicate { position: usize },
}

impl fmt::Display for KeyRingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(
                f,
                "there is no key to encrypt cookies with: make one with `openssl rand -base64 {KEY_BYTES}`"
            ),
            Self::Duplicate { position } => write!(
                f,
                "key number {} is configured twice: a key ring has a new key, then the older ones",
                position + 1
            ),
        }
    }
}

impl Error for KeyRingError {}

fn is_one_byte_repeated(bytes: &[u8]) -> bool {
    bytes
        .first()
        .is_some_and(|first| bytes.iter().all(|byte| byte == first))
}

#[cfg(test)]
mod tests;
