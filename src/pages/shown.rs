//! Untrusted text, as a page shows it.

use std::fmt;

use crate::visible::visible;

/// Untrusted text with unprintable characters written out. Otherwise an invisible character, or one that reverses the
/// text after it, could make one user look like another. Do not use it for the value of a form field, which must stay
/// unchanged.
///
/// The template escapes it for HTML, and isolates it with `<bdi>` or `dir="auto"`, so that right-to-left letters do not
/// reorder the text beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown(String);

impl Shown {
    pub(crate) fn new(text: impl fmt::Display) -> Self {
        Self(visible(&text.to_string()).into_owned())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
