//! A TCP proxy in front of a database server, that fails in the ways networks do.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

use super::{Database, Pool};

/// What becomes of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Pass,
    /// Each piece is late by so much.
    Delay(Duration),
    /// Nothing comes through, and nobody is told.
    BlackHole,
    /// Connections are cut, and new ones are accepted and cut.
    Reset,
    /// The answer to the next statement is not forwarded: the connection is cut instead. After that, all is well.
    CutNextAnswer,
    /// The same for the answer to a COMMIT, which the server has carried out.
    CutAnswerToCommit,
    /// Statements are held back until the mode changes.
    Hold,
    /// So many bytes of a plain BEGIN come through, the others a little later.
    HoldBegin {
        after: usize,
    },
    /// The server's side falls silent for good while the client's stays open.
    HalfClose,
}

#[derive(Clone, Debug)]
pub struct Proxy {
    mode: Arc<watch::Sender<Mode>>,
    held: Arc<AtomicUsize>,
    port: u16,
}

/// What the client has sent last.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    commit: bool,
    statement: bool,
}

/// How many pieces a client sends to open a connection, such as the login. One that is cut there takes no statement with it,
/// and another lane may be opening a connection at any time.
const OPENING: usize = 3;

/// How one direction ended.
enum Pumped {
    On,
    Cut,
}

impl Proxy {
    pub async fn before(database: &Database) -> Self {
        let target = address(&database.url());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mode = Arc::new(watch::Sender::new(Mode::Pass));
        let switch = mode.clone();
        let held = Arc::new(AtomicUsize::new(0));
        let holding = held.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&target).await else {
                    continue;
                };
                tokio::spawn(connection(client, server, switch.clone(), holding.clone()));
            }
        });
        Self { mode, held, port }
    }

    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// How many statements have been held back.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    pub fn mode(&self) -> Mode {
        *self.mode.borrow()
    }

    /// A pool that reaches the database only through this.
    pub async fn pool(&self, database: &Database, connections: u32) -> Pool {
        let url = database.url().replace(
            &address(&database.url()),
            &format!("127.0.0.1:{}", self.port),
        );
        database.pool_at(&url, connections).await
    }
}

fn address(url: &str) -> String {
    let (_, place) = url.rsplit_once('@').unwrap();
    place.split_once('/').unwrap().0.to_owned()
}

async fn connection(
    client: TcpStream,
    server: TcpStream,
    mode: Arc<watch::Sender<Mode>>,
    held: Arc<AtomicUsize>,
) {
    let asked = Arc::new(Mutex::new(Asked::default()));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = pump(
        from_client,
        to_server,
        mode.clone(),
        asked.clone(),
        held.clone(),
        false,
    );
    let down = pump(from_server, to_client, mode.clone(), asked, held, true);
    let mut watched = mode.subscribe();
    let reset = watched.wait_for(|mode| *mode == Mode::Reset);
    // Whatever ends first drops both sockets.
    tokio::select! {
        () = up => {}
        () = down => {}
        _ = reset => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mode: Arc<watch::Sender<Mode>>,
    asked: Arc<Mutex<Asked>>,
    held: Arc<AtomicUsize>,
    answers: bool,
) {
    let mut buffer = vec![0; 1 << 16];
    let mut pieces = 0;
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let piece = &buffer[..length];
        pieces += 1;
        if !answers {
            *asked.lock().unwrap() = Asked {
                commit: piece.ends_with(b"COMMIT\0") || piece.ends_with(b"COMMIT"),
                // A ping has a few bytes, a statement about a token at least the token's digest.
                statement: pieces > OPENING && piece.len() > 32,
            };
        }
        let asked = *asked.lock().unwrap();
        if !answers && asked.statement && *mode.borrow() == Mode::Hold {
            held.fetch_add(1, Ordering::SeqCst);
            let _ = mode.subscribe().wait_for(|mode| *mode != Mode::Hold).await;
        }
        if let Pumped::Cut = pass_on(piece, &mut to, &mode, asked, answers).await {
            return;
        }
    }
}

async fn pass_on(
    piece: &[u8],
    to: &mut OwnedWriteHalf,
    mode: &watch::Sender<Mode>,
    asked: Asked,
    answers: bool,
) -> Pumped {
    let now = *mode.borrow();
    match now {
        Mode::HoldBegin { after } if !answers && is_begin(piece) => {
            let (first, last) = piece.split_at(after.min(piece.len()));
            if to.write_all(first).await.is_err() {
                return Pumped::Cut;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            return match to.write_all(last).await {
                Ok(()) => Pumped::On,
                Err(_) => Pumped::Cut,
            };
        }
        Mode::Delay(pause) => tokio::time::sleep(pause).await,
        Mode::BlackHole => std::future::pending().await,
        Mode::HalfClose if answers => std::future::pending().await,
        Mode::Reset => return Pumped::Cut,
        Mode::CutNextAnswer if answers && asked.statement && changed(mode, now, Mode::Pass) => {
            return Pumped::Cut;
        }
        Mode::CutAnswerToCommit if answers && asked.commit && changed(mode, now, Mode::Pass) => {
            return Pumped::Cut;
        }
        _ => {}
    }
    match to.write_all(piece).await {
        Ok(()) => Pumped::On,
        Err(_) => Pumped::Cut,
    }
}

/// Whether this connection is the one that changes the mode: of several that have an answer at once, one is cut.
fn changed(mode: &watch::Sender<Mode>, from: Mode, to: Mode) -> bool {
    mode.send_if_modified(|mode| {
        let is_first = *mode == from;
        if is_first {
            *mode = to;
        }
        is_first
    })
}

/// Whether an application begins a transaction; those of sessions begin with more words.
fn is_begin(piece: &[u8]) -> bool {
    piece.ends_with(b"BEGIN\0") || piece.ends_with(b"BEGIN")
}
