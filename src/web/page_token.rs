//! The token for the next page: the position where it starts, encrypted and bound to the listing and its user.
//!
//! A client can neither make one nor use it elsewhere: with another filter, as another user, on the other router, or as
//! a cookie. The binding is authenticated data, so it takes no space in the token.

use sha2::{Digest, Sha256};

use super::{conditions::Conditions, listing::ListingKind};
use crate::{keys::KeyRing, store::Cursor, user_id::UserId};

/// The length of the longest token: the longest cursor, sealed, in base64 without padding.
pub(crate) const MAX_LENGTH: usize = 270;

/// What a page token is bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) kind: ListingKind,
    pub(crate) realm: &'a str,
    pub(crate) user_id: &'a UserId,
    pub(crate) conditions: &'a Conditions,
}

impl Scope<'_> {
    /// A token for the page that starts after this cursor.
    pub(crate) fn seal(&self, keys: &KeyRing, after: &Cursor) -> Option<String> {
        keys.seal(&self.name(), &after.to_string())
    }

    /// The position where the page starts. `None` unless [`Scope::seal`] made the token for the same scope.
    pub(crate) fn open(&self, keys: &KeyRing, token: &str) -> Option<Cursor> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        keys.unseal(&self.name(), token)?.parse().ok()
    }

    /// The name that binds the token. No cookie can have it, since cookie names contain no spaces.
    fn name(&self) -> String {
        let kind = match self.kind {
            ListingKind::Admin => "admin",
            ListingKind::Account => "account",
        };
        let mut digest = Sha256::new();
        let mut add = |text: &str| {
            // With its length, so that two different lists never give the same bytes.
            digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(text);
        };
        add(kind);
        add(self.realm);
        add(self.user_id.as_str());
        for (name, value) in self.conditions.pairs() {
            add(name);
            add(&value);
        }
        let digest: String = digest
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("page token 2 {digest}")
    }
}
