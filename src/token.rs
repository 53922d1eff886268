//! The secret in the cookie, and the digest of it that the database keeps.
//!
//! They are two types so that the store, which takes a [`TokenHash`], can never receive a [`Token`].

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{
    TryRng,
    rngs::{SysError, SysRng},
};
use sha2::{Digest, Sha256};

const TOKEN_BYTES: usize = 32;

/// The secret of one session: 256 random bits.
///
/// # Security
///
/// It comes from the operating system's generator, and has twice the 128 bits that OWASP ASVS 5.0, 7.2.3 requires.
/// `Debug` shows nothing of it, and there is no `PartialEq`. The database compares digests, so the time of a comparison
/// reveals nothing about a token.
#[derive(Clone)]
pub(crate) struct Token([u8; TOKEN_BYTES]);

impl Token {
    /// The number of characters that [`Token::encode`] writes.
    pub(crate) const ENCODED_LENGTH: usize = 43;

    /// Asks the operating system for a new token. Fails if the system cannot provide random bytes.
    pub(crate) fn generate() -> Result<Self, SysError> {
        let mut bytes = [0; TOKEN_BYTES];
        SysRng.try_fill_bytes(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// SHA-256 of the token's bytes. A token has 256 bits of entropy, so it needs neither salt nor stretching.
    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0).into())
    }

    /// 43 characters of base64url without padding.
    pub(crate) fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads only what [`Token::encode`] wrote, so that each token has exactly one text.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        // The engine rejects surplus bits in the last character.
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// The digest under which the database finds a session.
///
/// It opens nothing. But it could link a log line to a session in the database, so `Debug` redacts it like a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TokenHash([u8; TOKEN_BYTES]);

impl TokenHash {
    /// A digest that no known token has, for rows without a token.
    pub(crate) const NONE: Self = Self([0; TOKEN_BYTES]);

    pub(crate) fn as_bytes(&self) -> &[u8; TOKEN_BYTES] {
        &self.0
    }

    /// A digest of these bytes; `None` unless they are 32.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(redacted)")
    }
}

#[cfg(test)]
mod tests;
