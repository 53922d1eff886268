//! The parts of which operations consist.

use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, RefOr, Required, Response, ResponseBuilder,
    path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
    request_body::{RequestBody, RequestBodyBuilder},
    schema::Schema,
};

use super::schemas::{problem_of, reference, string};

pub(super) const ADMIN: &str = "administrators";
pub(super) const ACCOUNT: &str = "account";

pub(super) const DESCRIPTION: &str = "Lists and ends sessions. Refusals are problems (RFC 9457) with a stable `code`. \
    Before any other check, unknown addresses answer 404 `not-found`, and unsupported methods 405 \
    `method-not-allowed` with `Allow`. `HEAD` works where `GET` does. Unknown and repeated parameters are refused, and so are \
    bodies where none is described. Requests that change something are refused when they come from another site's page: \
    403 `cross-site`.";

/// Builds one operation.
pub(super) struct Draft(OperationBuilder);

impl Draft {
    pub(super) fn new(tag: &str, id: &str, summary: &str) -> Self {
        let operation = OperationBuilder::new()
            .tag(tag)
            .operation_id(Some(id))
            .summary(Some(summary));
        Self(operation)
    }

    pub(super) fn explained(self, description: &str) -> Self {
        Self(self.0.description(Some(description)))
    }

    pub(super) fn takes(self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        let takes = parameters.into_iter().fold(self.0, |operation, parameter| {
            operation.parameter(parameter)
        });
        Self(takes)
    }

    /// Adds a JSON body, and the refusals for an invalid one.
    pub(super) fn reads(self, schema: &str) -> Self {
        let body: RequestBody = RequestBodyBuilder::new()
            .content("application/json", json_of(reference(schema)))
            .required(Some(Required::True))
            .description(Some("At most 16 KiB."))
            .build();
        Self(self.0.request_body(Some(body)))
            .refuses("413", &["invalid-body"], "The body is too large.")
            .refuses("415", &["invalid-body"], "The body is not JSON.")
    }

    pub(super) fn answers(self, schema: &str, description: &str) -> Self {
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/json", json_of(reference(schema)));
        Self(self.0.response("200", response))
    }

    /// Adds a page of sessions as the response, with the address of the next page.
    pub(super) fn answers_page(self) -> Self {
        let link = HeaderBuilder::new()
            .schema(string())
            .description(Some("`<…>; rel=\"next\"`, if there is a next page."));
        let response = ResponseBuilder::new()
            .description("One page of sessions.")
            .header("Link", link.build())
            .content("application/json", json_of(reference("Sessions")));
        Self(self.0.response("200", response))
    }

    pub(super) fn answers_nothing(self, description: &str) -> Self {
        let response = ResponseBuilder::new().description(description);
        Self(self.0.response("204", response))
    }

    pub(super) fn refuses(self, status: &str, codes: &[&'static str], description: &str) -> Self {
        Self(self.0.response(status, refusal(status, codes, description)))
    }

    pub(super) fn build(self) -> Operation {
        self.refuses(
            "500",
            &["internal"],
            "The application is misconfigured. Its log says more.",
        )
        .refuses(
            "503",
            &["unavailable"],
            "The database or the application's authorization does not answer. Try again.",
        )
        .0
        .build()
    }
}

fn refusal(status: &str, codes: &[&'static str], description: &str) -> Response {
    let problem = ContentBuilder::new()
        .schema(Some(problem_of(codes)))
        .build();
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", problem);
    let header = match status {
        "401" => Some(("WWW-Authenticate", "`Cookie`")),
        "503" => Some(("Retry-After", "When to try again, in seconds.")),
        _ => None,
    };
    match header {
        Some((name, description)) => response.header(
            name,
            HeaderBuilder::new()
                .schema(string())
                .description(Some(description))
                .build(),
        ),
        None => response,
    }
    .build()
}

fn json_of(schema: RefOr<Schema>) -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(schema)).build()
}

pub(super) fn in_path(name: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(schema))
        .build()
}

pub(super) fn in_query(
    name: &str,
    description: &str,
    schema: impl Into<RefOr<Schema>>,
) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}
