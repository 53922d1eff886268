//! Text from outside, as a page shows it.

use std::fmt;

use crate::visible::visible;

/// Text that came from outside, with what does not print written out: nobody is taken for another because a character turns
/// the rest around, or is not to be seen. What stands in a form to be sent back is no such text: it has to stay as it is.
///
/// The template escapes it for HTML, and isolates it with `<bdi>` or `dir="auto"`: letters that run from right to left must
/// not draw what stands beside them along.
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
