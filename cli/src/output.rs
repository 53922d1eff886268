//! The result on stdout, as a table or as JSON.

use std::io::{self, BufWriter, StdoutLock, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::escape;

/// The format of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people, with untrusted text escaped
    Table,
    /// The same field names and forms as the HTTP API
    Json,
}

/// The writer of results.
pub(crate) struct Output {
    pub(crate) format: Format,
    stdout: BufWriter<StdoutLock<'static>>,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            stdout: BufWriter::new(io::stdout().lock()),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Writes text that is already safe to show.
    pub(crate) fn write(&mut self, text: &str) -> io::Result<()> {
        self.stdout.write_all(text.as_bytes())
    }

    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.write(text)?;
        self.write("\n")
    }

    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let json = serde_json::to_string(value).map_err(io::Error::other)?;
        self.write(&escape::json_for_terminal(&json))
    }

    /// Writes the whole result: one JSON value on its own line, or lines of text.
    pub(crate) fn result(&mut self, json: &impl Serialize, text: &str) -> io::Result<()> {
        match self.format {
            Format::Json => self.json(json)?,
            Format::Table => self.write(text)?,
        }
        self.write("\n")?;
        self.flush()
    }

    /// Writes buffered output, and reports a failure: an incomplete result must not exit with 0.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }
}
