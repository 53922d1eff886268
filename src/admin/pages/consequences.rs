//! What an ending would do, before it is done.

use askama::{Template, filters::HtmlSafe};

use crate::store::ending::Tally;

/// How many sessions end, and how many stay.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "parts/consequences.html")]
pub(super) struct Consequences {
    pub(super) ended: u64,
    kept: u64,
}

impl HtmlSafe for Consequences {}

impl From<Tally> for Consequences {
    fn from(Tally { ended, kept }: Tally) -> Self {
        Self { ended, kept }
    }
}

impl Consequences {
    /// What the button says.
    pub(super) fn button(self) -> String {
        format!("End {}", sessions(self.ended))
    }

    fn counted(&self) -> String {
        sessions(self.ended)
    }
}

/// What was done.
pub(super) fn done(Tally { ended, kept }: Tally) -> String {
    let ended = match ended {
        1 => "1 session has ended.".to_owned(),
        _ => format!("{ended} sessions have ended."),
    };
    match kept {
        0 => ended,
        1 => format!("{ended} 1 session stays: it is your own, or you may not end it."),
        _ => format!("{ended} {kept} sessions stay: they are your own, or you may not end them."),
    }
}

fn sessions(number: u64) -> String {
    match number {
        1 => "1 session".into(),
        _ => format!("{number} sessions"),
    }
}
