//! What an ending would do, shown before it is done.

use askama::{Template, filters::HtmlSafe};

use crate::store::ending::Tally;

/// How many sessions end, and how many stay.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "parts/consequences.html")]
pub(super) struct Consequences {
    pub(super) ended: u64,
    kept: u64,
    /// Time ran out before all of them were counted.
    incomplete: bool,
}

impl HtmlSafe for Consequences {}

impl From<Tally> for Consequences {
    fn from(tally: Tally) -> Self {
        Self {
            ended: tally.ended,
            kept: tally.kept,
            incomplete: tally.incomplete,
        }
    }
}

impl Consequences {
    /// The label of the button.
    pub(super) fn button(self) -> String {
        match self.incomplete {
            true => "End these sessions".into(),
            false => format!("End {}", sessions(self.ended)),
        }
    }

    fn counted(&self) -> String {
        match self.incomplete {
            true => format!("At least {}", sessions(self.ended)),
            false => sessions(self.ended),
        }
    }
}

/// The message after an ending.
pub(super) fn done(tally: Tally) -> String {
    let ended = match tally.ended {
        1 => "1 session has ended.".to_owned(),
        number => format!("{number} sessions have ended."),
    };
    let ended = match tally.incomplete {
        true => {
            format!(
                "{ended} Time ran out before all of them had ended: repeat this to end the rest."
            )
        }
        false => ended,
    };
    match tally.kept {
        0 => ended,
        1 => format!("{ended} 1 session stays: it is your own, or you may not end it."),
        kept => {
            format!("{ended} {kept} sessions stay: they are your own, or you may not end them.")
        }
    }
}

fn sessions(number: u64) -> String {
    match number {
        1 => "1 session".into(),
        _ => format!("{number} sessions"),
    }
}
