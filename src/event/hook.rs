//! Runs the application's closure on its own thread, behind a bounded queue, so that no request ever waits for it.
// docs/decisions/38-hook-has-a-thread.md

use std::{
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    sync::{
        mpsc::{self, error::TryRecvError},
        oneshot,
    },
    time::timeout,
};

use super::{Event, EventKind, line, meter::Meter};

/// How many events may wait for the closure. The documentation of `on_event` states it.
const CAPACITY: usize = 1024;
/// How long closing waits for the closure. The documentation of `close` states it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The application's closure for each event.
pub(crate) struct Listener(Box<dyn FnMut(Event) + Send>);

impl Listener {
    pub(crate) fn new(closure: impl FnMut(Event) + Send + 'static) -> Self {
        Self(Box::new(closure))
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Listener")
    }
}

/// The queue to the closure. When this is dropped, the thread delivers what is queued and ends.
#[derive(Debug)]
pub(crate) struct Hook {
    queue: mpsc::Sender<Message>,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Message {
    Event(Box<Event>),
    /// Answered when every event before it has been delivered.
    Delivered(oneshot::Sender<()>),
}

impl Hook {
    pub(crate) fn start(listener: Listener, realm: Arc<str>, meter: Meter) -> io::Result<Self> {
        let (queue, messages) = mpsc::channel(CAPACITY);
        let dropped = Arc::new(AtomicU64::new(0));
        let delivery = Delivery {
            listener,
            realm,
            meter,
            messages,
            dropped: dropped.clone(),
        };
        thread::Builder::new()
            .name("countersign-events".to_owned())
            .spawn(move || delivery.run())?;
        Ok(Self { queue, dropped })
    }

    pub(super) fn hand_over(&self, event: Event) {
        if self
            .queue
            .try_send(Message::Event(Box::new(event)))
            .is_err()
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Resolves when every queued event has been delivered, or after [`PATIENCE`].
    pub(super) async fn drained(&self) {
        let (done, delivered) = oneshot::channel();
        let draining = async {
            if self.queue.send(Message::Delivered(done)).await.is_ok() {
                // An error means that the thread has ended: there is nothing to wait for.
                let _ = delivered.await;
            }
        };
        if timeout(PATIENCE, draining).await.is_err() {
            tracing::warn!(target: line::TARGET, "the event hook takes too long; closing without it: make the closure of `on_event` faster");
        }
    }
}

/// The state of the thread.
struct Delivery {
    listener: Listener,
    realm: Arc<str>,
    meter: Meter,
    messages: mpsc::Receiver<Message>,
    dropped: Arc<AtomicU64>,
}

impl Delivery {
    fn run(mut self) {
        let mut since_told = 0;
        while let Some(message) = self.next() {
            match message {
                Message::Event(event) => self.deliver(*event),
                Message::Delivered(done) => {
                    self.tell_dropped();
                    // The caller may have stopped waiting.
                    let _ = done.send(());
                }
            }
            since_told += 1;
            if since_told == CAPACITY {
                since_told = 0;
                self.tell_dropped();
            }
        }
        self.tell_dropped();
    }

    /// The next message; `None` after the last handle was dropped.
    fn next(&mut self) -> Option<Message> {
        match self.messages.try_recv() {
            Ok(message) => Some(message),
            Err(TryRecvError::Disconnected) => None,
            // The queue is empty, so the number of dropped events cannot delay another event.
            Err(TryRecvError::Empty) => {
                self.tell_dropped();
                self.messages.blocking_recv()
            }
        }
    }

    fn tell_dropped(&mut self) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let event = Event::new(EventKind::EventsDropped)
                .in_realm(&self.realm)
                .count(dropped);
            self.meter.event(event.kind, event.count);
            line::write(&event);
            self.deliver(event);
        }
    }

    fn deliver(&mut self, event: Event) {
        let closure = &mut self.listener.0;
        if catch_unwind(AssertUnwindSafe(|| closure(event))).is_err() {
            tracing::error!(target: line::TARGET, "the event hook panicked; it gets the next event: look for the panic in the closure of `on_event`");
        }
    }
}
