//! What `on_event` was told.

use std::{
    fmt::Write,
    sync::{Arc, Mutex},
};

use countersign::{Event, SessionsBuilder};

use super::App;

/// Collects events.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Vec<Event>>>);

impl Heard {
    pub fn listen(&self, builder: SessionsBuilder) -> SessionsBuilder {
        let heard = self.clone();
        builder.on_event(move |event| heard.push(event))
    }

    pub fn push(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    /// What has arrived so far.
    pub fn so_far(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    /// Everything that was reported since the last time.
    pub async fn news(&self, app: &App) -> Vec<Event> {
        app.sessions.close().await;
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// [`news`](Self::news), a line each: the kind, the reason, and what else there is.
    pub async fn told(&self, app: &App) -> Vec<String> {
        self.news(app).await.iter().map(line).collect()
    }
}

/// `ended(limit) user=2 by=2`; the count where it is not 1.
pub fn line(event: &Event) -> String {
    let mut line = event.kind.name().to_owned();
    if let Some(reason) = event.kind.reason() {
        write!(line, "({reason})").unwrap();
    }
    if event.count != 1 {
        write!(line, " ×{}", event.count).unwrap();
    }
    let user = event.user_id.as_ref().map(ToString::to_string);
    for (name, value) in [
        ("user", &user),
        ("ip", &event.ip),
        ("by", &event.by),
        ("permission", &event.permission),
    ] {
        if let Some(value) = value {
            write!(line, " {name}={value}").unwrap();
        }
    }
    line
}
