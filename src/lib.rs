//! Sessions you can see and end, for axum.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod config;
mod cookie;
mod error;
mod extract;
mod keys;
mod layer;
mod session;
mod store;
mod token;
mod user_id;
mod verify;

pub use client::ForwardedHeader;
pub use config::SessionsBuilder;
pub use cookie::{FlashLevel, FlashMessage};
pub use error::{BuildError, Error, ErrorKind, MigrateError};
pub use extract::{
    Forbidden, MissingSessionLayer, NotRecent, Require, RequireRecent, RequireService,
    SignedInRejection, SignedOut, Unavailable, require,
};
pub use keys::{Key, KeyError};
pub use layer::{SessionLayer, SessionService};
pub use session::{
    Access, Actor, Flash, Identity, Limit, LimitPolicy, Login, LoginError, MaxSessions,
    PermissionSource, Permissions, Session, Sessions, SignedIn, SourceFuture, Sweeper,
};
#[cfg(feature = "sqlite")]
pub use store::sqlite_options;
pub use store::{
    EndedReason, Filter, Page, SessionInfo, SessionPage, SessionPool, SessionState, Swept, migrate,
};
pub use time;
pub use user_id::{UserId, UserIdError};
pub use uuid;

// Doors for the targets in `fuzz/`, which are a crate of their own; cargo-fuzz sets the cfg.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::{
        client::fuzzing::forwarded,
        cookie::fuzzing::{cookie_header, flash_payload, session_payload},
    };
}
