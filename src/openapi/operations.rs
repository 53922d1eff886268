//! Every operation, with every status and code of its responses.

use utoipa::openapi::path::{HttpMethod, Parameter, PathItem, PathsBuilder};

use super::{
    parts::{ACCOUNT, ADMIN, Draft, in_path, in_query},
    schemas,
};
use crate::web::member::SIGNED_IN_AS;

const USER_CHANGED: &str = "`signed_in_as` names a user who is not the one signed in.";

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

/// An operation that needs the permission to read.
fn reading(id: &str, summary: &str) -> Draft {
    Draft::new(ADMIN, id, summary)
        .explained(
            "Needs the permission to read, `sessions:read` unless another one is configured.",
        )
        .refuses("401", &["signed-out"], "No user is signed in.")
        .refuses("403", &["forbidden"], "The permission is missing.")
}

fn changing(id: &str, summary: &str) -> Draft {
    Draft::new(ADMIN, id, summary)
        .explained("Needs the permission to end sessions, `sessions:revoke` unless another one is configured.")
        .refuses("401", &["signed-out"], "No user is signed in.")
        .refuses(
            "403",
            &["cross-site", "forbidden"],
            "The request comes from another site's page, the permission is missing, or the user is protected.",
        )
        .takes([signed_in_as()])
        .refuses("409", &["user-changed"], USER_CHANGED)
}

fn list() -> Draft {
    let conditions = [
        in_query("user_id", "Only sessions of this user.", schemas::user_id()),
        in_query(
            "acting_user",
            "Only sessions in which this administrator acts as another user.",
            schemas::user_id(),
        ),
        in_query("state", "Only sessions in this state.", schemas::state()),
        in_query(
            "ip",
            "Only sessions that were signed in from this address.",
            schemas::ip(),
        ),
        in_query(
            "user_agent",
            "Only sessions whose user agent at sign-in contains this text.",
            schemas::user_agent(),
        ),
        in_query(
            "display_name",
            "Only sessions whose user's display name contains this text. For applications that have display names.",
            schemas::display_name(),
        ),
        in_query(
            "created_after",
            "Only sessions that began at this time or later.",
            schemas::time(),
        ),
        in_query(
            "created_before",
            "Only sessions that began before this time.",
            schemas::time(),
        ),
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
            "A parameter is invalid, there is a body, or the page token is not for this listing, filter and user.",
        )
}

fn show() -> Draft {
    reading("showSession", "Shows a session, live or ended.")
        .takes([session_id()])
        .answers("Session", "The session.")
        .refuses(
            "400",
            MALFORMED,
            "A parameter is invalid, or there is a body.",
        )
        .refuses("404", &["not-found"], "The session does not exist.")
}

fn revoke() -> Draft {
    changing("revokeSession", "Ends a session.")
        .takes([session_id(), include_current()])
        .answers_nothing("The session has ended.")
        .refuses(
            "400",
            MALFORMED,
            "A parameter is invalid, or there is a body.",
        )
        .refuses(
            "404",
            &["not-found"],
            "The session does not exist, or it has ended already.",
        )
        .refuses(
            "409",
            &["current-session", "user-changed"],
            "It is the current session, which is kept; or `signed_in_as` names a user who is not the one signed in.",
        )
}

fn revoke_user() -> Draft {
    changing(
        "revokeSessionsOfUser",
        "Ends all sessions of a user, and those in which the user acts as another user.",
    )
    .takes([user_id(), include_current()])
    .answers("Revoked", "The number of sessions that have ended.")
    .refuses(
        "400",
        MALFORMED,
        "A parameter is invalid, or there is a body.",
    )
}

fn revoke_where() -> Draft {
    changing(
        "revokeSessions",
        "Ends all sessions that match the conditions, or counts them.",
    )
    .reads("Revocation")
    .answers(
        "Revoked",
        "The number of sessions that have ended, or would end.",
    )
    .refuses(
        "400",
        MALFORMED,
        "A member is invalid, or the body is not an object.",
    )
}

fn limit() -> Draft {
    reading("showLimit", "Shows a user's own maximum of sessions.")
        .takes([user_id()])
        .answers("Limit", "The maximum.")
        .refuses(
            "400",
            MALFORMED,
            "A parameter is invalid, or there is a body.",
        )
}

fn set_limit() -> Draft {
    changing(
        "setLimit",
        "Sets a user's own maximum of sessions, or removes it.",
    )
    .takes([user_id()])
    .reads("Limit")
    .answers("Limit", "The maximum.")
    .refuses(
        "400",
        MALFORMED,
        "A parameter or member is invalid, or the body is not an object.",
    )
}

fn list_own() -> Draft {
    let list = Draft::new(
        ACCOUNT,
        "listOwnSessions",
        "Lists the signed-in user's own sessions, newest first.",
    )
    .takes([in_query(
        "state",
        "Only sessions in this state.",
        schemas::state(),
    )])
    .refuses("401", &["signed-out"], "No user is signed in.");
    paged(list)
}

fn changing_own(id: &str, summary: &str) -> Draft {
    Draft::new(ACCOUNT, id, summary)
        .explained("Needs a recent sign-in.")
        .refuses(
            "400",
            MALFORMED,
            "A parameter is invalid, or there is a body.",
        )
        .refuses(
            "401",
            &["signed-out", "recent-sign-in-required"],
            "No user is signed in, or the sign-in is not recent.",
        )
        .refuses(
            "403",
            &["cross-site"],
            "The request comes from another site's page.",
        )
        .takes([signed_in_as()])
        .refuses("409", &["user-changed"], USER_CHANGED)
}

fn revoke_own() -> Draft {
    changing_own("revokeOwnSession", "Ends one of the signed-in user's own sessions.")
        .takes([session_id()])
        .answers_nothing("The session has ended.")
        .refuses(
            "404",
            &["not-found"],
            "The session does not exist, has ended, or belongs to another user.",
        )
        .refuses(
            "409",
            &["current-session", "user-changed"],
            "It is the current session: sign out instead. Or `signed_in_as` names a user who is not the one signed in.",
        )
}

fn revoke_others() -> Draft {
    changing_own(
        "revokeOtherSessions",
        "Ends all of the signed-in user's own sessions except the current one.",
    )
    .answers(
        "Revoked",
        "The number of sessions that have ended. The current one is kept.",
    )
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
        "The user who the client believes is signed in. The request is refused if another user is.",
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
