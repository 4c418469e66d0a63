//! Files made to exhaust memory, time or stack are refused with the place named, in little memory.

mod support;

use std::time::{Duration, Instant};

use arno_dicom::{Instance, NotDicom, Problem, ReadError};
use dicom_core::Tag;
use support::{Coding, UNDEFINED, file};

const EXPLICIT: Coding = Coding::Explicit;
/// A reader that trusts declared lengths takes seconds for these files.
const MAX_TIME: Duration = Duration::from_millis(500);

/// How long this thread has worked, where the system tells: the clock on the wall goes on while others have the processor.
fn worked(since: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next().and_then(|word| word.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

fn refuse(bytes: Vec<u8>) -> ReadError {
    let start = Instant::now();
    let before = worked(start);
    let error = Instance::read(bytes.into()).expect_err("must be refused");
    let took = worked(start).saturating_sub(before);
    assert!(took < MAX_TIME, "took {took:?}");
    assert_little_memory();
    error
}

/// Peak memory of this whole test binary, where the system tells.
fn assert_little_memory() {
    const MAX_PEAK_KB: u64 = 64 * 1024;
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return;
    };
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("Linux reports it");
    let peak: u64 = peak
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number of kB");
    assert!(peak < MAX_PEAK_KB, "{peak} kB");
}

fn nested(levels: usize) -> Vec<u8> {
    let open = [
        EXPLICIT.header((0x0040, 0xA730), "SQ", UNDEFINED),
        vec![0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF],
    ];
    open.concat().repeat(levels)
}

#[test]
fn every_file_of_the_hostile_folder_is_refused() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/hostile_dicom"
    );
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("skipped: ../shared/data/hostile_dicom is not there");
        return;
    };
    let paths = entries.map(|entry| entry.expect("readable folder").path());
    let hostile: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ext| ext == "dcm"))
        .collect();
    assert!(!hostile.is_empty());
    for path in hostile {
        let error = refuse(std::fs::read(&path).expect("readable file"));
        assert!(
            matches!(
                error,
                ReadError::Truncated { .. } | ReadError::TooDeep { .. }
            ),
            "{}: {error}",
            path.display()
        );
    }
}

#[test]
fn twenty_thousand_nested_sequences_are_too_deep() {
    let error = refuse(EXPLICIT.file(&nested(20_000)));
    assert!(
        matches!(
            error,
            ReadError::TooDeep {
                tag: Tag(0x0040, 0xA730),
                limit: 32,
                ..
            }
        ),
        "{error}"
    );
    // 32 levels are read; here the file only ends too early.
    let error = refuse(EXPLICIT.file(&nested(32)));
    assert!(matches!(error, ReadError::Truncated { .. }), "{error}");
}

#[test]
fn four_gigabytes_declared_in_400_bytes_are_truncated() {
    let huge = EXPLICIT.header((0x0009, 0x1001), "OB", 0xFFFF_FFFC);
    let bytes = EXPLICIT.file(&[EXPLICIT.image_header(), huge].concat());
    assert!(bytes.len() < 600);
    let offset = bytes.len() as u64 - 12;
    let expected = ReadError::Truncated {
        offset,
        tag: Tag(0x0009, 0x1001),
        declared: 0xFFFF_FFFC,
        available: 0,
    };
    assert_eq!(refuse(bytes), expected);
}

#[test]
fn two_gigabytes_of_pixels_that_are_not_there_are_truncated() {
    let pixels = [
        EXPLICIT.header((0x7FE0, 0x0010), "OW", 0x7FFF_FFFE),
        vec![1, 2],
    ]
    .concat();
    let error = refuse(EXPLICIT.file(&[EXPLICIT.image_header(), pixels].concat()));
    let text = error.to_string();
    assert!(
        text.starts_with("truncated: (7FE0,0010) at byte "),
        "{text}"
    );
    assert!(
        text.ends_with("declares 2147483646 bytes but only 2 follow"),
        "{text}"
    );
}

#[test]
fn a_false_length_in_the_file_meta_is_truncated() {
    let mut bytes = EXPLICIT.image();
    // The VR of the transfer syntax becomes UT, whose length has 32 bits.
    let at = 128 + 4 + 12;
    bytes[at + 4..at + 12].copy_from_slice(&[b'U', b'T', 0, 0, 0xF1, 0xFF, 0xE3, 0xFF]);
    let error = refuse(bytes);
    assert!(
        matches!(
            error,
            ReadError::Truncated {
                tag: Tag(0x0002, 0x0010),
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn what_is_not_dicom_is_told_apart() {
    let cases: [(&[u8], NotDicom, &str); 5] = [
        (b"", NotDicom::Empty, "not a DICOM file: empty"),
        (
            b"Dear colleague,\nplease find",
            NotDicom::Text,
            "not a DICOM file: plain text",
        ),
        (
            b"\x7fELF\x02\x01\x01\0\0\0\0\0",
            NotDicom::NoSignature,
            "not a DICOM file: no DICM prefix and no data set",
        ),
        (
            b"DICM",
            NotDicom::NoDataSet,
            "not a DICOM file: nothing after the DICM prefix",
        ),
        (
            &file("1.2.840.10008.1.2", b""),
            NotDicom::NoDataSet,
            "not a DICOM file: nothing after the DICM prefix",
        ),
    ];
    for (bytes, reason, text) in cases {
        let error = refuse(bytes.to_vec());
        assert_eq!(
            (error.to_string().as_str(), error),
            (text, ReadError::NotDicom(reason))
        );
    }
}

#[test]
fn every_truncation_of_a_file_is_refused_or_ends_between_elements() {
    let whole = EXPLICIT.image();
    let end_of_meta = whole.len() - EXPLICIT.image_header().len() - EXPLICIT.pixels().len();
    for length in 0..whole.len() {
        match Instance::read(whole[..length].to_vec().into()) {
            Ok(instance) => assert!(instance.pixels.is_none(), "cut at {length}"),
            Err(ReadError::Truncated { .. } | ReadError::NotDicom(_)) => {}
            Err(ReadError::Malformed {
                problem: Problem::NoTransferSyntax,
                ..
            }) if length < end_of_meta => {}
            Err(error) => panic!("cut at {length}: {error}"),
        }
    }
}

#[test]
fn lengths_beyond_their_parent_are_malformed() {
    let overrun = EXPLICIT.item(&EXPLICIT.header((0x0008, 0x1155), "UI", 8));
    let sequence = EXPLICIT.sequence((0x0008, 0x1140), &overrun);
    let bytes =
        EXPLICIT.file(&[sequence, EXPLICIT.text((0x0010, 0x0010), "PN", "Doe^Jane")].concat());
    let error = refuse(bytes);
    let expected = Problem::OverrunsParent;
    assert!(
        matches!(error, ReadError::Malformed { problem, tag: Tag(0x0008, 0x1155), .. } if problem == expected),
        "{error}"
    );
}

#[test]
fn broken_structure_is_malformed() {
    let item = EXPLICIT.item(b"");
    let cases = [
        (item.clone(), Problem::StrayDelimiter),
        (EXPLICIT.sequence_end(), Problem::StrayDelimiter),
        (
            EXPLICIT.sequence((0x0008, 0x1140), &EXPLICIT.number((0x0028, 0x0010), 1)),
            Problem::NotAnItem,
        ),
        (
            EXPLICIT.header((0x0008, 0x0060), "OB", UNDEFINED),
            Problem::UndefinedLength,
        ),
        (
            EXPLICIT.number((0x0002, 0x0000), 1).split_off(2),
            Problem::NoVr,
        ),
        (EXPLICIT.number((0x0000, 0x0002), 1), Problem::ForeignGroup),
        (EXPLICIT.text((0x0008, 0x0060), "1x", "CT"), Problem::NoVr),
    ];
    for (bytes, expected) in cases {
        let data_set = [EXPLICIT.text((0x0008, 0x0005), "CS", "ISO_IR 100"), bytes].concat();
        let error = refuse(EXPLICIT.file(&data_set));
        assert!(
            matches!(error, ReadError::Malformed { problem, .. } if problem == expected),
            "{expected}: {error}"
        );
    }
}

#[test]
fn unknown_transfer_syntaxes_are_named_unless_they_are_text() {
    let cases = [
        ("1.2.840.113619.5.2", "1.2.840.113619.5.2"),
        ("Doe^Jane", "(illegal UID)"),
    ];
    for (given, shown) in cases {
        let error = refuse(file(given, &EXPLICIT.image_header()));
        assert_eq!(
            error,
            ReadError::UnsupportedTransferSyntax {
                uid: shown.to_owned()
            }
        );
    }
}

#[test]
fn what_does_not_inflate_is_damaged() {
    let error = refuse(file("1.2.840.10008.1.2.1.99", b"this is not deflate"));
    assert_eq!(error, ReadError::DamagedDeflate);
}

#[test]
fn errors_never_quote_values() {
    let secret = EXPLICIT.text((0x0010, 0x0010), "PN", "SECRET^NAME");
    let broken = EXPLICIT.header((0x0010, 0x0020), "LO", 500);
    let error = refuse(EXPLICIT.file(&[secret, broken].concat()));
    assert!(!format!("{error} {error:?}").contains("SECRET"));
}
