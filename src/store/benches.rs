//! What `benches/hot` asks of this module: an answer of the database that is kept, and read as often as one likes.

use super::{Bind, Fault, Link, driver::BoxFuture, statement::Statement, value::Row};

/// The rows that a database answered with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer(Vec<Row>);

/// A connection that keeps what came over it.
pub(crate) struct Recording<'a> {
    pub(crate) over: &'a mut dyn Link,
    pub(crate) answer: Answer,
}

/// A connection on which an answer comes at once.
pub(crate) struct Replay(pub(crate) Answer);

impl Link for Recording<'_> {
    fn fetch<'a>(
        &'a mut self,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<Vec<Row>, Fault>> {
        Box::pin(async move {
            let rows = self.over.fetch(statement, binds).await?;
            self.answer = Answer(rows.clone());
            Ok(rows)
        })
    }

    fn execute<'a>(
        &'a mut self,
        statement: &'a Statement,
        binds: Vec<Bind>,
    ) -> BoxFuture<'a, Result<u64, Fault>> {
        self.over.execute(statement, binds)
    }

    fn is_good(&self) -> bool {
        self.over.is_good()
    }
}

impl Link for Replay {
    fn fetch<'a>(
        &'a mut self,
        _: &'a Statement,
        _: Vec<Bind>,
    ) -> BoxFuture<'a, Result<Vec<Row>, Fault>> {
        let rows = std::mem::take(&mut self.0).0;
        Box::pin(std::future::ready(Ok(rows)))
    }

    fn execute<'a>(
        &'a mut self,
        _: &'a Statement,
        _: Vec<Bind>,
    ) -> BoxFuture<'a, Result<u64, Fault>> {
        Box::pin(std::future::ready(Ok(0)))
    }

    fn is_good(&self) -> bool {
        true
    }
}
