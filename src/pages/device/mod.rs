//! "Firefox on Linux": a name for what a user agent says, that a person understands.
//!
//! Rules of our own, since the kept sources (ua-parser's patterns) are thousands of regular expressions for what is a hint
//! here, and answer with their own inner words. A rule is a line of a table; `tests/suite/agents.tsv` has what is to come
//! out of it. Each part of a user agent is compared once with each line, so the time is linear in its length.

mod bots;
mod product;
mod programs;
mod systems;
mod words;

use self::{systems::System, words::Words};

/// What there is to say where nothing is known.
const UNKNOWN: &str = "Unknown device";

/// A name for the device and the program that sent this `User-Agent`, as the pages show it: `Firefox on Windows`,
/// `Instagram on iPhone`, `Thunderbird on Linux`, `PlayStation 4`, `Googlebot`, `curl`; and `Unknown device` where it says
/// nothing that can be named. In English, at most 80 characters, and without markup or anything that does not print.
///
/// ```
/// use countersign::device_name;
///
/// let sent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// assert_eq!(device_name(sent), "Firefox on Windows");
/// ```
///
/// A hint and nothing more: browsers call themselves as they like, and anybody can send anything. Show beside it what was
/// really sent, and decide nothing by it. Versions are left out: browsers have frozen those of systems, and no user
/// recognises a device by them.
#[must_use]
pub fn device_name(user_agent: &str) -> String {
    let words = Words::of(user_agent);
    if let Some(bot) = bots::bot(&words) {
        return bot;
    }
    let system = systems::system(&words);
    let program = program(&words, system);
    match (program, system) {
        // A television or a console is what a person sees, whatever it has inside.
        (_, Some(System { name, is_all: true })) => name.to_owned(),
        (Some(program), Some(System { name, .. })) => match says(&program, name) {
            true => program,
            false => format!("{program} on {name}"),
        },
        (Some(program), None) => program,
        // A web view: what is around it does not say what it is.
        (None, Some(System { name, .. }))
            if words.has("applewebkit") && !words.names("version") =>
        {
            format!("An app on {name}")
        }
        (None, Some(System { name, .. })) => format!("A browser on {name}"),
        (None, None) if words.has("midp") => "A mobile phone".to_owned(),
        (None, None) => UNKNOWN.to_owned(),
    }
}

/// Whether the name of a program says what it runs on: `ICQ_Android`.
fn says(program: &str, system: &str) -> bool {
    let (program, system) = (program.to_ascii_lowercase(), system.to_ascii_lowercase());
    program.contains(&system)
}

/// The program, by the surest sign of it.
fn program(words: &Words<'_>, system: Option<System>) -> Option<String> {
    [programs::APPS, programs::BROWSERS, programs::TOOLS]
        .into_iter()
        .find_map(|table| programs::find(table, words))
        .map(str::to_owned)
        // What names itself in front of all the rest, as programs should (RFC 9110, 10.1.5).
        .or_else(|| product::first(words))
        .or_else(|| programs::engine(words, system))
        .or_else(|| programs::find(programs::LIBRARIES, words).map(str::to_owned))
}

#[cfg(test)]
mod tests;
