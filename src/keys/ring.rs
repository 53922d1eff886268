//! The key ring: encrypts what leaves the server, decrypts what comes back.

use std::{error::Error, fmt};

use aes_gcm::{
    Aes256Gcm,
    aead::{AeadInPlace, KeyInit},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{TryRng, rngs::SysRng};

use super::{KEY_BYTES, Key};

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// The keys in force: the first writes, all of them read.
///
/// Sealed bytes are a nonce of 12 bytes, the encrypted text and a tag of 16 bytes. The name is authenticated with them.
/// The private jar of the `cookie` crate, with which older releases wrote, has the same layout.
#[derive(Clone, Debug)]
pub(crate) struct KeyRing {
    writes: Cipher,
    only_read: Vec<Cipher>,
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
        let mut ciphers = keys.iter().map(Cipher::new);
        let writes = ciphers.next().ok_or(KeyRingError::Empty)?;
        Ok(Self {
            writes,
            only_read: ciphers.collect(),
        })
    }

    /// Encrypts `text` and binds it to this name. Returns URL-safe base64 without padding.
    ///
    /// `None` if the operating system cannot provide random bytes.
    pub(crate) fn seal(&self, name: &str, text: &str) -> Option<String> {
        self.writes
            .encrypt(name, text)
            .map(|sealed| URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Decrypts what [`KeyRing::seal`] made under the same name, with any of the keys. Rejects other spellings of the
    /// same bytes.
    #[cfg(any(feature = "admin", test))]
    pub(crate) fn unseal(&self, name: &str, sealed: &str) -> Option<String> {
        self.open(name, URL_SAFE_NO_PAD.decode(sealed).ok()?)
    }

    /// The same for the decoded bytes, in place.
    pub(crate) fn open(&self, name: &str, mut sealed: Vec<u8>) -> Option<String> {
        let text_bytes = sealed.len().checked_sub(NONCE_BYTES + TAG_BYTES)?;
        std::iter::once(&self.writes)
            .chain(&self.only_read)
            .find(|cipher| cipher.decrypt(name, &mut sealed))?;
        sealed.truncate(NONCE_BYTES + text_bytes);
        drop(sealed.drain(..NONCE_BYTES));
        String::from_utf8(sealed).ok()
    }

    /// The longest text that seals to no more than `length` characters; `None` if not even an empty text does.
    pub(crate) fn longest_for(length: usize) -> Option<usize> {
        (length * 3 / 4).checked_sub(NONCE_BYTES + TAG_BYTES)
    }
}

/// A key, expanded once instead of for each cookie.
#[derive(Clone)]
struct Cipher(Box<Aes256Gcm>);

impl Cipher {
    fn new(key: &Key) -> Self {
        Self(Box::new(Aes256Gcm::new(&key.encryption.into())))
    }

    fn encrypt(&self, name: &str, text: &str) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        SysRng.try_fill_bytes(&mut nonce).ok()?;
        let mut sealed = Vec::with_capacity(NONCE_BYTES + text.len() + TAG_BYTES);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(text.as_bytes());
        let (_, encrypted) = sealed.split_at_mut_checked(NONCE_BYTES)?;
        let tag = self
            .0
            .encrypt_in_place_detached(&nonce.into(), name.as_bytes(), encrypted)
            .ok()?;
        sealed.extend_from_slice(&tag);
        Some(sealed)
    }

    /// Decrypts the part between nonce and tag in place, if the tag is right. Otherwise the bytes stay unchanged for
    /// the next key.
    fn decrypt(&self, name: &str, sealed: &mut [u8]) -> bool {
        let Some((nonce, rest)) = sealed.split_first_chunk_mut::<NONCE_BYTES>() else {
            return false;
        };
        let Some((encrypted, tag)) = rest.split_last_chunk_mut::<TAG_BYTES>() else {
            return false;
        };
        let (nonce, tag) = ((*nonce).into(), (*tag).into());
        self.0
            .decrypt_in_place_detached(&nonce, name.as_bytes(), encrypted, &tag)
            .is_ok()
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

/// Why a list of keys is not a valid [`KeyRing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRingError {
    /// The list is empty, and there is no default key.
    Empty,
    /// The key at `position`, counted from 0, also comes earlier in the list. The usual cause is a rotation that did
    /// not change the key.
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
                "key number {} is configured twice: list the new key first, then the older ones, each of them once",
                position + 1
            ),
        }
    }
}

impl Error for KeyRingError {}
