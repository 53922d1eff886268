//! What the cookies are called, and what their names promise.

use std::{error::Error, fmt};

/// The longest bare name. Names share the cookie's 4096 bytes with its value.
const MAX_NAME_BYTES: usize = 64;

/// Prefixes that browsers attach a meaning to, whatever their case (RFC 6265bis, section 4.1.3).
const RESERVED_PREFIXES: [&str; 3] = ["__host-", "__secure-", "__http-"];

/// What the bare names of temporary state start with.
pub(super) const TEMPORARY: &str = "temporary-";

/// The bare names, without a prefix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CookieNames<'a> {
    pub(crate) session: &'a str,
    pub(crate) flash: &'a str,
}

impl CookieNames<'_> {
    /// The names of the session and the flash cookie as they go over the wire.
    pub(super) fn resolve(
        self,
        protection: Protection,
    ) -> Result<(String, String), CookieNameError> {
        for name in [self.session, self.flash] {
            check(name)?;
        }
        if self.session == self.flash {
            return Err(CookieNameError::Same {
                name: self.session.to_owned(),
            });
        }
        let prefix = protection.prefix();
        Ok((
            format!("{prefix}{}", self.session),
            format!("{prefix}{}", self.flash),
        ))
    }
}

/// How well the cookies are protected on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// `Secure`, and names that start with `__Host-`: a browser takes such a cookie from this very host over HTTPS
    /// alone, never from a sibling subdomain (OWASP ASVS 5.0, 3.3.1).
    HostPrefixed,
    /// Neither of it, so that browsers accept the cookies over plain HTTP. For development.
    InsecurePlainHttp,
}

impl Protection {
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::HostPrefixed => "__Host-",
            Self::InsecurePlainHttp => "",
        }
    }
}

/// What is wrong with a cookie's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CookieNameError {
    Empty,
    TooLong { name: String },
    NotAToken { name: String },
    Prefixed { name: String },
    Reserved { name: String },
    Same { name: String },
}

impl fmt::Display for CookieNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a cookie name is empty"),
            Self::TooLong { name } => write!(
                f,
                "the cookie name {name:?} has {} bytes, {MAX_NAME_BYTES} are allowed",
                name.len()
            ),
            Self::NotAToken { name } => write!(
                f,
                "the cookie name {name:?} contains a character that names may not have: use letters, digits, `-` and `_`"
            ),
            Self::Prefixed { name } => write!(
                f,
                "the cookie name {name:?} has a prefix already: `__Host-` is put in front by itself, pass the bare name"
            ),
            Self::Reserved { name } => write!(
                f,
                "the cookie name {name:?} starts with `{TEMPORARY}`, as those of temporary state do: choose another one"
            ),
            Self::Same { name } => {
                write!(
                    f,
                    "the session and the flash cookie are both called {name:?}: choose different names"
                )
            }
        }
    }
}

impl Error for CookieNameError {}

fn check(name: &str) -> Result<(), CookieNameError> {
    let lower = name.to_ascii_lowercase();
    if name.is_empty() {
        Err(CookieNameError::Empty)
    } else if name.len() > MAX_NAME_BYTES {
        Err(CookieNameError::TooLong {
            name: name.to_owned(),
        })
    } else if !name.bytes().all(is_token_byte) {
        Err(CookieNameError::NotAToken {
            name: name.to_owned(),
        })
    } else if RESERVED_PREFIXES
        .iter()
        .any(|prefix| lower.starts_with(prefix))
    {
        Err(CookieNameError::Prefixed {
            name: name.to_owned(),
        })
    } else if lower.starts_with(TEMPORARY) {
        Err(CookieNameError::Reserved {
            name: name.to_owned(),
        })
    } else {
        Ok(())
    }
}

/// `tchar` of RFC 9110, section 5.6.2, which RFC 6265 asks of names.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
