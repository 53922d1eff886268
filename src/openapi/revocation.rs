//! The body of a revocation: conditions that leave somebody out, or everybody's in so many words.

use serde_json::json;
use utoipa::openapi::schema::{
    AdditionalProperties, AllOfBuilder, AnyOfBuilder, ObjectBuilder, OneOfBuilder,
};

use super::schemas::{boolean, ip, state, time, user_agent, user_id};

/// The conditions that leave somebody out.
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
                    .description(Some("Counts, and ends nobody.")),
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
                    "By conditions, of which at least one leaves somebody out.",
                )),
        )
        .item(
            how(ObjectBuilder::new(), true)
                .required("everybody")
                .description(Some("Everybody's.")),
        )
        .description(Some(
            "Which sessions to end: the conditions of the listing, all together.",
        ))
        .examples([json!({ "ip": "192.0.2.7", "dry_run": true })])
}
