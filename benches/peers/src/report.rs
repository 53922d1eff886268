//! The report in Markdown: medians of the rounds, each ratio to the bare handler of the same process and round.

use std::fmt::Write;

use crate::{
    arguments::Arguments,
    figures::{cpu, median, rate, whole},
    load::Measured,
    measure::{Results, Round},
    probe::can_stop,
};

pub fn report(all: &[Results], machine: &[String], arguments: &Arguments) -> String {
    let mut text = String::new();
    head(&mut text, all, machine, arguments);
    ratios(&mut text, all, arguments);
    for results in all {
        let _ = writeln!(text, "\n## {}", results.kind.title());
        for &connections in &arguments.connections {
            requests(&mut text, results, connections);
        }
        sign_ins(&mut text, results);
        if arguments.probe {
            findings(&mut text, results);
        }
    }
    text
}

fn head(text: &mut String, all: &[Results], machine: &[String], arguments: &Arguments) {
    let build = match cfg!(debug_assertions) {
        false => "release profile",
        true => "**built without optimisation, so that the figures mean nothing**",
    };
    let Arguments {
        users,
        rows,
        workers,
        rounds,
        ..
    } = arguments;
    let versions: Vec<_> = all.iter().map(|results| results.version.as_str()).collect();
    let _ = writeln!(
        text,
        "# countersign beside its peers\n\n\
         Written by `scripts/peers {}`. The method is in [README.md](README.md).\n",
        arguments.line
    );
    for line in machine {
        let _ = writeln!(text, "- {line}");
    }
    let _ = writeln!(
        text,
        "- {}, on the same machine, over loopback",
        versions.join(", ")
    );
    let _ = writeln!(
        text,
        "- {users} users signed in, {rows} rows of others, five permissions each; {workers} worker threads, pools of \
         {} connections, glibc's allocator, {build}; one thread of load; medians of {rounds} rounds of {:?}",
        crate::application::POOL_SIZE,
        arguments.seconds
    );
}

/// The one table to quote.
fn ratios(text: &mut String, all: &[Results], arguments: &Arguments) {
    let _ = writeln!(
        text,
        "\n## Throughput, as a share of a handler that does nothing\n"
    );
    let mut columns = Vec::new();
    for results in all {
        columns.extend(
            arguments
                .connections
                .iter()
                .map(|connections| (results, *connections)),
        );
    }
    let titles = columns
        .iter()
        .map(|(results, connections)| format!("{}, {connections}", results.kind.title()));
    row(
        text,
        std::iter::once("database, connections".to_owned()).chain(titles),
    );
    rule(text, columns.len());
    let mut contenders = Vec::new();
    for (contender, ..) in all.iter().flat_map(|results| &results.rounds) {
        if !contenders.contains(contender) {
            contenders.push(*contender);
        }
    }
    for contender in contenders {
        let cells = columns.iter().map(|(results, connections)| {
            let found = results
                .rounds
                .iter()
                .find(|(other, level, _)| *other == contender && level == connections);
            found.map_or_else(
                || "–".into(),
                |(.., rounds)| format!("{:.2}", median(rounds.iter().map(ratio))),
            )
        });
        row(
            text,
            std::iter::once(contender.title.to_owned()).chain(cells),
        );
    }
}

fn requests(text: &mut String, results: &Results, connections: usize) {
    let _ = writeln!(
        text,
        "\n### {}, {connections} connections\n",
        results.kind.title()
    );
    let titles = [
        "",
        "requests a second",
        "ratio to bare",
        "p50, ms",
        "p99, ms",
        "server, ms of CPU per 1,000 requests",
        "… over bare",
        "database, ms of CPU per 1,000 requests",
    ];
    row(text, titles.map(String::from));
    rule(text, titles.len() - 1);
    let at_level = || {
        results
            .rounds
            .iter()
            .filter(|(_, level, _)| *level == connections)
    };
    let bare: Vec<Round> = at_level()
        .flat_map(|(.., rounds)| rounds)
        .copied()
        .collect();
    row(
        text,
        [
            "bare handler, all processes".into(),
            whole(median(bare.iter().map(|round| round.bare.per_second))),
            "1".into(),
            milliseconds(&bare, |round| round.bare.p50.as_secs_f64()),
            milliseconds(&bare, |round| round.bare.p99.as_secs_f64()),
            cpu(bare.iter().map(|round| round.bare.server_cpu)),
            "0".into(),
            "0".into(),
        ],
    );
    for (contender, _, rounds) in at_level() {
        let over = rounds
            .iter()
            .map(|round| Some(round.work.server_cpu? - round.bare.server_cpu?));
        row(
            text,
            [
                contender.title.into(),
                rate(rounds.iter().map(|round| round.work)),
                format!("{:.2}", median(rounds.iter().map(ratio))),
                milliseconds(rounds, |round| round.work.p50.as_secs_f64()),
                milliseconds(rounds, |round| round.work.p99.as_secs_f64()),
                cpu(rounds.iter().map(|round| round.work.server_cpu)),
                cpu(over),
                cpu(rounds.iter().map(|round| round.work.database_cpu)),
            ],
        );
    }
}

fn sign_ins(text: &mut String, results: &Results) {
    let _ = writeln!(
        text,
        "\n### {}, signing in, 64 connections\n",
        results.kind.title()
    );
    let titles = [
        "",
        "sign-ins a second",
        "p50, ms",
        "p99, ms",
        "server, ms of CPU per 1,000",
        "database, ms of CPU per 1,000",
    ];
    row(text, titles.map(String::from));
    rule(text, titles.len() - 1);
    for (contender, rounds) in &results.sign_ins {
        let time = |of: fn(&Measured) -> f64| format!("{:.2}", median(rounds.iter().map(of)) * 1e3);
        row(
            text,
            [
                contender.title.into(),
                rate(rounds.iter().copied()),
                time(|round| round.p50.as_secs_f64()),
                time(|round| round.p99.as_secs_f64()),
                cpu(rounds.iter().map(|round| round.server_cpu)),
                cpu(rounds.iter().map(|round| round.database_cpu)),
            ],
        );
    }
}

fn findings(text: &mut String, results: &Results) {
    let _ = writeln!(
        text,
        "\n### {}, what the next requests see\n",
        results.kind.title()
    );
    let mut titles = vec![
        "",
        "a permission is removed",
        "the account is disabled",
        "the session's row is deleted",
    ];
    if can_stop(results.kind) {
        titles.extend(["the database stops", "the database falls silent"]);
    }
    let columns = titles.len();
    row(text, titles.into_iter().map(String::from));
    let _ = writeln!(text, "|{}", " --- |".repeat(columns));
    for found in &results.findings {
        let cells = [
            found.title,
            &found.permission,
            &found.account,
            &found.row,
            &found.stopped,
            &found.silent,
        ];
        row(text, cells.into_iter().take(columns).map(String::from));
    }
}

fn ratio(round: &Round) -> f64 {
    round.work.per_second / round.bare.per_second
}

fn row(text: &mut String, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<_> = cells.into_iter().collect();
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn rule(text: &mut String, figures: usize) {
    let _ = writeln!(text, "| --- |{}", " ---: |".repeat(figures));
}

fn milliseconds(rounds: &[Round], of: fn(&Round) -> f64) -> String {
    format!("{:.2}", median(rounds.iter().map(of)) * 1e3)
}
