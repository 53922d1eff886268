//! What all tests use: the demo, a browser, and a close look at a page.

mod browser;
mod demo;
mod inspection;
mod keyboard;
mod sessions;

use std::{env, path::PathBuf};

pub use self::{
    browser::{Browser, FIREFOX_ON_WINDOWS, SAFARI_ON_IPHONE, Scripts},
    demo::Demo,
};

/// What `scripts/browser` has found or made.
fn given(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/browser"))
}

fn file(name: &str) -> PathBuf {
    let path = PathBuf::from(given(name));
    assert!(path.exists(), "{name}: {} is missing", path.display());
    path
}
