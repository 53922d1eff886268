//! What administrators and users see of sessions, and the filter by which they list and end them.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Bind, Store,
    retry::retry,
    statement::Statement,
    statements::{INFO_COLUMNS, INFO_SELECT},
    value::{CellKind, CorruptRow, Row},
};
use crate::{error::Error, user_id::UserId};

/// Why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndedReason {
    /// Its user signed out.
    Logout,
    /// Somebody decided so.
    Revoked,
    /// It made room for a newer one: the user's limit was reached.
    Limit,
    /// Its browser signed in again.
    Replaced,
    /// The idle or the absolute timeout passed.
    Expired,
    /// Its browser was gone before the answer to the sign-in could be sent.
    Abandoned,
    /// A reason that a newer version of countersign wrote.
    Other,
}

impl EndedReason {
    /// The word in the database, in JSON and in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Revoked => "revoked",
            Self::Limit => "limit",
            Self::Replaced => "replaced",
            Self::Expired => "expired",
            Self::Abandoned => "abandoned",
            Self::Other => "other",
        }
    }

    pub(crate) fn from_column(word: &str) -> Self {
        [
            Self::Logout,
            Self::Revoked,
            Self::Limit,
            Self::Replaced,
            Self::Expired,
            Self::Abandoned,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == word)
        .unwrap_or(Self::Other)
    }
}

/// Whether a session still opens anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// Its token is accepted.
    Live,
    /// Over for good: ended, or a timeout passed.
    Ended,
}

/// A session as it is shown. Tokens and digests are no part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its public name; opens nothing.
    pub id: Uuid,
    /// Whose it is.
    pub user_id: UserId,
    /// Whether it is live, by the database's clock when it was read.
    pub state: SessionState,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When the user last proved who they are.
    pub authenticated_at: OffsetDateTime,
    /// When a request last came, to within the touch interval.
    pub last_seen_at: OffsetDateTime,
    /// When the absolute timeout passes.
    pub expires_at: OffsetDateTime,
    /// The client's address at sign-in. A hint: addresses are shared and change.
    pub ip: Option<String>,
    /// The client's `User-Agent` at sign-in, up to 255 bytes. Sent by the client: never trust it, escape it when shown.
    pub user_agent: Option<String>,
    /// Whether its cookie outlives the browser's own session.
    pub remembered: bool,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
    /// Why it ended.
    pub ended_reason: Option<EndedReason>,
    /// Who ended it.
    pub ended_by: Option<String>,
}

/// Which sessions are meant: all conditions together. The same filter lists and revokes, so that the list is the
/// preview of the revocation.
///
/// There is no filter by accident: one starts from [`user`](Self::user) or, spelled out, [`everybody`](Self::everybody).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    user_id: Option<UserId>,
    state: Option<SessionState>,
    ip: Option<String>,
    user_agent: Option<String>,
    created_after: Option<OffsetDateTime>,
    created_before: Option<OffsetDateTime>,
    id: Option<Uuid>,
    except: Option<Uuid>,
}

impl Filter {
    /// The sessions of all users.
    #[must_use]
    pub fn everybody() -> Self {
        Self {
            user_id: None,
            state: None,
            ip: None,
            user_agent: None,
            created_after: None,
            created_before: None,
            id: None,
            except: None,
        }
    }

    /// The sessions of one user.
    #[must_use]
    pub fn user(user_id: impl Into<UserId>) -> Self {
        Self {
            user_id: Some(user_id.into()),
            ..Self::everybody()
        }
    }

    /// Only those in this state. Revoking ends live ones in any case.
    #[must_use]
    pub fn state(mut self, state: SessionState) -> Self {
        self.state = Some(state);
        self
    }

    /// Only those that were signed in from this address, in the form that [`SessionInfo::ip`] has.
    #[must_use]
    pub fn ip(mut self, ip: impl Into<String>) -> Self {
        self.ip = Some(ip.into());
        self
    }

    /// Only those whose user agent contains this text, letter for letter.
    #[must_use]
    pub fn user_agent(mut self, part: impl Into<String>) -> Self {
        self.user_agent = Some(part.into());
        self
    }

    /// Only those made at this time or later.
    #[must_use]
    pub fn created_after(mut self, time: OffsetDateTime) -> Self {
        self.created_after = Some(time);
        self
    }

    /// Only those made before this time.
    #[must_use]
    pub fn created_before(mut self, time: OffsetDateTime) -> Self {
        self.created_before = Some(time);
        self
    }

    pub(crate) fn id(id: Uuid) -> Self {
        Self {
            id: Some(id),
            ..Self::everybody()
        }
    }

    pub(crate) fn except(mut self, id: Uuid) -> Self {
        self.except = Some(id);
        self
    }

    /// The conditions as a template, each starting with AND, and their parameters.
    fn conditions(&self, store: &Store) -> (String, Vec<Bind>) {
        let dialect = store.fragments.dialect;
        let mut sql = String::new();
        let mut binds = Vec::new();
        let mut and = |condition: &str, bind: Option<Bind>| {
            sql.push_str(" AND ");
            sql.push_str(condition);
            binds.extend(bind);
        };
        if let Some(user_id) = &self.user_id {
            and("user_id = {?text}", Some(Bind::Text(user_id.to_string())));
        }
        match self.state {
            Some(SessionState::Live) => and("{live}", None),
            Some(SessionState::Ended) => and("NOT {live}", None),
            None => {}
        }
        if let Some(ip) = &self.ip {
            and("ip = {?text}", Some(Bind::Text(ip.clone())));
        }
        if let Some(part) = &self.user_agent {
            and(
                &dialect.contains("user_agent"),
                Some(Bind::Text(part.clone())),
            );
        }
        if let Some(time) = self.created_after {
            and(
                &format!("created_at >= {}", dialect.time("{?int}")),
                Some(Bind::Int(micros(time))),
            );
        }
        if let Some(time) = self.created_before {
            and(
                &format!("created_at < {}", dialect.time("{?int}")),
                Some(Bind::Int(micros(time))),
            );
        }
        if let Some(id) = self.id {
            and("id = {?uuid}", Some(Bind::from(id)));
        }
        if let Some(id) = self.except {
            and("id <> {?uuid}", Some(Bind::from(id)));
        }
        (sql, binds)
    }

    fn check(&self) -> Result<(), Error> {
        let texts = [("ip", &self.ip), ("user_agent", &self.user_agent)];
        match texts
            .into_iter()
            .find(|(_, text)| text.as_ref().is_some_and(|text| text.contains('\0')))
        {
            Some((name, _)) => Err(Error::invalid(format!(
                "the filter's {name} contains a NUL character"
            ))),
            None => match &self.user_id {
                Some(user_id) => user_id.validate().map_err(Error::invalid),
                None => Ok(()),
            },
        }
    }
}

fn micros(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}

/// How much of a listing, from where. Newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    size: u32,
    after: Option<Uuid>,
}

impl Page {
    /// The most sessions on a page.
    pub const MAX_SIZE: u32 = 1000;

    /// The first page; sizes are brought into 1 to [`MAX_SIZE`](Self::MAX_SIZE).
    #[must_use]
    pub fn first(size: u32) -> Self {
        Self {
            size: size.clamp(1, Self::MAX_SIZE),
            after: None,
        }
    }

    /// The page after the session that [`SessionPage::next`] named. Sessions that come or go meanwhile move nothing.
    #[must_use]
    pub fn after(mut self, session: Uuid) -> Self {
        self.after = Some(session);
        self
    }
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionPage {
    /// The sessions, newest first.
    pub sessions: Vec<SessionInfo>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<Uuid>,
}

impl Store {
    pub(crate) async fn list(&self, filter: &Filter, page: Page) -> Result<SessionPage, Error> {
        filter.check()?;
        let (mut conditions, mut binds) = filter.conditions(self);
        if let Some(after) = page.after {
            conditions.push_str(" AND id < {?uuid}");
            binds.push(Bind::from(after));
        }
        // One more than asked for tells whether there is a next page. A reservation is not a session.
        let template = format!(
            "{INFO_SELECT} WHERE reserved_until IS NULL{conditions} ORDER BY id DESC LIMIT {}",
            page.size + 1
        );
        let statement = self.compile(&template, &INFO_COLUMNS);
        let rows = self.fetch(&statement, binds).await?;
        let sessions: Result<Vec<_>, _> = rows
            .iter()
            .take(page.size as usize)
            .map(read_info)
            .collect();
        let sessions = sessions?;
        let next = if rows.len() > page.size as usize {
            sessions.last().map(|session| session.id)
        } else {
            None
        };
        Ok(SessionPage { sessions, next })
    }

    /// Ends all live sessions that the filter means, and sign-ins that are under way; counts the live ones.
    pub(crate) async fn end_where(
        &self,
        filter: &Filter,
        reason: EndedReason,
        by: &str,
    ) -> Result<u64, Error> {
        filter.check()?;
        let (conditions, binds) = filter.conditions(self);
        let end = |state: &str| {
            let template = format!(
                "UPDATE countersign_sessions SET ended_at = {{now}}, ended_reason = {{?text}}, ended_by = {{?text}} \
                 WHERE {state}{conditions}"
            );
            self.compile(&template, &[])
        };
        let mut all = vec![
            Bind::Text(reason.as_str().to_owned()),
            Bind::Text(by.to_owned()),
        ];
        all.extend(binds);
        // Reservations first: one that becomes real between the two statements is caught by the second.
        let (reserved, live) = (end("{reserved}"), end("{live}"));
        self.within_budget(retry(|| async {
            let mut link = self.driver.acquire().await?;
            link.execute(&reserved, all.clone()).await?;
            link.execute(&live, all.clone()).await
        }))
        .await
    }

    pub(crate) async fn count_live_where(&self, filter: &Filter) -> Result<u64, Error> {
        filter.check()?;
        let (conditions, binds) = filter.conditions(self);
        let template = format!(
            "SELECT {{integer:count(*)}} FROM countersign_sessions WHERE {{live}}{conditions}"
        );
        let rows = self
            .fetch(&self.compile(&template, &[CellKind::Int]), binds)
            .await?;
        let count = rows.first().ok_or(CorruptRow)?.int(0)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    fn compile(&self, template: &str, columns: &[CellKind]) -> Statement {
        Statement::new(self.fragments.dialect, template, columns, |tag| {
            self.fragments.resolve(tag)
        })
    }

    async fn fetch(&self, statement: &Statement, binds: Vec<Bind>) -> Result<Vec<Row>, Error> {
        self.within_budget(async {
            let mut link = self.driver.acquire().await?;
            link.fetch(statement, binds).await
        })
        .await
    }
}

fn read_info(row: &Row) -> Result<SessionInfo, CorruptRow> {
    let text = |column| row.maybe_text(column).map(|text| text.map(str::to_owned));
    let state = if row.int(2)? == 1 {
        SessionState::Live
    } else {
        SessionState::Ended
    };
    let recorded = (row.maybe_int(10)?, row.maybe_text(11)?);
    // A session that ran out is over from that moment on, whenever the sweeper comes by to write it down.
    let (ended_at, ended_reason) = match (state, recorded) {
        (SessionState::Live, _) => (None, None),
        (SessionState::Ended, (Some(at), Some(reason))) => {
            (Some(at), Some(EndedReason::from_column(reason)))
        }
        (SessionState::Ended, _) => (Some(row.int(13)?), Some(EndedReason::Expired)),
    };
    Ok(SessionInfo {
        id: row.uuid(0)?,
        user_id: UserId::from(row.text(1)?),
        state,
        created_at: time(row.int(3)?)?,
        authenticated_at: time(row.int(4)?)?,
        last_seen_at: time(row.int(5)?)?,
        expires_at: time(row.int(6)?)?,
        ip: text(7)?,
        user_agent: text(8)?,
        remembered: row.int(9)? == 1,
        ended_at: ended_at.map(time).transpose()?,
        ended_reason,
        ended_by: text(12)?,
    })
}

fn time(micros: i64) -> Result<OffsetDateTime, CorruptRow> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).map_err(|_| CorruptRow)
}
