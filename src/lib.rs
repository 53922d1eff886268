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
