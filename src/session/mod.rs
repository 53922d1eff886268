//! The handle [`Sessions`], and the life of a request's [`Session`].

mod actor;
mod background;
#[cfg(countersign_benches)]
#[allow(clippy::expect_used, clippy::panic, missing_docs)]
// a benchmark is to stop at the first surprise
pub(crate) mod benches;
mod ended;
mod flash;
mod grant;
mod handle;
mod identify;
pub(crate) mod limits;
mod login;
mod operations;
mod permissions;
mod report;
mod request;
mod settle;
mod signed_in;
mod source;
mod sweeper;
mod temporary;
mod verbs;

pub use self::{
    actor::Actor,
    ended::{Ended, UntilEnded},
    flash::Flash,
    handle::Sessions,
    limits::{Limit, LimitPolicy, MaxSessions},
    login::{Login, LoginAs, LoginError},
    permissions::Permissions,
    request::{Identity, Session},
    signed_in::SignedIn,
    source::{Access, PermissionSource, SourceFuture},
    sweeper::Sweeper,
    temporary::{Temporary, TemporaryError},
    verbs::LogoutOutcome,
};
pub(crate) use self::{handle::SessionsParts, settle::Outcome};
