//! The spellings of a value: what it looks like once a client has kept it.
//!
//! It goes out as URL-safe base64 without padding, which every client sends back as it came. Older releases wrote the
//! usual alphabet with padding, and clients change that on the way: some put it in quotes (which RFC 6265, section 4.1.1,
//! allows), some write `+`, `/` and `=` as percent escapes. All of these mean the same bytes. Nothing else is read: no
//! mixture of the alphabets, no other escape, no incomplete padding, no bits that are left over.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::MAX_BYTES;

/// Takes off the quotes around a value, if it has them at both ends.
pub(super) fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inside @ .., b'"'] => inside,
        other => other,
    }
}

/// Whether these are spellings of one value. Equal bytes are, whatever they mean.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    one == other || bytes(one).is_some_and(|bytes_of_one| bytes(other) == Some(bytes_of_one))
}

/// The bytes that a value spells. `None` for what is no spelling, or longer than a cookie of ours can be.
pub(super) fn bytes(value: &[u8]) -> Option<Vec<u8>> {
    if value.len() > MAX_BYTES {
        return None;
    }
    // The engine refuses padding, and bits that are left over in the last character.
    URL_SAFE_NO_PAD.decode(canonical(value)?).ok()
}

/// The value in the URL-safe alphabet, without padding. Most values come like this, and are not copied.
fn canonical(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let is_url_safe = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if value.iter().all(is_url_safe) {
        return Some(Cow::Borrowed(value));
    }
    let mut text = Vec::with_capacity(value.len());
    let (mut usual, mut url_safe, mut padding) = (false, false, 0);
    let mut rest = value;
    while let [first, others @ ..] = rest {
        let (character, after) = match (first, others) {
            (b'%', [b'2', b'B' | b'b', after @ ..]) => (b'+', after),
            (b'%', [b'2', b'F' | b'f', after @ ..]) => (b'/', after),
            (b'%', [b'3', b'D' | b'd', after @ ..]) => (b'=', after),
            // Any other escape is refused below: `%` is in neither alphabet.
            (other, after) => (*other, after),
        };
        rest = after;
        match character {
            b'=' => padding += 1,
            _ if padding > 0 => return None,
            b'+' => {
                usual = true;
                text.push(b'-');
            }
            b'/' => {
                usual = true;
                text.push(b'_');
            }
            b'-' | b'_' => {
                url_safe = true;
                text.push(character);
            }
            _ if character.is_ascii_alphanumeric() => text.push(character),
            _ => return None,
        }
    }
    let whole_padding = (4 - text.len() % 4) % 4;
    let is_one_spelling = !(usual && url_safe) && (padding == 0 || padding == whole_padding);
    is_one_spelling.then_some(Cow::Owned(text))
}

#[cfg(test)]
mod tests;
