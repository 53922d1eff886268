//! The names of the metrics, and their descriptions for exporters.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(super) const VERIFICATIONS: &str = "countersign_verifications_total";
pub(super) const DURATION: &str = "countersign_verification_duration_seconds";
pub(super) const BATCH: &str = "countersign_verification_batch_sessions";
pub(super) const QUEUE: &str = "countersign_verification_queue_requests";
pub(super) const TOUCHES: &str = "countersign_touches_total";
pub(super) const TOUCHES_MISSED: &str = "countersign_touches_missed_total";
pub(super) const SWEEPS: &str = "countersign_sweeps_total";
pub(super) const SWEPT: &str = "countersign_swept_sessions_total";
pub(super) const STORE_UP: &str = "countersign_store_up";

/// Describes the metrics to the installed recorder.
pub(super) fn describe() {
    describe_counter!(
        VERIFICATIONS,
        Unit::Count,
        "Look-ups of session cookies, by outcome."
    );
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "How long requests waited for their look-up."
    );
    describe_histogram!(
        BATCH,
        Unit::Count,
        "How many sessions a verification statement asked for."
    );
    describe_gauge!(
        QUEUE,
        Unit::Count,
        "How many requests wait for a verification statement."
    );
    describe_counter!(
        TOUCHES,
        Unit::Count,
        "Sessions whose last_seen_at was written."
    );
    describe_counter!(
        TOUCHES_MISSED,
        Unit::Count,
        "Sessions whose last_seen_at could not be written."
    );
    describe_counter!(SWEEPS, Unit::Count, "Sweeps, by outcome.");
    describe_counter!(
        SWEPT,
        Unit::Count,
        "Rows that sweeps have deleted, by kind."
    );
    describe_gauge!(
        STORE_UP,
        Unit::Count,
        "1 while the database can be reached, otherwise 0."
    );
    for (name, what) in [
        ("countersign_sign_ins_total", "Sign-ins."),
        (
            "countersign_sign_ins_refused_total",
            "Sign-ins refused, by reason.",
        ),
        (
            "countersign_sign_ins_failed_total",
            "Sign-ins that the database did not carry out.",
        ),
        (
            "countersign_sessions_ended_total",
            "Sessions ended by this process, by reason.",
        ),
        (
            "countersign_logouts_ineffective_total",
            "Logouts that ended no session, since the cookie could not be read, by reason.",
        ),
        (
            "countersign_rotations_total",
            "New tokens for sessions that go on.",
        ),
        (
            "countersign_reauthentications_total",
            "Users who proved again who they are.",
        ),
        (
            "countersign_cookies_rejected_total",
            "Session cookies rejected, by reason.",
        ),
        (
            "countersign_accounts_refused_total",
            "Requests of accounts that may not be used.",
        ),
        (
            "countersign_permissions_missing_total",
            "Refusals for lack of a permission.",
        ),
        (
            "countersign_limits_set_total",
            "Changes of users' own maxima of sessions.",
        ),
        (
            "countersign_authorizations_refused_total",
            "Refusals of administrators who may not manage a user's sessions.",
        ),
        (
            "countersign_cross_site_requests_refused_total",
            "Refused requests that other sites' pages sent to change something.",
        ),
        (
            "countersign_verifications_failed_total",
            "Look-ups that failed, other than during outages, by reason.",
        ),
        (
            "countersign_store_outages_total",
            "How many times the database could not be reached.",
        ),
        (
            "countersign_connections_discarded_total",
            "Connections of countersign's own that it closed early, by reason.",
        ),
        (
            "countersign_events_dropped_total",
            "Events that did not fit into the hook's queue.",
        ),
    ] {
        describe_counter!(name, Unit::Count, what);
    }
}
