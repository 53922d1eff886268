//! The id of a user.
//!
//! An opaque string in canonical form rather than a type parameter: the application's own key type then stays out of
//! every signature. An admin URL, a log line and a database column all show the same text.

use std::{any::type_name, error::Error, fmt, str::FromStr, sync::Arc};

use uuid::Uuid;

/// The longest user id, in bytes of UTF-8. It fits an indexed `VARCHAR(255)` on every database.
const MAX_BYTES: usize = 255;

/// The application's id of a user, as a string.
///
/// Numbers become decimal digits, and UUIDs become 36 lower-case characters with hyphens, so that each user has one
/// form. [`UserId::parse`] converts it back. Cloning is cheap.
///
/// An id has 1 to 255 bytes, no control characters, and no white space at either end.
/// [`Session::login`](crate::Session::login) checks that; this type does not.
///
/// ```
/// use countersign::UserId;
///
/// let id = UserId::from(2_i64);
/// assert_eq!(id.as_str(), "2");
/// assert_eq!(id.parse::<i64>(), Ok(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(Arc<str>);

impl UserId {
    /// Takes the id unchanged. For numbers and UUIDs prefer `UserId::from`, which writes them in canonical form.
    ///
    /// ```
    /// assert_eq!(countersign::UserId::new("auth0|5f7c").as_str(), "auth0|5f7c");
    /// ```
    pub fn new(id: impl Into<String>) -> Self {
        Self(Arc::from(id.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as the application's own key type.
    ///
    /// # Errors
    ///
    /// [`UserIdError::Parse`] if the text is not a `T`.
    ///
    /// ```
    /// use countersign::{UserId, UserIdError};
    ///
    /// assert_eq!(UserId::new("7").parse::<i64>(), Ok(7));
    /// assert!(matches!(UserId::new("seven").parse::<i64>(), Err(UserIdError::Parse { .. })));
    /// ```
    pub fn parse<T: FromStr>(&self) -> Result<T, UserIdError> {
        self.0.parse().map_err(|_| UserIdError::Parse {
            wanted: type_name::<T>(),
        })
    }

    /// Whether a session may be started for this id.
    pub(crate) fn validate(&self) -> Result<(), UserIdError> {
        if self.0.is_empty() {
            Err(UserIdError::Empty)
        } else if self.0.len() > MAX_BYTES {
            Err(UserIdError::TooLong {
                bytes: self.0.len(),
            })
        } else if self.0.chars().any(char::is_control) {
            Err(UserIdError::ControlCharacter)
        } else if self.0.trim().len() != self.0.len() {
            // MySQL's comparisons ignore trailing spaces: `admin ` would equal `admin`.
            Err(UserIdError::SurroundingSpace)
        } else {
            Ok(())
        }
    }

    /// Whether this is exactly what `UserId::from(i64)` makes: neither `+2` nor `02`, which a database's cast
    /// would take for user 2 as well.
    pub(crate) fn is_canonical_int(&self) -> bool {
        self.0
            .parse::<i64>()
            .is_ok_and(|number| Self::from(number) == *self)
    }

    /// Whether this is exactly what `UserId::from(Uuid)` makes: neither upper case nor braces, which a database's
    /// cast would take for the same user.
    pub(crate) fn is_canonical_uuid(&self) -> bool {
        self.0
            .parse::<Uuid>()
            .is_ok_and(|uuid| Self::from(uuid) == *self)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<u32> for UserId {
    fn from(id: u32) -> Self {
        Self::from(i64::from(id))
    }
}

impl AsRef<str> for UserId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<i64> for UserId {
    fn from(id: i64) -> Self {
        Self::new(id.to_string())
    }
}

// So that `session.login(2)` compiles: a literal without a suffix is an i32.
impl From<i32> for UserId {
    fn from(id: i32) -> Self {
        Self::from(i64::from(id))
    }
}

impl From<Uuid> for UserId {
    fn from(id: Uuid) -> Self {
        Self::new(id.hyphenated().to_string())
    }
}

impl From<&Uuid> for UserId {
    fn from(id: &Uuid) -> Self {
        Self::from(*id)
    }
}

impl From<String> for UserId {
    fn from(id: String) -> Self {
        Self::new(id)
    }
}

impl From<&String> for UserId {
    fn from(id: &String) -> Self {
        Self::from(id.as_str())
    }
}

impl From<&str> for UserId {
    fn from(id: &str) -> Self {
        Self(Arc::from(id))
    }
}

impl From<&UserId> for UserId {
    fn from(id: &UserId) -> Self {
        id.clone()
    }
}

/// Why a [`UserId`] is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserIdError {
    /// It has no characters.
    Empty,
    /// It has more than 255 bytes.
    TooLong {
        /// How many bytes of UTF-8 it has.
        bytes: usize,
    },
    /// It contains a line break or another control character.
    ControlCharacter,
    /// It starts or ends with white space, which some databases ignore in comparisons.
    SurroundingSpace,
    /// It does not have the form of `{user:int}` or `{user:uuid}` in the SQL of the
    /// [builder](crate::SessionsBuilder::account). [`UserId::from`] a number or a UUID makes that form.
    Form,
    /// It is not of the type that the caller of [`UserId::parse`] asked for.
    Parse {
        /// The name of that type.
        wanted: &'static str,
    },
}

impl fmt::Display for UserIdError {
    // The message omits the id: it ends up in logs, and a rejected id may hold anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {
                f.write_str("the user id is empty: pass the id of the user who signed in")
            }
            Self::TooLong { bytes } => {
                write!(
                    f,
                    "the user id has {bytes} bytes, but at most {MAX_BYTES} are allowed: pass a key, not a record"
                )
            }
            Self::ControlCharacter => f.write_str(
                "the user id contains a control character: pass the id without line breaks or NUL",
            ),
            Self::SurroundingSpace => {
                f.write_str("the user id starts or ends with white space: remove it")
            }
            Self::Form => f.write_str(
                "the user id does not have the form of `{user:int}` or `{user:uuid}` in the builder's SQL: \
                 pass an i64 or a Uuid, or change the placeholder to `{user:text}`",
            ),
            Self::Parse { wanted } => {
                write!(
                    f,
                    "the user id is not a valid `{wanted}`: parse it as the type that the application passes to `login`"
                )
            }
        }
    }
}

impl Error for UserIdError {}

#[cfg(test)]
mod tests;
