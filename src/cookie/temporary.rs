//! The cookies of temporary state: one for each value, so that two answers at once never overwrite each other's.
//!
//! Such a cookie is called `temporary-PURPOSE-ID`. The name is authenticated with the content, so a value counts for one
//! purpose and one id. What is in it belongs to one holder and to a short time (`envelope`).

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use rand::{TryRng, rngs::SysRng};

use super::{
    Cookies, Holder, MAX_BYTES, Moment, cookie_headers, envelope,
    read::{Found, find, names_with},
    write::Template,
};
use crate::keys::KeyRing;

/// 128 bits: what a browser is recognised by must not be guessed (OWASP ASVS 5.0, 7.2.3).
const ID_BYTES: usize = 16;

/// The characters of an id, which is spelled like the value of a cookie.
const ID_LENGTH: usize = 22;

/// The longest purpose, which shares the 4096 bytes of name and value.
const MAX_PURPOSE_BYTES: usize = 32;

/// The longest time that a value may be kept.
pub(crate) const MAX_TEMPORARY_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How many cookies with our names are looked at. A client that sends more did not get them from here.
const MAX_LOOKED_AT: usize = 32;

/// One value as the browser brings it.
#[derive(Clone, Debug)]
pub(crate) struct BroughtTemporary {
    pub(crate) name: String,
    /// Empty when it cannot be right: too long, or there twice with two values.
    value: Vec<u8>,
}

impl BroughtTemporary {
    /// What it takes of a request's headers.
    pub(crate) fn length(&self) -> usize {
        self.name.len() + self.value.len()
    }
}

/// A value is larger than a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge {
    /// How many bytes it has as JSON.
    pub(crate) bytes: usize,
    /// How many fit.
    pub(crate) longest: usize,
}

impl Cookies {
    /// A new id. `None` when the operating system has no randomness to give.
    pub(crate) fn new_temporary_id() -> Option<String> {
        let mut bytes = [0; ID_BYTES];
        SysRng.try_fill_bytes(&mut bytes).ok()?;
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The name of this value's cookie; `None` for what is no purpose or no id. Both come from outside: ids from the request.
    pub(crate) fn temporary_name(&self, purpose: &str, id: &str) -> Option<String> {
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let good = is_purpose(purpose) && id.len() == ID_LENGTH && id.bytes().all(is_id);
        good.then(|| format!("{}{purpose}-{id}", self.temporary_prefix))
    }

    /// The purpose of a cookie with one of our names, and of no other.
    pub(crate) fn temporary_purpose<'a>(&self, name: &'a str) -> Option<&'a str> {
        let rest = name.strip_prefix(self.temporary_prefix.as_str())?;
        let (purpose, id) = rest.split_at_checked(rest.len().checked_sub(ID_LENGTH)?)?;
        let purpose = purpose.strip_suffix('-')?;
        self.temporary_name(purpose, id).map(|_| purpose)
    }

    /// What the browser brings. Costs no allocation when that is nothing.
    pub(crate) fn brought_temporaries(&self, headers: &HeaderMap) -> Vec<BroughtTemporary> {
        let mut brought: Vec<BroughtTemporary> = Vec::new();
        for name in names_with(cookie_headers(headers), self.temporary_prefix.as_bytes()) {
            let Some(name) = std::str::from_utf8(name)
                .ok()
                .filter(|name| self.temporary_purpose(name).is_some())
            else {
                continue;
            };
            if brought.iter().any(|other| other.name == name) {
                continue;
            }
            if brought.len() == MAX_LOOKED_AT {
                break;
            }
            let value = match find(cookie_headers(headers), name.as_bytes()) {
                Found::One(value) if name.len() + value.len() <= MAX_BYTES => value.to_vec(),
                Found::One(_) | Found::Conflicting | Found::Absent => Vec::new(),
            };
            brought.push(BroughtTemporary {
                name: name.to_owned(),
                value,
            });
        }
        brought
    }

    /// What is in it for this holder, and until when.
    pub(crate) fn open_temporary(
        &self,
        brought: &BroughtTemporary,
        holder: Holder,
        now: Moment,
    ) -> Option<(Moment, String)> {
        let text = self.unseal(&brought.name, &brought.value)?;
        let (expires_at, body) = envelope::opened(&text, holder, now, MAX_TEMPORARY_LIFETIME)?;
        Some((expires_at, body.to_owned()))
    }

    /// Whether this much JSON fits into a cookie of this name, for any holder.
    pub(crate) fn fits_temporary(&self, name: &str, json: &str) -> Result<(), TooLarge> {
        let head = envelope::head_length(
            Holder::Session(uuid::Uuid::nil()),
            Moment::from_seconds(u64::from(u32::MAX)),
        );
        let longest = MAX_BYTES
            .checked_sub(name.len())
            .and_then(KeyRing::longest_for)
            .and_then(|longest| longest.checked_sub(head))
            .unwrap_or(0);
        match json.len() {
            bytes if bytes > longest => Err(TooLarge { bytes, longest }),
            _ => Ok(()),
        }
    }

    /// Tells the browser to bring this value until then, as long as it belongs to this holder.
    pub(crate) fn set_temporary(
        &self,
        name: &str,
        holder: Holder,
        (now, expires_at): (Moment, Moment),
        json: &str,
    ) -> Option<HeaderValue> {
        let text = envelope::to_text(holder, expires_at, json);
        let sealed = self.keys.seal(name, &text)?;
        let template = Template::new(name.to_owned(), self.protection).ok()?;
        let left = expires_at.seconds().saturating_sub(now.seconds());
        template.set(&sealed, Some(Duration::from_secs(left)))
    }

    /// Tells the browser to forget it.
    pub(crate) fn remove_temporary(&self, name: &str) -> Option<HeaderValue> {
        let template = Template::new(name.to_owned(), self.protection).ok()?;
        Some(template.remove())
    }
}

/// Whether this can name a purpose: 1 to 32 of `a`–`z`, `0`–`9` and `-`.
pub(crate) fn is_purpose(purpose: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_PURPOSE_BYTES).contains(&purpose.len()) && purpose.bytes().all(is_good)
}

#[cfg(test)]
mod tests;
