//! Each named limit of the scan holds exactly: one less is read, one more is refused.

mod support;

use arno_dicom::scan::{
    MAX_DEPTH, MAX_ELEMENTS, MAX_HEADER_BYTES, MAX_ITEMS, MAX_TEXT_VALUES, MAX_VALUE_BYTES,
};
use arno_dicom::{Instance, Limited, ReadError};
use support::{Coding, UNDEFINED};

const EXPLICIT: Coding = Coding::Explicit;
const SEQUENCE: (u16, u16) = (0x0008, 0x1140);

fn limit_reached(data_set: &[u8]) -> Option<Limited> {
    match Instance::read(EXPLICIT.file(data_set).into()) {
        Ok(_) => None,
        Err(ReadError::TooLarge { what, .. }) => Some(what),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn value_bytes() {
    let value = |length| EXPLICIT.element((0x0009, 0x1001), "OB", &vec![1; length]);
    assert_eq!(limit_reached(&value(MAX_VALUE_BYTES)), None);
    assert_eq!(
        limit_reached(&value(MAX_VALUE_BYTES + 2)),
        Some(Limited::ValueBytes)
    );
}

#[test]
fn header_bytes() {
    let half = |element| {
        EXPLICIT.element(
            (0x0009, element),
            "OB",
            &vec![1; MAX_HEADER_BYTES / 2 - 100],
        )
    };
    let two = [half(0x1001), half(0x1002)].concat();
    assert_eq!(limit_reached(&two), None);
    let three = [two, EXPLICIT.element((0x0009, 0x1003), "OB", &[1; 400])].concat();
    assert_eq!(limit_reached(&three), Some(Limited::HeaderBytes));
}

#[test]
fn elements() {
    let some = |count| {
        EXPLICIT
            .element((0x0008, 0x0060), "CS", b"CT")
            .repeat(count)
    };
    assert_eq!(limit_reached(&some(MAX_ELEMENTS)), None);
    assert_eq!(
        limit_reached(&some(MAX_ELEMENTS + 1)),
        Some(Limited::Elements)
    );
}

#[test]
fn items() {
    let some = |count| EXPLICIT.open_sequence(SEQUENCE, "SQ", &EXPLICIT.item(b"").repeat(count));
    assert_eq!(limit_reached(&some(MAX_ITEMS)), None);
    assert_eq!(limit_reached(&some(MAX_ITEMS + 1)), Some(Limited::Items));
}

#[test]
fn text_values() {
    let some = |count: usize| EXPLICIT.element((0x0018, 0x9367), "UC", &vec![b'\\'; count]);
    assert_eq!(limit_reached(&some(MAX_TEXT_VALUES)), None);
    assert_eq!(
        limit_reached(&some(MAX_TEXT_VALUES + 1)),
        Some(Limited::TextValues)
    );
}

#[test]
fn depth() {
    let nested = |levels: usize| {
        (0..levels).fold(Vec::new(), |inner, _| {
            EXPLICIT.sequence(SEQUENCE, &EXPLICIT.item(&inner))
        })
    };
    let read = |levels| Instance::read(EXPLICIT.file(&nested(levels)).into());
    assert!(read(MAX_DEPTH).is_ok());
    assert!(matches!(
        read(MAX_DEPTH + 1),
        Err(ReadError::TooDeep {
            limit: MAX_DEPTH,
            ..
        })
    ));
    let open = EXPLICIT.header(SEQUENCE, "SQ", UNDEFINED);
    assert!(matches!(
        Instance::read(EXPLICIT.file(&open).into()),
        Err(ReadError::Truncated { .. })
    ));
}
