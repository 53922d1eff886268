//! The driver: `scripts/peers` builds the servers, starts the databases, and runs it.

#[allow(dead_code, reason = "the servers use the rest")]
#[path = "shared/application.rs"]
mod application;
mod arguments;
mod contenders;
mod cpu;
mod database;
mod figures;
#[path = "../../host.rs"]
mod host;
mod http;
mod load;
mod machine;
mod measure;
mod probe;
mod proxy;
mod report;
mod server;
mod values;

use std::{fs, process::ExitCode};

use arguments::Arguments;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse()?;
    let machine = machine::description();
    let mut all = Vec::new();
    for &kind in &arguments.databases {
        all.push(measure::measure(kind, &arguments)?);
    }
    let text = report::report(&all, &machine, &arguments);
    match &arguments.out {
        Some(path) => fs::write(path, text)?,
        None => print!("{text}"),
    }
    Ok(())
}
