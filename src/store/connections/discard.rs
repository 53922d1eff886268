//! Why connections of ours are closed before their time.

use std::fmt;

/// Why a connection was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionDiscard {
    /// It came with an open transaction, which a hook of the pool, `after_connect`, must have left: what is read in it is
    /// old, and what is written in it may never be committed.
    OpenTransaction,
    /// It leads to a server that only reads: a replica or a standby. What it knows is old.
    ReadOnly,
    /// It broke, or was found broken.
    Broken,
    /// Its answer came after the [`time_budget`](crate::SessionsBuilder::time_budget), or after its request had gone.
    Unanswered,
}

impl ConnectionDiscard {
    #[cfg(feature = "metrics")]
    pub(crate) const ALL: [Self; 4] = [
        Self::OpenTransaction,
        Self::ReadOnly,
        Self::Broken,
        Self::Unanswered,
    ];

    /// The word in logs and labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenTransaction => "open-transaction",
            Self::ReadOnly => "read-only",
            Self::Broken => "broken",
            Self::Unanswered => "unanswered",
        }
    }
}

/// The listener.
pub(crate) struct OnDiscard(Box<dyn Fn(ConnectionDiscard) + Send + Sync>);

impl OnDiscard {
    pub(crate) fn new(listener: impl Fn(ConnectionDiscard) + Send + Sync + 'static) -> Self {
        Self(Box::new(listener))
    }

    pub(super) fn hear(&self, why: ConnectionDiscard) {
        (self.0)(why);
    }
}

impl fmt::Debug for OnDiscard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OnDiscard").finish_non_exhaustive()
    }
}
