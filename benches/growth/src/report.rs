//! The report's beginning: where it was measured, and when the machine was last quiet.

use std::{fs, process::Command};

pub fn begin() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
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
    format!(
        "# Growth\n\n`scripts/growth` wrote this. [README.md](README.md) describes the method.\n\n\
         - {cores} cores ({model}); load average when it began: {load}\n\
         - countersign at {commit}, {}, release profile\n\n\
         Medians, and how many times that of the smallest table they are.\n",
        said_by("rustc", &["--version"])
    )
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| "unknown".into(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
