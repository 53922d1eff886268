//! The keys that cookies are encrypted with.

mod ring;

use std::{error::Error, fmt};

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use rand::{Rng, rand_core::UnwrapErr, rngs::SysRng};

pub(crate) use self::ring::KeyRing;

const KEY_BYTES: usize = 64;
const HALF_BYTES: usize = 32;

/// The standard alphabet. Encoding writes padding; decoding also accepts texts without it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A secret of 64 random bytes that encrypts and authenticates cookies (AES-256-GCM).
///
/// Make one with `openssl rand -base64 64` or [`Key::generate`], keep it out of the repository, and give the same
/// one to every node. To replace it, configure the new key first and the old one after it: the first key writes,
/// all of them read. Drop the old key once every cookie that it wrote has expired. The guide has the
/// [steps and the figures](crate::guide::security#keys).
///
/// # Security
///
/// An attacker who has the key can make cookies, but not sessions: a cookie opens nothing unless the database knows the
/// token inside it. `Debug` shows nothing of a key.
///
/// One key must not encrypt more than 2³² (4.29 billion) messages, since their nonces are random (NIST SP 800-38D,
/// section 8.3). All nodes together count. A message is a sign-in, a new token, a response that sets a flash message,
/// or a link to a next page. That is 11.7 million a day for a year. Change the key at least once a year, and sooner
/// above that rate.
#[derive(Clone)]
pub struct Key {
    /// Kept for the stored form only: signed cookies would use this half, and countersign has none.
    unused: [u8; HALF_BYTES],
    encryption: [u8; HALF_BYTES],
}

impl Key {
    /// Makes a new random key. Without the key, the cookies that it wrote are unreadable. So store it
    /// ([`Key::to_base64`]), except in a test.
    ///
    /// # Panics
    ///
    /// If the operating system cannot provide random bytes.
    pub fn generate() -> Self {
        let mut random = UnwrapErr(SysRng);
        let mut half = || {
            let mut bytes = [0; HALF_BYTES];
            random.fill_bytes(&mut bytes);
            bytes
        };
        Self {
            unused: half(),
            encryption: half(),
        }
    }

    /// Takes a key that was stored as 64 bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::Length`] unless there are exactly 64 bytes; [`KeyError::Repetitive`] if a half repeats a single
    /// byte.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let halves = bytes
            .split_first_chunk()
            .and_then(|(first, second)| Some((*first, second.try_into().ok()?)));
        let Some((unused, encryption)) = halves else {
            return Err(KeyError::Length { found: bytes.len() });
        };
        // Both halves are checked, since only one of them encrypts: 32 random bytes padded with zeros are not a key.
        if is_one_byte_repeated(&unused) || is_one_byte_repeated(&encryption) {
            return Err(KeyError::Repetitive);
        }
        Ok(Self { unused, encryption })
    }

    /// Takes a key that was stored as base64, as `openssl rand -base64 64` prints it. It ignores white space and line
    /// breaks; padding is optional.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotBase64`], and the errors of [`Key::from_bytes`].
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
        BASE64.encode([self.unused, self.encryption].concat())
    }

    /// Whether both keys encrypt alike. The other half has no use here.
    fn is_same(&self, other: &Self) -> bool {
        self.encryption == other.encryption
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

/// Why a [`Key`] is invalid.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// It does not have exactly 64 bytes.
    Length {
        /// How many bytes it has.
        found: usize,
    },
    /// It is not base64.
    NotBase64,
    /// One of its halves repeats a single byte, so it is not random.
    Repetitive,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => write!(
                f,
                "a key must have {KEY_BYTES} bytes, but this one has {found}"
            )?,
            Self::NotBase64 => f.write_str("the key is not base64")?,
            Self::Repetitive => {
                f.write_str("the key repeats a single byte, so it is easy to guess")?
            }
        }
        write!(f, ": make one with `openssl rand -base64 {KEY_BYTES}`")
    }
}

/// The text, as `main` prints it for an error that it returns.
impl fmt::Debug for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Error for KeyError {}

fn is_one_byte_repeated(bytes: &[u8; HALF_BYTES]) -> bool {
    let [first, ..] = bytes;
    bytes.iter().all(|byte| byte == first)
}

#[cfg(test)]
mod tests;
