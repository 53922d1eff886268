//! What `benches/hot` needs of this module: the database's rows about many sessions, and reading them.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header::COOKIE};

use super::Sessions;
use crate::{
    cookie::Presented,
    store::{
        Lookup, Store,
        benches::{Answer, Recording, Replay},
    },
    token::TokenHash,
};

/// The database's rows about some sessions.
#[derive(Debug)]
pub struct Answers {
    store: Arc<Store>,
    tokens: Vec<TokenHash>,
    answer: Answer,
}

/// A copy of the rows, for one reading.
#[derive(Debug)]
pub struct Rows(Answer);

impl Answers {
    /// Asks the database about the sessions of these `Cookie` headers.
    pub async fn about(sessions: &Sessions, cookies: &[HeaderValue]) -> Self {
        let core = sessions.core();
        let tokens: Vec<TokenHash> = cookies
            .iter()
            .map(|cookie| {
                let headers = HeaderMap::from_iter([(COOKIE, cookie.clone())]);
                match core.cookies.session(&headers) {
                    Presented::Credentials(credentials) => credentials.token.hash(),
                    other => panic!("this is not a session cookie of this handle: {other:?}"),
                }
            })
            .collect();
        let mut link = core.store.link().await.expect("the database is there");
        let mut recording = Recording {
            over: link.as_mut(),
            answer: Answer::default(),
        };
        let looked_up = core.store.look_up(&mut recording, &tokens).await;
        looked_up.expect("the database answers");
        Self {
            answer: recording.answer,
            store: core.store.clone(),
            tokens,
        }
    }

    /// A copy of the rows as the driver returned them.
    pub fn rows(&self) -> Rows {
        Rows(self.answer.clone())
    }

    /// How many of the sessions are live, by these rows.
    pub async fn live(&self, rows: Rows) -> usize {
        let mut replay = Replay(rows.0);
        let looked_up = self.store.look_up(&mut replay, &self.tokens).await;
        let found = looked_up.expect("the rows are an answer");
        found
            .values()
            .filter(|lookup| matches!(lookup, Lookup::Live(_)))
            .count()
    }
}
