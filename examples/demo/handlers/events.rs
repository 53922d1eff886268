//! An open connection that ends with its session: server-sent events.

use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use countersign::{EndedReason, Session, SignedIn};
use futures::{Stream, StreamExt, stream};
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

use crate::routes::App;

type Item = Result<Event, axum::Error>;

#[derive(Serialize)]
struct Tick<'a> {
    number: u64,
    user_id: &'a str,
}

#[derive(Serialize)]
struct Ended {
    reason: &'static str,
}

/// Ticks until the session is over, then says why and closes. Whoever is not signed in gets a 401.
pub async fn events(
    State(app): State<App>,
    who: SignedIn,
    session: Session,
) -> Sse<impl Stream<Item = Item>> {
    let why = session.ended();
    let events = session
        .until_ended(ticks(who))
        .chain(stream::once(async move { ended(why.await) }))
        // A graceful stop waits for open connections, and this one would never be through.
        .take_until(app.stop.told());
    Sse::new(events)
}

/// One each second, the first at once.
fn ticks(who: SignedIn) -> impl Stream<Item = Item> {
    let mut seconds = interval(Duration::from_secs(1));
    // Whoever was slow to read gets the next one, not all that were missed.
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    stream::unfold((seconds, 1), move |(mut seconds, number)| {
        let user_id = who.user_id().clone();
        async move {
            seconds.tick().await;
            let tick = Event::default().event("tick").json_data(Tick {
                number,
                user_id: user_id.as_str(),
            });
            Some((tick, (seconds, number + 1)))
        }
    })
}

fn ended(reason: EndedReason) -> Item {
    Event::default().event("ended").json_data(Ended {
        reason: reason.as_str(),
    })
}
