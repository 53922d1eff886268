//! Who may do what: the people of the A×B matrix, each in a browser of their own, and the table that says what each is
//! answered.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use countersign::{Sessions, uuid::Uuid};
use http::{HeaderValue, Method, header};

use super::{
    Answer, App, Client, Database,
    rows::{Dump, Fate, NewRow},
};

/// Who asks: the columns of the table.
pub const PEOPLE: [&str; 13] = [
    "anonymous", // brings no cookie
    "user",      // has no permission
    "other",     // another one
    "reader",    // may read
    "revoker",   // may end, not read
    "admin",     // may both
    "acting",    // the administrator, acting as the user
    "as-admin",  // the user, acting as the administrator
    "stranger",  // the administrator of another realm, with that realm's cookie
    "neighbour", // the same, asking the application of that realm about what is here
    "disabled",  // an administrator whose account was disabled
    "ended",     // an administrator whose session was ended
    "stale",     // the user, who signed in long ago
];

/// Whose sessions the others try to see and end.
const TARGET: &str = "9";

const USERS: &[&str] = &[
    "INSERT INTO users (id, name) VALUES (4, 'reader'), (5, 'revoker'), (6, 'dismissed'), (9, 'target')",
    "UPDATE users SET disabled = TRUE WHERE id = 6",
    "INSERT INTO user_permissions VALUES (4, 'sessions:read'), (5, 'sessions:revoke'), (6, 'sessions:read'), \
     (6, 'sessions:revoke')",
];

/// The application, its neighbour in the same database, and all who are signed in.
pub struct World {
    database: Database,
    here: App,
    neighbour: App,
    sessions: BTreeMap<&'static str, NewRow>,
    now: [Dump; 2],
}

/// A line of the table: a request, and the answer to each of the people.
///
/// ```text
/// DELETE /sessions/{target}  | {"body": true} | 401 403 403 403 204 204 … | target
/// ```
///
/// The last part names the sessions that have ended where the answer is a success; `others` are those of whoever asks
/// but the current one, `all` everybody's but the current one, and `limit` is the user's limit.
#[derive(Debug)]
pub struct Line<'a> {
    pub method: Method,
    pub path: &'a str,
    pub body: &'a str,
    pub answers: Vec<&'a str>,
    pub ends: Vec<&'a str>,
}

pub fn table(text: &str) -> Vec<Line<'_>> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).map(line).collect()
}

fn line(text: &str) -> Line<'_> {
    let [request, body, answers, ends] = text.split('|').collect::<Vec<_>>()[..] else {
        panic!("{text}")
    };
    let (method, path) = request.trim().split_once(' ').unwrap();
    let line = Line {
        method: method.parse().unwrap(),
        path: path.trim(),
        body: body.trim(),
        answers: answers.split_whitespace().collect(),
        ends: ends.split_whitespace().collect(),
    };
    assert_eq!(line.answers.len(), PEOPLE.len(), "{text}");
    line
}

impl Line<'_> {
    /// The path as the router has it.
    pub fn route(&self) -> String {
        let path = self.path.split('?').next().unwrap();
        let parts = path.split('/').map(|part| match part {
            TARGET => "{user_id}",
            part if part.starts_with('{') => "{id}",
            part => part,
        });
        parts.collect::<Vec<_>>().join("/")
    }

    pub fn is_safe(&self) -> bool {
        self.method.is_safe()
    }
}

fn all_sessions() -> BTreeMap<&'static str, NewRow> {
    let of = |user: &str| NewRow {
        user_agent: Some(format!("Browser of {user}")),
        ip: Some("192.0.2.7".to_owned()),
        ..NewRow::live(user)
    };
    let acting = |user: &str, administrator: &str| NewRow {
        acting_user: Some(administrator.to_owned()),
        ..of(user)
    };
    let other_realm = |user: &str| NewRow {
        realm: "neighbour",
        ..of(user)
    };
    BTreeMap::from([
        ("user", of("2")),
        ("user-2", of("2")),
        ("other", of("3")),
        ("other-2", of("3")),
        ("reader", of("4")),
        ("reader-2", of("4")),
        ("revoker", of("5")),
        ("revoker-2", of("5")),
        ("admin", of("1")),
        ("admin-2", of("1")),
        ("acting", acting("2", "1")),
        ("as-admin", acting("1", "2")),
        ("stranger", other_realm("1")),
        ("disabled", of("6")),
        (
            "ended",
            NewRow {
                fate: Fate::Ended,
                ..of("1")
            },
        ),
        (
            "stale",
            NewRow {
                proved_ago: 24 * 60 * 60,
                ..of("2")
            },
        ),
        ("target", of(TARGET)),
        ("target-2", of(TARGET)),
        (
            "target-past",
            NewRow {
                fate: Fate::Ended,
                ..of(TARGET)
            },
        ),
    ])
}

impl World {
    /// With the routers that `mount` makes of each application.
    pub async fn new(database: Database, mount: impl Fn(&Sessions) -> Router) -> Self {
        let mut here = App::new(&database).await;
        let mut neighbour = App::beside(&database, |builder| builder.realm("neighbour")).await;
        for app in [&mut here, &mut neighbour] {
            app.router = mount(&app.sessions).layer(app.sessions.layer());
        }
        for statement in USERS {
            database.execute(statement).await;
        }
        let mut world = Self {
            database,
            here,
            neighbour,
            sessions: all_sessions(),
            now: Default::default(),
        };
        world.restore().await;
        world
    }

    /// Everything as it was in the beginning.
    pub async fn restore(&mut self) {
        for table in ["countersign_sessions", "countersign_users"] {
            self.database.execute(&format!("DELETE FROM {table}")).await;
        }
        let rows: Vec<_> = self.sessions.values().cloned().collect();
        self.database.insert(&rows).await;
        self.now = self.dump().await;
    }

    /// Both tables. When somebody was seen last is no change.
    async fn dump(&self) -> [Dump; 2] {
        let mut tables = self.database.dump_all().await;
        for row in tables[0].values_mut() {
            row.remove("last_seen_at");
        }
        tables
    }

    pub fn id(&self, name: &str) -> Uuid {
        self.sessions[name].id
    }

    pub fn sessions(&self) -> &Sessions {
        &self.here.sessions
    }

    pub fn router(&self, who: &str) -> &Router {
        match who {
            "neighbour" => &self.neighbour.router,
            _ => &self.here.router,
        }
    }

    pub fn client(&self, who: &str) -> Client {
        match who {
            "anonymous" => Client::new(),
            "neighbour" => self.sessions["stranger"].client(),
            who => self.sessions[who].client(),
        }
    }

    /// The address with the sessions' ids in their places.
    pub fn address(&self, line: &Line<'_>, who: &str) -> String {
        let mut path = line.path.replace("{unknown}", &Uuid::nil().to_string());
        if let Some(session) = self.sessions.get(who) {
            path = path.replace("{current}", &session.id.to_string());
        }
        for (name, row) in &self.sessions {
            path = path.replace(&format!("{{{name}}}"), &row.id.to_string());
        }
        // Whoever has no session has no current one.
        path.replace("{current}", &Uuid::nil().to_string())
    }

    /// The answer to this line's request, with something more about it perhaps.
    pub async fn ask(
        &self,
        line: &Line<'_>,
        who: &str,
        more: &[(&'static str, &'static str)],
    ) -> Answer {
        let router = self.router(who);
        self.ask_at(router, line, who, self.user(who), more).await
    }

    /// Who is signed in.
    pub fn user(&self, who: &str) -> Option<&str> {
        let session = self.sessions.get(match who {
            "neighbour" => "stranger",
            who => who,
        });
        session.map(|session| session.user_id.as_str())
    }

    /// The same of this router, and by a form that was made for this user or for none.
    pub async fn ask_at(
        &self,
        router: &Router,
        line: &Line<'_>,
        who: &str,
        made_for: Option<&str>,
        more: &[(&'static str, &'static str)],
    ) -> Answer {
        let mut client = self.client(who);
        for (name, value) in more {
            client
                .headers
                .insert(*name, HeaderValue::from_static(value));
        }
        let mut request = client.request(line.method.clone(), &self.address(line, who));
        if !line.body.is_empty() {
            let kind = match line.body.starts_with('{') {
                true => "application/json",
                false => "application/x-www-form-urlencoded",
            };
            let headers = request.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            // A form without fields of its own.
            let mut body = line.body.trim_start_matches('-').to_owned();
            if let Some(user) = made_for.filter(|_| !line.body.starts_with('{')) {
                body.push_str(&format!("&signed_in_as={user}"));
            }
            *request.body_mut() = body.into();
        }
        client.exchange(router, request).await
    }

    /// Nothing has changed, in no row of either table.
    pub async fn is_unchanged(&self, what: &str) {
        assert_eq!(self.dump().await, self.now, "{what}");
    }

    /// Exactly this has changed that the line says; then it is undone.
    pub async fn has_ended(&mut self, line: &Line<'_>, who: &str) {
        let [sessions, users] = self.dump().await;
        let mut changed = BTreeSet::new();
        for (id, before) in &self.now[0] {
            let after = &sessions[id];
            if after == before {
                continue;
            }
            changed.insert(id.parse::<Uuid>().unwrap());
            for (column, value) in after {
                let expected = match column.as_str() {
                    "ended_at" => continue,
                    "ended_reason" => Some("revoked"),
                    "ended_by" => Some(self.actor(who)),
                    other => before[other].as_deref(),
                };
                assert_eq!(value.as_deref(), expected, "{line:?} {who}: {column}");
            }
        }
        assert_eq!(sessions.len(), self.now[0].len());
        assert_eq!(changed, self.expected(line, who), "{line:?} {who}");
        match line.ends.contains(&"limit") {
            true => {
                let realm = match who {
                    "neighbour" => "neighbour",
                    _ => "default",
                };
                let keys: Vec<_> = users.keys().collect();
                assert_eq!(keys, [&format!("{realm} {TARGET}")]);
            }
            false => assert_eq!(users, self.now[1], "{line:?} {who}"),
        }
        if !changed.is_empty() || users != self.now[1] {
            self.restore().await;
        }
    }

    /// Who is written down as having done it.
    fn actor(&self, who: &str) -> &str {
        let session = &self.sessions[who];
        session.acting_user.as_ref().unwrap_or(&session.user_id)
    }

    fn expected(&self, line: &Line<'_>, who: &str) -> BTreeSet<Uuid> {
        if who == "neighbour" {
            return BTreeSet::new();
        }
        let current = &self.sessions[who];
        let others = |row: &&NewRow| {
            row.realm == "default" && row.fate == Fate::Live && row.id != current.id
        };
        let of_user = |row: &&NewRow| {
            row.user_id == current.user_id || row.acting_user.as_ref() == Some(&current.user_id)
        };
        let mut expected = BTreeSet::new();
        for name in &line.ends {
            match *name {
                "limit" => {}
                "all" => expected.extend(self.sessions.values().filter(others).map(|row| row.id)),
                "others" => {
                    let rows = self.sessions.values().filter(others).filter(of_user);
                    expected.extend(rows.map(|row| row.id));
                }
                "current" => drop(expected.insert(current.id)),
                name => drop(expected.insert(self.id(name))),
            }
        }
        expected
    }

    /// The routes made for this application, under the layer of its neighbour.
    pub fn misplaced(&self, mount: impl Fn(&Sessions) -> Router) -> Router {
        mount(&self.here.sessions).layer(self.neighbour.sessions.layer())
    }

    /// While this runs, nobody can be verified.
    pub async fn without_accounts<T>(&self, work: impl Future<Output = T>) -> T {
        self.database
            .execute("ALTER TABLE users RENAME TO away")
            .await;
        let result = work.await;
        self.database
            .execute("ALTER TABLE away RENAME TO users")
            .await;
        result
    }

    /// All ids there are, to look for in what somebody was shown.
    pub fn ids(&self) -> impl Iterator<Item = String> {
        self.sessions.values().map(|row| row.id.to_string())
    }
}
