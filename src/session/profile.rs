//! The application's own facts of the user, such as a name, read with the session.

mod values;

use std::{error::Error as StdError, fmt};

use serde_core::de::DeserializeOwned;

use super::SignedIn;
use crate::store::ProfileRow;

impl SignedIn {
    /// What the columns of [`profile`](crate::SessionsBuilder::profile) say of this user, as read when this request was
    /// verified. It makes no query. In a session in which an administrator acts as a user, it is the user's.
    ///
    /// `T` is a struct whose fields have the columns' names; columns without a field are skipped. The extractor
    /// [`CurrentUser`](crate::CurrentUser) calls this.
    ///
    /// ```
    /// use countersign::{ProfileError, SignedIn};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Me {
    ///     name: String,
    ///     email: Option<String>,
    /// }
    ///
    /// async fn greet(user: SignedIn) -> Result<String, ProfileError> {
    ///     let me: Me = user.profile()?;
    ///     Ok(format!("Hello, {}", me.name))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// A [`ProfileError`], which as a response is a 500, or a 503 if the database's answer could not be read.
    pub fn profile<T: DeserializeOwned>(&self) -> Result<T, ProfileError> {
        let profile = self.found_profile().ok_or(ProfileError::NotConfigured)?;
        match &profile.row {
            ProfileRow::Json(json) => values::read(profile.names(), json),
            ProfileRow::Missing => Err(ProfileError::Missing),
            ProfileRow::Several => Err(ProfileError::Several),
            ProfileRow::Unreadable => Err(ProfileError::Unreadable),
        }
    }
}

/// Why there is no profile of the user.
///
/// The messages name columns and types and omit values, since they go to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileError {
    /// [`profile`](crate::SessionsBuilder::profile) was not called on the builder.
    NotConfigured,
    /// The FROM part of the builder's `profile` finds no row for this user.
    Missing,
    /// The FROM part finds several rows for this user.
    Several,
    /// The database's answer was cut or changed on its way, so what the row says is not known.
    Unreadable,
    /// A value does not fit into the type that the handler asks for.
    Decode {
        /// The column's name. `None` if the mistake is not in one column, as with a field that has no column.
        column: Option<String>,
        /// What is wrong.
        problem: String,
        /// The name of the type that the handler asks for.
        wanted: &'static str,
    },
}

impl fmt::Display for ProfileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured => formatter.write_str(
                "no profile is read: call `.profile([\"name\"], \"users WHERE id = {user:int}\")` on the builder, with your \
                 own columns and table",
            ),
            Self::Missing => formatter.write_str(
                "the FROM part of `.profile` finds no row for this user: add the row, or start from the table of accounts \
                 and add other tables by LEFT JOIN",
            ),
            Self::Several => formatter.write_str(
                "the FROM part of `.profile` finds several rows for this user: join only what has one row for each user, or \
                 put a query that chooses one into parentheses",
            ),
            Self::Unreadable => formatter.write_str(
                "the profile did not arrive whole: raise the database's max_allowed_packet if the row is long, or name fewer \
                 columns in `.profile`",
            ),
            Self::Decode {
                column: Some(column),
                problem,
                wanted,
            } => write!(
                formatter,
                "the profile's column `{column}` does not fit into `{wanted}`: {problem}. Change the field's type, or select \
                 another expression `… AS {column}` in `.profile`"
            ),
            Self::Decode {
                column: None,
                problem,
                wanted,
            } => write!(
                formatter,
                "the profile does not fit into `{wanted}`: {problem}. Change the type, or the columns of `.profile`"
            ),
        }
    }
}

impl StdError for ProfileError {}
