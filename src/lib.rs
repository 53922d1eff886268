//! Sessions you can see and end, for axum.
