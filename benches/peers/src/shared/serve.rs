//! The process around a contender: its runtime, its socket, `/health`, and its end.

use std::{
    error::Error,
    net::{Ipv4Addr, SocketAddr},
};

use axum::{Router, routing::get, serve::ListenerExt};
use serde::Deserialize;
use tokio::{io::AsyncReadExt, net::TcpListener, runtime};

use super::application::Pool;

pub type Failure = Box<dyn Error + Send + Sync>;

/// `server CONTENDER DATABASE_URL WORKER_THREADS`
pub struct Settings {
    pub contender: String,
    pub pool: Pool,
}

/// Who signs in: `POST /login?user=7`.
#[derive(Deserialize)]
pub struct Who {
    pub user: i64,
}

/// Serves what `build` returns and a bare handler beside it, on a free port that is printed on the first line of
/// standard output. Ends when standard input does, so that it does not outlive the driver.
pub fn serve<F>(build: impl FnOnce(Settings) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<Router, Failure>>,
{
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or(format!("no {what}"));
    let (contender, url) = (next("contender")?, next("database URL")?);
    let workers = next("number of worker threads")?.parse()?;
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let pool = Pool::connect(&url).await?;
        // Outside of every layer: what a request costs before a contender has a say.
        let router = build(Settings { contender, pool }).await?;
        let router = router.route("/health", get(async || "ok"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?.port());
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        // session-guard and axum_session read the peer's address; everybody pays for it.
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::select! {
            served = axum::serve(listener, service) => Ok(served?),
            _ = async { tokio::io::stdin().read_to_end(&mut Vec::new()).await } => Ok(()),
        }
    })
}
