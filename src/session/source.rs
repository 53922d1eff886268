//! Permissions from elsewhere than SQL.

use std::{error::Error as StdError, fmt, future::Future, pin::Pin};

use super::Permissions;
use crate::user_id::UserId;

/// What a [`PermissionSource`] says of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// The account may not be used: it is disabled, deleted or unknown.
    Denied,
    /// The account may be used, with these permissions.
    Granted(Permissions),
}

/// Accounts and permissions that are not in the sessions' database: a directory, another service.
///
/// Asked for every request with a live session, after the database was: a second round trip, which
/// [`account`](crate::SessionsBuilder::account) and [`permissions`](crate::SessionsBuilder::permissions) save. No answer
/// within the time budget, or an error, makes the session unavailable (503): unknown is not invalid.
///
/// # Security
///
/// What this returns is never kept, so removing a permission holds from the next request on. A cache in here gives
/// that up.
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
    /// Whether this account may be used, and what it may do. Asked for each request with a live session, within the
    /// [time budget](crate::SessionsBuilder::time_budget). Where an administrator acts as a user, it is asked about the
    /// administrator first; only whether the account may be used counts then.
    ///
    /// # Errors
    ///
    /// When it cannot be told now.
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
