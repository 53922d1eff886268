//! The builder's durations that say how long a session lives.

use std::time::Duration;

use super::SessionsBuilder;

impl SessionsBuilder {
    /// How long a session lives without a request. Default: 30 minutes (ASVS 5.0, 7.3.1). At most the absolute timeout. A
    /// change applies to all sessions at once.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// How long a remembered session lives without a request: one that was made with
    /// [`remember`](crate::Login::remember), whose cookie outlives the browser. Default: the
    /// [`idle_timeout`](Self::idle_timeout). At least that, and at most the absolute timeout. A change applies to all sessions
    /// at once.
    ///
    /// Without it a remembered session ends after the same half hour as any other: the cookie is still there, and opens
    /// nothing.
    pub fn remembered_idle_timeout(mut self, timeout: Duration) -> Self {
        self.remembered_idle_timeout = Some(timeout);
        self
    }

    /// How long a session lives in all, from its sign-in. Default: 30 days (ASVS 5.0, 7.3.2). A change applies to
    /// sessions made from then on.
    pub fn absolute_timeout(mut self, timeout: Duration) -> Self {
        self.absolute_timeout = timeout;
        self
    }

    /// How long an administrator may act as a user, from [`login_as`](crate::Session::login_as) on. Default: one hour, or the
    /// absolute timeout if that is shorter. At most the absolute timeout. The idle timeout applies as well.
    pub fn acting_timeout(mut self, timeout: Duration) -> Self {
        self.acting_timeout = Some(timeout);
        self
    }

    /// How far `last_seen_at` may lag behind: it is written at most once per interval. Default: 60 seconds, or a quarter
    /// of the idle timeout if that is shorter. At most half of the idle timeout.
    pub fn touch_interval(mut self, interval: Duration) -> Self {
        self.touch_interval = Some(interval);
        self
    }

    /// How long the old token stays good after a rotation, for requests that are under way. Default: 10 seconds; zero is
    /// allowed, and lets requests that run in parallel with a rotation be anonymous. A second rotation within the grace
    /// ends the first one's.
    pub fn rotation_grace(mut self, grace: Duration) -> Self {
        self.rotation_grace = grace;
        self
    }

    /// How long a sign-in may take from [`login`](crate::Session::login) to its response. Default: 60 seconds. Later, the
    /// response is replaced by a 503.
    pub fn reservation_timeout(mut self, timeout: Duration) -> Self {
        self.reservation_timeout = timeout;
        self
    }

    /// How long ended sessions are kept for listings and audits before they are swept. Default: 30 days; zero is allowed, and
    /// leaves nothing for [`Session::ended_reason`](crate::Session::ended_reason) to tell after the next sweep.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }
}
