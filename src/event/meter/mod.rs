//! Numbers for dashboards, with the feature `metrics`; without it, a twin that does nothing and costs nothing.

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

/// What became of a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The session is live.
    Live,
    /// It is there, and is not live.
    NotLive,
    /// No session has this token.
    Unknown,
    /// It is live, and its account may not be used.
    AccountRefused,
    /// Not known.
    Unavailable,
}
