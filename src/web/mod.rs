//! What the routers for administrators and users share: how they read requests and write responses.
//!
//! All routes check in the same order, so that a client learns no more than it may:
//!
//! 1. Could the session be verified (503)?
//! 2. Is a user signed in (401)?
//! 3. Does the request come from this site (403)?
//! 4. May this user do it (403, or 401 if the sign-in is not recent)?
//! 5. Is the request well-formed (400, 413, 415)?
//! 6. Does the session exist (404, 409)?

pub(crate) mod body;
pub(crate) mod conditions;
#[cfg(fuzzing)]
#[allow(clippy::expect_used, missing_docs)] // a target is to stop at the first surprise
pub(crate) mod fuzzing;
pub(crate) mod guard;
pub(crate) mod link;
pub(crate) mod listing;
pub(crate) mod member;
pub(crate) mod page_token;
pub(crate) mod params;
pub(crate) mod refusal;
pub(crate) mod view;

#[cfg(test)]
mod tests;
