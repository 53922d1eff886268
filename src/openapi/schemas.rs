//! The schemas of responses and bodies.

use serde_json::{Value, json};
use utoipa::openapi::{
    KnownFormat, Ref, RefOr, Schema, SchemaFormat, Type,
    schema::{
        AdditionalProperties, AllOfBuilder, ArrayBuilder, ComponentsBuilder, ObjectBuilder,
        OneOfBuilder, SchemaType,
    },
};

use crate::{store::Page, web::page_token};

pub(super) fn all(components: ComponentsBuilder) -> ComponentsBuilder {
    components
        .schema("Session", session())
        .schema("Sessions", sessions())
        .schema("Revoked", revoked())
        .schema("Limit", limit())
        .schema("Revocation", super::revocation::schema())
        .schema("Problem", problem())
}

pub(super) fn reference(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

pub(super) fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

pub(super) fn boolean() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

pub(super) fn formatted(format: KnownFormat) -> ObjectBuilder {
    string().format(Some(SchemaFormat::KnownFormat(format)))
}

pub(super) fn custom(format: &str) -> ObjectBuilder {
    string().format(Some(SchemaFormat::Custom(format.to_owned())))
}

pub(super) fn session_id() -> ObjectBuilder {
    custom("uuid").examples(["019ab1c2-3d4e-7f50-8a6b-7c8d9e0f1a2b"])
}

/// No control characters, no white space at either end.
const USER_ID: &str = r"^[^\s\u0000-\u001f\u007f-\u009f]([^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f])?$";

pub(super) fn user_id() -> ObjectBuilder {
    string()
        .description(Some("The id of a user. At most 255 bytes of UTF-8."))
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some(USER_ID))
        .examples(["2"])
}

pub(super) fn state() -> ObjectBuilder {
    string().enum_values(Some(["live", "ended"]))
}

pub(super) fn ip() -> OneOfBuilder {
    OneOfBuilder::new()
        .item(custom("ipv4"))
        .item(custom("ipv6"))
        .examples(["192.0.2.7"])
}

pub(super) fn user_agent() -> ObjectBuilder {
    string()
        .description(Some(
            "A part of a user agent, with exact upper and lower case. At most 255 bytes of UTF-8.",
        ))
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some(r"^[^\u0000]*$"))
        .examples(["Firefox/"])
}

pub(super) fn display_name() -> ObjectBuilder {
    string()
        .description(Some(
            "A part of a display name, in upper or lower case. At most 255 bytes of UTF-8.",
        ))
        .min_length(Some(1))
        .max_length(Some(255))
        .examples(["Alice"])
}

pub(super) fn time() -> ObjectBuilder {
    formatted(KnownFormat::DateTime).examples(["2026-01-31T23:59:59Z"])
}

pub(super) fn page_size() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(Page::MAX_SIZE))
        .default(Some(crate::web::listing::DEFAULT_PAGE_SIZE.into()))
}

pub(super) fn page_token() -> ObjectBuilder {
    string()
        .min_length(Some(1))
        .max_length(Some(page_token::MAX_LENGTH))
        .pattern(Some("^[A-Za-z0-9_-]*$"))
}

fn nullable(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([kind, Type::Null]))
}

fn count() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
}

/// An object whose members are all required.
fn object<P: Into<RefOr<Schema>>>(
    members: impl IntoIterator<Item = (&'static str, P)>,
) -> ObjectBuilder {
    members
        .into_iter()
        .fold(ObjectBuilder::new(), |object, (name, schema)| {
            object.property(name, schema).required(name)
        })
}

fn session() -> ObjectBuilder {
    let maybe_time =
        || nullable(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    let reasons: Vec<Value> = [
        "logout",
        "revoked",
        "limit",
        "replaced",
        "expired",
        "abandoned",
        "stamp-changed",
        "other",
    ]
    .into_iter()
    .map(Value::from)
    .chain([Value::Null])
    .collect();
    object([
        ("id", session_id()),
        ("user_id", string().examples(["2"])),
        (
            "display_name",
            nullable(Type::String).description(Some(
                "What people call the user, if the application says so: not unique; escape it when you show it.",
            )),
        ),
        (
            "acting_user",
            nullable(Type::String).description(Some("The administrator who acts as this user.")),
        ),
        (
            "acting_display_name",
            nullable(Type::String).description(Some("What people call that administrator.")),
        ),
        ("state", state()),
        (
            "current",
            boolean().description(Some("Whether the request came with this session.")),
        ),
        ("created_at", time()),
        (
            "last_seen_at",
            time().description(Some("Exact to the touch interval.")),
        ),
        (
            "expires_at",
            time().description(Some("When the absolute timeout ends the session.")),
        ),
        (
            "authenticated_at",
            time().description(Some("When the user last proved who they are.")),
        ),
        (
            "ip",
            nullable(Type::String).description(Some("The address at sign-in.")),
        ),
        (
            "user_agent",
            nullable(Type::String).description(Some(
                "As the client sent it at sign-in: escape it when you show it.",
            )),
        ),
        (
            "remembered",
            boolean().description(Some(
                "Whether its cookie outlives the browser's own session.",
            )),
        ),
        (
            "bearer",
            boolean().description(Some(
                "Whether its client is an API client, which sends a bearer token instead of a cookie.",
            )),
        ),
        ("ended_at", maybe_time()),
        (
            "ended_reason",
            nullable(Type::String).enum_values(Some(reasons)),
        ),
        (
            "ended_by",
            nullable(Type::String).description(Some("A user's id, or the name of a job.")),
        ),
    ])
    .description(Some("A session: one sign-in of one user in one browser or other client."))
}

fn sessions() -> ObjectBuilder {
    let token = nullable(Type::String).description(Some(
        "Send it with the same conditions to get the next page. Null on the last page.",
    ));
    object::<RefOr<Schema>>([
        (
            "sessions",
            ArrayBuilder::new().items(reference("Session")).into(),
        ),
        ("next_page_token", token.into()),
        ("incomplete", boolean().description(Some("Time ran out before the page was full, and older sessions may match. The next page continues from there.")).into()),
    ])
    .description(Some("One page of sessions, newest first."))
}

fn revoked() -> ObjectBuilder {
    object([
        ("revoked", count().description(Some("Live sessions that have ended, or would end."))),
        ("kept", count().description(Some("Live sessions that match but are kept: the current one, and those of protected users."))),
        ("incomplete", boolean().description(Some("Time ran out, so more sessions may match. Repeat the request."))),
    ])
    .examples([json!({ "revoked": 2, "kept": 0, "incomplete": false })])
}

fn limit() -> ObjectBuilder {
    let number = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
        .maximum(Some(u32::MAX));
    let max = OneOfBuilder::new()
        .item(number)
        .item(string().enum_values(Some(["unlimited"])))
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .description(Some(
            "With 0 the user cannot sign in. Null means the application's default.",
        ));
    object([("max_sessions", max)])
        .description(Some("A user's own maximum of live sessions."))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .examples([json!({ "max_sessions": 2 })])
}

fn problem() -> ObjectBuilder {
    object([
        ("type", string().enum_values(Some(["about:blank"]))),
        ("title", string()),
        ("status", ObjectBuilder::new().schema_type(Type::Integer)),
        (
            "code",
            string().description(Some("Stable, so that programs can depend on it.")),
        ),
        (
            "detail",
            string().description(Some("An explanation for people. Its wording may change.")),
        ),
    ])
    .property(
        "parameter",
        string().description(Some("The invalid parameter, escaped and shortened.")),
    )
    .description(Some("Why a request was refused (RFC 9457)."))
}

/// A problem that has one of these codes.
pub(super) fn problem_of(codes: &[&'static str]) -> AllOfBuilder {
    let code = string().enum_values(Some(codes.iter().copied()));
    AllOfBuilder::new()
        .item(reference("Problem"))
        .item(ObjectBuilder::new().property("code", code))
}
