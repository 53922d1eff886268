//! A place in a handler where the test decides how long it takes.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// A handler waits at it; the test learns that it came, and lets it pass.
#[derive(Clone, Debug)]
pub struct Gate {
    arrivals: Arc<Semaphore>,
    passes: Arc<Semaphore>,
}

impl Gate {
    pub fn closed() -> Self {
        Self {
            arrivals: Arc::new(Semaphore::new(0)),
            passes: Arc::new(Semaphore::new(0)),
        }
    }

    /// For the handler: says that it is here, and waits.
    pub async fn pass(&self) {
        self.arrivals.add_permits(1);
        self.passes.acquire().await.unwrap().forget();
    }

    /// For the test: waits until a handler is here.
    pub async fn reached(&self) {
        self.arrivals.acquire().await.unwrap().forget();
    }

    /// Lets one handler pass.
    pub fn open(&self) {
        self.passes.add_permits(1);
    }
}
