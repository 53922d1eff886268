//! The pages in Chromium, as people use them. `scripts/browser` brings up what these tests need.

mod support;

mod administrators;
mod devices;
mod every_page;
mod keyboard;
mod without_scripts;
