//! The guide reads well on a code host and in rustdoc, and its links lead to the same places in both. rustdoc takes the
//! definitions of `src/guide/links.md`, and says so if one names nothing. A code host takes those at the end of each page.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use super::{root, walk};

const DOCS: &str = "https://docs.rs/countersign/latest/countersign/";

/// Each page by its file's name, without `.md`.
fn pages() -> BTreeMap<String, String> {
    let (pages, _) = read();
    assert!(pages.len() > 10, "that is not all of them");
    pages
}

/// What rustdoc takes each label for: a path that begins with `crate::`.
fn links() -> BTreeMap<String, String> {
    let (_, links) = read();
    let lines = links.values().flat_map(|text| text.lines());
    lines.filter_map(definition).collect()
}

/// The pages, and the files with definitions.
fn read() -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let mut files = Vec::new();
    walk(&root().join("src/guide"), "md", &mut files);
    let texts = files.iter().map(|file| {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(file).unwrap())
    });
    texts.partition(|(name, _)| !name.starts_with("links"))
}

/// `[label]: target`, as a line.
fn definition(line: &str) -> Option<(String, String)> {
    let (label, target) = line.strip_prefix('[')?.split_once("]: ")?;
    (!target.contains(' ')).then(|| (label.to_owned(), target.to_owned()))
}

/// The lines of a page, each with the language of the code block that it is in.
fn lines(page: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let mut language = None;
    page.lines().filter_map(move |line| {
        let Some(fence) = line.strip_prefix("```") else {
            return Some((language, line));
        };
        language = match language {
            None => Some(fence),
            Some(_) => None,
        };
        None
    })
}

/// The text of a page: neither code blocks nor definitions.
fn prose(page: &str) -> String {
    let lines =
        lines(page).filter(|(language, line)| language.is_none() && definition(line).is_none());
    lines.flat_map(|(_, line)| [line, "\n"]).collect()
}

/// The labels that a text refers to: of `[text][label]` any, of `[label]` those that are defined.
fn labels(text: &str, links: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices('[') {
        let rest = &text[at + 1..];
        let Some((first, after)) = rest.split_once(']') else {
            continue;
        };
        let second = after
            .strip_prefix('[')
            .and_then(|after| after.split_once(']'));
        let label = second.map_or(first, |(label, _)| label);
        let label = label.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_inline = after.starts_with('(');
        if second.is_some() || (links.contains_key(&label) && !is_inline) {
            found.insert(label);
        }
    }
    found
}

/// Where a code host finds what rustdoc calls `path`.
fn target(path: &str, sources: &str) -> String {
    let path = path.strip_prefix("crate::").unwrap().trim_end_matches("()");
    if let Some(page) = path.strip_prefix("guide::") {
        let (page, heading) = page
            .split_once('#')
            .map_or((page, None), |(page, heading)| (page, Some(heading)));
        let heading = heading.map_or(String::new(), |heading| format!("#{heading}"));
        return format!("{}.md{heading}", page.replace('_', "-"));
    }
    let names: Vec<_> = path.split("::").collect();
    let is_module = |name: &&&str| ["account", "admin", "openapi", "testing"].contains(*name);
    let modules = names.iter().take_while(is_module).count();
    let (modules, names) = names.split_at(modules);
    let folder = modules.iter().fold(DOCS.to_owned(), |folder, module| {
        format!("{folder}{module}/")
    });
    let Some((item, member)) = names.split_first() else {
        return format!("{folder}index.html");
    };
    let kind = kind(item, sources);
    let member = member.first().map_or(String::new(), |member| {
        let is_variant = kind == "enum" && member.starts_with(char::is_uppercase);
        format!(
            "#{}.{member}",
            if is_variant { "variant" } else { "method" }
        )
    });
    format!("{folder}{kind}.{item}.html{member}")
}

/// What an item is, as rustdoc's files are named.
fn kind(item: &str, sources: &str) -> &'static str {
    let is = |keyword: &str| {
        let declaration = format!("{keyword} {item}");
        let mut declared = sources.split(&declaration).skip(1);
        declared.any(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    let kinds = [
        ("pub struct", "struct"),
        ("pub enum", "enum"),
        ("pub trait", "trait"),
        ("macro_rules!", "macro"),
        ("pub fn", "fn"),
        ("pub async fn", "fn"),
    ];
    let known = kinds.into_iter().find(|(keyword, _)| is(keyword));
    known
        .unwrap_or_else(|| panic!("no `{item}` in the sources"))
        .1
}

fn sources() -> String {
    let mut files = Vec::new();
    walk(&root().join("src"), "rs", &mut files);
    files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

/// The headings of a page as fragments of addresses, as code hosts and rustdoc make them.
fn fragments(page: &str) -> BTreeSet<String> {
    let heading = |line: &str| {
        let text = line.strip_prefix('#')?.trim_start_matches('#').trim();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        Some(kept.collect::<String>().to_lowercase().replace(' ', "-"))
    };
    prose(page).lines().filter_map(heading).collect()
}

#[test]
fn each_page_has_one_title() {
    for (name, page) in pages() {
        assert!(page.starts_with("# "), "{name}.md begins without a title");
        let titles = prose(&page)
            .lines()
            .filter(|line| line.starts_with("# "))
            .count();
        assert_eq!(
            titles, 1,
            "{name}.md has more than one title: begin further headings with `##`"
        );
    }
}

#[test]
fn code_hides_nothing() {
    for (name, page) in pages() {
        let is_hidden =
            |line: &str| line == "#" || line.starts_with("# ") || line.starts_with("#  ");
        let hidden = lines(&page).find(|(language, line)| {
            language.is_some_and(|it| it.starts_with("rust")) && is_hidden(line)
        });
        assert_eq!(
            hidden, None,
            "{name}.md: a code host shows the lines that rustdoc hides"
        );
    }
}

#[test]
fn links_lead_to_the_same_places_on_a_code_host() {
    let (links, sources) = (links(), sources());
    for (name, page) in pages() {
        for inline in ["](crate::", "](super::"] {
            assert!(
                !page.contains(inline),
                "{name}.md: `{inline}…)` is dead on a code host; write `[text][label]`"
            );
        }
        let mut expected = String::new();
        for label in labels(&prose(&page), &links) {
            let path = links.get(&label);
            let path = path
                .unwrap_or_else(|| panic!("{name}.md: define `[{label}]` in src/guide/links.md"));
            expected += &format!("[{label}]: {}\n", target(path, &sources));
        }
        let definitions = lines(&page)
            .filter(|(language, line)| language.is_none() && definition(line).is_some());
        let definitions: String = definitions.flat_map(|(_, line)| [line, "\n"]).collect();
        assert!(
            definitions == expected,
            "{name}.md must end with these definitions:\n\n{expected}"
        );
    }
}

#[test]
fn headings_that_links_name_exist() {
    let pages = pages();
    let mut missing = Vec::new();
    for (label, path) in links() {
        if let Some((page, heading)) = path
            .strip_prefix("crate::guide::")
            .and_then(|it| it.split_once('#'))
        {
            let page = pages.get(&page.replace('_', "-"));
            if !page.is_some_and(|page| fragments(page).contains(heading)) {
                missing.push(label);
            }
        }
    }
    for (name, page) in &pages {
        let own = page
            .split("](#")
            .skip(1)
            .filter_map(|after| after.split(')').next());
        missing.extend(
            own.filter(|it| !fragments(page).contains(*it))
                .map(|it| format!("{name}#{it}")),
        );
    }
    assert!(missing.is_empty(), "no such heading: {missing:?}");
}

#[test]
fn each_definition_is_used() {
    let links = links();
    let used: BTreeSet<_> = pages()
        .values()
        .flat_map(|page| labels(&prose(page), &links))
        .collect();
    let unused: Vec<_> = links
        .keys()
        .filter(|label| !used.contains(*label))
        .collect();
    assert!(
        unused.is_empty(),
        "in src/guide/links.md, and on no page: {unused:?}"
    );
}

#[test]
fn pages_are_read_as_they_are_written() {
    let page =
        "# A `b`, c\n\n[`d`] and\n[e\nf][g#h]: [i](#j), k[0]\n```rust\n# l\n```\n\n[`d`]: m\n";
    let links = [("`d`".to_owned(), "crate::d".to_owned())].into();
    assert_eq!(
        labels(&prose(page), &links),
        ["`d`", "g#h"].map(str::to_owned).into()
    );
    assert_eq!(fragments(page), ["a-b-c".to_owned()].into());
    assert_eq!(
        lines(page).find(|(language, _)| language.is_some()),
        Some((Some("rust"), "# l"))
    );
    let sources =
        "pub struct Page {} pub struct PageLook {} pub enum Why { Gone } pub async fn go() {}";
    assert_eq!(
        target("crate::admin::Page::look", sources),
        format!("{DOCS}admin/struct.Page.html#method.look")
    );
    assert_eq!(
        target("crate::Why::Gone", sources),
        format!("{DOCS}enum.Why.html#variant.Gone")
    );
    assert_eq!(target("crate::go()", sources), format!("{DOCS}fn.go.html"));
    assert_eq!(
        target("crate::admin", sources),
        format!("{DOCS}admin/index.html")
    );
    assert_eq!(target("crate::guide::a_b#c", sources), "a-b.md#c");
}
