//! What stands in an address or a header of a DICOMweb request: the parameters of a search (PS3.18 section 10.6.1.2) and
//! what they match, those of rendering (section 8.3.5), lists of frames, media types that are accepted, byte ranges.
//! Shared by the fuzz target and by the test that replays its corpus.

use arno_dicom::json::Attributes;
use arno_dicom::query::Level;
use arno_dicomweb::accept::{Accept, Amount, DICOM, DICOM_JSON, EXPLICIT_LITTLE_ENDIAN, Stored};
use arno_dicomweb::ranges::{Asked, is_known};
use arno_dicomweb::rendered::Rendering;
use arno_dicomweb::{frame_list, query_string as search};

/// A row with values of every kind that is matched; the long one makes a slow matcher visible.
const ROW: &str = r#"{
    "00080020": {"vr": "DA", "Value": ["20240229"]},
    "00080030": {"vr": "TM", "Value": ["101530.5"]},
    "00080061": {"vr": "CS", "Value": ["CT", "SR"]},
    "00081030": {"vr": "LO", "Value": ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Müller^Jörg Ännchen", "Ideographic": "山田^太郎"}]},
    "00100020": {"vr": "LO", "Value": ["HOSP-77"]},
    "00101010": {"vr": "AS"},
    "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
    "00201208": {"vr": "IS", "Value": [12]},
    "00400275": {"vr": "SQ", "Value": [{"00400007": {"vr": "LO", "Value": ["Step"]}}, {}]}
}"#;
const LEVELS: [Level; 4] = [Level::Patient, Level::Study, Level::Series, Level::Instance];
/// Bytes of the body that a range is asked of.
const LENGTH: u64 = 1000;
const TAG: &str = "\"abc\"";

/// Takes in the first byte where the text stands.
pub(crate) fn query_string(bytes: &[u8]) {
    let Some((place, text)) = bytes.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    match place {
        b'0'..=b'3' => query(LEVELS[usize::from(place - b'0')], text),
        b'r' => rendering(text),
        b'f' => frames(text),
        b'a' => accept(text),
        b'b' => ranges(text),
        _ => {}
    }
}

fn query(level: Level, text: &str) {
    let Ok(query) = search::parse(level, text) else {
        return;
    };
    assert!(query.limit <= search::MAX_ROWS);
    let row: Attributes = serde_json::from_str(ROW).expect("the row is JSON");
    let _ = query.matches(&row);
    let returned = query.returned(&row);
    assert!(
        returned
            .iter()
            .all(|(tag, value)| row.get(tag).is_none_or(|known| value_within(value, known)))
    );
}

/// Sequences may come back with less in their items; anything else as it is.
fn value_within(value: &serde_json::Value, known: &serde_json::Value) -> bool {
    value == known || known["vr"] == "SQ"
}

fn rendering(text: &str) {
    if let Ok(rendering) = Rendering::parse(text) {
        let finite = rendering
            .window
            .as_ref()
            .is_none_or(|window| window.center.is_finite() && window.width.is_finite());
        assert!(finite);
    }
}

fn frames(text: &str) {
    if let Ok(frames) = frame_list::parse(text) {
        assert!((1..=frame_list::MAX_FRAMES).contains(&frames.len()));
    }
}

fn accept(text: &str) {
    let Ok(accept) = Accept::parse(Some(text), None) else {
        return;
    };
    let stored = Stored {
        transfer_syntax: EXPLICIT_LITTLE_ENDIAN,
        media_type: DICOM,
        decodable: true,
    };
    let _ = accept.instance(Amount::One, stored);
    let _ = accept.frame(Amount::One, stored);
    let _ = accept.bulk();
    let _ = accept.first_of(&[DICOM_JSON, "image/jpeg"]);
}

fn ranges(text: &str) {
    let _ = is_known(text, TAG);
    if let Asked::Part(range) = Asked::of(Some(text), None, TAG, LENGTH) {
        assert!(
            range.start < range.end && range.end <= LENGTH,
            "{range:?} of {LENGTH} bytes"
        );
    }
}
