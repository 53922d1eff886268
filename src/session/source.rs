//! Accounts and permissions that are not in the sessions' database.

use std::{error::Error as StdError, fmt, future::Future, pin::Pin};

use super::Permissions;
use crate::user_id::UserId;

/// What a [`PermissionSource`] says about a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// The account may not be used: it is disabled, deleted or unknown.
    Denied,
    /// The account may be used, with these permissions.
    Granted(Permissions),
}

/// A source of accounts and permissions outside of the sessions' database: a directory, another service.
///
/// countersign asks it for every request with a live session, after the database. That is a second round trip, which
/// [`account`](crate::SessionsBuilder::account) and [`permissions`](crate::SessionsBuilder::permissions) avoid. After
/// an error, or without an answer within the time budget, the session is unavailable (503): unknown is not invalid.
///
/// # Security
///
/// countersign keeps no answer, so a removed permission is gone from the next request on. A cache inside of the source
/// would give that up.
///
/// ```
/// use countersign::{Access, PermissionSource, Permissions, SourceFuture, UserId};
///
/// struct Directory;
///
/// impl PermissionSource for Directory {
///     fn access<'a>(&'a self, user_id: &'a UserId) -> SourceFuture<'a> {
///         Box::pin(async move {
///             Ok(match user_id.as_str() {
///                 "1" => Access::Granted(Permissions::from_iter(["articles:read"])),
///                 _ => Access::Denied,
///             })
///         })
///     }
/// }
/// ```
pub trait PermissionSource: Send + Sync + 'static {
    /// Whether this account may be used, and its permissions. It must answer within the [time
    /// budget](crate::SessionsBuilder::time_budget). If an administrator acts as a user, countersign first asks about
    /// the administrator. Of that answer, only [`Denied`](Access::Denied) counts.
    ///
    /// # Errors
    ///
    /// If the source cannot answer now.
    fn access<'a>(&'a self, user_id: &'a UserId) -> SourceFuture<'a>;
}

/// What [`PermissionSource::access`] returns.
pub type SourceFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Access, Box<dyn StdError + Send + Sync>>> + Send + 'a>>;

impl fmt::Debug for dyn PermissionSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PermissionSource")
    }
}
