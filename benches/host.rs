//! Where figures were measured, for the reports of `growth` and of `peers`.

use std::{fs, process::Command};

/// The machine, how busy it was, the compiler, the commit and the time: a line each.
pub fn description() -> Vec<String> {
    let mut lines = Vec::new();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
        .map_or_else(
            || "unknown".into(),
            |kilobytes| format!("{:.0} GiB", kilobytes as f64 / 1024.0 / 1024.0),
        );
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    lines.push(format!(
        "{cores} cores ({model}), {memory}, Linux {}",
        kernel.trim()
    ));
    if let Some(load) = fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| Some(text.split(' ').next()?.to_owned()))
    {
        lines.push(format!("load average when it began: {load}"));
    }
    lines.push(said_by("rustc", &["--version"]));
    let commit = said_by(
        "git",
        &[
            "-C",
            env!("CARGO_MANIFEST_DIR"),
            "describe",
            "--always",
            "--dirty",
            "--exclude=*",
        ],
    );
    lines.push(format!(
        "countersign at {commit}, {}",
        said_by("date", &["--utc", "+%Y-%m-%d %H:%M UTC"])
    ));
    lines
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let said = Command::new(program).args(arguments).output();
    let text = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.ok()
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| format!("unknown ({program} does not say)"))
}
