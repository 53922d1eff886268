//! The builder's bounds: how long things may take, and how much may be under way.

use std::time::Duration;

use super::SessionsBuilder;

impl SessionsBuilder {
    /// How long a request or an operation waits for the database before the answer is 503. Default: 2 seconds. Sweeping,
    /// and ending many sessions with one filter, work in batches, and each step has the budget for itself.
    pub fn time_budget(mut self, budget: Duration) -> Self {
        self.lanes.time_budget = budget;
        self
    }

    /// How many sessions may wait to be verified; requests of further ones get a 503 at once. Default: 4096.
    ///
    /// Requests that wait for the same session share its place, up to 1,024 of them: one browser cannot fill the queue for
    /// the others. A client that hangs up leaves the queue at once.
    pub fn queue_capacity(mut self, sessions: usize) -> Self {
        self.lanes.queue_capacity = sessions;
        self
    }

    /// How often the sessions of long-lived connections are verified again, all of them in one statement. Default: one
    /// second. Nothing is asked while there are none. See [`Session::ended`](crate::Session::ended).
    pub fn watch_interval(mut self, interval: Duration) -> Self {
        self.watch.interval = interval;
        self
    }

    /// How long long-lived connections go on while the database is away. Default: 60 seconds; zero is allowed, and ends
    /// them at the first round that fails. Looked at in each round, so an interval and a time budget may come on top.
    pub fn watch_grace(mut self, grace: Duration) -> Self {
        self.watch.grace = grace;
        self
    }

    /// How many connections of its own countersign may have open at once. Default: [`max_lanes`](Self::max_lanes) and
    /// eight more; at least `max_lanes` and four more.
    ///
    /// Nothing of countersign runs on the connections of the pool that was handed in: it only says where and how to
    /// connect. Beyond one for each lane and one more for look-ups, they are shared out to sign-ins, to endings and to what
    /// can wait, so that none of these waits for another. They are opened when they are needed, and closed again
    /// after the pool's `idle_timeout` and `max_lifetime`. The server sees the pool's connections and these.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = Some(connections);
        self
    }

    /// How many verification statements may be under way at once, each on a [connection](Self::connections) of its own. Default: 4. A near
    /// database needs one, and gets one; more open by themselves when answers take long.
    pub fn max_lanes(mut self, lanes: usize) -> Self {
        self.lanes.max_lanes = lanes;
        self
    }
}
