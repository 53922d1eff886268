//! Ends long-lived connections together with their session.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{Identity, Session};
use crate::{store::EndedReason, verify::Watch};

/// A future that resolves to the reason when the session has ended; made by [`Session::ended`].
pub struct Ended {
    watch: Option<Watch>,
    waiting: Pin<Box<dyn Future<Output = EndedReason> + Send + Sync>>,
}

impl Ended {
    fn of(waiting: impl Future<Output = EndedReason> + Send + Sync + 'static) -> Self {
        Self {
            watch: None,
            waiting: Box::pin(waiting),
        }
    }

    fn watching(watch: Watch) -> Self {
        Self {
            waiting: Box::pin(watch.clone().ended()),
            watch: Some(watch),
        }
    }
}

impl Session {
    /// Resolves when the session of this request is no longer live, or when its account may no longer be used. Use it
    /// for WebSockets, event streams and anything else that outlasts a request.
    ///
    /// All connections of a process share one statement per [`watch_interval`](crate::SessionsBuilder::watch_interval).
    /// If this process ends the session, the future resolves at once. While the database is away it stays pending until
    /// the [`watch_grace`](crate::SessionsBuilder::watch_grace) is over. Then it resolves to
    /// [`EndedReason::Unverifiable`].
    ///
    /// It does not ask a [`PermissionSource`](crate::PermissionSource) again. If only a source refuses an account, the
    /// account keeps its connections until you revoke its sessions.
    ///
    /// It does not check permissions again, and an open connection does not count as activity for the idle timeout: see
    /// the [guide](crate::guide::streams).
    ///
    /// For an anonymous request it never resolves. After a [`logout`](Self::logout), and for a request whose session
    /// could not be verified, it resolves at once.
    ///
    /// # Panics
    ///
    /// If called outside of a Tokio runtime while a user is signed in.
    ///
    /// ```
    /// use axum::extract::ws::{WebSocket, WebSocketUpgrade};
    /// use axum::response::Response;
    /// use countersign::{Session, SignedIn};
    ///
    /// async fn feed(_: SignedIn, session: Session, upgrade: WebSocketUpgrade) -> Response {
    ///     upgrade.on_upgrade(async move |mut socket: WebSocket| {
    ///         let mut ended = session.ended();
    ///         loop {
    ///             tokio::select! {
    ///                 reason = &mut ended => {
    ///                     let _ = socket.send(reason.as_str().into()).await;
    ///                     break;
    ///                 }
    ///                 message = socket.recv() => match message {
    ///                     Some(Ok(_)) => { /* … */ }
    ///                     _ => break,
    ///                 },
    ///             }
    ///         }
    ///     })
    /// }
    /// ```
    #[must_use]
    pub fn ended(&self) -> Ended {
        match self.identity() {
            Identity::SignedIn(user) => {
                Ended::watching(self.core().watchers.watch(user.session_id()))
            }
            Identity::Anonymous if self.state().signed_out => {
                Ended::of(std::future::ready(EndedReason::Logout))
            }
            Identity::Anonymous => Ended::of(std::future::pending()),
            Identity::Unavailable => Ended::of(std::future::ready(EndedReason::Unverifiable)),
        }
    }

    /// A stream that ends when `stream` or the session ends. Once the session has ended, it yields no further items.
    /// See [`ended`](Self::ended) for when that is.
    ///
    /// ```
    /// use axum::body::Body;
    /// use countersign::{Session, SignedIn};
    ///
    /// async fn export(_: SignedIn, session: Session) -> Body {
    ///     let lines = futures::stream::iter((1..=1_000_000).map(|n| Ok::<_, std::io::Error>(format!("{n}\n"))));
    ///     Body::from_stream(session.until_ended(lines))
    /// }
    /// ```
    ///
    /// # Panics
    ///
    /// If called outside of a Tokio runtime while a user is signed in.
    #[must_use]
    pub fn until_ended<S>(&self, stream: S) -> UntilEnded<S> {
        UntilEnded {
            stream,
            ended: self.ended(),
            over: false,
        }
    }
}

impl Future for Ended {
    type Output = EndedReason;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.watch.as_ref().and_then(Watch::so_far) {
            Some(reason) => Poll::Ready(reason),
            None => self.waiting.as_mut().poll(context),
        }
    }
}

impl std::fmt::Debug for Ended {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ended").finish_non_exhaustive()
    }
}

pin_project! {
    /// A stream that ends with a session; made by [`Session::until_ended`].
    #[derive(Debug)]
    pub struct UntilEnded<S> {
        #[pin]
        stream: S,
        ended: Ended,
        over: bool,
    }
}

impl<S> UntilEnded<S> {
    /// The inner stream, for sending where it goes both ways.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The inner stream.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: Stream> Stream for UntilEnded<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        // Checked before the inner stream, so that no item goes out after the session has ended.
        if *this.over || Pin::new(this.ended).poll(context).is_ready() {
            *this.over = true;
            return Poll::Ready(None);
        }
        this.stream.poll_next(context)
    }
}
