//! What the operations cost as the table grows.
//!
//! ```sh
//! cargo run --release                        # 100, 10,000 and 200,000 sessions, without ANALYZE
//! cargo run --release -- --analyze 10000 1000000
//! cargo run --release -- --only postgres 100 10000000
//! ```
//!
//! SQLite needs nothing. The other databases are those of `COUNTERSIGN_TEST_POSTGRES` and `COUNTERSIGN_TEST_MYSQL`, which
//! `scripts/with-servers` starts: `scripts/with-servers cargo run --release --manifest-path benches/growth/Cargo.toml`.
//! Each table gets a database of its own, which is dropped afterwards.
//!
//! Printed are medians, and how many times that of the smallest table they are. Each operation takes turns over the
//! tables of all sizes, so that whatever else the machine does meets them alike.

mod measure;
mod seed;

use std::process::ExitCode;

use seed::{Kind, Place};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let (mut analyze, mut only, mut sizes) = (false, None, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--analyze" => analyze = true,
            "--only" => only = arguments.next(),
            number => sizes.push(number.replace('_', "").parse::<u64>()?),
        }
    }
    if sizes.is_empty() {
        sizes = vec![100, 10_000, 200_000];
    }
    sizes.sort_unstable();
    for kind in Kind::ALL {
        if only.as_deref().is_some_and(|only| only != kind.name()) {
            continue;
        }
        if kind.server().is_some_and(|server| server.is_err()) {
            println!("{}: no server is named, left out\n", kind.name());
            continue;
        }
        let mut tables = Vec::new();
        for size in &sizes {
            let place = Place::new(kind).await?;
            eprintln!("{}: {size} sessions", kind.name());
            place.seed(*size, analyze).await?;
            tables.push(measure::Table::new(place, *size).await?);
        }
        let statistics = if analyze { "with" } else { "without" };
        println!("{}, {statistics} ANALYZE", kind.name());
        measure::print(&mut tables).await?;
        for table in tables {
            table.close().await?;
        }
    }
    Ok(())
}
