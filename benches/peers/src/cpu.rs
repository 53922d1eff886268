//! Processor time of processes, from `/proc`.

use std::{fs, path::Path};

/// `USER_HZ`, which is 100 on every Linux that shows it to programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// The processes of a database server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseProcesses {
    /// Its time is the server's own.
    Embedded,
    /// This process and its children.
    Under(u32),
    /// Elsewhere, in a container for instance.
    Unknown,
}

impl DatabaseProcesses {
    pub fn seconds(self) -> Option<f64> {
        match self {
            Self::Embedded => Some(0.0),
            Self::Unknown => None,
            Self::Under(root) => {
                let main = Stat::of(root)?;
                // What has ended already is part of its parent's sum.
                let children = all().filter(|stat| stat.parent == root);
                Some(main.own + main.ended_children + children.map(|stat| stat.own).sum::<f64>())
            }
        }
    }
}

/// One process with all of its threads.
pub fn seconds(process: u32) -> Option<f64> {
    Some(Stat::of(process)?.own)
}

/// The parent of `process`, if that bears `name`.
pub fn parent_named(process: u32, name: &str) -> Option<u32> {
    let stat = Stat::of(process)?;
    (stat.name == name).then_some(stat.parent)
}

/// The process that was started with this argument.
pub fn started_with(argument: &str) -> Option<u32> {
    all().map(|stat| stat.process).find(|process| {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0)
            .any(|word| word == argument.as_bytes())
    })
}

struct Stat {
    process: u32,
    parent: u32,
    name: String,
    own: f64,
    ended_children: f64,
}

impl Stat {
    fn of(process: u32) -> Option<Self> {
        Self::read(&Path::new("/proc").join(process.to_string()))
    }

    fn read(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join("stat")).ok()?;
        // The name may hold spaces and brackets; what follows the last one may not.
        let (start, rest) = text.rsplit_once(')')?;
        let (process, name) = start.split_once(" (")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
        Some(Self {
            process: process.parse().ok()?,
            parent: fields.get(1)?.parse().ok()?,
            name: name.to_owned(),
            own: (ticks(11)? + ticks(12)?) / TICKS_PER_SECOND,
            ended_children: (ticks(13)? + ticks(14)?) / TICKS_PER_SECOND,
        })
    }
}

fn all() -> impl Iterator<Item = Stat> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    folders
        .filter(|entry| {
            entry
                .file_name()
                .as_encoded_bytes()
                .first()
                .is_some_and(u8::is_ascii_digit)
        })
        .filter_map(|entry| Stat::read(&entry.path()))
}
