//! One file per thing that can be done.

pub mod account;
pub mod articles;
pub mod events;
pub mod home;
pub mod passwords;
pub mod token;
pub mod whoami;
