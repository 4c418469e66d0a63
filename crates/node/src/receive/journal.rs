//! Group commit: one writer takes all instances that wait, writes them, syncs once, and only then they are acknowledged.
//! What was acknowledged stays in memory, within a limit, on its way into the ingest; the file is read only after a crash.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use super::{
    Backlog,
    segments::{Record, Segment, Segments},
};
use crate::NodeError;

/// Bytes that were acknowledged and are in memory until they are taken in; senders wait when there are more.
const MAX_WAITING_KIB: u32 = 32 << 10;
/// A segment takes no more after this: small enough that what is settled leaves the disk soon.
const SEGMENT_BYTES: u64 = 32 << 20;
/// Instances that share a sync: more do not make it cheaper.
const MAX_GROUP: usize = 64;
/// A settled segment is deleted when nothing came for so long: identifying bytes do not lie about.
const IDLE: Duration = Duration::from_secs(1);

/// An instance cannot be kept now; the sender shall try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoRoom;

/// Where received instances become durable.
#[derive(Debug)]
pub(super) struct Journal {
    to_writer: Sender<Waiting>,
    room: Arc<Semaphore>,
    blocked: watch::Sender<bool>,
}

/// An instance that waits for its sync.
struct Waiting {
    record: Record,
    room: OwnedSemaphorePermit,
    durable: oneshot::Sender<Result<(), NoRoom>>,
}

/// An instance that was acknowledged. Dropped without [`Acknowledged::settle`], it is read again at the next start.
#[derive(Debug)]
pub(super) struct Acknowledged {
    pub(super) record: Record,
    segment: u64,
    segments: Arc<Segments>,
    _room: OwnedSemaphorePermit,
}

impl Acknowledged {
    /// It was taken in.
    pub(super) fn settle(self) {
        self.segments.settle(self.segment);
    }
}

/// What was acknowledged, in order.
pub(super) type Queue = mpsc::UnboundedReceiver<Acknowledged>;

/// The parts of a journal: where instances are put, where they come out, and the two jobs that block a thread.
pub(super) struct Parts {
    pub(super) journal: Journal,
    pub(super) queue: Queue,
    pub(super) writer: Writer,
    pub(super) replayer: Replayer,
}

/// Opens a journal. The queue is bounded by the room that each of its instances holds.
pub(super) fn open(segments: Arc<Segments>, backlog: &Arc<Backlog>) -> Result<Parts, NodeError> {
    let left = segments.left()?;
    backlog.set_replaying(!left.is_empty());
    let (to_writer, waiting) = channel();
    let (to_queue, queue) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(MAX_WAITING_KIB as usize));
    let journal = Journal {
        to_writer,
        room: room.clone(),
        blocked: watch::Sender::new(false),
    };
    let writer = Writer {
        waiting,
        queue: to_queue.clone(),
        segments: segments.clone(),
        backlog: backlog.clone(),
        next: left.last().map_or(0, |last| last + 1),
        segment: None,
    };
    let replayer = Replayer {
        left,
        queue: to_queue,
        segments,
        backlog: backlog.clone(),
        room,
    };
    Ok(Parts {
        journal,
        queue,
        writer,
        replayer,
    })
}

/// So much of the room an instance takes; one that is larger than all of it waits until it is alone.
fn share(bytes: usize) -> u32 {
    u32::try_from(bytes >> 10).map_or(MAX_WAITING_KIB, |kib| (kib + 1).min(MAX_WAITING_KIB))
}

impl Journal {
    /// Makes an instance durable; `make` gives its bytes once there is room in memory.
    pub(super) async fn keep(
        &self,
        size: usize,
        make: impl FnOnce() -> Bytes,
    ) -> Result<(), NoRoom> {
        let mut blocked = self.blocked.subscribe();
        let room = tokio::select! {
            biased;
            _ = blocked.wait_for(|blocked| *blocked) => return Err(NoRoom),
            room = self.room.clone().acquire_many_owned(share(size)) => room.map_err(|_| NoRoom)?,
        };
        let (durable, answer) = oneshot::channel();
        let waiting = Waiting {
            record: Record::of(make()),
            room,
            durable,
        };
        self.to_writer.send(waiting).map_err(|_| NoRoom)?;
        answer.await.unwrap_or(Err(NoRoom))
    }

    /// Says whether what was acknowledged can be taken in; as long as it cannot, nothing more is acknowledged.
    pub(super) fn set_blocked(&self, is_blocked: bool) {
        self.blocked.send_replace(is_blocked);
    }
}

/// Writes groups until the journal is dropped; blocks its thread.
pub(super) struct Writer {
    waiting: Receiver<Waiting>,
    queue: mpsc::UnboundedSender<Acknowledged>,
    segments: Arc<Segments>,
    backlog: Arc<Backlog>,
    next: u64,
    segment: Option<Segment>,
}

impl Writer {
    pub(super) fn run(mut self) {
        loop {
            match self.waiting.recv_timeout(IDLE) {
                Ok(first) => {
                    let others = self.waiting.try_iter().take(MAX_GROUP - 1);
                    let group = std::iter::once(first).chain(others).collect();
                    self.write(group);
                }
                Err(RecvTimeoutError::Timeout) => self.retire_settled(),
                Err(RecvTimeoutError::Disconnected) => return self.end(),
            }
        }
    }

    fn write(&mut self, group: Vec<Waiting>) {
        match self.append(&group) {
            Ok(number) => {
                self.segments.add(number, group.len());
                for waiting in group {
                    self.acknowledge(waiting, number);
                }
                if self.is_full() {
                    self.close();
                }
            }
            Err(error) => {
                tracing::error!(%error, "received instances cannot be kept");
                self.close();
                for waiting in group {
                    let _ = waiting.durable.send(Err(NoRoom));
                }
            }
        }
    }

    fn append(&mut self, group: &[Waiting]) -> std::io::Result<u64> {
        let mut segment = match self.segment.take() {
            Some(segment) => segment,
            None => {
                self.next += 1;
                self.segments.create(self.next - 1)?
            }
        };
        let written = segment.append(group.iter().map(|waiting| &waiting.record));
        let number = segment.number;
        self.segment = Some(segment);
        written.map(|()| number)
    }

    /// It is in the queue before its sender hears of it; a sender that waits no longer is told by the next one's answer.
    fn acknowledge(&self, waiting: Waiting, segment: u64) {
        let acknowledged = Acknowledged {
            record: waiting.record,
            segment,
            segments: self.segments.clone(),
            _room: waiting.room,
        };
        self.backlog.acknowledge();
        // Nobody takes in any more when the node stops: the next start does.
        let _ = self.queue.send(acknowledged);
        let _ = waiting.durable.send(Ok(()));
    }

    fn is_full(&self) -> bool {
        let segment = self.segment.as_ref();
        segment.is_some_and(|segment| segment.end >= SEGMENT_BYTES)
    }

    fn retire_settled(&mut self) {
        let segment = self.segment.as_ref();
        if segment.is_some_and(|segment| self.segments.is_settled(segment.number)) {
            self.close();
        }
        self.segments.drop_spare();
    }

    fn end(mut self) {
        self.close();
        self.segments.drop_spare();
    }

    fn close(&mut self) {
        if let Some(segment) = self.segment.take() {
            self.segments.close(segment.number);
        }
    }
}

/// Puts what an earlier run left into the queue; blocks its thread.
pub(super) struct Replayer {
    left: Vec<u64>,
    queue: mpsc::UnboundedSender<Acknowledged>,
    segments: Arc<Segments>,
    backlog: Arc<Backlog>,
    room: Arc<Semaphore>,
}

impl Replayer {
    /// Whether an earlier run left anything.
    pub(super) fn has_any(&self) -> bool {
        !self.left.is_empty()
    }

    pub(super) fn run(self, runtime: &tokio::runtime::Handle) {
        for number in &self.left {
            match self.replay(*number, runtime) {
                Ok(records) => tracing::info!(records, "received before the last stop"),
                Err(error) => {
                    tracing::error!(%error, segment = number, "a part of the journal cannot be read; it is tried at the next start");
                    // One record that is never settled keeps the file.
                    self.segments.add(*number, 1);
                }
            }
            self.segments.close(*number);
        }
        self.backlog.set_replaying(false);
    }

    fn replay(&self, number: u64, runtime: &tokio::runtime::Handle) -> std::io::Result<usize> {
        let mut replay = self.segments.read(number)?;
        let mut records = 0;
        while let Some(record) = replay.next()? {
            let room = self.room.clone();
            let room = room.acquire_many_owned(share(record.bytes.len()));
            let Ok(room) = runtime.block_on(room) else {
                break;
            };
            records += 1;
            self.segments.add(number, 1);
            self.backlog.acknowledge();
            let _ = self.queue.send(Acknowledged {
                record,
                segment: number,
                segments: self.segments.clone(),
                _room: room,
            });
        }
        if replay.is_damaged() {
            self.segments.set_aside(number);
        }
        Ok(records)
    }
}
