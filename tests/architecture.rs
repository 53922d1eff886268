//! Which module may use which, read from the sources: a new dependency needs a decision. `ARCHITECTURE.md` draws it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

#[path = "architecture/documents.rs"]
mod documents;
#[path = "architecture/guide.rs"]
mod guide;

/// What each module may name of the others.
const KNOWS: &[(&str, &[&str])] = &[
    // The leaves.
    ("token", &[]),
    ("user_id", &[]),
    ("keys", &[]),
    ("client", &[]),
    ("local_path", &[]),
    ("error", &[]),
    ("visible", &[]),
    // The core.
    ("cookie", &["keys", "token", "user_id"]),
    ("store", &["error", "token", "user_id"]),
    ("event", &["cookie", "error", "store", "user_id", "visible"]),
    ("verify", &["error", "event", "store", "token", "user_id"]),
    (
        "session",
        &[
            "client", "cookie", "error", "event", "store", "token", "user_id", "verify",
        ],
    ),
    ("layer", &["session"]),
    ("extract", &["error", "local_path", "session", "user_id"]),
    (
        "config",
        &[
            "client", "cookie", "error", "event", "keys", "session", "store", "verify",
        ],
    ),
    // Over HTTP.
    (
        "web",
        &[
            "error", "event", "extract", "keys", "session", "store", "user_id",
        ],
    ),
    (
        "pages",
        &[
            "cookie", "extract", "session", "store", "user_id", "visible", "web",
        ],
    ),
    ("openapi", &["session", "store", "web"]),
    (
        "admin",
        &[
            "error", "event", "extract", "pages", "session", "store", "user_id", "web",
        ],
    ),
    ("account", &["extract", "pages", "session", "store", "web"]),
    ("testing", &["error", "session", "store", "user_id"]),
];

/// The exceptions: a file, the module that it uses besides, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "error.rs",
        "store",
        "the public error is sorted by the store's `FaultKind`",
    ),
    (
        "event/kind.rs",
        "session",
        "an event says which maximum was set",
    ),
    (
        "event/line.rs",
        "session",
        "a log line says which maximum was set",
    ),
    (
        "extract/problem.rs",
        "layer",
        "both answer the same `Retry-After`",
    ),
    (
        "extract/wording.rs",
        "layer",
        "the layer's own 503 gets the application's words too",
    ),
    ("session/handle.rs", "config", "`Sessions::builder`"),
    ("session/handle.rs", "layer", "`Sessions::layer`"),
    (
        "session/signed_in.rs",
        "extract",
        "`SignedIn::require` returns its refusals",
    ),
    (
        "store/reserving.rs",
        "session",
        "the pure rules of limits decide whether a reservation counts",
    ),
    (
        "store/sign_in.rs",
        "session",
        "the pure rules of limits are applied under the store's lock",
    ),
    (
        "store/standing.rs",
        "session",
        "the limit to apply under the store's lock",
    ),
    ("store/user_limit.rs", "session", "a user's own maximum"),
    (
        "store/verify.rs",
        "session",
        "the look-up fills a `Permissions`",
    ),
];

/// Where sqlx is named.
const SQLX: &[&str] = &["store/", "error/migrate.rs"];

#[test]
fn modules_know_whom_they_may_know() {
    let mut used = BTreeSet::new();
    for (file, code) in sources() {
        if file == "lib.rs" {
            continue;
        }
        let module = module_of(&file);
        let (_, known) = KNOWS
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("{module} is not in the table"));
        for named in named_in(&code) {
            let is_it = |(from, to, _): &&(&str, &str, &str)| *from == file && *to == named;
            match EXCEPTIONS.iter().find(is_it) {
                Some(exception) => drop(used.insert(exception)),
                None => assert!(
                    named == module || known.contains(&named.as_str()),
                    "{file} names {named}"
                ),
            }
        }
    }
    let unused: Vec<_> = EXCEPTIONS.iter().filter(|e| !used.contains(e)).collect();
    assert!(unused.is_empty(), "no exception any more: {unused:?}");
}

#[test]
fn sqlx_is_named_where_the_database_is() {
    for (file, code) in sources() {
        let may = SQLX.iter().any(|place| file.starts_with(place));
        assert!(may || !code.contains("sqlx::"), "{file} names sqlx");
    }
}

/// The paths below `src` and what stands in them, without comments and tests.
fn sources() -> Vec<(String, String)> {
    let root = root().join("src");
    let mut files = Vec::new();
    walk(&root, "rs", &mut files);
    let mut sources = Vec::new();
    for path in files {
        let file = path.strip_prefix(&root).unwrap().to_str().unwrap();
        let file = file.replace('\\', "/");
        if file.contains("tests") || file.ends_with("fuzzing.rs") || file.starts_with("guide/") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod").next().unwrap();
        let code: Vec<_> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        sources.push((file, code.join("\n")));
    }
    assert!(sources.len() > 50, "that is not all of them");
    sources
}

/// The folder of the library, and of the documents.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The files below `folder` with this extension.
fn walk(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, extension, files);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
}

fn module_of(file: &str) -> &str {
    let first = file.split('/').next().unwrap();
    first.strip_suffix(".rs").unwrap_or(first)
}

/// The modules that paths in this code start with: `crate::a::B`, `crate::{a::B, c::{D, E}}`.
fn named_in(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    // What a macro says of this crate is said in another one.
    let code = code.replace("$crate::", "");
    for after in code.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            Some(list) => named.extend(firsts(list)),
            None => named.extend(word(after)),
        }
    }
    named
}

/// The first word of each item of a list, up to the brace that closes it.
fn firsts(list: &str) -> Vec<String> {
    let (mut depth, mut start, mut words) = (0, 0, Vec::new());
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ',' if depth == 0 => {
                words.extend(list.get(start..at).and_then(word));
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    words
}

fn word(text: &str) -> Option<String> {
    let is_part = |c: &char| c.is_ascii_lowercase() || *c == '_';
    let word: String = text.trim_start().chars().take_while(is_part).collect();
    (!word.is_empty()).then_some(word)
}

#[test]
fn paths_are_read_as_they_are_written() {
    let code = "use crate::{\n    a::{B, c::D},\n    e_f,\n};\nuse crate::g::H; crate::I";
    let named: Vec<_> = named_in(code).into_iter().collect();
    assert_eq!(named, ["a", "e_f", "g"]);
}

/// A user of another application may have the id of one of this: only what compares the two makes a member of a request.
#[test]
fn routers_learn_who_asks_in_one_place() {
    let asks: Vec<_> = sources()
        .into_iter()
        .filter(|(file, code)| {
            let routers = ["account/", "admin/", "pages/", "web/"];
            let is_router = routers.iter().any(|router| file.starts_with(router));
            is_router && code.contains("extract::signed_in")
        })
        .map(|(file, _)| file)
        .collect();
    assert_eq!(asks, ["web/member.rs"]);
}
