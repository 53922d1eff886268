//! Stands between a server and its database, so that the database can go away for this server alone.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Open,
    /// Connections are cut, new ones hung up on.
    Stopped,
    /// Connections stand, and nothing comes through.
    Silent,
}

pub struct Proxy {
    shared: Arc<Shared>,
    pub address: SocketAddr,
}

struct Shared {
    mode: Mutex<Mode>,
    streams: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    pub fn to(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            mode: Mutex::new(Mode::Open),
            streams: Mutex::default(),
        });
        let accepting = shared.clone();
        // Lives as long as the driver: there is one for each database.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.mode() != Mode::Stopped {
                    let _ = accepting.connect(client, upstream);
                }
            }
        });
        Ok(Self { shared, address })
    }

    pub fn turn(&self, mode: Mode) {
        *self
            .shared
            .mode
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = mode;
        // What was silent is out of step: whoever comes back opens new connections.
        if mode != Mode::Silent {
            let mut streams = self
                .shared
                .streams
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            for stream in streams.drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Shared {
    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(self: &Arc<Self>, client: TcpStream, upstream: SocketAddr) -> io::Result<()> {
        let server = TcpStream::connect(upstream)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.extend([client.try_clone()?, server.try_clone()?]);
        for (mut from, mut to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
            let shared = self.clone();
            thread::spawn(move || {
                let mut buffer = [0; 16 * 1024];
                while let Ok(read @ 1..) = from.read(&mut buffer) {
                    while shared.mode() == Mode::Silent {
                        thread::sleep(Duration::from_millis(5));
                    }
                    if to.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        Ok(())
    }
}
