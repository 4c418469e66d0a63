//! The answer to storing (PS3.18 section 10.5.3 and annex I.2): what was stored, what failed and why.

use serde_json::{Map, Value, json};

/// Failure reasons of PS3.18 table I.2-2, and those of PS3.7 annex C that it leaves open.
pub mod reason {
    /// Processing failure: the object itself may be sound.
    pub const PROCESSING: u16 = 0x0110;
    /// Another object with this SOP Instance UID is stored.
    pub const DUPLICATE: u16 = 0x0111;
    /// Out of resources.
    pub const RESOURCES: u16 = 0xA700;
    /// It does not match: its class, its study, or what is known of its study and series.
    pub const MISMATCH: u16 = 0xA900;
    /// It cannot be understood.
    pub const NOT_UNDERSTOOD: u16 = 0xC000;
    /// Its transfer syntax is not supported.
    pub const TRANSFER_SYNTAX: u16 = 0xC122;
    /// Warning: elements were replaced, as de-identification does.
    pub const COERCED: u16 = 0xB000;
}

/// An instance that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredInstance {
    /// SOP Class UID as sent.
    pub sop_class: String,
    /// SOP Instance UID as sent.
    pub sop_instance: String,
    /// Where it is now, where that is known.
    pub retrieve_url: Option<String>,
    /// What was done to it.
    pub warning: Option<u16>,
}

/// An instance that is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedInstance {
    /// Class and instance as sent, as far as they could be read.
    pub sop: Option<(String, String)>,
    /// See [`reason`].
    pub reason: u16,
}

/// What became of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Where the study is that all of it belongs to.
    pub study_url: Option<String>,
    /// What is kept.
    pub stored: Vec<StoredInstance>,
    /// What is not.
    pub failed: Vec<FailedInstance>,
}

impl Outcome {
    /// 200 when all is stored as it came, 202 when something is stored, 409 when nothing is (table 10.5.3-1).
    #[must_use]
    pub fn status(&self) -> u16 {
        let warned = self.stored.iter().any(|one| one.warning.is_some());
        match (self.stored.is_empty(), self.failed.is_empty()) {
            (false, true) if !warned => 200,
            (true, _) => 409,
            (false, _) => 202,
        }
    }

    /// The data set of the answer, as DICOM JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut set = Map::new();
        if let Some(url) = &self.study_url {
            set.insert(RETRIEVE_URL.to_owned(), text("UR", url));
        }
        let failed = self.failed.iter().filter(|one| one.sop.is_some());
        put_sequence(&mut set, FAILED_SOPS, failed.map(failed_item));
        let others = self.failed.iter().filter(|one| one.sop.is_none());
        put_sequence(&mut set, OTHER_FAILURES, others.map(failed_item));
        put_sequence(
            &mut set,
            REFERENCED_SOPS,
            self.stored.iter().map(stored_item),
        );
        Value::Object(set).to_string().into_bytes()
    }
}

const SOP_CLASS: &str = "00081150";
const SOP_INSTANCE: &str = "00081155";
const RETRIEVE_URL: &str = "00081190";
const WARNING_REASON: &str = "00081196";
const FAILURE_REASON: &str = "00081197";
const FAILED_SOPS: &str = "00081198";
const REFERENCED_SOPS: &str = "00081199";
const OTHER_FAILURES: &str = "0008119A";

fn stored_item(stored: &StoredInstance) -> Value {
    let mut item = sop(&stored.sop_class, &stored.sop_instance);
    if let Some(url) = &stored.retrieve_url {
        item.insert(RETRIEVE_URL.to_owned(), text("UR", url));
    }
    if let Some(warning) = stored.warning {
        item.insert(WARNING_REASON.to_owned(), number(warning));
    }
    Value::Object(item)
}

fn failed_item(failed: &FailedInstance) -> Value {
    let mut item = match &failed.sop {
        Some((class, instance)) => sop(class, instance),
        None => Map::new(),
    };
    item.insert(FAILURE_REASON.to_owned(), number(failed.reason));
    Value::Object(item)
}

fn sop(class: &str, instance: &str) -> Map<String, Value> {
    let mut item = Map::new();
    item.insert(SOP_CLASS.to_owned(), text("UI", class));
    item.insert(SOP_INSTANCE.to_owned(), text("UI", instance));
    item
}

fn put_sequence(set: &mut Map<String, Value>, tag: &str, items: impl Iterator<Item = Value>) {
    let items: Vec<Value> = items.collect();
    if !items.is_empty() {
        set.insert(tag.to_owned(), json!({ "vr": "SQ", "Value": items }));
    }
}

fn text(vr: &str, value: &str) -> Value {
    json!({ "vr": vr, "Value": [value] })
}

fn number(value: u16) -> Value {
    json!({ "vr": "US", "Value": [value] })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{FailedInstance, Outcome, StoredInstance, reason};

    fn stored(warning: Option<u16>) -> StoredInstance {
        StoredInstance {
            sop_class: "1.2".into(),
            sop_instance: "1.2.3".into(),
            retrieve_url: Some("/x".into()),
            warning,
        }
    }

    fn failed(sop: Option<(&str, &str)>) -> FailedInstance {
        FailedInstance {
            sop: sop.map(|(class, instance)| (class.into(), instance.into())),
            reason: reason::NOT_UNDERSTOOD,
        }
    }

    #[test]
    fn the_status_says_how_much_was_stored() {
        let check = |stored: Vec<StoredInstance>, failed: Vec<FailedInstance>, expect: u16| {
            let outcome = Outcome {
                study_url: None,
                stored,
                failed,
            };
            assert_eq!(outcome.status(), expect, "{outcome:?}");
        };
        check(vec![stored(None)], vec![], 200);
        check(vec![stored(Some(reason::COERCED))], vec![], 202);
        check(vec![stored(None)], vec![failed(None)], 202);
        check(vec![], vec![failed(None)], 409);
        check(vec![], vec![], 409);
    }

    #[test]
    fn the_data_set_names_each_instance() {
        let outcome = Outcome {
            study_url: Some("/s".into()),
            stored: vec![stored(Some(reason::COERCED))],
            failed: vec![failed(Some(("1.2", "\"1.2\""))), failed(None)],
        };
        let found: Value = serde_json::from_slice(&outcome.to_json()).unwrap();
        let reason = json!({"vr": "US", "Value": [0xC000]});
        assert_eq!(
            found,
            json!({
                "00081190": {"vr": "UR", "Value": ["/s"]},
                "00081198": {"vr": "SQ", "Value": [{
                    "00081150": {"vr": "UI", "Value": ["1.2"]},
                    "00081155": {"vr": "UI", "Value": ["\"1.2\""]},
                    "00081197": reason,
                }]},
                "0008119A": {"vr": "SQ", "Value": [{"00081197": reason}]},
                "00081199": {"vr": "SQ", "Value": [{
                    "00081150": {"vr": "UI", "Value": ["1.2"]},
                    "00081155": {"vr": "UI", "Value": ["1.2.3"]},
                    "00081190": {"vr": "UR", "Value": ["/x"]},
                    "00081196": {"vr": "US", "Value": [0xB000]},
                }]},
            })
        );
        assert_eq!(Outcome::default().to_json(), b"{}");
    }
}
