//! What the database's catalogue says of the tables.

use super::{Found, Kind, Part};
use crate::store::{
    Fault, Purpose,
    dialect::Dialect,
    driver::Driver,
    statement::Statement,
    value::CellKind::{Int, Text},
};

/// One row for each detail: table, kind, name, detail (or nothing), place among the details.
pub(super) async fn ask(driver: &dyn Driver) -> Result<Found, Fault> {
    let dialect = driver.dialect();
    let statement = Statement::new(
        dialect,
        &query(dialect),
        &[Text, Text, Text, Text, Int],
        |_| None,
    );
    let mut link = driver.acquire(Purpose::LookUp).await?;
    let rows = link.fetch(&statement, Vec::new()).await?;
    let mut found = Found::new();
    for row in &rows {
        let text = |column| row.text(column).map_err(|_| Fault::corrupt());
        let part = Part {
            table: text(0)?.to_owned(),
            kind: Kind::of(text(1)?)?,
            name: text(2)?.to_owned(),
        };
        let details = found.entry(part).or_default();
        match row.maybe_text(3).map_err(|_| Fault::corrupt())? {
            // `ip(10)` is about the column `ip`: what is compared is the order of columns.
            Some(detail) => details.push(super::expected::first_word(detail).to_owned()),
            None => continue,
        }
    }
    Ok(found)
}

const TABLES: &str = "('countersign_sessions', 'countersign_users')";
/// More than there are. Said, because a server may have a limit of its own for answers that say none.
const LIMIT: usize = 10_000;

fn query(dialect: Dialect) -> String {
    let parts = match dialect {
        Dialect::Sqlite => sqlite(),
        Dialect::Postgres => postgres(),
        Dialect::MySql => mysql(),
    };
    format!("{parts} ORDER BY 1, 2, 3, 5 LIMIT {LIMIT}")
}

fn sqlite() -> String {
    let table = format!("m.type = 'table' AND m.name IN {TABLES}");
    format!(
        "SELECT m.name, 'column', p.name, NULL, 0 FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE {table} \
         UNION ALL SELECT m.name, 'index', 'PRIMARY', p.name, p.pk FROM sqlite_master m JOIN pragma_table_info(m.name) p \
         WHERE p.pk > 0 AND {table} \
         UNION ALL SELECT m.name, 'index', 'PRIMARY', 'UNIQUE', -1 FROM sqlite_master m WHERE {table} \
         UNION ALL SELECT m.name, 'index', l.name, 'UNIQUE', -1 FROM sqlite_master m JOIN pragma_index_list(m.name) l \
         WHERE l.\"unique\" = 1 AND l.origin = 'c' AND {table} \
         UNION ALL SELECT m.name, 'index', l.name, i.name, i.seqno FROM sqlite_master m \
         JOIN pragma_index_list(m.name) l JOIN pragma_index_info(l.name) i WHERE l.origin = 'c' AND {table} \
         UNION ALL SELECT m.name, 'constraint', 'countersign_sessions_ended', NULL, 0 FROM sqlite_master m \
         WHERE instr(m.sql, 'CONSTRAINT countersign_sessions_ended CHECK') > 0 AND {table}"
    )
}

/// The tables are those that the search path finds, as for every statement.
fn postgres() -> String {
    let table = "IN (to_regclass('countersign_sessions'), to_regclass('countersign_users'))";
    let index = "FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid";
    let name = "t.relname::text, 'index', CASE WHEN i.indisprimary THEN 'PRIMARY' ELSE x.relname::text END";
    format!(
        "SELECT t.relname::text, 'column', a.attname::text, NULL::text, 0::bigint FROM pg_attribute a \
         JOIN pg_class t ON t.oid = a.attrelid WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid {table} \
         UNION ALL SELECT {name}, 'UNIQUE', -1 {index} WHERE i.indisunique AND i.indisvalid AND i.indrelid {table} \
         UNION ALL SELECT {name}, pg_get_indexdef(i.indexrelid, k, true), k {index} \
         CROSS JOIN LATERAL generate_series(1, i.indnkeyatts) k WHERE i.indisvalid AND i.indrelid {table} \
         UNION ALL SELECT t.relname::text, 'constraint', c.conname::text, NULL, 0 FROM pg_constraint c \
         JOIN pg_class t ON t.oid = c.conrelid WHERE c.contype = 'c' AND c.conrelid {table}"
    )
}

/// Constraints can be seen by few users: the primary key is among them, so that a user who sees none is known.
///
/// Its catalogue has a collation of its own, which ignores case: names are told apart as bytes.
fn mysql() -> String {
    let table = format!("table_schema = DATABASE() AND table_name IN {TABLES}");
    let text = |column: &str| format!("CONVERT({column} USING utf8mb4) COLLATE utf8mb4_bin");
    let [
        table_name,
        index_name,
        column,
        collation,
        constraint,
        engine,
    ] = [
        "table_name",
        "index_name",
        "column_name",
        "collation_name",
        "constraint_name",
        "engine",
    ]
    .map(text);
    format!(
        "SELECT {table_name}, 'column', {column}, {collation}, 0 FROM information_schema.columns WHERE {table} \
         UNION ALL SELECT DISTINCT {table_name}, 'index', {index_name}, 'UNIQUE', -1 FROM information_schema.statistics \
         WHERE non_unique = 0 AND {table} \
         UNION ALL SELECT {table_name}, 'index', {index_name}, {column}, seq_in_index FROM information_schema.statistics \
         WHERE {table} \
         UNION ALL SELECT {table_name}, 'constraint', {constraint}, NULL, 0 FROM information_schema.table_constraints \
         WHERE {table} \
         UNION ALL SELECT {table_name}, 'engine', 'ENGINE', {engine}, 0 FROM information_schema.tables WHERE {table}"
    )
}
