//! Ending sessions, for good: one, that of a browser, or all that a filter means.

use uuid::Uuid;

use super::{
    Bind, EndedReason, Fault, Filter, MAX_LIST, Previous, Store, retry::retry,
    statement::Statement, value::CellKind,
};
use crate::error::Error;

impl Store {
    /// Ends sessions for good, whether they are live or still reserved. Those that have ended stay as they are.
    pub(crate) async fn end(
        &self,
        ids: &[Uuid],
        reason: EndedReason,
        by: Option<&str>,
    ) -> Result<u64, Error> {
        let binds = || end_binds(reason, by, Bind::Uuids(ids.to_vec()));
        let ending = retry(|| async {
            let mut link = self.driver.acquire().await?;
            link.execute(&self.statements.end_ids, binds()).await
        });
        self.announced(self.within_budget(ending).await)
    }

    /// Ends the session that a browser had until now.
    pub(crate) async fn end_previous(
        &self,
        previous: Previous,
        reason: EndedReason,
        by: Option<&str>,
    ) -> Result<u64, Error> {
        let ending = retry(|| async {
            let (statement, binds) = self.ending_of(previous, reason, by);
            let mut link = self.driver.acquire().await?;
            link.execute(statement, binds).await
        });
        self.announced(self.within_budget(ending).await)
    }

    pub(super) fn ending_of(
        &self,
        previous: Previous,
        reason: EndedReason,
        by: Option<&str>,
    ) -> (&Statement, Vec<Bind>) {
        match previous {
            Previous::Session(id) => (
                &self.statements.end_ids,
                end_binds(reason, by, Bind::Uuids(vec![id])),
            ),
            Previous::Token(token) => {
                let mut binds = end_binds(reason, by, Bind::Hash(token));
                binds.push(Bind::Hash(token));
                (&self.statements.end_token, binds)
            }
        }
    }

    /// Ends all live sessions that the filter means, and sign-ins that are under way; counts the live ones.
    ///
    /// In batches, by id: ending ten million sessions must neither hold their locks until the last one is done, nor
    /// fail as a whole because it takes longer than anybody waits for a page.
    pub(crate) async fn end_where(
        &self,
        filter: &Filter,
        reason: EndedReason,
        by: &str,
    ) -> Result<u64, Error> {
        filter.check()?;
        let (conditions, binds) = match filter.over_live() {
            Some(filter) => filter.conditions(self),
            None => return Ok(0),
        };
        let template = format!(
            "SELECT {{id:id}} FROM countersign_sessions WHERE {{in_realm}} AND ({{live}} OR {{reserved}}){conditions} \
             AND id > {{?uuid}} ORDER BY id LIMIT {MAX_LIST}"
        );
        let due = self.compile(&template, &[CellKind::Text]);
        let (mut ended, mut after) = (0, Uuid::nil());
        loop {
            let mut binds = binds.clone();
            binds.push(Bind::from(after));
            let rows = self.fetch(&due, binds).await?;
            let ids: Vec<_> = rows.iter().filter_map(|row| row.uuid(0).ok()).collect();
            let Some(last) = ids.last().copied() else {
                return Ok(ended);
            };
            let batch = self.within_budget(retry(|| self.end_batch(&ids, reason, by)));
            ended += self.announced(batch.await)?;
            if rows.len() < MAX_LIST {
                return Ok(ended);
            }
            after = last;
        }
    }

    /// Reservations first: one that becomes real between the two statements is caught by the second.
    async fn end_batch(&self, ids: &[Uuid], reason: EndedReason, by: &str) -> Result<u64, Fault> {
        let binds = || end_binds(reason, Some(by), Bind::Uuids(ids.to_vec()));
        let mut link = self.driver.acquire().await?;
        link.execute(&self.statements.end_reserved, binds()).await?;
        link.execute(&self.statements.end_live, binds()).await
    }

    /// Resolves when this process has ended a session since it was last asked.
    pub(crate) async fn something_ended(&self) {
        self.ended.notified().await;
    }

    /// Passes on what ended sessions, and tells those who watch.
    pub(super) fn announced<T, E>(&self, outcome: Result<T, E>) -> Result<T, E> {
        // After a failure too: it may have been carried out.
        self.ended.notify_one();
        outcome
    }
}

pub(super) fn end_binds(reason: EndedReason, by: Option<&str>, ids: Bind) -> Vec<Bind> {
    vec![
        Bind::Text(reason.as_str().to_owned()),
        Bind::MaybeText(by.map(str::to_owned)),
        ids,
    ]
}
