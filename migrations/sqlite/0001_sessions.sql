-- One row per sign-in. Only SHA-256 digests of tokens are kept: a dump of this table opens nothing.
-- Times are UTC, 'YYYY-MM-DD HH:MM:SS.SSS': readable in the shell, and in the order of their text.
CREATE TABLE countersign_sessions (
    id                  TEXT PRIMARY KEY NOT NULL,        -- UUID version 7: sorts by time; safe to log and to show
    realm               TEXT NOT NULL,                    -- the application, where several share this database
    user_id             TEXT NOT NULL,
    acting_user         TEXT,                             -- the administrator who acts as this user, if one does
    token_hash          BLOB NOT NULL CHECK (length(token_hash) = 32),
    previous_token_hash BLOB,                             -- still accepted until previous_until, after a rotation
    previous_until      TEXT,
    created_at          TEXT NOT NULL,
    authenticated_at    TEXT NOT NULL,
    last_seen_at        TEXT NOT NULL,
    expires_at          TEXT NOT NULL,                    -- the absolute timeout
    reserved_until      TEXT,                             -- set while the sign-in's response has not gone out
    remembered          INTEGER NOT NULL DEFAULT 0,
    bearer              INTEGER NOT NULL DEFAULT 0,       -- its client sends a bearer token instead of a cookie
    ip                  TEXT,
    user_agent          TEXT,
    stamp_hash          BLOB,                             -- the digest of the account's security stamp at sign-in, where there is one
    family              TEXT,                             -- the first of the sessions that followed one another in one browser; NULL: this one
    ended_at            TEXT,
    ended_reason        TEXT,
    ended_by            TEXT,
    CONSTRAINT countersign_sessions_ended CHECK ((ended_at IS NULL) = (ended_reason IS NULL))
);

CREATE UNIQUE INDEX countersign_sessions_token_hash ON countersign_sessions (token_hash);
CREATE UNIQUE INDEX countersign_sessions_previous_token_hash ON countersign_sessions (previous_token_hash) WHERE previous_token_hash IS NOT NULL;
-- Lists are newest first by created_at, then id. Each filter that has an index reads it in that order and stops.
-- Statements name the index that they go by (INDEXED BY): without statistics SQLite chooses badly among them.
CREATE INDEX countersign_sessions_user ON countersign_sessions (realm, user_id, created_at, id);
CREATE INDEX countersign_sessions_acting_user ON countersign_sessions (realm, acting_user, created_at, id) WHERE acting_user IS NOT NULL;
CREATE INDEX countersign_sessions_ip ON countersign_sessions (realm, ip, created_at, id) WHERE ip IS NOT NULL;
CREATE INDEX countersign_sessions_live ON countersign_sessions (realm, created_at, id) WHERE ended_at IS NULL;
CREATE INDEX countersign_sessions_newest ON countersign_sessions (realm, created_at, id);
CREATE INDEX countersign_sessions_ended ON countersign_sessions (realm, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX countersign_sessions_idle ON countersign_sessions (realm, last_seen_at) WHERE ended_at IS NULL AND remembered = 0;
CREATE INDEX countersign_sessions_kept ON countersign_sessions (realm, last_seen_at) WHERE ended_at IS NULL AND remembered = 1;
CREATE INDEX countersign_sessions_expires ON countersign_sessions (realm, expires_at) WHERE ended_at IS NULL;
CREATE INDEX countersign_sessions_reserved ON countersign_sessions (realm, reserved_until) WHERE reserved_until IS NOT NULL;

-- One row per user who has ever signed in: the limit of this user alone.
CREATE TABLE countersign_users (
    realm        TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    max_sessions INTEGER CHECK (max_sessions >= -1),      -- NULL: the default limit; -1: no limit
    PRIMARY KEY (realm, user_id)
) WITHOUT ROWID;
