-- One row per sign-in. Only SHA-256 digests of tokens are kept: a dump of this table opens nothing.
CREATE TABLE countersign_sessions (
    id                  uuid PRIMARY KEY,                 -- version 7: sorts by time; safe to log and to show
    realm               text NOT NULL,                    -- the application, where several share this database
    user_id             text NOT NULL,
    acting_user         text,                             -- the administrator who acts as this user, if one does
    token_hash          bytea NOT NULL,
    previous_token_hash bytea,                            -- still accepted until previous_until, after a rotation
    previous_until      timestamptz,
    created_at          timestamptz NOT NULL,
    authenticated_at    timestamptz NOT NULL,
    last_seen_at        timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,             -- the absolute timeout
    reserved_until      timestamptz,                      -- set while the sign-in's response has not gone out
    remembered          boolean NOT NULL DEFAULT false,
    bearer              boolean NOT NULL DEFAULT false,   -- its client sends a bearer token instead of a cookie
    ip                  text,
    user_agent          text,
    stamp_hash          bytea,                            -- the digest of the account's security stamp at sign-in, where there is one
    family              uuid,                             -- the first of the sessions that followed one another in one browser; NULL: this one
    ended_at            timestamptz,
    ended_reason        text,
    ended_by            text,
    CONSTRAINT countersign_sessions_token_hash_length CHECK (octet_length(token_hash) = 32),
    CONSTRAINT countersign_sessions_ended CHECK ((ended_at IS NULL) = (ended_reason IS NULL))
);

CREATE UNIQUE INDEX countersign_sessions_token_hash ON countersign_sessions (token_hash);
CREATE UNIQUE INDEX countersign_sessions_previous_token_hash ON countersign_sessions (previous_token_hash) WHERE previous_token_hash IS NOT NULL;
-- Each is in the order of a time, so that a statement reads as much of it as it needs and stops. Each but the first begins
-- with an expression of its own: a statement that is spelled like it can go by no other index, whatever the statistics say.
CREATE INDEX countersign_sessions_user ON countersign_sessions (realm, user_id, created_at, id);
CREATE INDEX countersign_sessions_newest ON countersign_sessions ((realm || ' newest'), created_at, id);
CREATE INDEX countersign_sessions_live ON countersign_sessions ((CASE WHEN ended_at IS NULL THEN realm || ' live' END), created_at, id) WHERE CASE WHEN ended_at IS NULL THEN realm || ' live' END IS NOT NULL;
CREATE INDEX countersign_sessions_acting_user ON countersign_sessions ((realm || ' acting'), acting_user, created_at, id) WHERE acting_user IS NOT NULL;
CREATE INDEX countersign_sessions_ip ON countersign_sessions ((realm || ' ip'), ip, created_at, id) WHERE ip IS NOT NULL;
CREATE INDEX countersign_sessions_reserved ON countersign_sessions ((realm || ' reserved'), reserved_until) WHERE reserved_until IS NOT NULL;
CREATE INDEX countersign_sessions_ended ON countersign_sessions ((realm || ' ended'), ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX countersign_sessions_idle ON countersign_sessions ((CASE WHEN ended_at IS NULL AND NOT remembered THEN realm || ' idle' END), last_seen_at) WHERE CASE WHEN ended_at IS NULL AND NOT remembered THEN realm || ' idle' END IS NOT NULL;
CREATE INDEX countersign_sessions_kept ON countersign_sessions ((CASE WHEN ended_at IS NULL AND remembered THEN realm || ' kept' END), last_seen_at) WHERE CASE WHEN ended_at IS NULL AND remembered THEN realm || ' kept' END IS NOT NULL;
CREATE INDEX countersign_sessions_expires ON countersign_sessions ((CASE WHEN ended_at IS NULL THEN realm || ' expires' END), expires_at) WHERE CASE WHEN ended_at IS NULL THEN realm || ' expires' END IS NOT NULL;

-- One row per user who has ever signed in: the lock under which sessions are counted, and the limit of this user alone.
CREATE TABLE countersign_users (
    realm        text NOT NULL,
    user_id      text NOT NULL,
    max_sessions bigint CHECK (max_sessions >= -1),       -- NULL: the default limit; -1: no limit
    PRIMARY KEY (realm, user_id)
);
