//! The load: so many connections that each send their next request when the last one is answered, all on one thread.
//! Every answer is checked.

use std::{
    cell::{Cell, RefCell},
    io,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{net::TcpStream, task::LocalSet, time::sleep};

use crate::http::{find, parse};

/// What a request has to be answered with.
#[derive(Clone)]
pub enum Expected {
    Body(Vec<u8>),
    /// A cookie.
    SignIn,
}

/// One server and what is asked of it, in turn.
pub struct Target {
    pub address: SocketAddr,
    pub requests: Vec<(Vec<u8>, Expected)>,
}

#[derive(Clone, Copy)]
pub struct Load {
    pub connections: usize,
    pub warm_up: Duration,
    pub measured: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Measured {
    /// Right answers; refusals are not among them.
    pub per_second: f64,
    /// Answers of 500 and above: a server that says it cannot, which is not a wrong answer.
    pub refused: u64,
    pub p50: Duration,
    pub p99: Duration,
    /// Seconds of processor time per request; `None` where it cannot be known.
    pub server_cpu: Option<f64>,
    pub database_cpu: Option<f64>,
}

/// Processor time that was used so far, in seconds.
pub struct Usage {
    pub server: Option<f64>,
    pub database: Option<f64>,
}

struct State {
    target: Target,
    counting: Cell<bool>,
    ended: Cell<bool>,
    nanoseconds: RefCell<Vec<u32>>,
    refused: Cell<u64>,
}

/// Fails on the first answer that is not the expected one: a figure for wrong answers would mean nothing.
pub fn run(target: Target, load: Load, usage: impl Fn() -> Usage) -> io::Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let state = Rc::new(State {
            target,
            counting: Cell::new(false),
            ended: Cell::new(false),
            nanoseconds: RefCell::new(Vec::with_capacity(1 << 20)),
            refused: Cell::new(0),
        });
        let connections: Vec<_> = (0..load.connections)
            .map(|first| {
                tokio::task::spawn_local(connection(state.clone(), first, load.connections))
            })
            .collect();
        sleep(load.warm_up).await;
        let (began, before) = (Instant::now(), usage());
        state.counting.set(true);
        sleep(load.measured).await;
        state.counting.set(false);
        let (seconds, after) = (began.elapsed().as_secs_f64(), usage());
        state.ended.set(true);
        for connection in connections {
            connection.await.map_err(io::Error::other)??;
        }
        let mut times = state.nanoseconds.take();
        times.sort_unstable();
        let requests = times.len() as f64;
        let at = |share: f64| {
            let index = (requests * share) as usize;
            Duration::from_nanos(times.get(index).copied().unwrap_or_default().into())
        };
        let each = |before: Option<f64>, after: Option<f64>| {
            (!times.is_empty()).then_some((after? - before?) / requests)
        };
        Ok(Measured {
            per_second: requests / seconds,
            refused: state.refused.get(),
            p50: at(0.5),
            p99: at(0.99),
            server_cpu: each(before.server, after.server),
            database_cpu: each(before.database, after.database),
        })
    })
}

/// How often a connection may be reset before its first answer.
const RESETS: usize = 3;

/// Takes every `step`th request from `first` on, so that neighbours in time have different cookies.
async fn connection(state: Rc<State>, first: usize, step: usize) -> io::Result<()> {
    let mut resets = 0;
    loop {
        let mut answered = false;
        match requests(&state, first, step, &mut answered).await {
            // 256 connections at once may be more than the server's queue of new ones takes.
            Err(error)
                if error.kind() == io::ErrorKind::ConnectionReset
                    && !answered
                    && resets < RESETS =>
            {
                resets += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn requests(state: &State, first: usize, step: usize, answered: &mut bool) -> io::Result<()> {
    let stream = TcpStream::connect(state.target.address).await?;
    stream.set_nodelay(true)?;
    let requests = &state.target.requests;
    let mut buffer = vec![0; 16 * 1024];
    let mut next = first;
    while !state.ended.get() {
        let (request, expected) = &requests[next % requests.len()];
        next += step;
        let began = Instant::now();
        write(&stream, request).await?;
        let mut filled = 0;
        let refused = loop {
            let read = read(&stream, &mut buffer[filled..]).await?;
            if read == 0 {
                return Err(io::Error::other("the server hung up"));
            }
            filled += read;
            let Some(response) = parse(&buffer[..filled]) else {
                continue;
            };
            let right = match expected {
                Expected::Body(body) => response.status == 200 && response.body == body,
                Expected::SignIn => {
                    response.status == 200 && find(response.head, b"set-cookie: ").is_some()
                }
            };
            let refused = response.status >= 500;
            if !(right || refused) || response.length != filled {
                let text = String::from_utf8_lossy(&buffer[..filled]).into_owned();
                return Err(io::Error::other(format!("a wrong answer: {text}")));
            }
            break refused;
        };
        *answered = true;
        if state.counting.get() && refused {
            state.refused.set(state.refused.get() + 1);
        } else if state.counting.get() {
            let elapsed = u32::try_from(began.elapsed().as_nanos()).unwrap_or(u32::MAX);
            state.nanoseconds.borrow_mut().push(elapsed);
        }
    }
    Ok(())
}

async fn write(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        // An answer is never there at once: waiting first saves a call.
        stream.readable().await?;
        match stream.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
    }
}
