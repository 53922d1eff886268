//! The token that leads to the next page: where it starts, encrypted and bound to what was listed for whom.
//!
//! A client can neither make one nor use one elsewhere: with another filter, another user, the other router, or as a
//! cookie. What it is bound to is authenticated with it and costs no space in it.

use sha2::{Digest, Sha256};

use super::{conditions::Conditions, listing::ListingKind};
use crate::{keys::KeyRing, store::Cursor, user_id::UserId};

/// No token is longer: the longest cursor, sealed, in base64 without padding.
pub(crate) const MAX_LENGTH: usize = 270;

/// What a page token is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) kind: ListingKind,
    pub(crate) realm: &'a str,
    pub(crate) user_id: &'a UserId,
    pub(crate) conditions: &'a Conditions,
}

impl Scope<'_> {
    /// A token that starts here.
    pub(crate) fn seal(&self, keys: &KeyRing, after: &Cursor) -> Option<String> {
        keys.seal(&self.name(), &after.to_string())
    }

    /// Where the page starts. `None` for whatever was not made by [`Scope::seal`] for the same.
    pub(crate) fn open(&self, keys: &KeyRing, token: &str) -> Option<Cursor> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        keys.unseal(&self.name(), token)?.parse().ok()
    }

    /// The name under which it is sealed. No cookie can have it: names of cookies have no spaces.
    fn name(&self) -> String {
        let kind = match self.kind {
            ListingKind::Admin => "admin",
            ListingKind::Account => "account",
        };
        let mut digest = Sha256::new();
        let mut add = |text: &str| {
            // With its length, so that no two lists of texts read alike.
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
