//! The text of the migrations is understood, and a difference is told with what mends it.

use super::{Dialect, Found, Kind, Part, expected, migrate, problems};

const DIALECTS: [Dialect; 3] = [Dialect::Sqlite, Dialect::Postgres, Dialect::MySql];

/// As if the catalogue had all of it.
fn complete(dialect: Dialect) -> Found {
    let expected = expected::all(migrate::texts(dialect));
    expected
        .into_iter()
        .map(|expected| (expected.part, expected.details))
        .collect()
}

fn part(kind: Kind, name: &str) -> Part {
    Part {
        table: "countersign_sessions".into(),
        kind,
        name: name.into(),
    }
}

#[test]
fn every_statement_of_every_migration_is_understood() {
    for dialect in DIALECTS {
        for text in migrate::texts(dialect) {
            for statement in expected::statements(text) {
                let made = expected::made_by(&statement);
                assert!(
                    !made.is_empty(),
                    "teach check/schema/expected.rs what this makes or takes away: {statement}"
                );
            }
        }
    }
}

#[test]
fn the_three_migrations_make_the_same_columns() {
    let columns = |dialect| {
        let mut columns: Vec<_> = complete(dialect)
            .into_keys()
            .filter(|part| part.kind == Kind::Column)
            .map(|part| (part.table, part.name))
            .collect();
        columns.sort();
        columns
    };
    let [sqlite, postgres, mysql] = DIALECTS.map(columns);
    assert!(sqlite.len() > 20, "{sqlite:?}");
    assert_eq!(sqlite, postgres);
    assert_eq!(sqlite, mysql);
}

#[test]
fn what_is_missing_is_told_with_what_mends_it() {
    for dialect in DIALECTS {
        assert_eq!(problems(dialect, &complete(dialect)), [""; 0]);
        let mut found = complete(dialect);
        found.remove(&part(Kind::Index, "countersign_sessions_token_hash"));
        let [problem] = problems(dialect, &found).try_into().unwrap();
        let mend = match dialect {
            Dialect::MySql => {
                "ALTER TABLE countersign_sessions ADD UNIQUE KEY countersign_sessions_token_hash (token_hash)"
            }
            _ => {
                "CREATE UNIQUE INDEX countersign_sessions_token_hash ON countersign_sessions (token_hash)"
            }
        };
        assert_eq!(
            problem,
            format!(
                "the index countersign_sessions_token_hash of countersign_sessions is missing: `{mend}`"
            )
        );
    }
}

#[test]
fn an_index_over_other_columns_is_another_index() {
    let mut found = complete(Dialect::Postgres);
    let name = "countersign_sessions_token_hash";
    found.insert(part(Kind::Index, name), vec!["token_hash".into()]);
    let [problem] = problems(Dialect::Postgres, &found).try_into().unwrap();
    assert!(
        problem.contains("is token_hash and must be UNIQUE token_hash"),
        "{problem}"
    );
}

#[test]
fn a_table_that_is_missing_is_told_once() {
    let mut found = complete(Dialect::Sqlite);
    found.retain(|part, _| part.table != "countersign_users");
    assert_eq!(
        problems(Dialect::Sqlite, &found),
        ["the table countersign_users is missing"]
    );
}
