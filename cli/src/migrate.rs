//! `migrate`: the schema.

use serde::Serialize;

use super::{
    arguments::Globals,
    database::{self, Missing, with_pool},
    failure::{Exit, Outcome},
    output::Output,
};

/// The version of the tables before, if any, and now.
#[derive(Serialize)]
struct Migrated {
    from: Option<i64>,
    to: Option<i64>,
}

pub(crate) async fn migrate(globals: &Globals, output: &mut Output) -> Outcome {
    let pool = database::connect(globals, Missing::MayBeMade).await?;
    let migrated = with_pool!(&pool, pool => {
        let from = countersign::schema_version(pool).await?;
        countersign::migrate(pool).await?;
        Migrated { from, to: countersign::schema_version(pool).await? }
    });
    let (from, to) = (migrated.from, migrated.to.unwrap_or_default());
    let text = match from {
        None => format!("the tables are made, version {to}"),
        Some(from) if from == to => format!("nothing to do, the tables are of version {to}"),
        Some(from) => format!("the tables were of version {from} and are of version {to}"),
    };
    output.result(&migrated, &text)?;
    Ok(Exit::Done)
}
