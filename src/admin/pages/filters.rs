//! The form of filters: its fields, and what is wrong with them.

use askama::{Template, filters::HtmlSafe};
use percent_encoding::percent_decode_str;
use time::{OffsetDateTime, UtcOffset};

use crate::{
    pages::{Shown, Trouble},
    store::SessionState,
    web::{conditions::Conditions, params::Fields, refusal::Refusal},
};

/// The form lists live sessions by default; this state lists the others too.
const ALL: &str = "all";

/// The labels of the fields, by the names of their parameters.
const LABELS: [(&str, &str); 8] = [
    ("user_id", "User"),
    ("acting_user", "Acting user"),
    ("state", "State"),
    ("ip", "IP address"),
    ("user_agent", "User agent contains"),
    ("display_name", "Name contains"),
    ("created_after", "Signed in after (UTC)"),
    ("created_before", "Signed in before (UTC)"),
];

const TIMES: [&str; 2] = ["created_after", "created_before"];

/// Reads the conditions of a form. Without a state it means live sessions. Times may lack seconds and an offset, as
/// browsers send them.
pub(super) fn conditions(fields: &mut Fields) -> Result<Conditions, Refusal> {
    let state = match fields.text("state")?.as_deref() {
        None | Some("live") => Some(SessionState::Live),
        Some("ended") => Some(SessionState::Ended),
        Some(ALL) => None,
        Some(_) => return Err(Refusal::parameter("state", "must be live, ended or all")),
    };
    for name in TIMES {
        if let Some(text) = fields.text(name)? {
            fields.add(name.into(), with_offset(text).into())?;
        }
    }
    let mut conditions = Conditions::take_from(fields)?;
    conditions.state = state;
    Ok(conditions)
}

/// The same for a list, which can also look for a part of the user's name.
pub(super) fn of_list(fields: &mut Fields) -> Result<Conditions, Refusal> {
    let display_name = Conditions::display_name(fields)?;
    Ok(Conditions {
        display_name,
        ..conditions(fields)?
    })
}

/// `2026-01-31T23:59` becomes `2026-01-31T23:59:00Z`; any other text stays unchanged.
fn with_offset(text: String) -> String {
    let is_local = |length: usize| {
        text.len() >= length
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                10 => byte == b'T',
                13 | 16 => byte == b':',
                19 => byte == b'.',
                _ => byte.is_ascii_digit(),
            })
    };
    match text.len() {
        16 if is_local(16) => format!("{text}:00Z"),
        19 | 21..=29 if is_local(19) => format!("{text}Z"),
        _ => text,
    }
}

/// The same conditions as the fields of a form.
pub(super) fn pairs(conditions: &Conditions) -> Vec<(&'static str, String)> {
    let mut pairs = conditions.pairs();
    match conditions.state {
        Some(SessionState::Live) => pairs.retain(|(name, _)| *name != "state"),
        Some(SessionState::Ended) => {}
        None => pairs.push(("state", ALL.into())),
    }
    pairs
}

/// The conditions with their labels, to show.
pub(super) fn in_words(conditions: &Conditions) -> Vec<(&'static str, Shown)> {
    let in_words = conditions.pairs().into_iter().filter_map(|(name, value)| {
        let (_, label) = LABELS.iter().find(|(known, _)| *known == name)?;
        Some((*label, value))
    });
    in_words
        .filter(|(label, _)| *label != "State")
        .map(|(label, value)| (label, Shown::new(value)))
        .collect()
}

/// The problem, with the field that caused it.
pub(super) fn trouble(refusal: &Refusal) -> Trouble {
    let known = refusal
        .parameter_name()
        .and_then(|at_fault| LABELS.iter().find(|(name, _)| *name == at_fault));
    match known {
        Some((name, label)) => {
            let fault = match TIMES.contains(name) {
                true => "must be a date and a time, such as 2026-01-31T23:59",
                false => refusal.fault(),
            };
            Trouble::with(name, format!("{label} {fault}."))
        }
        None => Trouble::new(refusal.detail()),
    }
}

/// One field of the form.
#[derive(Debug, Template)]
#[template(path = "parts/field.html")]
pub(super) struct Field {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: String,
    problem: Option<String>,
}

impl HtmlSafe for Field {}

impl Field {
    fn is_time(&self) -> bool {
        TIMES.contains(&self.name)
    }

    /// The value with hidden characters written out, if it has any. The field itself must send back the original value.
    fn in_full(&self) -> Option<Shown> {
        let shown = Shown::new(&self.value);
        (shown.to_string() != self.value).then_some(shown)
    }
}

/// The whole form.
#[derive(Debug)]
pub(super) struct Filters {
    pub(super) user_id: Field,
    pub(super) acting_user: Field,
    pub(super) state: String,
    pub(super) state_problem: Option<String>,
    pub(super) ip: Field,
    pub(super) user_agent: Field,
    pub(super) display_name: Field,
    /// Whether the application has names to look for.
    pub(super) has_names: bool,
    pub(super) created_after: Field,
    pub(super) created_before: Field,
}

impl Filters {
    /// The form with the conditions that were read.
    pub(super) fn of(conditions: &Conditions, has_names: bool) -> Self {
        let pairs = pairs(conditions);
        let times = [conditions.created_after, conditions.created_before];
        Self::filled(has_names, None, |name| {
            match TIMES.iter().position(|time| *time == name) {
                Some(number) => times
                    .get(number)
                    .copied()
                    .flatten()
                    .map(local)
                    .unwrap_or_default(),
                None => {
                    let pair = pairs.iter().find(|(known, _)| *known == name);
                    pair.map(|(_, value)| value.clone()).unwrap_or_default()
                }
            }
        })
    }

    /// The form as it was sent, with the problem.
    pub(super) fn as_sent(query: &str, trouble: &Trouble, has_names: bool) -> Self {
        Self::filled(has_names, Some(trouble), |name| {
            let sent = query.split('&').filter_map(|pair| pair.split_once('='));
            let value = sent
                .filter(|(known, _)| *known == name)
                .map(|(_, value)| value)
                .next_back();
            let value = value.unwrap_or_default().replace('+', " ");
            percent_decode_str(&value).decode_utf8_lossy().into_owned()
        })
    }

    fn filled(
        has_names: bool,
        trouble: Option<&Trouble>,
        value_of: impl Fn(&str) -> String,
    ) -> Self {
        let problem_of = |name: &str| {
            let trouble = trouble.filter(|trouble| trouble.field == Some(name));
            trouble.map(|trouble| trouble.text.clone())
        };
        let field = |name: &'static str, label: &'static str| Field {
            name,
            label,
            kind: if TIMES.contains(&name) {
                "datetime-local"
            } else {
                "text"
            },
            value: value_of(name),
            problem: problem_of(name),
        };
        let [
            user_id,
            acting_user,
            _,
            ip,
            user_agent,
            display_name,
            created_after,
            created_before,
        ] = LABELS;
        let of = |(name, label)| field(name, label);
        Self {
            user_id: of(user_id),
            acting_user: of(acting_user),
            state: value_of("state"),
            state_problem: problem_of("state"),
            ip: of(ip),
            user_agent: of(user_agent),
            display_name: of(display_name),
            has_names,
            created_after: of(created_after),
            created_before: of(created_before),
        }
    }

    /// The labels of the states, by their value in the form.
    pub(super) const STATES: [(&str, &str); 3] =
        [("live", "Live"), ("ended", "Ended"), (ALL, "All")];

    fn rare(&self) -> [&Field; 5] {
        [
            &self.acting_user,
            &self.ip,
            &self.user_agent,
            &self.created_after,
            &self.created_before,
        ]
    }

    /// Whether a folded-away field has a value or a problem.
    pub(super) fn more_are_used(&self) -> bool {
        let says_something = |field: &&Field| !field.value.is_empty() || field.problem.is_some();
        self.rare().iter().any(says_something)
    }

    /// Whether the form has its default values.
    pub(super) fn is_usual(&self) -> bool {
        let is_live = matches!(self.state.as_str(), "" | "live");
        self.user_id.value.is_empty()
            && self.display_name.value.is_empty()
            && is_live
            && !self.more_are_used()
    }
}

/// The time in the form of an input of the type `datetime-local`.
fn local(time: OffsetDateTime) -> String {
    let time = time.to_offset(UtcOffset::UTC);
    let (date, (hour, minute, second)) = (time.date(), time.to_hms());
    format!("{date}T{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::with_offset;

    #[test]
    fn times_of_browsers_are_utc() {
        for (sent, read) in [
            ("2026-01-31T23:59", "2026-01-31T23:59:00Z"),
            ("2026-01-31T23:59:01", "2026-01-31T23:59:01Z"),
            ("2026-01-31T23:59:01.5", "2026-01-31T23:59:01.5Z"),
            ("2026-01-31T23:59:01Z", "2026-01-31T23:59:01Z"),
            ("2026-01-31T23:59:01+02:00", "2026-01-31T23:59:01+02:00"),
            ("2026-01-31", "2026-01-31"),
            ("yesterday at noon", "yesterday at noon"),
        ] {
            assert_eq!(with_offset(sent.into()), read);
        }
    }
}
