//! Counting the C-STORE sub-operations of a retrieval, and what the last answer says of them (PS3.4 sections C.4.2.1.5
//! to C.4.2.1.9 and C.4.3.1.4 to C.4.3.1.6). Pure.

use bytes::Bytes;

use crate::command::{Progress, Status};
use crate::limits::MAX_FAILED_LISTED;
use crate::{Uid, transfer_syntaxes};

/// (0008,0058) Failed SOP Instance UID List, the one element that is written here.
const FAILED_LIST: [u8; 4] = [0x08, 0x00, 0x58, 0x00];

/// Counts, and the instances that failed.
#[derive(Debug, Default)]
pub(crate) struct SubOperations {
    remaining: usize,
    completed: usize,
    failed: usize,
    warning: usize,
    failed_instances: Vec<Uid>,
}

impl SubOperations {
    pub(crate) fn begin(&mut self, instances: usize) {
        self.remaining = instances;
    }

    /// What the receiver said of one instance; nothing if it did not get so far.
    pub(crate) fn record(&mut self, instance: &Uid, status: Option<Status>) {
        self.remaining = self.remaining.saturating_sub(1);
        match status {
            Some(Status::SUCCESS) => self.completed += 1,
            Some(status) if status.is_warning() => self.warning += 1,
            _ => {
                self.failed += 1;
                if self.failed_instances.len() < MAX_FAILED_LISTED {
                    self.failed_instances.push(instance.clone());
                }
            }
        }
    }

    /// The status when all are through.
    pub(crate) fn status(&self) -> Status {
        match (self.completed + self.warning, self.failed + self.warning) {
            (_, 0) => Status::SUCCESS,
            (0, _) => Status::NO_SUB_OPERATIONS,
            _ => Status::SOME_FAILED,
        }
    }

    /// The counts: what remains is said while it goes on and when it is cancelled. The fields have 16 bits.
    pub(crate) fn progress(&self, status: Status) -> Progress {
        let count = |count: usize| Some(u16::try_from(count).unwrap_or(u16::MAX));
        let unfinished = [Status::PENDING, Status::CANCELLED].contains(&status);
        Progress {
            remaining: count(self.remaining).filter(|_| unfinished),
            completed: count(self.completed),
            failed: count(self.failed),
            warning: count(self.warning),
        }
    }

    /// The data set that names who failed, if any did.
    pub(crate) fn failed_list(&self, transfer_syntax: &Uid) -> Option<Bytes> {
        let uids: Vec<&str> = self.failed_instances.iter().map(Uid::as_str).collect();
        let mut value = uids.join("\\").into_bytes();
        if value.is_empty() {
            return None;
        }
        if value.len() % 2 == 1 {
            value.push(0);
        }
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut bytes = FAILED_LIST.to_vec();
        if transfer_syntax.as_str() == transfer_syntaxes::IMPLICIT_VR_LE {
            bytes.extend(length);
        } else {
            // The limit on UIDs keeps it within the 16-bit length of UI.
            bytes.extend(*b"UI");
            bytes.extend_from_slice(&length[..2]);
        }
        bytes.append(&mut value);
        Some(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::{FAILED_LIST, MAX_FAILED_LISTED, Progress, Status, SubOperations, Uid};

    fn done(statuses: &[Option<u16>]) -> SubOperations {
        let mut done = SubOperations::default();
        done.begin(statuses.len());
        for (at, status) in statuses.iter().enumerate() {
            let instance = format!("1.{at}").parse().unwrap();
            done.record(&instance, status.map(Status));
        }
        done
    }

    #[test]
    fn the_last_status_says_whether_all_or_some_failed() {
        let check = |statuses: &[Option<u16>], expect: Status| {
            assert_eq!(done(statuses).status(), expect, "{statuses:?}");
        };
        check(&[], Status::SUCCESS);
        check(&[Some(0), Some(0)], Status::SUCCESS);
        check(&[Some(0), Some(0xB007)], Status::SOME_FAILED);
        check(&[Some(0xB000)], Status::SOME_FAILED);
        check(&[Some(0), None], Status::SOME_FAILED);
        check(&[Some(0xA700)], Status::NO_SUB_OPERATIONS);
        check(&[None, Some(0x0124)], Status::NO_SUB_OPERATIONS);
    }

    #[test]
    fn what_remains_is_said_until_the_end() {
        let mut done = done(&[Some(0), Some(0xB000), None]);
        done.begin(70_000);
        let counts = |remaining| Progress {
            remaining,
            completed: Some(1),
            failed: Some(1),
            warning: Some(1),
        };
        assert_eq!(done.progress(Status::PENDING), counts(Some(u16::MAX)));
        assert_eq!(done.progress(Status::CANCELLED), counts(Some(u16::MAX)));
        assert_eq!(done.progress(Status::SOME_FAILED), counts(None));
    }

    #[test]
    fn failed_instances_are_listed_in_the_syntax_of_the_context() {
        let check = |syntax: &str, expect: Option<&[u8]>| {
            let syntax: Uid = syntax.parse().unwrap();
            let list = done(&[None, Some(0), None]).failed_list(&syntax);
            assert_eq!(list.as_deref(), expect);
            assert_eq!(done(&[Some(0)]).failed_list(&syntax), None);
        };
        check(
            "1.2.840.10008.1.2",
            Some(b"\x08\0\x58\0\x08\0\0\x001.0\\1.2\0"),
        );
        check(
            "1.2.840.10008.1.2.1",
            Some(b"\x08\0\x58\0UI\x08\x001.0\\1.2\0"),
        );
    }

    #[test]
    fn a_long_list_fits_into_a_short_length() {
        let mut done = SubOperations::default();
        let long: Uid = "1".repeat(64).parse().unwrap();
        for _ in 0..2 * MAX_FAILED_LISTED {
            done.record(&long, None);
        }
        let list = done
            .failed_list(&"1.2.840.10008.1.2.1".parse().unwrap())
            .unwrap();
        assert_eq!(list[..4], FAILED_LIST);
        assert_eq!(
            usize::from(u16::from_le_bytes([list[6], list[7]])),
            list.len() - 8
        );
        assert_eq!(done.progress(Status::SOME_FAILED).failed, Some(2000));
    }
}
