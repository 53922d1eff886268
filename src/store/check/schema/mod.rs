//! Whether the tables are as the migrations make them: each column, index and constraint is there.
//!
//! What is expected is read from the text of the migrations, so that there is no second list to keep.

mod catalogue;
mod expected;

use std::{collections::HashMap, fmt};

use self::expected::Expected;
use crate::{
    error::BuildError,
    store::{Fault, Store, dialect::Dialect, migrate, retry::retry},
};

/// A part of a table: what it is, and its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Part {
    table: String,
    kind: Kind,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Column,
    /// Its name is `PRIMARY` where it is the primary key.
    Index,
    Constraint,
    Engine,
}

/// What there is, and its details: an index's columns, behind `UNIQUE` if it is; a column's collation.
type Found = HashMap<Part, Vec<String>>;

impl Store {
    pub(super) async fn check_schema(&self) -> Result<(), BuildError> {
        let dialect = self.driver.dialect();
        let asked = retry(|| async { catalogue::ask(self.driver.as_ref()).await }).await;
        let problems = problems(dialect, &asked.map_err(|fault| self.refusal(fault))?);
        match problems.is_empty() {
            true => Ok(()),
            false => Err(BuildError::SchemaDamaged { problems }),
        }
    }
}

fn problems(dialect: Dialect, found: &Found) -> Vec<String> {
    let mut problems = Vec::new();
    for expected in expected::all(migrate::texts(dialect)) {
        if let Some(problem) = problem(dialect, found, &expected)
            && !problems.contains(&problem)
        {
            problems.push(problem);
        }
    }
    problems
}

fn problem(dialect: Dialect, found: &Found, expected: &Expected) -> Option<String> {
    let (part, must) = (&expected.part, &expected.details);
    if !found.keys().any(|other| other.table == part.table) {
        return Some(format!("the table {} is missing", part.table));
    }
    let problem = match found.get(part) {
        None if is_hidden(dialect, found, part) => return None,
        None => format!("{part} is missing"),
        Some(is) if !must.is_empty() && is != must => {
            format!("{part} is {} and must be {}", is.join(" "), must.join(" "))
        }
        Some(_) => return None,
    };
    Some(match &expected.remedy {
        Some(remedy) => format!("{problem}: `{remedy}`"),
        None => problem,
    })
}

/// MySQL and MariaDB show constraints to some users only: who does not see the primary key among them sees none.
fn is_hidden(dialect: Dialect, found: &Found, part: &Part) -> bool {
    let primary = Part {
        name: "PRIMARY".into(),
        ..part.clone()
    };
    dialect == Dialect::MySql && part.kind == Kind::Constraint && !found.contains_key(&primary)
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, kind, name } = self;
        match kind {
            Kind::Column => write!(formatter, "the column {table}.{name}"),
            Kind::Index if name == "PRIMARY" => write!(formatter, "the primary key of {table}"),
            Kind::Index => write!(formatter, "the index {name} of {table}"),
            Kind::Constraint => write!(formatter, "the constraint {name} of {table}"),
            Kind::Engine => write!(formatter, "the engine of {table}"),
        }
    }
}

impl Kind {
    fn of(word: &str) -> Result<Self, Fault> {
        match word {
            "column" => Ok(Self::Column),
            "index" => Ok(Self::Index),
            "constraint" => Ok(Self::Constraint),
            "engine" => Ok(Self::Engine),
            _ => Err(Fault::corrupt()),
        }
    }
}

#[cfg(test)]
mod tests;
