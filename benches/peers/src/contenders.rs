//! Who takes part, and where each keeps its sessions.

use crate::{database::Kind, values::Value};

/// A process: the program, and the name that it knows its contender by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Contender {
    pub process: &'static str,
    pub title: &'static str,
    /// What the handler is asked by; the bare handler has no session.
    pub path: &'static str,
    pub sessions: Option<Sessions>,
    pub only_postgres: bool,
}

/// The table of a contender's sessions, and how rows of others are made of those who signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sessions {
    table: [&'static str; 3],
    /// Columns that get a value of their own in each copy.
    own: &'static [(&'static str, Value)],
    /// A statement that completes the copies.
    then: Option<&'static str>,
}

impl Sessions {
    pub fn table(&self, kind: Kind) -> &'static str {
        self.table[kind as usize]
    }

    pub fn own(&self) -> &'static [(&'static str, Value)] {
        self.own
    }

    pub fn then(&self) -> Option<&'static str> {
        self.then
    }
}

const AXUM_SESSION: Sessions = Sessions {
    table: ["sessions_table"; 3],
    own: &[("id", Value::UuidText)],
    then: None,
};

const COUNTERSIGN: Sessions = Sessions {
    table: ["countersign_sessions"; 3],
    own: &[
        ("id", Value::Uuid),
        ("token_hash", Value::Digest),
        ("user_id", Value::UserText),
    ],
    then: None,
};

/// In the order of the report.
pub const CONTENDERS: &[Contender] = &[
    Contender {
        process: "plain",
        title: "`SELECT 1` a request",
        path: "/select1",
        sessions: None,
        only_postgres: false,
    },
    Contender {
        process: "plain",
        title: "one joined query a request, hand-written",
        path: "/whoami",
        sessions: Some(Sessions {
            table: ["plain_sessions"; 3],
            own: &[
                ("token_hash", Value::Digest),
                ("user_id", Value::UserNumber),
            ],
            then: None,
        }),
        only_postgres: false,
    },
    Contender {
        process: "countersign",
        title: "**countersign**",
        path: "/whoami",
        sessions: Some(COUNTERSIGN),
        only_postgres: false,
    },
    Contender {
        process: "axum-login",
        title: "tower-sessions + axum-login",
        path: "/whoami",
        sessions: Some(Sessions {
            table: ["tower_sessions", "tower_sessions.session", "session"],
            own: &[("id", Value::Short)],
            then: None,
        }),
        only_postgres: false,
    },
    Contender {
        process: "session-guard",
        title: "session-guard + permission query",
        path: "/whoami",
        sessions: Some(Sessions {
            table: ["session_guard_sessions"; 3],
            own: &[("id", Value::Uuid), ("subject", Value::UserText)],
            then: Some(
                "INSERT INTO session_guard_tokens (hash, session_id, issued_at, first_used_at) \
                 SELECT sha256(gen_random_uuid()::text::bytea), s.id, s.created_at, s.created_at \
                 FROM session_guard_sessions s LEFT JOIN session_guard_tokens t ON t.session_id = s.id \
                 WHERE t.session_id IS NULL",
            ),
        }),
        only_postgres: true,
    },
    Contender {
        process: "axum_session",
        title: "axum_session, its copy in memory",
        path: "/whoami",
        sessions: Some(AXUM_SESSION),
        only_postgres: false,
    },
    Contender {
        process: "axum_session_auth",
        title: "axum_session + axum_session_auth, cached",
        path: "/whoami",
        sessions: Some(AXUM_SESSION),
        only_postgres: false,
    },
];

/// Takes part in the signing in alone.
pub const WITH_LIMIT: Contender = Contender {
    process: "countersign-limit",
    title: "**countersign**, at most 3 sessions a user",
    path: "/whoami",
    sessions: Some(COUNTERSIGN),
    only_postgres: false,
};

impl Contender {
    pub fn runs_on(&self, kind: Kind) -> bool {
        !self.only_postgres || kind == Kind::Postgres
    }
}
