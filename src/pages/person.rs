//! A user, as pages show one.

use std::fmt;

use super::shown::Shown;
use crate::user_id::UserId;

/// By the display name, with the id beside it; by the id alone where there is no name. The id is always there, since
/// users can choose names that look like others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    id: Shown,
    name: Option<Shown>,
}

impl Person {
    pub(crate) fn new(id: &UserId, name: Option<&str>) -> Self {
        Self {
            id: Shown::new(id),
            name: name.map(Shown::new),
        }
    }

    /// The name, or else the id.
    pub(crate) fn called(&self) -> &Shown {
        self.name.as_ref().unwrap_or(&self.id)
    }

    /// The id, where the name is shown.
    pub(crate) fn beside(&self) -> Option<&Shown> {
        self.name.is_some().then_some(&self.id)
    }
}

/// Both in one line of text.
impl fmt::Display for Person {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.beside() {
            Some(id) => write!(formatter, "{} ({id})", self.called()),
            None => self.called().fmt(formatter),
        }
    }
}
