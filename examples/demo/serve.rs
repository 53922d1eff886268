//! From the listening socket to a clean stop.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long requests that are under way may still take once the program has been told to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// Listens. `[::]` serves IPv4 too, wherever the system would have it otherwise.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    bind(address).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
    })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // Lets a restarted server have its port again at once. (On Windows it would let two share it.)
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    TcpListener::from_std(socket.into())
}

/// The word to stop, for everybody who waits for it.
#[derive(Clone)]
pub struct Stop {
    told: watch::Receiver<bool>,
}

impl Stop {
    /// It comes by Ctrl-C or SIGTERM.
    pub fn by_signal() -> Self {
        let (tell, told) = watch::channel(false);
        tokio::spawn(async move {
            stop_signal().await;
            tracing::info!("stopping");
            // Also to those who only come to wait afterwards.
            tell.send_replace(true);
        });
        Self { told }
    }

    /// Resolves when it is time to stop.
    pub async fn told(mut self) {
        if self.told.wait_for(|told| *told).await.is_err() {
            std::future::pending().await // whoever tells is gone, and said nothing
        }
    }
}

/// Serves until told to stop, then finishes the requests that are under way.
pub async fn until_told(stop: Stop, listener: TcpListener, router: Router) -> io::Result<()> {
    // Who connects is what gets recorded as a session's address.
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(stop.clone().told());
    tokio::select! {
        result = serving.into_future() => result,
        () = too_long_after(stop.told()) => {
            tracing::warn!("some requests did not finish within {LAST_REQUESTS:?}");
            Ok(())
        }
    }
}

async fn too_long_after(told: impl Future<Output = ()>) {
    told.await;
    tokio::time::sleep(LAST_REQUESTS).await;
}

async fn stop_signal() {
    let ctrl_c = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl-C cannot be noticed");
            std::future::pending().await
        }
    };
    tokio::select! {
        () = ctrl_c => {}
        () = terminate() => {}
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(error) => {
            tracing::error!(%error, "SIGTERM cannot be noticed");
            std::future::pending().await
        }
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending().await
}
