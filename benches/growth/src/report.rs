//! The report's beginning.

use crate::host;

pub fn begin() -> String {
    let lines: String = host::description()
        .iter()
        .map(|line| format!("- {line}\n"))
        .collect();
    format!(
        "# Growth\n\n`scripts/growth` wrote this. [README.md](README.md) describes the method.\n\n{lines}\n\
         Medians, and how many times that of the smallest table they are.\n"
    )
}
