//! Messages, questions and usage on stderr.

use std::io::{self, IsTerminal, Write};

use super::{escape, failure::Exit};

/// Writes a message. It ignores failures, since a closed stderr must not stop the command.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{}", escape::lines_for_terminal(text));
}

/// Writes a message that is already safe to show.
pub(crate) fn say_shown(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Whether stdin is a terminal, so that a person can answer.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal()
}

/// Whether stderr is a terminal, so that a person sees a progress bar.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Asks a question. Only the answer "yes" counts as yes.
pub(crate) fn ask(question: &str) -> io::Result<bool> {
    let mut stderr = io::stderr();
    write!(
        stderr,
        "{} Type yes to go on: ",
        escape::lines_for_terminal(question)
    )?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

/// Shows help, the version, or the error in the arguments.
pub(crate) fn show_usage(error: &clap::Error) -> Exit {
    let exit = match error.use_stderr() {
        true => Exit::Usage,
        false => Exit::Done,
    };
    // clap quotes arguments that it does not understand. One may be a database's address in the wrong place.
    match error.use_stderr() && error.to_string().contains("://") {
        true => say(&format!(
            "{}\nPut the database's address into the environment as DATABASE_URL, or after --database-url. \
             For more information, try '--help'.",
            without_addresses(error.to_string().lines().next().unwrap_or_default())
                .trim_end_matches('\'')
        )),
        false => drop(error.print()),
    }
    exit
}

/// The text up to the first word that looks like an address, since that may contain a password.
fn without_addresses(text: &str) -> String {
    match text.split_once("://") {
        None => text.to_owned(),
        Some((before, _)) => {
            let scheme = before
                .rsplit(|character: char| !character.is_ascii_alphanumeric())
                .next();
            let kept = before.len() - scheme.map_or(0, str::len);
            before.get(..kept).unwrap_or_default().to_owned()
        }
    }
}
