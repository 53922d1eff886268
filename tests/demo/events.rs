//! A connection that stays open: it ticks while its session lives, and says why it ends.

use http::StatusCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpStream,
    time::timeout,
};

use crate::{
    program::Demo,
    support::{Client, on_every_database},
};

use crate::support::PATIENCE;

/// `GET /events`, open until the server closes it.
struct Events {
    lines: Lines<BufReader<TcpStream>>,
}

impl Events {
    async fn open(demo: &Demo, browser: &Client) -> Self {
        let mut socket = TcpStream::connect(demo.address).await.unwrap();
        let request = format!(
            "GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: session={}\r\n\r\n",
            browser.jar["session"],
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let lines = BufReader::new(socket).lines();
        let mut events = Self { lines };
        assert_eq!(events.line().await.unwrap(), "HTTP/1.1 200 OK");
        let mut head = Vec::new();
        while let Some(line) = events.line().await.filter(|line| !line.is_empty()) {
            head.push(line);
        }
        for header in [
            "content-type: text/event-stream",
            "transfer-encoding: chunked",
            "cache-control: no-cache",
        ] {
            assert!(head.iter().any(|line| line == header), "{head:?}");
        }
        events
    }

    /// The next event and what it carries; nothing where the server has closed the stream as it should.
    async fn next(&mut self) -> Option<(String, Value)> {
        let mut name = None;
        loop {
            // The lengths of chunks are lines of their own between those of the events.
            let line = self.line().await.expect("the stream was cut off");
            if let Some(event) = line.strip_prefix("event: ") {
                name = Some(event.to_owned());
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some((name.unwrap(), serde_json::from_str(data).unwrap()));
            } else if line == "0" {
                assert_eq!(self.line().await.as_deref(), Some(""));
                assert_eq!(self.line().await, None);
                return None;
            }
        }
    }

    async fn assert_ticks(&mut self, number: u64, user_id: &str) {
        let tick = json!({ "number": number, "user_id": user_id });
        assert_eq!(self.next().await, Some(("tick".into(), tick)));
    }

    /// What comes after the ticks: why it ends, and nothing more.
    async fn assert_ends(mut self, reason: &str) {
        let last_words = async {
            loop {
                match self.next().await {
                    Some((name, _)) if name == "tick" => {}
                    other => break other,
                }
            }
        };
        let last = timeout(PATIENCE, last_words).await.expect("an end in time");
        let ended = json!({ "reason": reason });
        assert_eq!(last, Some(("ended".into(), ended)));
        assert_eq!(self.next().await, None);
    }

    async fn line(&mut self) -> Option<String> {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("a line in time").unwrap()
    }
}

on_every_database! {
    async fn a_stream_ends_with_its_session_and_says_why(database: Database) {
        let demo = Demo::start(&database).await;
        let (mut here, mut there) = (demo.signed_in("alice").await, demo.signed_in("alice").await);
        let open_here = Events::open(&demo, &here).await;
        let mut open_there = Events::open(&demo, &there).await;
        open_there.assert_ticks(1, "2").await;
        open_there.assert_ticks(2, "2").await;

        let ended = demo.send(&mut here, "DELETE /api/account/sessions").await;
        assert_eq!(ended.status, StatusCode::OK);
        open_there.assert_ends("revoked").await;
        assert_eq!(demo.get(&mut there, "/events").await.status, StatusCode::UNAUTHORIZED);

        // A new password is a new session, in the same browser.
        demo.post(&mut here, "/password", "new_password=open-sesame").await;
        open_here.assert_ends("replaced").await;
        let mut open_here = Events::open(&demo, &here).await;
        open_here.assert_ticks(1, "2").await;
        demo.post(&mut here, "/logout", "").await;
        open_here.assert_ends("logout").await;
    }

    async fn a_stream_ends_at_the_limit_and_with_its_account(database: Database) {
        let demo = Demo::start(&database).await;
        let oldest = Events::open(&demo, &demo.signed_in("alice").await).await;
        let disabled = Events::open(&demo, &demo.signed_in("alice").await).await;
        demo.signed_in("alice").await;
        oldest.assert_ends("limit").await;
        database.execute("UPDATE users SET disabled = TRUE WHERE id = 2").await;
        disabled.assert_ends("account-refused").await;
    }

    async fn a_stream_is_for_those_who_are_signed_in(database: Database) {
        let demo = Demo::start(&database).await;
        let answer = demo.get(&mut Client::new(), "/events").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }

    #[cfg(unix)]
    async fn an_open_stream_does_not_hold_up_a_stop(database: Database) {
        let mut demo = Demo::start(&database).await;
        let browser = demo.signed_in("alice").await;
        let mut open = Events::open(&demo, &browser).await;
        open.assert_ticks(1, "2").await;
        demo.stops_when_told().await;
        // Closed as it should be, and without a word about the session: that goes on.
        while let Some((name, _)) = open.next().await {
            assert_eq!(name, "tick");
        }
        assert_eq!(database.live().await, 1);
    }
}
