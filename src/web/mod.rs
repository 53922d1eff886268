//! What the routers for administrators and for accounts share: how a request is read, and what is answered.
//!
//! The order of checks is the same everywhere, so that nobody learns more than they may: is it known who asks (503), is
//! somebody signed in (401), does the request come from this site (403), may this user do it (403, or 401 for a sign-in
//! that is not recent), is the request well formed (400, 413, 415), is there such a session (404, 409).

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
