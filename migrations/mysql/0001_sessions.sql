-- One row per sign-in. Only SHA-256 digests of tokens are kept: a dump of this table opens nothing.
-- Times are UTC. The digests are binary: a collation that ignores case would match wrong tokens.
-- IF NOT EXISTS, because DDL commits by itself here and a migration may be run again after a crash.
CREATE TABLE IF NOT EXISTS countersign_sessions (
    id                  CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- UUID version 7: sorts by time; safe to log and to show
    realm               VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- the application, where several share this database
    user_id             VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    acting_user         VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, -- the administrator who acts as this user, if one does
    token_hash          BINARY(32) NOT NULL,
    previous_token_hash BINARY(32),                  -- still accepted until previous_until, after a rotation
    previous_until      DATETIME(6),
    created_at          DATETIME(6) NOT NULL,
    authenticated_at    DATETIME(6) NOT NULL,
    last_seen_at        DATETIME(6) NOT NULL,
    expires_at          DATETIME(6) NOT NULL,        -- the absolute timeout
    reserved_until      DATETIME(6),                 -- set while the sign-in's response has not gone out
    remembered          BOOLEAN NOT NULL DEFAULT FALSE,
    bearer              BOOLEAN NOT NULL DEFAULT FALSE, -- its client sends a bearer token instead of a cookie
    ip                  VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin,
    user_agent          VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    stamp_hash          BINARY(32),                  -- the digest of the account's security stamp at sign-in, where there is one
    family              CHAR(36) CHARACTER SET ascii COLLATE ascii_bin, -- the first of the sessions that followed one another in one browser; NULL: this one
    ended_at            DATETIME(6),
    ended_reason        VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    ended_by            VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    PRIMARY KEY (id),
    UNIQUE KEY countersign_sessions_token_hash (token_hash),
    UNIQUE KEY countersign_sessions_previous_token_hash (previous_token_hash),
    -- Lists are newest first by created_at, then id. Statements name the index that they go by (FORCE INDEX).
    KEY countersign_sessions_user (realm, user_id, created_at, id),
    KEY countersign_sessions_acting_user (realm, acting_user, created_at, id),
    KEY countersign_sessions_ip (realm, ip, created_at, id),
    KEY countersign_sessions_newest (realm, created_at, id),
    KEY countersign_sessions_ended (realm, ended_at, created_at, id), -- what has not ended is in it, newest first
    KEY countersign_sessions_idle (realm, ended_at, remembered, last_seen_at),
    KEY countersign_sessions_expires (realm, ended_at, expires_at),
    KEY countersign_sessions_reserved (realm, reserved_until),
    CONSTRAINT countersign_sessions_ended CHECK ((ended_at IS NULL) = (ended_reason IS NULL))
) ENGINE = InnoDB;

-- One row per user who has ever signed in: the lock under which sessions are counted, and the limit of this user alone.
CREATE TABLE IF NOT EXISTS countersign_users (
    realm        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id      VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    max_sessions BIGINT CHECK (max_sessions >= -1),  -- NULL: the default limit; -1: no limit
    PRIMARY KEY (realm, user_id)
) ENGINE = InnoDB;
