//! What the figures were measured on, and of what versions.

use std::fs;

use crate::host;

/// Whose versions a reader wants to know, by the lock file that names them.
const PEERS: &[&str] = &[
    "axum",
    "axum_session",
    "axum_session_auth",
    "axum_session_sqlx",
    "libsqlite3-sys",
    "session-guard",
    "sqlx",
    "tokio",
];
const AXUM_LOGIN: &[&str] = &[
    "axum",
    "axum-login",
    "libsqlite3-sys",
    "sqlx",
    "tokio",
    "tower-sessions",
    "tower-sessions-sqlx-store",
];

pub fn description() -> Vec<String> {
    let mut lines = host::description();
    lines.push(versions(
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"),
        PEERS,
    ));
    let second = versions(
        concat!(env!("CARGO_MANIFEST_DIR"), "/axum-login/Cargo.lock"),
        AXUM_LOGIN,
    );
    lines.push(format!("the server of axum-login: {second}"));
    lines
}

fn versions(lock: &str, packages: &[&str]) -> String {
    let text = fs::read_to_string(lock).unwrap_or_default();
    let found: Vec<_> = packages
        .iter()
        .filter_map(|package| {
            let (_, after) = text.split_once(&format!("name = \"{package}\"\nversion = \""))?;
            Some(format!("{package} {}", after.split('"').next()?))
        })
        .collect();
    found.join(", ")
}
