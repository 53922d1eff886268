//! What the migrations make, read from their text.
//!
//! It is text of our own, so this reads what we write and no more; a test sees that nothing in it is passed over.

use super::{Kind, Part};

#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) part: Part,
    /// As the catalogue has them; none where they do not matter.
    pub(super) details: Vec<String>,
    /// The statement that makes it, where one does.
    pub(super) remedy: Option<String>,
}

/// After all migrations, in the order in which they are written.
pub(super) fn all(texts: impl Iterator<Item = &'static str>) -> Vec<Expected> {
    let mut expected = Vec::new();
    for text in texts {
        for statement in statements(text) {
            for part in made_by(&statement) {
                expected.push(part);
            }
        }
    }
    expected
}

/// Without comments, and with single spaces.
pub(super) fn statements(text: &str) -> Vec<String> {
    let code = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default());
    let code = code.collect::<Vec<_>>().join(" ");
    let one_line = |statement: &str| statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let statements = code.split(';').map(one_line);
    statements
        .filter(|statement| !statement.is_empty())
        .collect()
}

/// Nothing where the statement is of a kind that is not known.
pub(super) fn made_by(statement: &str) -> Vec<Expected> {
    if let Some(rest) = statement.strip_prefix("CREATE TABLE ") {
        return table(rest.strip_prefix("IF NOT EXISTS ").unwrap_or(rest));
    }
    let (unique, rest) = match statement.strip_prefix("CREATE UNIQUE INDEX ") {
        Some(rest) => (true, Some(rest)),
        None => (false, statement.strip_prefix("CREATE INDEX ")),
    };
    let made = rest.and_then(|rest| {
        let (name, rest) = rest.split_once(" ON ")?;
        let (table, columns) = rest.split_once(' ')?;
        Some(index(table, name, unique, columns, statement.to_owned()))
    });
    made.into_iter().collect()
}

/// `name (columns and constraints) options`
fn table(text: &str) -> Vec<Expected> {
    let (Some((name, _)), Some((body, options))) = (text.split_once(' '), in_parentheses(text))
    else {
        return Vec::new();
    };
    let part = |kind, part: &str| Part {
        table: name.to_owned(),
        kind,
        name: part.to_owned(),
    };
    let mut made = Vec::new();
    for item in items(body) {
        let word = first_word(item);
        let rest = item.get(word.len()..).unwrap_or_default().trim_start();
        let alter = format!("ALTER TABLE {name} ADD {item}");
        match word {
            "PRIMARY" => made.push(primary(name, in_parentheses(rest).map_or("", |(c, _)| c))),
            "UNIQUE" | "KEY" => {
                let rest = rest.strip_prefix("KEY ").unwrap_or(rest);
                let (key, columns) = rest.split_once(' ').unwrap_or((rest, ""));
                made.push(index(name, key, word == "UNIQUE", columns, alter));
            }
            "CONSTRAINT" => made.push(Expected {
                part: part(Kind::Constraint, first_word(rest)),
                details: Vec::new(),
                remedy: Some(alter),
            }),
            "CHECK" => {} // without a name, each database gives it one of its own
            column => {
                let collation = rest
                    .split_once("COLLATE ")
                    .map(|(_, rest)| first_word(rest));
                made.push(Expected {
                    part: part(Kind::Column, column),
                    details: collation.map(str::to_owned).into_iter().collect(),
                    remedy: collation.map(|_| format!("ALTER TABLE {name} MODIFY {item}")),
                });
                if rest.contains("PRIMARY KEY") {
                    made.push(primary(name, column));
                }
            }
        }
    }
    if let Some((_, engine)) = options.split_once("ENGINE = ") {
        made.push(Expected {
            part: part(Kind::Engine, "ENGINE"),
            details: vec![first_word(engine).to_owned()],
            remedy: Some(format!(
                "ALTER TABLE {name} ENGINE = {}",
                first_word(engine)
            )),
        });
    }
    made
}

fn primary(table: &str, columns: &str) -> Expected {
    Expected {
        remedy: None,
        ..index(
            table,
            "PRIMARY",
            true,
            &format!("({columns})"),
            String::new(),
        )
    }
}

fn index(table: &str, name: &str, unique: bool, columns: &str, remedy: String) -> Expected {
    let columns = in_parentheses(columns).map_or("", |(columns, _)| columns);
    let columns = items(columns).into_iter().map(first_word);
    let unique = unique.then_some("UNIQUE");
    Expected {
        part: Part {
            table: table.to_owned(),
            kind: Kind::Index,
            name: name.to_owned(),
        },
        details: unique
            .into_iter()
            .chain(columns)
            .map(str::to_owned)
            .collect(),
        remedy: Some(remedy),
    }
}

/// The text inside the first pair of parentheses, and what follows them.
fn in_parentheses(text: &str) -> Option<(&str, &str)> {
    let (_, inside) = text.split_once('(')?;
    let mut depth = 1_usize;
    for (at, letter) in inside.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((inside.get(..at)?, inside.get(at + 1..)?));
        }
    }
    None
}

/// Divided by the commas that stand in no parentheses.
fn items(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let divided = text.split(|letter: char| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    });
    divided
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .collect()
}

/// Up to the first character that no name has.
pub(super) fn first_word(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}
