//! The token that leads to the next page: where it starts, encrypted and bound to what was listed for whom.
//!
//! A client can neither make one nor use one elsewhere: with another filter, another user, the other router, or as a
//! cookie. What it is bound to is authenticated with it and costs no space in it.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{conditions::Conditions, listing::ListingKind};
use crate::{keys::KeyRing, user_id::UserId};

/// Every token is of this length: the 32 digits of an id, sealed, in URL-safe base64 without padding.
pub(crate) const LENGTH: usize = 80;

/// What a page token is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) kind: ListingKind,
    pub(crate) realm: &'a str,
    pub(crate) user_id: &'a UserId,
    pub(crate) conditions: &'a Conditions,
}

impl Scope<'_> {
    /// A token that starts after this session.
    pub(crate) fn seal(&self, keys: &KeyRing, after: Uuid) -> Option<String> {
        keys.seal(&self.name(), &after.simple().to_string())
    }

    /// The session after which the page starts. `None` for whatever was not made by [`Scope::seal`] for the same.
    pub(crate) fn open(&self, keys: &KeyRing, token: &str) -> Option<Uuid> {
        if token.len() != LENGTH {
            return None;
        }
        let id = keys.unseal(&self.name(), token)?;
        Uuid::try_parse(&id).ok()
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
        format!("page token 1 {digest}")
    }
}
