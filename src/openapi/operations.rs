//! Every operation, with every status and code that it answers with.

use utoipa::openapi::path::{HttpMethod, Parameter, PathItem, PathsBuilder};

use super::{
    parts::{ACCOUNT, ADMIN, Draft, in_path, in_query},
    schemas,
};
use crate::web::member::SIGNED_IN_AS;

const USER_CHANGED: &str = "`signed_in_as` names another user than the one who is signed in.";

const MALFORMED: &[&str] = &["invalid-parameter", "invalid-body"];

pub(super) fn admin(paths: PathsBuilder, prefix: &str) -> PathsBuilder {
    let at = |path: &str| format!("{prefix}{path}");
    let mut session = PathItem::new(HttpMethod::Get, show().build());
    session.merge_operations(PathItem::new(HttpMethod::Delete, revoke().build()));
    let mut user_limit = PathItem::new(HttpMethod::Get, limit().build());
    user_limit.merge_operations(PathItem::new(HttpMethod::Put, set_limit().build()));
    paths
        .path(
            at("/sessions"),
            PathItem::new(HttpMethod::Get, list().build()),
        )
        .path(at("/sessions/{id}"), session)
        .path(
            at("/sessions/revoke"),
            PathItem::new(HttpMethod::Post, revoke_where().build()),
        )
        .path(
            at("/users/{user_id}/sessions"),
            PathItem::new(HttpMethod::Delete, revoke_user().build()),
        )
        .path(at("/users/{user_id}/limit"), user_limit)
}

pub(super) fn account(paths: PathsBuilder, prefix: &str) -> PathsBuilder {
    let at = |path: &str| format!("{prefix}{path}");
    let mut sessions = PathItem::new(HttpMethod::Get, list_own().build());
    sessions.merge_operations(PathItem::new(HttpMethod::Delete, revoke_others().build()));
    paths.path(at("/sessions"), sessions).path(
        at("/sessions/{id}"),
        PathItem::new(HttpMethod::Delete, revoke_own().build()),
    )
}

/// What a reader's operation has in common with the others.
fn reading(id: &str, summary: &str) -> Draft {
    Draft::new(ADMIN, id, summary)
        .explained(
            "Needs the permission to read, `sessions:read` unless another one is configured.",
        )
        .refuses("401", &["signed-out"], "Nobody is signed in.")
        .refuses("403", &["forbidden"], "The permission is missing.")
}

fn changing(id: &str, summary: &str) -> Draft {
    Draft::new(ADMIN, id, summary)
        .explained("Needs the permission to end sessions, `sessions:revoke` unless another one is configured.")
        .refuses("401", &["signed-out"], "Nobody is signed in.")
        .refuses(
            "403",
            &["cross-site", "forbidden"],
            "Another site's page asks, the permission is missing, or the user is protected.",
        )
        .takes([signed_in_as()])
        .refuses("409", &["user-changed"], USER_CHANGED)
}

fn list() -> Draft {
    let conditions = [
        in_query("user_id", "Whose.", schemas::user_id()),
        in_query(
            "acting_user",
            "In which this administrator acts as somebody else.",
            schemas::user_id(),
        ),
        in_query("state", "In which state.", schemas::state()),
        in_query("ip", "The address at sign-in.", schemas::ip()),
        in_query(
            "user_agent",
            "A part of the user agent at sign-in.",
            schemas::user_agent(),
        ),
        in_query(
            "created_after",
            "Made at this time or later.",
            schemas::time(),
        ),
        in_query("created_before", "Made before this time.", schemas::time()),
    ];
    let list = reading("listSessions", "Lists sessions, newest first.").takes(conditions);
    paged(list)
}

fn paged(draft: Draft) -> Draft {
    draft
        .takes([
            in_query("page_size", "The most sessions on the page.", schemas::page_size()),
            in_query("page_token", "The `next_page_token` of the page before.", schemas::page_token()),
        ])
        .answers_page()
        .refuses(
            "400",
            &["invalid-parameter", "invalid-body", "invalid-page-token"],
            "A parameter cannot be right, there is a body, or the page token was made for something else.",
        )
}

fn show() -> Draft {
    reading("showSession", "Shows a session, live or ended.")
        .takes([session_id()])
        .answers("Session", "The session.")
        .refuses(
            "400",
            MALFORMED,
            "A parameter cannot be right, or there is a body.",
        )
        .refuses("404", &["not-found"], "There is no such session.")
}

fn revoke() -> Draft {
    changing("revokeSession", "Ends a session.")
        .takes([session_id(), include_current()])
        .answers_nothing("It has ended.")
        .refuses(
            "400",
            MALFORMED,
            "A parameter cannot be right, or there is a body.",
        )
        .refuses(
            "404",
            &["not-found"],
            "There is no such session, or it has ended already.",
        )
        .refuses(
            "409",
            &["current-session", "user-changed"],
            "It is the current session, which is kept; or another user is signed in by now.",
        )
}

fn revoke_user() -> Draft {
    changing(
        "revokeSessionsOfUser",
        "Ends all sessions of a user, and those in which the user acts as somebody else.",
    )
    .takes([user_id(), include_current()])
    .answers("Revoked", "How many have ended.")
    .refuses(
        "400",
        MALFORMED,
        "A parameter cannot be right, or there is a body.",
    )
}

fn revoke_where() -> Draft {
    changing(
        "revokeSessions",
        "Ends all sessions that the conditions mean, or counts them.",
    )
    .reads("Revocation")
    .answers("Revoked", "How many have ended, or would.")
    .refuses(
        "400",
        MALFORMED,
        "A member cannot be right, or the body is not an object.",
    )
}

fn limit() -> Draft {
    reading("showLimit", "Shows a user's own maximum of sessions.")
        .takes([user_id()])
        .answers("Limit", "The maximum.")
        .refuses(
            "400",
            MALFORMED,
            "A parameter cannot be right, or there is a body.",
        )
}

fn set_limit() -> Draft {
    changing(
        "setLimit",
        "Sets a user's own maximum of sessions, or takes it back.",
    )
    .takes([user_id()])
    .reads("Limit")
    .answers("Limit", "The maximum.")
    .refuses(
        "400",
        MALFORMED,
        "A parameter or member cannot be right, or the body is not an object.",
    )
}

fn list_own() -> Draft {
    let list = Draft::new(
        ACCOUNT,
        "listOwnSessions",
        "Lists one's own sessions, newest first.",
    )
    .takes([in_query("state", "In which state.", schemas::state())])
    .refuses("401", &["signed-out"], "Nobody is signed in.");
    paged(list)
}

fn changing_own(id: &str, summary: &str) -> Draft {
    Draft::new(ACCOUNT, id, summary)
        .explained("Needs a recent sign-in.")
        .refuses(
            "400",
            MALFORMED,
            "A parameter cannot be right, or there is a body.",
        )
        .refuses(
            "401",
            &["signed-out", "recent-sign-in-required"],
            "Nobody is signed in, or not recently.",
        )
        .refuses("403", &["cross-site"], "Another site's page asks.")
        .takes([signed_in_as()])
        .refuses("409", &["user-changed"], USER_CHANGED)
}

fn revoke_own() -> Draft {
    changing_own("revokeOwnSession", "Ends one of one's own sessions.")
        .takes([session_id()])
        .answers_nothing("It has ended.")
        .refuses(
            "404",
            &["not-found"],
            "There is no such session, it has ended, or it is somebody else's.",
        )
        .refuses(
            "409",
            &["current-session", "user-changed"],
            "It is the current session: sign out. Or another user is signed in by now.",
        )
}

fn revoke_others() -> Draft {
    changing_own(
        "revokeOtherSessions",
        "Ends all of one's own sessions but the current one.",
    )
    .answers("Revoked", "How many have ended; the current one is kept.")
}

fn session_id() -> Parameter {
    in_path("id", schemas::session_id())
}

fn user_id() -> Parameter {
    in_path("user_id", schemas::user_id())
}

fn signed_in_as() -> Parameter {
    in_query(
        SIGNED_IN_AS,
        "As whom the client believes to be signed in: refused when another user is by now.",
        schemas::user_id(),
    )
}

fn include_current() -> Parameter {
    let schema = schemas::boolean().default(Some(false.into()));
    in_query(
        "include_current",
        "Whether the current session may end too.",
        schema,
    )
}
