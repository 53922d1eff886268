//! SQLite, embedded.

use std::path::Path;

use sqlx::{
    Executor, Pool, Row as _, Sqlite, SqliteConnection,
    error::{BoxDynError, DatabaseError},
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteQueryResult, SqliteRow},
};
use uuid::Uuid;

use crate::store::{
    connections::{Bounds, Opened, State},
    dialect::Dialect,
    driver::{Backend, BoxFuture},
    fault::{Fault, FaultKind},
    migrate,
    value::{Bind, texts_of_json},
};

impl Backend for Sqlite {
    const DIALECT: Dialect = Dialect::Sqlite;
    const HAS_SERVER: bool = false;

    fn add_list(_: &mut SqliteArguments, _: Bind) -> Result<(), BoxDynError> {
        Err("SQLite has no array parameters".into())
    }

    fn id(row: &SqliteRow, index: usize) -> Result<Option<Uuid>, sqlx::Error> {
        let text = row.try_get_unchecked::<Option<String>, _>(index)?;
        text.map(|text| Uuid::parse_str(&text))
            .transpose()
            .map_err(|error| sqlx::Error::Decode(error.into()))
    }

    fn texts(row: &SqliteRow, index: usize) -> Result<Option<Vec<Option<String>>>, sqlx::Error> {
        let text = row.try_get_unchecked::<Option<String>, _>(index)?;
        text.map(|text| {
            texts_of_json(&text).ok_or_else(|| sqlx::Error::Decode("not a list".into()))
        })
        .transpose()
    }

    fn rows_affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    fn fault_kind(error: &(dyn DatabaseError + 'static)) -> FaultKind {
        let extended: i64 = error
            .code()
            .and_then(|code| code.parse().ok())
            .unwrap_or_default();
        match extended & 0xff {
            // BUSY, LOCKED, PROTOCOL, SCHEMA
            5 | 6 | 15 | 17 => FaultKind::Conflict,
            // NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, AUTH, NOTADB
            7..=11 | 13 | 14 | 23 | 26 => FaultKind::Lost,
            // TOOBIG, CONSTRAINT, MISMATCH
            18..=20 => FaultKind::Data,
            // ERROR is both: what a function says of its arguments, and what the parser says of the text.
            1 if !error.message().starts_with("no such") => FaultKind::Data,
            _ => FaultKind::Statement,
        }
    }

    fn quotes_no_data(_: &(dyn DatabaseError + 'static)) -> bool {
        true // its messages name tables, columns and functions
    }

    fn bounded(options: &SqliteConnectOptions, bounds: &Bounds) -> SqliteConnectOptions {
        options.clone().busy_timeout(bounds.statement())
    }

    fn lives_in_its_connection(options: &SqliteConnectOptions) -> bool {
        // Neither flag can be asked for. Where this were wrong, `build` would miss the schema, and say so.
        let described = format!("{options:?}");
        let in_memory = described.contains("in_memory: true")
            || options.get_filename() == Path::new("")
            || options.get_filename() == Path::new(":memory:");
        in_memory && !described.contains("shared_cache: true")
    }

    fn first_statement<'a>(
        connection: &'a mut SqliteConnection,
        _: &'a Bounds,
    ) -> BoxFuture<'a, Result<Opened, Fault>> {
        Box::pin(async move {
            // Neither word touches the file. A file that cannot be written is no replica: reads on it are as good as ever.
            let outcome = connection.execute(sqlx::raw_sql("BEGIN; COMMIT")).await;
            let state = match outcome {
                Ok(_) => State::Clean,
                Err(sqlx::Error::Database(error))
                    if error.message().contains("within a transaction") =>
                {
                    State::InTransaction
                }
                Err(error) => return Err(Fault::of::<Self>(error)),
            };
            Ok(Opened { id: None, state })
        })
    }

    fn is_running(_: &mut SqliteConnection, _: i64, _: u64) -> BoxFuture<'_, Result<bool, Fault>> {
        // There is no server.
        Box::pin(std::future::ready(Ok(false)))
    }

    fn migrate(pool: &Pool<Self>) -> BoxFuture<'_, Result<(), crate::error::MigrateError>> {
        Box::pin(migrate::sqlite::migrate(pool))
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::{Backend, Sqlite, SqliteConnectOptions};

    #[test]
    fn databases_that_live_in_their_connection_are_told_from_others() {
        for (url, expected) in [
            ("sqlite:app.db", false),
            ("sqlite:app.db?mode=ro", false),
            ("sqlite::memory:", false), // sqlx shares it between connections
            ("sqlite:file:name?mode=memory&cache=shared", false),
            ("sqlite::memory:?cache=private", true),
            ("sqlite:name?mode=memory&cache=private", true),
        ] {
            let options = SqliteConnectOptions::from_str(url).unwrap();
            assert_eq!(Sqlite::lives_in_its_connection(&options), expected, "{url}");
        }
        let options = SqliteConnectOptions::new();
        assert!(Sqlite::lives_in_its_connection(&options));
        let options = options.filename("app.db");
        assert!(!Sqlite::lives_in_its_connection(&options));
        assert!(Sqlite::lives_in_its_connection(&options.in_memory(true)));
    }
}
