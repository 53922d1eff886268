//! The pieces that statements share, above all the one definition of "live".

use std::{sync::Arc, time::Duration};

use super::dialect::Dialect;

/// Durations that are part of the statements' text. They are configuration, so they are no parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timings {
    pub(crate) idle_timeout: Duration,
    /// Of sessions whose cookies outlive the browser.
    pub(crate) remembered_idle_timeout: Duration,
    pub(crate) absolute_timeout: Duration,
    pub(crate) touch_interval: Duration,
    pub(crate) rotation_grace: Duration,
    pub(crate) reservation_timeout: Duration,
    pub(crate) acting_timeout: Duration,
    pub(crate) retention: Duration,
    /// The longest that a statement may run.
    pub(crate) time_budget: Duration,
}

#[derive(Clone, Debug)]
pub(crate) struct Fragments {
    pub(crate) dialect: Dialect,
    /// Configuration too, and checked there: nothing in it needs quoting.
    pub(crate) realm: Arc<str>,
    pub(crate) timings: Timings,
}

impl Fragments {
    /// The text of a tag, or nothing where there is no such tag.
    pub(crate) fn resolve(&self, tag: &str) -> Option<String> {
        let (dialect, timings, now) = (self.dialect, &self.timings, self.dialect.now());
        let idle_since = dialect.ago(timings.idle_timeout);
        let kept_since = dialect.ago(timings.remembered_idle_timeout);
        let seen_since = of_two("remembered", &kept_since, &idle_since);
        Some(match tag {
            "now" => now,
            "realm" => format!("'{}'", self.realm),
            // Every statement that finds sessions or users by anything but an id that was found so, says this.
            "in_realm" => format!("realm = '{}'", self.realm),
            // Reserved no longer, not ended, neither timeout passed. Verifier, limits, listings, revocations and touches
            // all say exactly this.
            "live" => format!(
                "(ended_at IS NULL AND reserved_until IS NULL AND last_seen_at > {seen_since} AND expires_at > {now})"
            ),
            "reserved" => {
                format!(
                    "(ended_at IS NULL AND reserved_until IS NOT NULL AND reserved_until > {now})"
                )
            }
            // However long a statement with this condition waits for a row, the reservation does not lapse meanwhile.
            "reserved_beyond_budget" => {
                let end = dialect.ahead(timings.time_budget);
                format!(
                    "(ended_at IS NULL AND reserved_until IS NOT NULL AND reserved_until > {end})"
                )
            }
            // The old token of a rotation is still accepted.
            "in_grace" => format!("previous_until > {now}"),
            "instant_now" => dialect.instant(&now),
            "idle_since" => idle_since,
            "kept_since" => kept_since,
            "forget_until" => dialect.ago(timings.retention),
            "lapsed" => format!("reserved_until <= {now}"),
            "idle" => format!(
                "(ended_at IS NULL AND reserved_until IS NULL AND last_seen_at <= {seen_since})"
            ),
            "overdue" => {
                format!("(ended_at IS NULL AND reserved_until IS NULL AND expires_at <= {now})")
            }
            "expired_at" => self.expired_at(),
            "expired_at_micros" => dialect.micros(&self.expired_at()),
            "forgettable" => format!("ended_at <= {}", dialect.ago(timings.retention)),
            "expired_long_ago" => {
                format!(
                    "{} <= {}",
                    self.expired_at(),
                    dialect.ago(timings.retention)
                )
            }
            "lately" => dialect.ago(Duration::from_secs(10)),
            "touch_due" => format!("last_seen_at <= {}", dialect.ago(timings.touch_interval)),
            "absolute_end" => dialect.ahead(timings.absolute_timeout),
            "reservation_end" => dialect.ahead(timings.reservation_timeout),
            "grace_end" => dialect.ahead(timings.rotation_grace),
            // Of two conditions SQLite may take the other one, by whatever index.
            "by_id" if dialect == Dialect::Sqlite => {
                " INDEXED BY sqlite_autoindex_countersign_sessions_1".to_owned()
            }
            "by_id" => String::new(),
            "lock" => dialect.for_update().to_owned(),
            "lock_free" => dialect.for_update_skip_locked().to_owned(),
            // The column holds how long the administrator's own session could have lasted.
            "acting_end" => dialect.earlier(&dialect.ahead(timings.acting_timeout), "expires_at"),
            _ => return self.resolve_column(tag),
        })
    }

    fn resolve_column(&self, tag: &str) -> Option<String> {
        let (function, column) = tag.split_once(':')?;
        let dialect = self.dialect;
        Some(match function {
            "id" => dialect.id(column),
            "micros" => dialect.micros(column),
            "instant" => dialect.instant(column),
            "micros_since" => format!(
                "{} - {}",
                dialect.micros(&dialect.now()),
                dialect.micros(column)
            ),
            "micros_until" => format!(
                "{} - {}",
                dialect.micros(column),
                dialect.micros(&dialect.now())
            ),
            "flag" => dialect.boolean(&self.resolve(column).unwrap_or_else(|| column.to_owned())),
            "integer" => dialect.integer(column),
            _ => return None,
        })
    }

    /// When a session that ran out came to its end.
    fn expired_at(&self) -> String {
        let (dialect, timings) = (self.dialect, &self.timings);
        let idle = |timeout| dialect.later("last_seen_at", timeout);
        let idle = of_two(
            "remembered",
            &idle(timings.remembered_idle_timeout),
            &idle(timings.idle_timeout),
        );
        dialect.earlier("expires_at", &idle)
    }
}

/// One or the other, and no question where they are the same.
fn of_two(condition: &str, one: &str, other: &str) -> String {
    match one == other {
        true => one.to_owned(),
        false => format!("CASE WHEN {condition} THEN {one} ELSE {other} END"),
    }
}
