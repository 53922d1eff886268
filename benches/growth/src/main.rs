//! What the operations cost as the table grows: `scripts/growth`, whose method `benches/growth/README.md` describes.

mod application;
mod database;
#[path = "../../host.rs"]
mod host;
mod operations;
mod report;
mod rows;

use std::{path::PathBuf, process::ExitCode};

use application::Application;
use clap::Parser;
use database::{Database, Kind};
use rows::Statistics;

pub type Failure = Box<dyn std::error::Error>;

/// Measures each operation on tables of several sizes, and prints Markdown.
#[derive(Parser)]
struct Arguments {
    /// How many sessions the tables have, the smallest first.
    #[arg(default_values_t = [100, 10_000, 200_000, 1_000_000])]
    sizes: Vec<u64>,
    /// On which databases.
    #[arg(long, value_delimiter = ',', default_values_t = Kind::ALL.map(|kind| kind.name().to_owned()))]
    databases: Vec<String>,
    /// Only without statistics (`none`), or only with them (`fresh`).
    #[arg(long)]
    statistics: Option<String>,
    /// How often each operation is measured on each table.
    #[arg(long, default_value_t = 41)]
    times: u64,
    /// The file that the report goes into, besides the standard output.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut report = report::begin();
    for name in &arguments.databases {
        let kind =
            Kind::named(name).ok_or_else(|| format!("no database is called {name}: see --help"))?;
        for statistics in Statistics::ALL {
            if arguments
                .statistics
                .as_deref()
                .is_some_and(|only| only != statistics.name())
            {
                continue;
            }
            let mut applications = Vec::new();
            for size in &arguments.sizes {
                eprintln!("{name}, {} statistics: {size} sessions", statistics.name());
                let database = Database::new(kind).await?;
                database.fill(*size, statistics).await?;
                applications.push(Application::new(database, *size).await?);
            }
            report.push_str(
                &operations::measure(&applications, kind, statistics, arguments.times).await?,
            );
            // What is measured is kept, whatever becomes of the rest.
            if let Some(out) = &arguments.out {
                std::fs::write(out, &report)?;
            }
            for application in applications {
                application.gone().await?;
            }
        }
    }
    print!("{report}");
    Ok(())
}
