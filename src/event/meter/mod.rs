//! Metrics, with the feature `metrics`. Without it, a type of the same name that does nothing and costs nothing.

#[cfg(feature = "metrics")]
mod description;
#[cfg(feature = "metrics")]
mod facade;
#[cfg(not(feature = "metrics"))]
mod silent;

#[cfg(feature = "metrics")]
pub(crate) use self::facade::Meter;
#[cfg(not(feature = "metrics"))]
pub(crate) use self::silent::Meter;

/// The outcome of a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The session is live.
    Live,
    /// The session exists but is not live.
    NotLive,
    /// No session has this token.
    Unknown,
    /// The session is live, but its account may not be used.
    AccountRefused,
    /// The database did not say.
    Unavailable,
}
