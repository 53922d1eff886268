//! Times for people: how long ago, and exact.

use std::time::Duration;

use askama::{Template, filters::HtmlSafe};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use timeago::{Formatter, TimeUnit};

/// A time, ready to show: relative, with the exact time as its tooltip.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(path = "parts/when.html")]
pub(crate) struct When {
    /// `3 minutes ago`, `in 29 days`.
    pub(crate) relative: String,
    /// `23 Nov 2026, 14:40:05 UTC`.
    pub(crate) exact: String,
    /// RFC 3339, for the `datetime` attribute.
    pub(crate) machine: String,
}

impl HtmlSafe for When {}

impl When {
    /// The time `at`, relative to `now`. Only what the page shows depends on this node's clock.
    pub(crate) fn new(at: OffsetDateTime, now: OffsetDateTime) -> Self {
        Self {
            relative: relative(at, now),
            exact: exact(at),
            machine: machine(at),
        }
    }
}

fn relative(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let distance = (now - at).unsigned_abs();
    if distance < Duration::from_secs(60) {
        return "just now".into();
    }
    let mut words = Formatter::new();
    words.min_unit(TimeUnit::Minutes);
    match at < now {
        true => words.convert(distance),
        false => format!("in {}", words.ago("").convert(distance).trim_end()),
    }
}

fn exact(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let month = at.month().to_string();
    let month: String = month.chars().take(3).collect();
    let (hour, minute, second) = at.to_hms();
    format!(
        "{} {month} {}, {hour:02}:{minute:02}:{second:02} UTC",
        at.day(),
        at.year()
    )
}

fn machine(at: OffsetDateTime) -> String {
    // Formatting fails only for years beyond four digits, which the database does not have.
    at.to_offset(time::UtcOffset::UTC)
        .format(&Rfc3339)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

    use super::When;

    fn shown(at: &str, now: &str) -> (String, String, String) {
        let read = |text| OffsetDateTime::parse(text, &Rfc3339).unwrap();
        let when = When::new(read(at), read(now));
        (when.relative, when.exact, when.machine)
    }

    #[test]
    fn a_moment_is_shown_relative_exact_and_for_machines() {
        let (relative, exact, machine) = shown("2026-11-03T04:05:06.789Z", "2026-11-03T04:08:30Z");
        assert_eq!(relative, "3 minutes ago");
        assert_eq!(exact, "3 Nov 2026, 04:05:06 UTC");
        assert_eq!(machine, "2026-11-03T04:05:06.789Z");
        let (_, exact, machine) = shown("2026-11-03T00:05:06+02:00", "2026-11-03T04:08:30Z");
        assert_eq!(exact, "2 Nov 2026, 22:05:06 UTC");
        assert_eq!(machine, "2026-11-02T22:05:06Z");
    }

    #[test]
    fn distances_have_words() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let cases = [
            (Duration::ZERO, "just now"),
            (Duration::seconds(59), "just now"),
            (Duration::seconds(-59), "just now"),
            (Duration::seconds(60), "1 minute ago"),
            (Duration::minutes(59), "59 minutes ago"),
            (Duration::hours(1), "1 hour ago"),
            (Duration::hours(47), "1 day ago"),
            (Duration::days(6), "6 days ago"),
            (Duration::days(400), "1 year ago"),
            (Duration::minutes(-2), "in 2 minutes"),
            (Duration::days(-3), "in 3 days"),
        ];
        for (ago, words) in cases {
            assert_eq!(When::new(now - ago, now).relative, words);
        }
    }
}
