//! The form for a user's own maximum of sessions.

use crate::{
    session::MaxSessions,
    web::{params::Fields, refusal::Refusal},
};

/// The chosen option, and the number beside it as it was typed.
#[derive(Clone, Debug)]
pub(super) struct LimitForm {
    choice: Choice,
    number: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Usual,
    AtMost,
    Unlimited,
}

impl LimitForm {
    pub(super) fn of(limit: Option<MaxSessions>) -> Self {
        let (choice, number) = match limit {
            None => (Choice::Usual, String::new()),
            Some(MaxSessions::AtMost(max)) => (Choice::AtMost, max.to_string()),
            Some(MaxSessions::Unlimited) => (Choice::Unlimited, String::new()),
        };
        Self { choice, number }
    }

    pub(super) fn read(fields: &mut Fields) -> Result<Self, Refusal> {
        let choice = match fields.text("limit")?.as_deref() {
            Some("usual") => Choice::Usual,
            Some("at-most") => Choice::AtMost,
            Some("unlimited") => Choice::Unlimited,
            _ => {
                let fault = "must be usual, at-most or unlimited";
                return Err(Refusal::parameter("limit", fault));
            }
        };
        Ok(Self {
            choice,
            number: fields.text("max_sessions")?.unwrap_or_default(),
        })
    }

    pub(super) fn is_usual(&self) -> bool {
        self.choice == Choice::Usual
    }

    pub(super) fn is_at_most(&self) -> bool {
        self.choice == Choice::AtMost
    }

    pub(super) fn is_unlimited(&self) -> bool {
        self.choice == Choice::Unlimited
    }

    pub(super) fn number(&self) -> &str {
        &self.number
    }

    /// The limit in words, for administrators who may not change it.
    pub(super) fn words(&self) -> String {
        match self.choice {
            Choice::Usual => "The usual limit applies to this user.".into(),
            Choice::AtMost if self.number == "1" => "This user may have 1 session at once.".into(),
            Choice::AtMost => format!("This user may have {} sessions at once.", self.number),
            Choice::Unlimited => "This user may have any number of sessions.".into(),
        }
    }
}

/// The chosen maximum. It ignores the number beside any other choice, since browsers always send that field.
pub(super) fn read_limit(sent: &LimitForm) -> Result<Option<MaxSessions>, Refusal> {
    match sent.choice {
        Choice::Usual => Ok(None),
        Choice::Unlimited => Ok(Some(MaxSessions::Unlimited)),
        Choice::AtMost => {
            let number = sent.number.trim();
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            match number.parse() {
                Ok(max) if digits => Ok(Some(MaxSessions::AtMost(max))),
                _ => Err(Refusal::parameter(
                    "max_sessions",
                    "must be a whole number from 0 to 4294967295",
                )),
            }
        }
    }
}
