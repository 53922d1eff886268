//! What goes to stderr, and what is asked: messages, questions, usage.

use std::io::{self, IsTerminal, Write};

use super::{escape, failure::Exit};

/// Says something beside the result. Nobody may be listening; that changes nothing.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{}", escape::lines_for_terminal(text));
}

/// Says what is safe to show already.
pub(crate) fn say_shown(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Whether somebody could be asked.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal()
}

/// Whether somebody watches the messages.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Asks a question that only "yes" answers with yes.
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

/// Shows help, the version, or what is wrong with the arguments.
pub(crate) fn show_usage(error: &clap::Error) -> Exit {
    let exit = match error.use_stderr() {
        true => Exit::Usage,
        false => Exit::Done,
    };
    // clap quotes what it does not understand. That may be a database's address in the wrong place.
    match error.use_stderr() && error.to_string().contains("://") {
        true => say(&format!(
            "{}\nThe database's address goes into the environment as DATABASE_URL, or after --database-url. \
             For more information, try '--help'.",
            without_addresses(error.to_string().lines().next().unwrap_or_default())
                .trim_end_matches('\'')
        )),
        false => drop(error.print()),
    }
    exit
}

/// The text without any word that looks like an address: it may hold a password.
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
