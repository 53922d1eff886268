//! Which route is served by what, and which of them know sessions.

use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, header};
use axum::routing::{get, post};
use axum::{Router, middleware};
use countersign::{PageLook, Sessions, account as own, admin, openapi, require};
use tower_http::csrf::CsrfLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;

use crate::database::Database;
use crate::handlers::{account, articles, events, home, passwords, token, whoami};
use crate::pages;
use crate::serve::Stop;

/// What handlers work with.
#[derive(Clone)]
pub struct App {
    pub sessions: Sessions,
    pub database: Database,
    /// How many sessions a user may have, for the notice that says so; 0: any number.
    pub session_limit: u32,
    /// How long ago one may have signed in for what a browser that was left open must not do.
    pub recent_sign_in: Duration,
    /// For connections that last until they are told to close.
    pub stop: Stop,
}

pub fn router(app: App) -> Result<Router, serde_json::Error> {
    let sessions = app.sessions.layer();
    // Everybody's sessions for administrators, and everybody's own for everybody: both come with countersign.
    let look = PageLook::new("countersign demo")
        .home("/")
        .sign_out("/logout")
        .icon("/icon.svg");
    let everybodys = admin::pages(&app.sessions).look(look.clone());
    let ones_own = own::pages(&app.sessions)
        .recent_sign_in(app.recent_sign_in)
        .look(look);
    let document = openapi::document(&app.sessions)
        .admin("/api/admin")
        .account("/api/account")
        .build()
        .to_json()?;

    let for_people = Router::new()
        .route("/", get(home::home))
        .route("/about", get(home::about))
        .route("/login", post(account::sign_in))
        .route("/logout", post(account::sign_out))
        .route("/password", post(passwords::change))
        .route(
            "/articles",
            post(articles::publish).route_layer(require("articles:edit")),
        )
        .nest("/admin/sessions", everybodys.build())
        .nest("/account/sessions", ones_own.build())
        // Every request that passes here is verified, once, before its handler runs.
        .layer(sessions.clone())
        .layer(DefaultBodyLimit::max(16 * 1024))
        .layer(CsrfLayer::new())
        .fallback(pages::not_found);

    let for_programs = Router::new()
        .route("/whoami", get(whoami::whoami))
        .route("/token", post(token::token))
        .route("/events", get(events::events))
        .nest("/api/admin", admin::router(&app.sessions).build())
        .nest(
            "/api/account",
            own::router(&app.sessions)
                .recent_sign_in(app.recent_sign_in)
                .build(),
        )
        .layer(sessions)
        .layer(DefaultBodyLimit::max(16 * 1024));

    // Out here nobody asks who you are.
    let for_everybody = Router::new()
        .route("/style.css", get(pages::style))
        .route("/icon.svg", get(pages::icon))
        .route(
            "/openapi.json",
            get(async || ([(header::CONTENT_TYPE, "application/json")], document)),
        )
        .route("/health", get(async || "ok"));

    let pages = for_people
        .layer(middleware::from_fn(pages::errors_as_pages))
        .layer(set(header::CACHE_CONTROL, "no-store"))
        .layer(set(
            header::CONTENT_SECURITY_POLICY,
            CONTENT_SECURITY_POLICY,
        ))
        .layer(set(header::REFERRER_POLICY, "same-origin"))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(TraceLayer::new_for_http());

    let whole = pages.merge(for_programs).merge(for_everybody);
    Ok(whole.with_state(app))
}

/// Our own style sheet, icon and forms, and nothing else from anywhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn set(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
