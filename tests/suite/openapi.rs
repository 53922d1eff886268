//! The OpenAPI document says what the routers do: every answer is in it, and everything in it is answered.

use std::collections::BTreeSet;

use axum::{Router, body::Body};
use countersign::{account, admin, openapi, uuid::Uuid};
use http::{HeaderValue, Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{
    Answer, App, Client, Database,
    control::{routers, sign_in, with_routers},
    on_every_database,
};

/// Which operation answered with which status and code.
type Seen = BTreeSet<(String, String, String)>;

struct Document(Value);

impl Document {
    fn new(app: &App) -> Self {
        let document = openapi::document(&app.sessions)
            .admin("/api/admin")
            .account("/api/account/");
        Self(serde_json::to_value(document.build()).unwrap())
    }

    /// Each operation: its path, its method and what is said of it.
    fn operations(&self) -> impl Iterator<Item = (&str, Method, &Value)> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        paths.flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(|(method, operation)| {
                (
                    path.as_str(),
                    method.to_uppercase().parse().unwrap(),
                    operation,
                )
            })
        })
    }

    /// Everything that is documented.
    fn promised(&self) -> Seen {
        let mut promised = Seen::new();
        for (_, _, operation) in self.operations() {
            let id = operation["operationId"].as_str().unwrap();
            for (status, response) in operation["responses"].as_object().unwrap() {
                let codes = &response["content"]["application/problem+json"]["schema"]["allOf"][1]
                    ["properties"]["code"]["enum"];
                match codes.as_array() {
                    Some(codes) => {
                        for code in codes {
                            promised.insert((
                                id.into(),
                                status.into(),
                                code.as_str().unwrap().into(),
                            ));
                        }
                    }
                    None => drop(promised.insert((id.into(), status.into(), String::new()))),
                }
            }
        }
        promised
    }

    /// A schema of the document as one that stands alone.
    fn schema(&self, schema: &Value) -> jsonschema::Validator {
        let mut schema = schema.clone();
        schema["components"] = self.0["components"].clone();
        jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap()
    }

    /// Holds an answer against the document.
    #[track_caller]
    fn check(&self, operation: &Value, answer: &Answer) -> (String, String, String) {
        let id = operation["operationId"].as_str().unwrap();
        let status = answer.status.as_u16().to_string();
        let response = &operation["responses"][&status];
        assert!(
            response.is_object(),
            "{id} answers with {status}, which is not documented: {}",
            answer.body
        );
        for (name, _) in response["headers"].as_object().into_iter().flatten() {
            assert!(
                name == "Link" || answer.headers.contains_key(name.as_str()),
                "{id} {status} has no {name}"
            );
        }
        let Some(kind) = answer.header("content-type") else {
            assert_eq!(
                (answer.body.as_str(), &response["content"]),
                ("", &Value::Null),
                "{id} {status}"
            );
            return (id.into(), status, String::new());
        };
        let body = answer.json();
        let schema = &response["content"][kind]["schema"];
        assert!(schema.is_object(), "{id} {status} comes as {kind}");
        if let Err(error) = self.schema(schema).validate(&body) {
            panic!(
                "{id} {status}: {error} at {}: {body}",
                error.instance_path()
            );
        }
        self.nothing_else(schema, &body);
        (
            id.into(),
            status,
            body["code"].as_str().unwrap_or_default().into(),
        )
    }

    /// The schemas are open, so that answers may grow; what grew has to be in them all the same.
    #[track_caller]
    fn nothing_else(&self, schema: &Value, body: &Value) {
        let schema = match schema["allOf"][0].is_object() {
            true => &schema["allOf"][0],
            false => schema,
        };
        let schema = match schema["$ref"].as_str() {
            Some(name) => self.0.pointer(name.strip_prefix('#').unwrap()).unwrap(),
            None => schema,
        };
        for (name, value) in body.as_object().into_iter().flatten() {
            let property = &schema["properties"][name];
            assert!(property.is_object(), "{name} is not documented");
            self.nothing_else(property, value);
        }
        for value in body.as_array().into_iter().flatten() {
            self.nothing_else(&schema["items"], value);
        }
    }
}

fn address(path: &str, id: Uuid, user: &str) -> String {
    path.replace("{id}", &id.to_string())
        .replace("{user_id}", user)
}

fn request(client: &Client, method: &Method, path: &str, body: Option<&str>) -> Request<Body> {
    let mut request = client.request(method.clone(), path);
    if let Some(body) = body {
        *request.body_mut() = body.to_owned().into();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    request
}

/// A body that this operation takes, if it takes one.
fn good_body(operation: &Value) -> Option<&'static str> {
    match operation["operationId"].as_str().unwrap() {
        "setLimit" => Some(r#"{"max_sessions":3}"#),
        "revokeSessions" => Some(r#"{"user_id":"9"}"#),
        _ => None,
    }
}

fn changes(method: &Method) -> bool {
    *method != Method::GET
}

/// A node whose database has gone.
async fn cut_off(database: &Database) -> App {
    let pool = database.second_pool().await;
    let builder = crate::support::usual(pool.builder());
    let app = with_routers(App::of(builder.build().await.unwrap()));
    pool.close().await;
    app
}

on_every_database! {
    async fn every_answer_is_documented_and_every_documented_answer_is_given(database: Database) {
        let app = with_routers(App::new(&database).await);
        let document = Document::new(&app);
        let without_database = cut_off(&database).await;
        let without_layer: Router = Router::new()
            .nest("/api/admin", admin::router(&app.sessions).build())
            .nest("/api/account", account::router(&app.sessions).build());
        let (admin, own) = sign_in(&app, "1", "10.0.0.1", "Browser").await;
        let (bob, _) = sign_in(&app, "3", "10.0.0.1", "").await;
        let unknown = Uuid::now_v7();
        let mut seen = Seen::new();

        for (path, method, operation) in document.operations() {
            let good = good_body(operation);
            let here = address(path, unknown, "9");
            let cases = [
                (&app.router, Client::new(), here.clone(), good),
                (&without_database.router, admin.clone(), here.clone(), good),
                (&without_layer, admin.clone(), here.clone(), good),
                (&app.router, bob.clone(), here.clone(), good),
                (&app.router, admin.clone(), format!("{here}?nonsense=1"), good),
                (&app.router, admin.clone(), format!("{here}?signed_in_as=2"), good),
                (&app.router, admin.clone(), here.clone(), Some("[]")),
                (&app.router, admin.clone(), format!("{here}?page_token=forged"), None),
                (&app.router, admin.clone(), address(path, own, "9"), good),
                (&app.router, admin.clone(), here.clone(), good),
            ];
            for (router, mut client, path, body) in cases {
                let answer = client.exchange(router, request(&client, &method, &path, body)).await;
                seen.insert(document.check(operation, &answer));
            }
            let mut elsewhere = admin.clone();
            elsewhere.headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
            let answer = elsewhere.exchange(&app.router, request(&elsewhere, &method, &here, good)).await;
            let (_, status, code) = document.check(operation, &answer);
            assert_eq!(code == "cross-site", changes(&method), "{path}");
            if changes(&method) {
                seen.insert((operation["operationId"].as_str().unwrap().into(), status, code));
            }
            if good.is_some() {
                let long = format!("{{\"user_id\":\"{}\"}}", "x".repeat(20_000));
                let mut client = admin.clone();
                let answer = client.exchange(&app.router, request(&client, &method, &here, Some(&long))).await;
                seen.insert(document.check(operation, &answer));
                let mut plain = request(&client, &method, &here, good);
                plain.headers_mut().remove(header::CONTENT_TYPE);
                let answer = client.exchange(&app.router, plain).await;
                seen.insert(document.check(operation, &answer));
            }
        }

        // What takes a session that there is, and a sign-in that is not recent.
        for (path, method, operation) in document.operations() {
            let id = operation["operationId"].as_str().unwrap();
            if method == Method::DELETE && path.ends_with("/sessions/{id}") {
                let (_, other) = sign_in(&app, "1", "10.0.0.1", "").await;
                let (mut fresh, _) = sign_in(&app, "1", "10.0.0.1", "").await;
                let answer = fresh.send(&app.router, method.clone(), &address(path, other, "1")).await;
                assert_eq!(answer.status, StatusCode::NO_CONTENT, "{id}");
                seen.insert(document.check(operation, &answer));
            }
            if path.starts_with("/api/account") && changes(&method) {
                let (mut late, _) = sign_in(&app, "2", "10.0.0.1", "").await;
                database.age("authenticated_at", 16 * 60).await;
                let answer = late.send(&app.router, method.clone(), &address(path, unknown, "2")).await;
                seen.insert(document.check(operation, &answer));
            }
        }
        let promised = document.promised();
        let missing: Vec<_> = promised.difference(&seen).collect();
        assert!(missing.is_empty(), "documented, and never answered: {missing:#?}");
        assert!(seen.is_subset(&promised));
        assert_eq!(document.operations().count(), 10);
    }

    async fn whatever_a_listing_shows_is_documented(database: Database) {
        let app = with_routers(App::new(&database).await);
        let document = Document::new(&app);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "Browser").await;
        // With every reason that a session can have, and in which an administrator acts.
        let (mut acting, _) = sign_in(&app, "1", "2001:db8::1", "").await;
        let answer = acting.post(&app.router, "/act-as/2").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let (mut out, _) = sign_in(&app, "3", "10.0.0.1", "").await;
        out.post(&app.router, "/logout").await;
        let (mut again, _) = sign_in(&app, "3", "10.0.0.1", "").await;
        again.post(&app.router, "/login/2").await;
        let (_, gone) = sign_in(&app, "3", "10.0.0.1", "").await;
        app.sessions.revoke(gone, "nightly job").await.unwrap();
        for path in ["/api/admin/sessions", "/api/admin/sessions?page_size=2", "/api/account/sessions"] {
            let answer = admin.get(&app.router, path).await;
            let (template, _) = path.split_once('?').unwrap_or((path, ""));
            document.check(&document.0["paths"][template]["get"], &answer);
        }
    }

    async fn the_described_bodies_are_the_accepted_ones(database: Database) {
        let app = App::new(&database).await;
        let document = Document::new(&app);
        let router = routers(&app, |admin| admin, |account| account);
        let (mut admin, _) = sign_in(&app, "1", "10.0.0.1", "").await;
        let revocation = document.schema(&document.0["components"]["schemas"]["Revocation"]);
        let limit = document.schema(&document.0["components"]["schemas"]["Limit"]);
        for (body, accepted) in [
            (json!({ "user_id": "9" }), true),
            (json!({ "user_id": "9", "acting_user": "9", "state": "live", "ip": "10.0.0.9", "user_agent": "x",
                     "created_after": "2026-01-01T00:00:00Z", "created_before": "2026-01-01T00:00:00+01:00",
                     "everybody": false, "dry_run": true, "include_current": true }), true),
            (json!({ "ip": "2001:db8::1" }), true),
            (json!({ "everybody": true, "state": "ended" }), true),
            (json!({}), false),
            (json!({ "state": "live" }), false),
            (json!({ "everybody": false }), false),
            (json!({ "everybody": true, "user_id": "9" }), false),
            (json!({ "user_id": "9", "page_size": 1 }), false),
            (json!({ "user_id": 9 }), false),
            (json!({ "user_id": " 9" }), false),
            (json!({ "user_id": "9\u{1}" }), false),
            (json!({ "user_id": "9", "state": "dead" }), false),
            (json!({ "ip": "localhost" }), false),
            (json!({ "user_agent": "" }), false),
            (json!({ "created_after": "2026-01-01" }), false),
            (json!([]), false),
        ] {
            assert_eq!(revocation.is_valid(&body), accepted, "{body}");
            let answer = admin.send_json(&router, Method::POST, "/api/admin/sessions/revoke", body.to_string()).await;
            assert_eq!(answer.status == StatusCode::OK, accepted, "{body}: {}", answer.body);
        }
        for (body, accepted) in [
            (json!({ "max_sessions": 0 }), true), (json!({ "max_sessions": u32::MAX }), true),
            (json!({ "max_sessions": "unlimited" }), true), (json!({ "max_sessions": null }), true),
            (json!({}), false), (json!({ "max_sessions": -1 }), false), (json!({ "max_sessions": 4_294_967_296_u64 }), false),
            (json!({ "max_sessions": "2" }), false), (json!({ "max_sessions": 2, "user_id": "9" }), false),
        ] {
            assert_eq!(limit.is_valid(&body), accepted, "{body}");
            let answer = admin.send_json(&router, Method::PUT, "/api/admin/users/9/limit", body.to_string()).await;
            assert_eq!(answer.status == StatusCode::OK, accepted, "{body}: {}", answer.body);
        }
    }
}
