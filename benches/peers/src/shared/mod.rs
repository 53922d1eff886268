//! What every contender's server shares, so that nothing but the contender differs. `axum-login/` compiles it too,
//! against sqlx 0.8.

pub mod application;
pub mod serve;
