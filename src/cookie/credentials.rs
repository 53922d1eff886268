//! What is inside the session cookie: a version, the token, the user's id.

use crate::{token::Token, user_id::UserId};

/// The layout below. Another layout gets another character, so that releases can tell them apart.
const VERSION: char = '1';

/// Who a browser says it is, and the secret that is to prove it.
///
/// The id is here so that a row which the token's digest leads to can be held against it; the row decides.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) user_id: UserId,
    pub(crate) token: Token,
}

impl Credentials {
    pub(super) fn from_text(text: &str) -> Result<Self, Unreadable> {
        let fields = text.strip_prefix(VERSION).ok_or(Unreadable::Version)?;
        let (token, user_id) = fields
            .split_at_checked(Token::ENCODED_LENGTH)
            .ok_or(Unreadable::Content)?;
        let token = Token::decode(token).ok_or(Unreadable::Content)?;
        let user_id = UserId::from(user_id);
        user_id.validate().map_err(|_| Unreadable::Content)?;
        Ok(Self { user_id, token })
    }
}

/// The token has a fixed length and comes first, so the id needs no separator that it could contain.
pub(super) fn to_text(user_id: &UserId, token: &Token) -> String {
    format!("{VERSION}{}{user_id}", token.encode())
}

/// Why a text holds no [`Credentials`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    Version,
    Content,
}

#[cfg(test)]
mod tests;
