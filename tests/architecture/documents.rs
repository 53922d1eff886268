//! What the documents for developers name exists. A rename that leaves a document behind fails here.

use std::{
    collections::{BTreeSet, HashSet},
    fs,
    path::{Path, PathBuf},
};

use super::{root, walk};

/// The longest that the map may be, in words as `wc -w` counts them.
const MAP_WORDS: usize = 1500;

/// The map, what goes with it, and the decisions: paths from the root, with their texts.
fn documents() -> Vec<(PathBuf, String)> {
    let mut files = vec![
        PathBuf::from("ARCHITECTURE.md"),
        PathBuf::from("CONTRIBUTING.md"),
        PathBuf::from("SECURITY.md"),
        PathBuf::from("tests/README.md"),
    ];
    let mut docs = Vec::new();
    walk(&root().join("docs"), "md", &mut docs);
    files.extend(docs.iter().map(|file| {
        let file = file.strip_prefix(root()).unwrap();
        file.to_owned()
    }));
    let read = |file: PathBuf| {
        let text = fs::read_to_string(root().join(&file)).unwrap();
        (file, text)
    };
    let documents: Vec<_> = files.into_iter().map(read).collect();
    assert!(documents.len() > 50, "that is not all of them");
    documents
}

/// Every word with a slash in it is a path from the root, in drawings too.
fn paths_in(text: &str) -> impl Iterator<Item = &str> {
    let is_of_a_path = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    text.split_whitespace()
        .map(|word| word.trim_matches(|c| "`()[],;:.!?*\"|".contains(c)))
        .filter(move |word| word.contains('/') && word.chars().all(is_of_a_path))
}

/// The targets of links, but for those that lead elsewhere.
fn links_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|after| after.split([')', '#']).next())
        .filter(|target| !target.starts_with("http"))
}

/// What stands between backticks and is a name of Rust or SQL, without what it is in: `a::B` is `B`.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .map(|span| span.trim_start_matches('.'))
        .filter_map(|span| span.split('(').next())
        .filter_map(|span| span.rsplit("::").next())
        .filter(move |name| !name.is_empty() && name.chars().all(is_of_a_name))
}

/// Every word of the sources.
fn words() -> HashSet<String> {
    let mut files = vec![root().join("Cargo.toml")];
    for folder in ["src", "cli", "tests"] {
        walk(&root().join(folder), "rs", &mut files);
    }
    walk(&root().join("migrations"), "sql", &mut files);
    let mut words = HashSet::new();
    for file in files {
        // Not itself: its examples are not there.
        if file.ends_with("documents.rs") {
            continue;
        }
        let text = fs::read_to_string(file).unwrap();
        let is_between = |c: char| !(c.is_alphanumeric() || c == '_');
        words.extend(text.split(is_between).map(str::to_owned));
    }
    words
}

#[test]
fn paths_exist() {
    let mut missing = BTreeSet::new();
    for (file, text) in documents() {
        let folder = root().join(&file).parent().map(Path::to_owned).unwrap();
        let paths = paths_in(&text).map(|path| root().join(path));
        let links = links_in(&text).map(|link| folder.join(link));
        let gone = paths.chain(links).filter(|path| !path.exists());
        missing.extend(gone.map(|path| (file.clone(), path)));
    }
    assert!(missing.is_empty(), "named, and not there: {missing:#?}");
}

#[test]
fn names_exist() {
    let words = words();
    let mut missing = BTreeSet::new();
    for (file, text) in documents() {
        let gone = names_in(&text).filter(|name| !words.contains(*name));
        missing.extend(gone.map(|name| (file.clone(), name.to_owned())));
    }
    assert!(missing.is_empty(), "named, and not there: {missing:#?}");
}

#[test]
fn decisions_that_the_source_cites_exist() {
    let mut files = Vec::new();
    for folder in ["src", "cli", "tests", "examples"] {
        walk(&root().join(folder), "rs", &mut files);
    }
    let mut cited = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for page in text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("// docs/decisions/"))
        {
            let path = root().join("docs/decisions").join(page);
            assert!(path.exists(), "{} cites {page}", file.display());
            cited += 1;
        }
    }
    assert!(cited > 0, "nothing cites a decision");
}

#[test]
fn each_decision_stands_in_the_index_once() {
    let index = fs::read_to_string(root().join("docs/decisions/README.md")).unwrap();
    let mut listed: Vec<_> = links_in(&index).collect();
    listed.sort_unstable();
    let mut pages = Vec::new();
    walk(&root().join("docs/decisions"), "md", &mut pages);
    let name = |page: &PathBuf| page.file_name().unwrap().to_str().unwrap().to_owned();
    let mut pages: Vec<_> = pages.iter().map(name).collect();
    pages.retain(|page| page != "README.md");
    pages.sort_unstable();
    assert_eq!(listed, pages);
}

#[test]
fn the_map_stays_short() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let words = map.split_whitespace().count();
    assert!(words <= MAP_WORDS, "{words} words; move what is detail");
}

#[test]
fn documents_are_read_as_they_are_written() {
    let text =
        "In `src/a.rs`, `b::C` and `.d(…)`; see [e](../f.md#g), [h](https://i/j).\n │ src/k/ │";
    let paths: Vec<_> = paths_in(text).collect();
    assert_eq!(paths, ["src/a.rs", "src/k/"]);
    assert_eq!(links_in(text).collect::<Vec<_>>(), ["../f.md"]);
    assert_eq!(names_in(text).collect::<Vec<_>>(), ["C", "d"]);
}
