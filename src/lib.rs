//! Sessions you can see and end, for axum.

mod client;
mod cookie;
mod keys;
mod token;
mod user_id;

pub use client::ForwardedHeader;
pub use cookie::{FlashLevel, FlashMessage};
pub use keys::{Key, KeyError};
pub use user_id::{UserId, UserIdError};

// Doors for the targets in `fuzz/`, which are a crate of their own; cargo-fuzz sets the cfg.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::{
        client::fuzzing::forwarded,
        cookie::fuzzing::{cookie_header, flash_payload, session_payload},
    };
}
