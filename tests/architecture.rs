//! Who knows whom, as `ARCHITECTURE.md` says it: read from the sources, so that a new acquaintance is a decision.
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
];

/// The exceptions, each with its reason in `ARCHITECTURE.md`.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("error.rs", "store"),
    ("event/kind.rs", "session"),
    ("event/line.rs", "session"),
    ("extract/problem.rs", "layer"),
    ("extract/wording.rs", "layer"),
    ("session/handle.rs", "config"),
    ("session/handle.rs", "layer"),
    ("session/signed_in.rs", "extract"),
    ("store/sign_in.rs", "session"),
    ("store/standing.rs", "session"),
    ("store/user_limit.rs", "session"),
    ("store/verify.rs", "session"),
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
            let excepted = (file.as_str(), named.as_str());
            match EXCEPTIONS.iter().find(|exception| **exception == excepted) {
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let mut files = Vec::new();
    walk(&root, &mut files);
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

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
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
