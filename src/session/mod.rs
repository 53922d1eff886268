//! The handle [`Sessions`], and the life of a request's [`Session`].

mod actor;
mod background;
mod bearer;
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
mod login_error;
mod operations;
mod permissions;
mod profile;
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
    bearer::{BearerLogin, BearerToken},
    ended::{Ended, UntilEnded},
    flash::Flash,
    handle::Sessions,
    limits::{Limit, LimitPolicy, MaxSessions},
    login::{Login, LoginAs},
    login_error::LoginError,
    permissions::Permissions,
    profile::ProfileError,
    request::{Identity, Session},
    signed_in::SignedIn,
    source::{Access, PermissionSource, SourceFuture},
    sweeper::Sweeper,
    temporary::{Temporary, TemporaryError},
    verbs::LogoutOutcome,
};
pub(crate) use self::{handle::SessionsParts, settle::Outcome};
pub(crate) use crate::cookie::Carrier;
