//! Programs of other people, started for one test.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// A server that ends with its test.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    signal: &'static str,
    pub(crate) port: u16,
    pub(crate) folder: Folder,
}

/// A temporary folder of the user under whom a server runs.
#[derive(Debug)]
pub(crate) struct Folder {
    outer: TempDir,
    pub(crate) user: User,
}

/// Servers refuse to run as root, or had better not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    ids: Option<(u32, u32)>,
}

impl User {
    /// The user whom the package made, where we are root; otherwise ourselves.
    pub(crate) fn of_package(name: &str) -> Self {
        if id("-u", None) != Some(0) {
            return Self { ids: None };
        }
        let of = |name| Some((id("-u", Some(name))?, id("-g", Some(name))?));
        let ids = of(name).or_else(|| of("nobody"));
        Self {
            ids: Some(ids.expect("a user to run servers as")),
        }
    }
}

fn id(what: &str, name: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(what).args(name).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

impl Folder {
    pub(crate) fn new(user: User) -> Self {
        // Not TMPDIR: the server's user has to get there.
        let outer = tempfile::Builder::new()
            .prefix("countersign-server.")
            .tempdir_in("/tmp")
            .unwrap();
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let folder = Self { outer, user };
        fs::create_dir(folder.path()).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        if let Some((user, group)) = user.ids {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        folder
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.outer.path().join("data")
    }

    /// A file that the server reads.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.outer.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn log(&self) -> PathBuf {
        self.outer.path().join("log")
    }

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Runs a program to its end.
    pub(crate) fn run(&self, program: &Path, arguments: &[&str]) {
        let output = self.command(program, arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{} {arguments:?}: {}{}",
            program.display(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Starts a program that goes on until its test ends; `signal` is what stops it.
    pub(crate) fn start(
        self,
        program: &Path,
        arguments: &[&str],
        port: u16,
        signal: &'static str,
    ) -> Server {
        let log = fs::File::create(self.log()).unwrap();
        let child = self
            .command(program, arguments)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Server {
            child,
            signal,
            port,
            folder: self,
        }
    }

    /// The signal at the end of this test's thread is for the ways out that drop nothing. A shell without job control lets
    /// what it starts in the background ignore INT and QUIT, and so would the servers.
    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("env");
        command.args(["--default-signal=INT,QUIT", "setpriv"]);
        command.args(["--pdeathsig", "QUIT"]);
        if let Some((user, group)) = self.user.ids {
            command.args([
                format!("--reuid={user}"),
                format!("--regid={group}"),
                "--clear-groups".into(),
            ]);
        }
        command
            .arg(program)
            .args(arguments)
            .current_dir(self.outer.path())
            .stdin(Stdio::null());
        command
    }
}

impl Server {
    /// Waits until it answers, as long as it runs.
    pub(crate) async fn ready<F: Future<Output = bool>>(&mut self, mut answers: impl FnMut() -> F) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !answers().await {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", self.folder.said());
            assert!(Instant::now() < deadline, "{}", self.folder.said());
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// How long a server may take to end before it is killed.
const GOODBYE: Duration = Duration::from_secs(30);

impl Drop for Server {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        let signalled = Command::new("kill").args(["-s", self.signal, &id]).status();
        let heard = signalled.is_ok_and(|status| status.success());
        let deadline = Instant::now() + GOODBYE;
        while heard && Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                _ => return,
            }
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A program by its name, from PATH or where packages put it.
pub(crate) fn program(name: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.push("/usr/sbin".into());
    // Debian keeps every major version of PostgreSQL in a folder of its own: the newest wins.
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| {
            entries
                .map(|entry| entry.unwrap().path().join("bin"))
                .collect()
        })
        .unwrap_or_default();
    versions.sort();
    places.extend(versions.into_iter().rev());
    let found = places
        .into_iter()
        .map(|place| place.join(name))
        .find(|path| path.exists());
    found.unwrap_or_else(|| {
        panic!("{name} is missing: install the package {package} (`apt-get install {package}`), and run this again")
    })
}

/// Free now, and a moment later almost surely.
pub(crate) fn free_port() -> u16 {
    loop {
        // Below what Linux hands out to outgoing connections.
        let port = 20_000 + (countersign::uuid::Uuid::now_v7().as_u128() % 12_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
