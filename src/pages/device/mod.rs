//! A name for a user agent that people understand, such as "Firefox on Linux".
//!
//! It has its own rules. The maintained alternative, ua-parser's patterns, is thousands of regular expressions whose
//! results are internal names. A rule is a line of a table; `tests/suite/agents.tsv` has the expected names. Each part
//! of a user agent is compared once with each line, so the time is linear in its length.
// docs/decisions/42-own-device-names.md

mod bots;
mod product;
mod programs;
mod systems;
mod words;

use self::{systems::System, words::Words};

/// The name if the user agent says nothing.
const UNKNOWN: &str = "Unknown device";

/// A name for the device and the program that sent this `User-Agent`, as the pages show it. Examples are `Firefox on
/// Windows`, `Instagram on iPhone`, `PlayStation 4`, `Googlebot` and `curl`. If no rule knows it, the name is `Unknown
/// device`. The name is in English, has at most 80 characters, and contains no markup and no unprintable characters.
///
/// ```
/// use countersign::device_name;
///
/// let sent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// assert_eq!(device_name(sent), "Firefox on Windows");
/// ```
///
/// It is only a hint, since a client can send any user agent. Show the original text beside it, and base no decision on
/// it. It omits versions: browsers have frozen those of operating systems, and users do not recognise a device by them.
#[must_use]
pub fn device_name(user_agent: &str) -> String {
    let words = Words::of(user_agent);
    if let Some(bot) = bots::bot(&words) {
        return bot;
    }
    let system = systems::system(&words);
    let program = program(&words, system);
    match (program, system) {
        // People recognise a television or a console by itself, whatever browser runs on it.
        (_, Some(System { name, is_all: true })) => name.to_owned(),
        (Some(program), Some(System { name, .. })) => match says(&program, name) {
            true => program,
            false => format!("{program} on {name}"),
        },
        (Some(program), None) => program,
        // A web view whose app does not name itself.
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

/// Whether a program's name contains its system's name: `ICQ_Android`.
fn says(program: &str, system: &str) -> bool {
    let (program, system) = (program.to_ascii_lowercase(), system.to_ascii_lowercase());
    program.contains(&system)
}

/// The program, by the most reliable sign.
fn program(words: &Words<'_>, system: Option<System>) -> Option<String> {
    [programs::APPS, programs::BROWSERS, programs::TOOLS]
        .into_iter()
        .find_map(|table| programs::find(table, words))
        .map(str::to_owned)
        // The name at the start, where programs should put it (RFC 9110, 10.1.5).
        .or_else(|| product::first(words))
        .or_else(|| programs::engine(words, system))
        .or_else(|| programs::find(programs::LIBRARIES, words).map(str::to_owned))
}

#[cfg(test)]
mod tests;
