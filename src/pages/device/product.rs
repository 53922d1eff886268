//! The name that a program gives itself before the first slash.

use percent_encoding::percent_decode_str;

use super::words::Words;

/// The longest name that is used, in characters.
const LONGEST: usize = 40;

/// Names at the start that do not name the program.
const NO_PROGRAM: &[&str] = &[
    "mozilla",
    "python-urllib",
    "python-urllib3",
    "go-http-client",
    "java-http-client",
    "apache-httpclient",
    "libwww-perl",
    "undici",
    "dalvik",
    "opera",
    "cfnetwork",
    "darwin",
    "alamofire",
    "okhttp",
    "java",
    "jakarta",
    "python",
    "ruby",
    "perl",
    "php",
    "go",
    "dart",
    "node",
    "node.js",
    "libcurl",
    "applewebkit",
    "applecoremedia",
    "stagefright",
    "user-agent",
    "compatible",
    "dotnet",
    "gecko",
    "linux",
    "windows",
    "android",
    "unknown",
    "null",
    "undefined",
    "none",
    "browser",
    "mobile",
    "http",
    "https",
    "client",
    "test",
];

/// The name at the start, if it can be shown.
pub(super) fn first(words: &Words<'_>) -> Option<String> {
    // A single word without a version is a name too.
    let (name, rest) = words.sent.split_once('/').unwrap_or((words.sent, "0"));
    let name = match name.split_once(['(', ';']) {
        Some((before, _)) => before,
        None => name,
    };
    // A version must follow, not a path or an address.
    let is_version = |character: char| character.is_ascii_digit() || "vV".contains(character);
    if !rest.starts_with(is_version) && !words.sent.contains('(') {
        return None;
    }
    // Apple's systems percent-encode the names of apps.
    let name = percent_decode_str(name).decode_utf8().ok()?;
    let name = last_of_package(name.trim());
    let first_word = name.split(' ').next().unwrap_or_default();
    let is_program = |name: &str| {
        !NO_PROGRAM
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    };
    let is_short = name.split(' ').count() <= 4 && name.chars().count() <= LONGEST;
    let shown =
        is_short && is_program(first_word) && is_program(name) && name.chars().all(is_plain);
    (shown && name.chars().any(char::is_alphabetic)).then(|| name.to_owned())
}

/// Letters and digits of any script, and the usual punctuation of names.
fn is_plain(character: char) -> bool {
    character.is_alphanumeric() || " -_.+!&'".contains(character)
}

/// The name of an ASCII word, if it can be shown.
pub(super) fn plain(word: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!".contains(&byte);
    let word = word.split_once('/').map_or(word, |(name, _)| name);
    (!word.is_empty() && word.len() <= LONGEST && word.bytes().all(is_plain)).then_some(word)
}

/// `com.example.shop` calls itself `shop`.
fn last_of_package(name: &str) -> &str {
    let is_package = ["com.", "org.", "net.", "io.", "de.", "co."]
        .iter()
        .any(|start| name.starts_with(start));
    match name.rsplit_once('.') {
        Some((_, last)) if is_package && !last.is_empty() => last,
        _ => name,
    }
}

/// The name of an app that embeds a browser: a word beside the engine's, outside of brackets.
pub(super) fn beside_engine(words: &Words<'_>) -> Option<String> {
    const ENGINE: &[&str] = &[
        "mozilla",
        "applewebkit",
        "chrome",
        "electron",
        "safari",
        "version",
        "mobile",
        "gecko",
        "khtml",
        "nettype",
        "language",
        "build",
    ];
    let mut depth = 0_u32;
    let mut outside = words.sent.split_ascii_whitespace().filter(|word| {
        let is_outside = depth == 0 && !word.starts_with('(');
        let (opened, closed) = (word.matches('(').count(), word.matches(')').count());
        depth = depth
            .saturating_add(opened as u32)
            .saturating_sub(closed as u32);
        is_outside
    });
    outside.find_map(|word| {
        let (name, version) = word.split_once('/')?;
        let is_engine = ENGINE.iter().any(|known| name.eq_ignore_ascii_case(known));
        let has_version = version.starts_with(|first: char| first.is_ascii_digit());
        (!is_engine && has_version)
            .then(|| plain(name))
            .flatten()
            .map(str::to_owned)
    })
}
