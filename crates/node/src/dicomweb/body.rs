//! Bodies that are made while they are sent: a task makes pieces, the connection takes them, and little is between.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::mpsc;

/// Pieces that wait for the connection; one more is being made, one more being sent.
const WAITING: usize = 1;

/// The end of a body that its maker holds.
pub(super) struct Pieces(mpsc::Sender<io::Result<Bytes>>);

/// The client is gone; there is nobody to make anything for.
#[derive(Debug)]
pub(super) struct Gone;

impl Pieces {
    /// Hands over the next piece, when there is room.
    pub(super) async fn send(&self, piece: impl Into<Bytes>) -> Result<(), Gone> {
        self.0.send(Ok(piece.into())).await.map_err(|_| Gone)
    }

    /// Breaks the body off: its status has gone out, so that is all that can be said.
    pub(super) async fn fail(&self, error: impl std::error::Error) {
        tracing::warn!(%error, "an answer was broken off");
        let broken = io::Error::other("the rest cannot be read");
        let _ = self.0.send(Err(broken)).await;
    }
}

/// A body and what fills it.
pub(super) fn body() -> (Pieces, Body) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Pieces(sender), Body::from_stream(Received(receiver)))
}

/// A body of pieces that are at hand.
pub(super) fn ready(pieces: Vec<Bytes>) -> Body {
    Body::from_stream(Ready(pieces.into_iter()))
}

struct Received(mpsc::Receiver<io::Result<Bytes>>);

impl Stream for Received {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

struct Ready(std::vec::IntoIter<Bytes>);

impl Stream for Ready {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}
