//! Devices are called what a person would call them.

use std::collections::BTreeSet;

use countersign::device_name;

/// A name, a tab, and what is sent.
const AGENTS: &str = include_str!("agents.tsv");

fn agents() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = AGENTS.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once('\t').unwrap())
}

#[test]
fn every_agent_has_the_name_that_the_table_says() {
    let wrong: Vec<_> = agents()
        .filter(|(name, sent)| {
            // As it is sent, and as much of it as is kept.
            let kept = &sent[..sent.floor_char_boundary(255)];
            device_name(sent) != *name || device_name(kept) != *name
        })
        .map(|(name, sent)| format!("{name}, and not {}: {sent}", device_name(sent)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_is_long_and_says_nothing_twice() {
    let different: BTreeSet<_> = agents().map(|(_, sent)| sent).collect();
    assert_eq!(different.len(), agents().count());
    assert!(different.len() >= 400, "{}", different.len());
}

#[test]
fn no_name_is_a_librarys_inner_word_or_says_a_thing_twice() {
    for (name, sent) in agents() {
        if let Some((program, system)) = name.rsplit_once(" on ") {
            assert_ne!(program, system, "{sent}");
        }
        for inner in ["misc", "Webview", "WebView", "UNKNOWN", "Generic", "Other"] {
            let is_inner = name.split(' ').any(|word| word == inner);
            assert!(!is_inner, "{name}: {sent}");
        }
    }
}
