//! One budget of memory for the data sets that all associations receive, and one for those that they send. A buffer
//! asks before it grows; what it holds goes back when it is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The first allocation for a data set: most structured reports and segmentations fit.
const FIRST_ALLOCATION: usize = 64 * 1024;
/// The first allocation at most, whatever came before: a wrong guess costs this for as long as one instance is received.
const MAX_EXPECTED: usize = 4 << 20;

/// Bytes that are left.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<AtomicUsize>);

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    fn take(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }

    fn give(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(crate) fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A share of the budget, given back on drop.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    bytes: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.give(self.bytes);
    }
}

/// A data set that is growing within the budget and a limit of its own.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    share: Share,
    limit: usize,
    /// Zeros before the data set, for what a file has there.
    before: usize,
    /// So much is allocated first.
    first: usize,
}

/// There is no room for what was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Buffer {
    pub(crate) fn new(budget: &Budget, limit: usize) -> Self {
        let share = Share {
            budget: budget.clone(),
            bytes: 0,
        };
        Self {
            bytes: Vec::new(),
            share,
            limit,
            before: 0,
            first: FIRST_ALLOCATION,
        }
    }

    /// The same with zeros before the data set, and with room for as many bytes as are expected in all once the first come.
    pub(crate) fn with_room(budget: &Budget, limit: usize, before: usize, expected: usize) -> Self {
        Self {
            before,
            first: expected.clamp(FIRST_ALLOCATION, MAX_EXPECTED),
            ..Self::new(budget, limit.saturating_add(before))
        }
    }

    pub(crate) fn extend(&mut self, more: &[u8]) -> Result<(), Full> {
        let start = self.bytes.len().max(self.before);
        let needed = start.checked_add(more.len()).ok_or(Full)?;
        if needed > self.limit {
            return Err(Full);
        }
        if needed > self.share.bytes {
            self.grow(needed)?;
        }
        self.bytes.resize(start, 0);
        self.bytes.extend_from_slice(more);
        Ok(())
    }

    /// Doubles, so that growing costs one copy in all, but never past the limit.
    fn grow(&mut self, needed: usize) -> Result<(), Full> {
        let doubled = self.share.bytes.saturating_mul(2).max(self.first);
        let capacity = doubled.min(self.limit).max(needed);
        if !self.share.budget.take(capacity - self.share.bytes) {
            return Err(Full);
        }
        self.share.bytes = capacity;
        self.bytes.reserve_exact(capacity - self.bytes.len());
        Ok(())
    }

    /// The whole, with the share to hold as long as it is in use.
    pub(crate) fn finish(mut self) -> (Bytes, Share) {
        let length = self.bytes.len().max(self.before);
        self.bytes.resize(length, 0);
        (Bytes::from(self.bytes), self.share)
    }
}

/// Room for data sets that are being sent: who finds none waits, in order.
#[derive(Debug)]
pub(crate) struct SendingRoom {
    free: Semaphore,
    whole: u32,
}

impl SendingRoom {
    /// Semaphores count to 2^29 at least, so the unit is a KiB.
    const UNIT: u64 = 1024;

    pub(crate) fn new(bytes: usize) -> Self {
        let whole = Self::units(bytes as u64).min(u32::MAX >> 4);
        Self {
            free: Semaphore::new(whole as usize),
            whole,
        }
    }

    /// What is larger than the whole room gets it for itself.
    pub(crate) async fn take(&self, bytes: u64) -> Option<SemaphorePermit<'_>> {
        let units = Self::units(bytes).min(self.whole);
        // It is never closed, which is the only error.
        self.free.acquire_many(units).await.ok()
    }

    fn units(bytes: u64) -> u32 {
        u32::try_from(bytes.div_ceil(Self::UNIT)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Buffer, Full, SendingRoom};

    #[tokio::test]
    async fn who_sends_waits_for_room() {
        let room = SendingRoom::new(100 << 10);
        let first = room.take(60 << 10).await.unwrap();
        let second = room.take(u64::MAX);
        tokio::pin!(second);
        tokio::select! {
            biased;
            _ = &mut second => panic!("there is no room"),
            () = std::future::ready(()) => {}
        }
        drop(first);
        assert!(second.await.is_some());
    }

    #[test]
    fn a_buffer_takes_from_the_budget_and_gives_back() {
        let budget = Budget::new(100_000);
        let mut first = Buffer::new(&budget, 90_000);
        assert_eq!(first.extend(&[1; 70_000]), Ok(()));
        assert_eq!(budget.left(), 30_000);
        let mut second = Buffer::new(&budget, 90_000);
        assert_eq!(
            second.extend(&[1; 10]),
            Err(Full),
            "the first allocation is 64 KiB"
        );
        let (bytes, share) = first.finish();
        assert_eq!(bytes.len(), 70_000);
        drop(share);
        assert_eq!(second.extend(&[1; 90_000]), Ok(()));
        assert_eq!(second.extend(&[1]), Err(Full), "over its own limit");
        drop(second);
        assert_eq!(budget.left(), 100_000);
    }

    #[test]
    fn what_is_expected_is_allocated_once_and_room_is_left_before_it() {
        let budget = Budget::new(1_000_000);
        let mut buffer = Buffer::with_room(&budget, 300_000, 512, 300_512);
        assert_eq!(budget.left(), 1_000_000, "nothing came yet");
        assert_eq!(buffer.extend(&[7; 100]), Ok(()));
        assert_eq!(budget.left(), 1_000_000 - 300_512);
        assert_eq!(buffer.extend(&[7; 299_900]), Ok(()));
        assert_eq!(buffer.extend(&[7]), Err(Full));
        let (bytes, _share) = buffer.finish();
        assert!(bytes[..512].iter().all(|byte| *byte == 0));
        assert!(bytes[512..].iter().all(|byte| *byte == 7));
        let (empty, _share) = Buffer::with_room(&budget, 10, 4, 0).finish();
        assert_eq!(empty[..], [0; 4]);
    }
}
