//! A client with a cookie jar of its own, over a router or over a socket.

use std::{collections::BTreeMap, net::SocketAddr};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower::ServiceExt;

/// A browser: it keeps cookies as RFC 6265 says, as far as one host and one path are concerned.
#[derive(Clone, Debug, Default)]
pub struct Client {
    pub jar: BTreeMap<String, String>,
    pub headers: HeaderMap,
    pub peer: Option<SocketAddr>,
    /// Whom the pages that this browser shows were made for: their forms say so.
    pub user: Option<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Client {
    pub fn new() -> Self {
        Self::default()
    }

    pub async fn get(&mut self, app: &Router, path: &str) -> Answer {
        self.send(app, Method::GET, path).await
    }

    pub async fn post(&mut self, app: &Router, path: &str) -> Answer {
        self.send(app, Method::POST, path).await
    }

    pub async fn send(&mut self, app: &Router, method: Method, path: &str) -> Answer {
        let request = self.request(method, path);
        self.exchange(app, request).await
    }

    /// Sends a body of JSON, or of what is to be taken for it.
    pub async fn send_json(
        &mut self,
        app: &Router,
        method: Method,
        path: &str,
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = self.request(method, path);
        *request.body_mut() = body.into();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        self.exchange(app, request).await
    }

    /// Sends this very request.
    pub async fn exchange(&mut self, app: &Router, request: Request<Body>) -> Answer {
        let user = signs_in(request.uri().path()).map(str::to_owned);
        let response = app.clone().oneshot(request).await.unwrap();
        let answer = Answer::read(response).await;
        self.keep(&answer);
        if user.is_some() && answer.status.is_success() {
            self.user = user;
        }
        answer
    }

    /// Sends `METHOD /path` and a form over a socket; `None` when no whole answer came back.
    pub async fn send_to(
        &mut self,
        address: SocketAddr,
        request: &str,
        form: &str,
    ) -> Option<Answer> {
        let mut text = format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        if !self.jar.is_empty() {
            text.push_str(&format!("Cookie: {}\r\n", self.cookies()));
        }
        if !form.is_empty() {
            text.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{form}", form.len()));
        let mut socket = TcpStream::connect(address).await.ok()?;
        socket.write_all(text.as_bytes()).await.ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.ok()?;
        let answer = Answer::parse(&answer)?;
        self.keep(&answer);
        Some(answer)
    }

    /// The request as this browser would send it.
    pub fn request(&self, method: Method, path: &str) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        *request.headers_mut() = self.headers.clone();
        if !self.jar.is_empty() {
            request
                .headers_mut()
                .insert(header::COOKIE, self.cookies().parse().unwrap());
        }
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        request
    }

    fn cookies(&self) -> String {
        let pairs = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// Keeps and forgets cookies as told.
    pub fn keep(&mut self, answer: &Answer) {
        for cookie in answer.set_cookies() {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((&cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            let removes = attributes
                .split(';')
                .any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0"));
            match removes {
                true => drop(self.jar.remove(name)),
                false => drop(self.jar.insert(name.to_owned(), value.to_owned())),
            }
        }
    }

    pub fn session_cookie(&self) -> Option<&str> {
        self.jar.get("__Host-session").map(String::as_str)
    }
}

/// Whom a request to the application under test signs in.
fn signs_in(path: &str) -> Option<&str> {
    let (_, after) = path.split_once("/login/").or(path.split_once("/act-as/"))?;
    after.split('/').next()
}

impl Answer {
    pub async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// What a server wrote before it closed the connection; `None` when that is not all it meant to write.
    fn parse(answer: &str) -> Option<Self> {
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ")?;
            let name: HeaderName = name.parse().ok()?;
            headers.append(name, HeaderValue::from_str(value).ok()?);
        }
        let length: usize = match status {
            StatusCode::NO_CONTENT => 0, // which has no length to say (RFC 9110, 8.6)
            _ => headers
                .get(header::CONTENT_LENGTH)?
                .to_str()
                .ok()?
                .parse()
                .ok()?,
        };
        (body.len() == length).then(|| Self {
            status,
            headers,
            body: body.to_owned(),
        })
    }

    pub fn set_cookies(&self) -> Vec<String> {
        let values = self.headers.get_all(header::SET_COOKIE).into_iter();
        values
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }

    /// The Set-Cookie line of the session cookie, if there is one.
    pub fn session_cookie(&self) -> Option<String> {
        self.set_cookies()
            .into_iter()
            .find(|cookie| cookie.starts_with("__Host-session="))
    }

    /// The body, which has to be JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}
