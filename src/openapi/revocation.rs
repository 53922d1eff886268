//! The body of a revocation: conditions, or `everybody` for the sessions of all users.

use serde_json::json;
use utoipa::openapi::schema::{
    AdditionalProperties, AllOfBuilder, AnyOfBuilder, ObjectBuilder, OneOfBuilder,
};

use super::schemas::{boolean, ip, state, time, user_agent, user_id};

/// The conditions that exclude sessions of some users. A body without `everybody` must have one of them.
const NARROWING: [&str; 6] = [
    "user_id",
    "acting_user",
    "ip",
    "user_agent",
    "created_after",
    "created_before",
];

pub(super) fn schema() -> OneOfBuilder {
    let how = |object: ObjectBuilder, everybody: bool| {
        object
            .property("state", state())
            .property("everybody", boolean().enum_values(Some([everybody])))
            .property(
                "dry_run",
                boolean()
                    .default(Some(false.into()))
                    .description(Some("Counts the sessions and ends none.")),
            )
            .property(
                "include_current",
                boolean()
                    .default(Some(false.into()))
                    .description(Some("The current session may end too.")),
            )
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
    };
    let conditions = ObjectBuilder::new()
        .property("user_id", user_id())
        .property("acting_user", user_id())
        .property("ip", ip())
        .property("user_agent", user_agent())
        .property("created_after", time())
        .property("created_before", time());
    let narrow = NARROWING
        .into_iter()
        .fold(AnyOfBuilder::new(), |any, name| {
            any.item(ObjectBuilder::new().required(name))
        });
    OneOfBuilder::new()
        .item(
            AllOfBuilder::new()
                .item(how(conditions, false))
                .item(narrow)
                .description(Some(
                    "Sessions that match conditions. At least one condition other than `state` is required.",
                )),
        )
        .item(
            how(ObjectBuilder::new(), true)
                .required("everybody")
                .description(Some("The sessions of all users.")),
        )
        .description(Some(
            "Which sessions to end: those that match all conditions, as in the listing.",
        ))
        .examples([json!({ "ip": "192.0.2.7", "dry_run": true })])
}
