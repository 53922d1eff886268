//! More nodes of the application: over a pool of their own, or on whichever database there is.

use countersign::SessionsBuilder;

use super::{App, Database, Pool, app::usual};

impl App {
    /// A node over this pool, whose tables are there already.
    pub async fn on(
        pool: &Pool,
        configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
    ) -> Self {
        Self::of(configure(usual(pool.builder())).build().await.unwrap())
    }

    /// A node that was set up while the database was there and has lost it since.
    pub async fn cut_off(
        database: &Database,
        configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
    ) -> Self {
        let pool = database.pool_of(1).await;
        let app = Self::on(&pool, configure).await;
        pool.close().await;
        app
    }
}

impl Database {
    /// The first one that is built in, for what no database has a part in.
    pub async fn any() -> Self {
        #[cfg(feature = "sqlite")]
        let database = Self::sqlite().await;
        #[cfg(all(feature = "postgres", not(feature = "sqlite")))]
        let database = Self::postgres().await;
        #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
        let database = Self::mysql().await;
        database
    }
}
