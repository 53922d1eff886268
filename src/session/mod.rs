//! The handle [`Sessions`], and what becomes of a request's [`Session`].

mod background;
mod ended;
mod flash;
mod grant;
mod handle;
mod identify;
pub(crate) mod limits;
mod login;
mod permissions;
mod report;
mod request;
mod settle;
mod signed_in;
mod source;
mod sweeper;

pub use self::{
    ended::{Ended, UntilEnded},
    flash::Flash,
    handle::{Actor, Sessions},
    limits::{Limit, LimitPolicy, MaxSessions},
    login::{Login, LoginAs, LoginError},
    permissions::Permissions,
    request::{Identity, Session},
    signed_in::SignedIn,
    source::{Access, PermissionSource, SourceFuture},
    sweeper::Sweeper,
};
pub(crate) use self::{handle::SessionsParts, settle::Outcome};
