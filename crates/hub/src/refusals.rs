//! Messages that were refused go to the audit log, but a stranger cannot fill the log with them.

use std::{collections::HashMap, sync::Mutex};

use chrono::{DateTime, Duration, Utc};

/// One entry per kind of refusal in this time.
const PERIOD: Duration = Duration::minutes(1);

/// When each kind of refusal was last recorded, and how many were not since.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    recorded: Mutex<HashMap<&'static str, (DateTime<Utc>, u64)>>,
}

impl Refusals {
    /// Whether to record this one; answers how many of the kind were left out since the last entry.
    pub(crate) fn record(&self, code: &'static str, now: DateTime<Utc>) -> Option<u64> {
        let mut recorded = self
            .recorded
            .lock()
            .expect("nothing panics while it holds this lock");
        match recorded.get_mut(code) {
            Some((at, left_out)) if now < *at + PERIOD => {
                *left_out += 1;
                None
            }
            Some((at, left_out)) => {
                *at = now;
                Some(std::mem::take(left_out))
            }
            None => {
                recorded.insert(code, (now, 0));
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Duration};

    use super::Refusals;

    #[test]
    fn one_entry_a_minute_says_how_many_were_left_out() {
        let (refusals, start) = (Refusals::default(), DateTime::UNIX_EPOCH);
        assert_eq!(refusals.record("stranger", start), Some(0));
        assert_eq!(
            refusals.record("stranger", start + Duration::seconds(1)),
            None
        );
        assert_eq!(
            refusals.record("stranger", start + Duration::seconds(59)),
            None
        );
        assert_eq!(
            refusals.record("replayed", start + Duration::seconds(59)),
            Some(0)
        );
        assert_eq!(
            refusals.record("stranger", start + Duration::seconds(60)),
            Some(2)
        );
    }
}
