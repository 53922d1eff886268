//! The OpenAPI 3.1 document of the routers for administrators and for users.
//!
//! It describes them under the paths where the application nests them, with every status and every problem code. Serve
//! it, generate clients from it, or merge it into the application's own: [`OpenApi`] is a type of [utoipa].
//!
//! ```no_run
//! use axum::{Router, http::header::CONTENT_TYPE, routing::get};
//! use countersign::{Sessions, account, admin, openapi};
//!
//! fn app(sessions: &Sessions) -> Result<Router, serde_json::Error> {
//!     let document = openapi::document(sessions).admin("/api/admin").account("/api/account").build();
//!     let json = document.to_json()?;
//!     Ok(Router::new()
//!         .nest("/api/admin", admin::router(sessions).build())
//!         .nest("/api/account", account::router(sessions).build())
//!         .route("/openapi.json", get(async || ([(CONTENT_TYPE, "application/json")], json)))
//!         .layer(sessions.layer()))
//! }
//! ```

mod operations;
mod parts;
mod revocation;
mod schemas;

pub use utoipa;
use utoipa::openapi::{
    InfoBuilder, OpenApi, OpenApiBuilder, SecurityRequirement,
    path::PathsBuilder,
    schema::ComponentsBuilder,
    security::{ApiKey, ApiKeyValue, SecurityScheme},
    tag::TagBuilder,
};

use crate::session::Sessions;

/// Starts the document. Name the paths of the routers next.
pub fn document(sessions: &Sessions) -> Document {
    Document {
        cookie: sessions.core().cookies.session_name().to_owned(),
        admin: None,
        account: None,
    }
}

/// Builds the document from the paths of the routers; made by [`document`].
#[derive(Clone, Debug)]
#[must_use = "a document does nothing until it is built"]
pub struct Document {
    /// The session cookie's name.
    cookie: String,
    admin: Option<String>,
    account: Option<String>,
}

/// The name of the security scheme.
const COOKIE: &str = "session";

impl Document {
    /// The path under which the application nests [`admin::router`](crate::admin::router), as clients see it.
    pub fn admin(mut self, path: &str) -> Self {
        self.admin = Some(path.trim_end_matches('/').to_owned());
        self
    }

    /// The path under which the application nests [`account::router`](crate::account::router), as clients see it.
    pub fn account(mut self, path: &str) -> Self {
        self.account = Some(path.trim_end_matches('/').to_owned());
        self
    }

    /// The document. Its `to_json` returns it as text.
    #[must_use]
    pub fn build(self) -> OpenApi {
        let mut paths = PathsBuilder::new();
        let mut tags = Vec::new();
        if let Some(prefix) = &self.admin {
            paths = operations::admin(paths, prefix);
            tags.push(tag(
                parts::ADMIN,
                "The sessions of all users, for administrators.",
            ));
        }
        if let Some(prefix) = &self.account {
            paths = operations::account(paths, prefix);
            tags.push(tag(parts::ACCOUNT, "The signed-in user's own sessions."));
        }
        let cookie = ApiKeyValue::with_description(
            self.cookie,
            "The cookie of a signed-in session.".to_owned(),
        );
        let components = schemas::all(ComponentsBuilder::new())
            .security_scheme(COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let info = InfoBuilder::new()
            .title("Sessions")
            .version(env!("CARGO_PKG_VERSION"))
            .description(Some(parts::DESCRIPTION));
        OpenApiBuilder::new()
            .info(info)
            .paths(paths)
            .components(Some(components.build()))
            .security(Some([SecurityRequirement::new(COOKIE, [""; 0])]))
            .tags(Some(tags))
            .build()
    }
}

fn tag(name: &str, description: &str) -> utoipa::openapi::Tag {
    TagBuilder::new()
        .name(name)
        .description(Some(description))
        .build()
}
