//! Listening to the peer while its request is being worked on: C-CANCEL (PS3.7 section 9.3.2.3), and its going away.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::association::End;
use crate::command::{Command, MessageId};
use crate::dialogue::Dialogue;
use crate::limits::MAX_CANCELS;
use crate::link::Link;
use crate::message::Message;
use crate::pdu::Abort;

/// The peer need not say anything while it waits for us; what it waits for has a limit of its own.
pub(crate) const NO_HURRY: Duration = Duration::from_secs(24 * 3600);

/// The operation at hand, and whether the peer still wants it.
#[derive(Debug)]
pub(crate) struct Watch {
    request_id: MessageId,
    cancels: usize,
    cancelled: bool,
}

impl Watch {
    pub(crate) fn new(request_id: MessageId) -> Self {
        Self {
            request_id,
            cancels: 0,
            cancelled: false,
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// Takes note of a C-CANCEL and gives back any other message.
    pub(crate) fn filter(&mut self, message: Message) -> Result<Option<Message>, End> {
        let Command::CancelRq(cancel) = message.command else {
            return Ok(Some(message));
        };
        self.cancels += 1;
        if self.cancels > MAX_CANCELS {
            let reason = "too many C-CANCEL requests".to_owned();
            return Err(End::Aborted(Abort::User, reason));
        }
        self.cancelled |= cancel.request_id == self.request_id;
        Ok(None)
    }
}

/// Waits for our own work. Nothing as soon as the peer cancels; the work may then be dropped or waited for again.
pub(crate) async fn attend<L: Link, W: Future>(
    peer: &mut Dialogue<L>,
    watch: &mut Watch,
    mut work: Pin<&mut W>,
) -> Result<Option<W::Output>, End> {
    loop {
        let before = watch.is_cancelled();
        // In random order, so that a peer that keeps talking does not stop the work.
        let message = tokio::select! {
            message = peer.next(NO_HURRY) => message?,
            done = &mut work => return Ok(Some(done)),
        };
        if let Some(message) = watch.filter(message)? {
            return Err(out_of_turn(&message.command));
        }
        if watch.is_cancelled() && !before {
            return Ok(None);
        }
    }
}

/// Waits for work that is worth finishing although the peer cancels.
pub(crate) async fn finish<L: Link, W: Future>(
    peer: &mut Dialogue<L>,
    watch: &mut Watch,
    mut work: Pin<&mut W>,
) -> Result<W::Output, End> {
    loop {
        if let Some(done) = attend(peer, watch, work.as_mut()).await? {
            return Ok(done);
        }
    }
}

/// One operation at a time: nothing else was negotiated (PS3.7 section D.3.3.3).
pub(crate) fn out_of_turn(command: &Command) -> End {
    let reason = format!("message {:#06x} during an operation", command.code());
    End::Aborted(Abort::User, reason)
}
