//! Pools of applications that prepare their connections in ways of their own.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;

use super::{Database, Pool};

/// What a pool does with each new connection.
#[derive(Clone, Debug)]
pub struct Hook {
    /// These words are said on it while the switch is on.
    pub says: &'static str,
    pub switch: Arc<AtomicBool>,
    /// While this is closed nobody gets it.
    pub door: Arc<watch::Sender<bool>>,
}

impl Hook {
    pub fn saying(says: &'static str) -> Self {
        Self {
            says,
            switch: Arc::new(AtomicBool::new(true)),
            door: Arc::new(watch::Sender::new(true)),
        }
    }

    pub fn says(&self, on: bool) {
        self.switch.store(on, Ordering::SeqCst);
    }

    pub fn opens(&self, open: bool) {
        self.door.send_replace(open);
    }
}

impl Database {
    pub async fn pool_with_hook(&self, hook: &Hook) -> Pool {
        let hook = hook.clone();
        macro_rules! hooked {
            ($options:ty, $to:expr) => {
                <$options>::new()
                    .after_connect(move |connection, _| {
                        let hook = hook.clone();
                        Box::pin(async move {
                            let _ = hook.door.subscribe().wait_for(|open| *open).await;
                            if hook.switch.load(Ordering::SeqCst) {
                                let words = sqlx::raw_sql(hook.says);
                                sqlx::Executor::execute(connection, words).await?;
                            }
                            Ok(())
                        })
                    })
                    .connect_with($to)
                    .await
                    .unwrap()
            };
        }
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(pool) => {
                let to = pool.connect_options().as_ref().clone();
                Pool::Sqlite(hooked!(sqlx::sqlite::SqlitePoolOptions, to))
            }
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => {
                let to = pool.connect_options().as_ref().clone();
                Pool::Postgres(hooked!(sqlx::postgres::PgPoolOptions, to))
            }
            #[cfg(feature = "mysql")]
            Pool::MySql(pool) => {
                let to = pool.connect_options().as_ref().clone();
                Pool::MySql(hooked!(sqlx::mysql::MySqlPoolOptions, to))
            }
        }
    }
}

impl Pool {
    /// From now on new connections are looked for where no server is. Without SQLite.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub fn lead_nowhere(&self) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => panic!("not for SQLite"),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => {
                pool.set_connect_options(pool.connect_options().as_ref().clone().port(1));
            }
            #[cfg(feature = "mysql")]
            Self::MySql(pool) => {
                pool.set_connect_options(pool.connect_options().as_ref().clone().port(1));
            }
        }
    }
}
