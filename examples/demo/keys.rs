//! The keys that encrypt the cookies: from the environment, or one that is made once and kept in a file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use countersign::Key;

use crate::config::SettingError;

const FILE: &str = "demo.key";
const ALLOWED: &str = "allowed: base64 of 64 random bytes each, separated by commas";

/// `SESSION_KEYS`: the first key writes, the others still read what was written before a change of keys.
pub fn from_list(list: &str) -> Result<Vec<Key>, SettingError> {
    list.split(',')
        .enumerate()
        .map(|(index, text)| {
            Key::from_base64(text.trim()).map_err(|error| {
                SettingError::secret(
                    "SESSION_KEYS",
                    format!("cannot be used: key {}: {error}; {ALLOWED}", index + 1),
                )
            })
        })
        .collect()
}

/// Without `SESSION_KEYS`: the key in `demo.key`, which is made at the first start.
pub fn kept_in_file() -> Result<Vec<Key>, SettingError> {
    let path = Path::new(FILE);
    if !path.exists() {
        create(path).map_err(|error| {
            SettingError::secret(
                "SESSION_KEYS",
                format!("is not set, and {FILE} cannot be made: {error}"),
            )
        })?;
    }
    let key = fs::read_to_string(path)
        .map_err(|error| error.to_string())
        .and_then(|text| Key::from_base64(text.trim()).map_err(|error| error.to_string()))
        .map_err(|error| {
            SettingError::secret(
                "SESSION_KEYS",
                format!("is not set, and the key in {FILE} cannot be used: {error}; delete {FILE} to have a new one made"),
            )
        })?;
    Ok(vec![key])
}

/// Makes the file whole or not at all: another demo that starts at this moment either finds the
/// complete key or is the one that made it.
fn create(path: &Path) -> io::Result<()> {
    // Not the process's number alone: in a container it is the same at every start, and a file that one of them left
    // behind must not stop the next.
    let unfinished = path.with_extension(format!("key.{}", uuid::Uuid::now_v7()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    let written = writeln!(file, "{}", Key::generate().to_base64()).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&unfinished, path));
    fs::remove_file(&unfinished)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}
