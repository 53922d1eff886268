//! Sessions you can see and end, for [axum].
//!
//! A countersign is the word a sentry demands of all who pass. A session must give it on every request, and the database
//! decides whether it still holds.
//!
//! - Every request that carries a session is verified against the database, and the user's permissions are read in the
//!   same statement. There is no cache: whatever was revoked, removed or disabled is so from the next request on.
//! - Granting waits for success, ending never waits. A login becomes real only when its response succeeds.
//! - When the database is away, a request is neither let in nor signed out: guarded handlers answer 503.
//! - Sessions can be listed, filtered, limited per user and ended, with or without an HTTP request. WebSockets and event
//!   streams end with their session.
//!
//! # A whole small application
//!
//! ```no_run
//! use axum::{Router, response::{Redirect, Result}, routing::{get, post}};
//! use countersign::{Key, Session, SessionPool, Sessions, SignedIn, require};
//!
//! /// The pool is the application's own: `SqlitePool`, `PgPool` or `MySqlPool`.
//! async fn app(pool: impl SessionPool, key: Key) -> Result<Router, Box<dyn std::error::Error>> {
//!     countersign::migrate(&pool).await?;
//!     let sessions = Sessions::builder(pool)
//!         .key(key)
//!         .account("users WHERE id = {user:int} AND NOT disabled")
//!         .security_stamp("security_stamp", "users WHERE id = {user:int}")
//!         .permissions("permission", "user_permissions WHERE user_id = {user:int}")
//!         .build()
//!         .await?;
//!     Ok(Router::new()
//!         .route("/articles", post(async || "saved"))
//!         .route_layer(require("articles:edit"))
//!         .route("/", get(home))
//!         .route("/login", post(login))
//!         .route("/logout", post(logout))
//!         .layer(sessions.layer()))
//! }
//!
//! async fn home(user: SignedIn) -> String {
//!     format!("user {} may edit: {}", user.user_id(), user.can("articles:edit"))
//! }
//!
//! async fn login(session: Session) -> Result<Redirect> {
//!     // … after the application has checked the password:
//!     session.login(2).await?;
//!     Ok(Redirect::to("/"))
//! }
//!
//! async fn logout(session: Session) -> Result<Redirect> {
//!     session.logout().await?;
//!     Ok(Redirect::to("/"))
//! }
//! ```
//!
//! The README has the same with a `main`, and `examples/demo` has passwords, pages and everything else.
//!
//! # Where to look
//!
//! | wanted | found |
//! | --- | --- |
//! | set it up | [`migrate`], [`Sessions::builder`], [`SessionsBuilder`], [`Key`] |
//! | put it into a router | [`Sessions::layer`], [`require()`], [`RequireRecent`] |
//! | know who asks | [`SignedIn`] (refuses all other requests), `Option<SignedIn>`, [`Session`] (always there) |
//! | have the user's name and tenant at hand | [`SessionsBuilder::profile`], [`CurrentUser`], [`SignedIn::profile`] |
//! | answer refusals in your own words | [`Rejection`], [`RefusalLayer`], [guide](guide::errors) |
//! | sign in clients that are no browser | [`SessionsBuilder::bearer_tokens`], [`Login::bearer`] |
//! | sign in and out | [`Session::login`], [`Session::rotate`], [`Session::reauthenticated`], [`Session::logout`] |
//! | go back to the page that was wanted | [`local_path`] |
//! | show a message once | [`Flash`] |
//! | limit sessions | [`Limit`], [`Sessions::set_limit`], [`SessionsBuilder::limit_query`] |
//! | see and end sessions | [`Sessions::list`], [`Sessions::revoke`], [`Sessions::revoke_where`], [`Filter`] |
//! | let an administrator act as a user | [`Session::login_as`], [`SignedIn::acting_user`] |
//! | keep several applications in one database apart | [`SessionsBuilder::realm`] |
//! | routes for administrators and for users' own sessions | `admin::router`, `account::router` (feature `admin`) |
//! | pages for administrators, and "your devices" for users | `admin::pages`, `account::pages`, `PageLook` (feature `pages`) |
//! | name a device for people, and show what came from outside | `device_name` (feature `pages`), [`visible`] |
//! | describe these routes to programs | `openapi::document` (feature `openapi`) |
//! | end WebSockets and event streams with their session | [`Session::ended`], [`Session::until_ended`] |
//! | hear what happens | [`SessionsBuilder::on_event`], [`Event`] |
//! | test your own handlers | `testing::sign_in` (feature `testing`) |
//! | keep it tidy | [`Sessions::spawn_sweeper`], [`Sessions::close`] |
//! | look after it by hand, or in scripts | the [command line](guide::command_line), [`Sessions::stats`] |
//!
//! The [guide] has a page on each larger subject: [security](guide::security), the [life of a session](guide::sessions),
//! [your own error type](guide::errors), [other clients](guide::clients), [long-lived connections](guide::streams), administrators (feature `admin`), pages (feature `pages`),
//! [events and metrics](guide::events), [permissions](guide::permissions), [deployment](guide::deployment), the
//! [command line](guide::command_line), and [migrating](guide::migrating) from other crates.
//!
//! # Features
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `sqlite` (default) | `SqlitePool` as a [`SessionPool`], and `sqlite_options` |
//! | `postgres` | `PgPool` as a [`SessionPool`] |
//! | `mysql` | `MySqlPool` as a [`SessionPool`], for MySQL and MariaDB |
//! | `admin` | `admin::router` and `account::router`: sessions listed and ended over HTTP, in JSON |
//! | `pages` | `admin::pages` and `account::pages`: the same as HTML, without a script |
//! | `openapi` | the OpenAPI document of these routers |
//! | `testing` | `testing`: signed-in clients for tests of your own handlers |
//! | `metrics` | counters, gauges and histograms through the `metrics` facade |
//!
//! Features add up; none changes what another does. None chooses a TLS library: that is a feature of `sqlx`, for the
//! application to set. The [command line](guide::command_line) is a crate of its own, `countersign-cli`.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "admin")]
pub mod account;
#[cfg(feature = "admin")]
pub mod admin;
mod client;
mod config;
mod cookie;
mod error;
mod event;
mod extract;
#[cfg(any(doc, doctest))]
pub mod guide;
mod keys;
mod layer;
mod local_path;
#[cfg(feature = "openapi")]
pub mod openapi;
#[cfg(feature = "pages")]
mod pages;
mod session;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
mod user_id;
mod verify;
mod visible;
#[cfg(feature = "admin")]
mod web;

pub use client::ForwardedHeader;
pub use config::SessionsBuilder;
pub use cookie::{FlashLevel, FlashMessage};
pub use error::{BuildError, Error, ErrorKind, MigrateError};
pub use event::{CookieRejection, Event, EventKind, NotVerified, SignInRefusal};
pub use extract::{
    CurrentUser, Forbidden, MissingSessionLayer, NotRecent, RefusalLayer, RefusalService, Refused,
    Rejection, Require, RequireRecent, RequireService, SignedInRejection, SignedOut,
    TwoCredentials, Unavailable, require,
};
pub use keys::{Key, KeyError};
pub use layer::{SessionLayer, SessionService};
pub use local_path::local_path;
#[cfg(feature = "pages")]
pub use pages::{PageLook, device_name};
pub use session::{
    Access, Actor, BearerLogin, BearerToken, Ended, Flash, Identity, Limit, LimitPolicy, Login,
    LoginAs, LoginError, LogoutOutcome, MaxSessions, PermissionSource, Permissions, ProfileError,
    Session, Sessions, SignedIn, SourceFuture, Sweeper, Temporary, TemporaryError, UntilEnded,
};
#[cfg(feature = "sqlite")]
pub use store::sqlite_options;
pub use store::{
    ConnectionDiscard, Cursor, EndedReason, Filter, InvalidCursor, Page, SessionInfo, SessionPage,
    SessionPool, SessionState, Stats, Swept, migrate, schema_version,
};
pub use time;
pub use user_id::{UserId, UserIdError};
pub use uuid;
pub use visible::visible;

// Doors for the targets in `fuzz/`, which are a crate of their own; cargo-fuzz sets the cfg.
#[cfg(all(fuzzing, feature = "admin"))]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::{
        client::fuzzing::forwarded,
        cookie::fuzzing::{authorization, cookie_header, flash_payload, session_payload},
        web::fuzzing::{page_token, parameters},
    };
}

// Doors for `benches/hot`, which is a crate of its own; its `.cargo/config.toml` sets the cfg.
#[cfg(countersign_benches)]
#[doc(hidden)]
pub mod benches {
    pub use crate::{cookie::benches::RequestWithSession, session::benches::Answers};
}

// The application in the README compiles.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../README.md")]
struct Readme;
