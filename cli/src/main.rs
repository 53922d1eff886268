//! The command line, for when the web application is down and you must lock an account out.
//!
//! It uses only the crate's public API, like any program of an application. It prints results to stdout and messages to
//! stderr.
//!
//! # Security
//!
//! - Text from clients or from the database is escaped before it reaches a terminal (`escape.rs`).
//! - The database's address is a secret: nothing quotes it (`database.rs`).
//! - It does not know the application's idle timeout. So every session counts as live that has neither ended nor passed
//!   its absolute timeout. These include all sessions that the application accepts.

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
compile_error!(
    "the command line needs a database: add the feature `sqlite`, `postgres` or `mysql`"
);

mod arguments;
mod database;
mod escape;
mod failure;
mod filters;
mod json;
mod limit;
mod list;
mod migrate;
mod output;
mod revoke;
mod stats;
mod sweep;
mod table;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use self::{
    arguments::{Arguments, Command},
    failure::{Exit, Outcome},
    output::Output,
};

fn main() -> ExitCode {
    let exit = match Arguments::try_parse() {
        Ok(arguments) => run(&arguments),
        Err(error) => terminal::show_usage(&error),
    };
    exit.into()
}

fn run(arguments: &Arguments) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(obey(arguments)),
        Err(error) => Err(failure::Failure::new(Exit::Failed, error.to_string())),
    };
    match outcome {
        Ok(exit) => exit,
        // The reader of the output has enough, as with `countersign list | head`.
        Err(failure) if failure.is_broken_pipe() => Exit::Done,
        Err(failure) => {
            terminal::say(&format!("countersign: {failure}"));
            failure.exit()
        }
    }
}

async fn obey(arguments: &Arguments) -> Outcome {
    let globals = &arguments.globals;
    let mut output = Output::new(globals.format);
    match &arguments.command {
        Command::List(command) => list::list(command, globals, &mut output).await,
        Command::Show(command) => list::show(command, globals, &mut output).await,
        Command::Revoke(command) => revoke::revoke(command, globals, &mut output).await,
        Command::Limit(command) => limit::limit(command, globals, &mut output).await,
        Command::Stats(command) => stats::stats(command, globals, &mut output).await,
        Command::Sweep(command) => sweep::sweep(command, globals, &mut output).await,
        Command::Migrate => migrate::migrate(globals, &mut output).await,
    }
}
