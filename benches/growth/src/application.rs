//! An application on a table, and the requests that it gets.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Path,
    http::{Request, StatusCode, header},
    response::ErrorResponse,
    routing::{get, post},
};
use countersign::{Cursor, Filter, Key, Limit, Page, Session, Sessions, SignedIn, admin};
use tower::ServiceExt;

use crate::{
    Failure,
    database::Database,
    rows::{FURTHER_USERS, users},
};

/// How long a page of a list is.
pub const PAGE: u32 = 50;

pub struct Application {
    pub database: Database,
    pub size: u64,
    pub sessions: Sessions,
    router: Router,
    /// Of user 1, an administrator.
    cookie: String,
    /// Where page 1,000 starts, or the last page of a smaller table.
    far: Option<Cursor>,
}

impl Application {
    pub async fn new(database: Database, size: u64) -> Result<Self, Failure> {
        let sessions = database
            .builder()
            .key(Key::generate())
            .account("users WHERE id = {user:int}")
            .permissions("permission", "user_permissions WHERE user_id = {user:int}")
            .limit(Limit::end_oldest(3))
            .build()
            .await?;
        let router = Router::new()
            .route(
                "/whoami",
                get(async |user: SignedIn| user.user_id().to_string()),
            )
            .route("/login/{id}", post(login))
            .nest("/admin", admin::router(&sessions).build())
            .layer(sessions.layer());
        let cookie = sign_in(&router, 1).await?;
        let far = far(&sessions).await?;
        Ok(Self {
            database,
            size,
            sessions,
            router,
            cookie,
            far,
        })
    }

    pub async fn gone(self) -> Result<(), Failure> {
        self.sessions.close().await;
        self.database.gone().await
    }

    /// One of the users who are in the table.
    pub fn user(&self, n: u64) -> u64 {
        (n * 7 + 3) % users(self.size)
    }

    /// One of those who are not.
    pub fn further_user(&self, n: u64) -> u64 {
        users(self.size) + 1 + n % (FURTHER_USERS - 1)
    }

    /// The page of a list that is far from its beginning.
    pub fn far_page(&self) -> Page {
        let page = Page::first(PAGE);
        match &self.far {
            Some(far) => page.after(far.clone()),
            None => page,
        }
    }

    /// Signs a user in, and returns the cookie.
    pub async fn sign_in(&self, user: u64) -> Result<String, Failure> {
        sign_in(&self.router, user).await
    }

    /// What an administrator is answered.
    pub async fn get(&self, path: &str) -> Result<String, Failure> {
        self.ask(Request::get(path).body(Body::empty())?).await
    }

    pub async fn delete(&self, path: &str) -> Result<String, Failure> {
        self.ask(Request::delete(path).body(Body::empty())?).await
    }

    pub async fn post(&self, path: &str, json: &str) -> Result<String, Failure> {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.ask(request.body(Body::from(json.to_owned()))?).await
    }

    async fn ask(&self, mut request: Request<Body>) -> Result<String, Failure> {
        let headers = request.headers_mut();
        headers.insert(header::COOKIE, self.cookie.parse()?);
        headers.insert("sec-fetch-site", "same-origin".parse()?);
        let what = format!("{} {}", request.method(), request.uri());
        let answer = self.router.clone().oneshot(request).await?;
        let status = answer.status();
        let body = to_bytes(answer.into_body(), usize::MAX).await?;
        let body = String::from_utf8(body.to_vec())?;
        match status {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(body),
            status => Err(format!("{what}: {status} {body}").into()),
        }
    }
}

async fn login(session: Session, Path(id): Path<i64>) -> Result<(), ErrorResponse> {
    session.login(id).await?;
    Ok(())
}

async fn sign_in(router: &Router, user: u64) -> Result<String, Failure> {
    let request = Request::post(format!("/login/{user}")).body(Body::empty())?;
    let answer = router.clone().oneshot(request).await?;
    let cookie = answer.headers().get(header::SET_COOKIE);
    let cookie = cookie
        .ok_or_else(|| format!("sign-in: {}", answer.status()))?
        .to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

/// Where page 1,000 of everything starts, or the last one.
async fn far(sessions: &Sessions) -> Result<Option<Cursor>, Failure> {
    let mut far = None;
    let mut left = 999 * PAGE;
    while left > 0 {
        let length = left.min(1000);
        let mut page = Page::first(length);
        if let Some(cursor) = far.clone() {
            page = page.after(cursor);
        }
        match sessions.list(&Filter::all(), page).await?.next {
            Some(next) => far = Some(next),
            None => break,
        }
        left -= length;
    }
    Ok(far)
}
