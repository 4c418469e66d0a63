//! Instances made uncompressed and little endian: the same samples, described as they now are.

mod support;

use arno_codecs::InProcess;
use arno_dicom::transcode::{TranscodeError, transcode};
use arno_dicom::{Instance, check};
use dicom_core::Tag;
use support::{CODINGS, Coding};

const IMPLICIT: &str = "1.2.840.10008.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const RLE: &str = "1.2.840.10008.1.2.5";

fn text(instance: &Instance, tag: (u16, u16)) -> String {
    let element = instance.header.get(Tag(tag.0, tag.1)).expect("present");
    element.to_str().expect("text").trim_end().to_owned()
}

/// Transcodes to both targets, writes, reads again: sound, and with these frames.
fn check_both(instance: &Instance, frames: &[&[u8]]) -> Instance {
    let [implicit, explicit] = [IMPLICIT, EXPLICIT].map(|target| {
        let transcoded = transcode(instance, target, &InProcess).expect("transcoded");
        let read = Instance::read(transcoded.write().into()).expect("readable");
        assert_eq!(read.transfer_syntax, target);
        assert_eq!(check(&read), Ok(()), "{target}");
        for (number, expect) in (0..).zip(frames) {
            assert_eq!(
                read.frame(number).expect("decodable").bytes,
                *expect,
                "{target} {number}"
            );
        }
        read
    });
    assert_eq!(
        implicit.header.iter().count(),
        explicit.header.iter().count()
    );
    explicit
}

#[test]
fn native_pixels_are_the_same_in_every_encoding() {
    let samples: Vec<u8> = (0..12_u16).flat_map(u16::to_le_bytes).collect();
    for coding in CODINGS {
        let instance = Instance::read(coding.image().into()).unwrap();
        check_both(&instance, &[&samples]);
    }
}

#[test]
fn big_endian_words_of_bytes_are_turned_round() {
    let coding = Coding::Big;
    let mut header = coding.image_header();
    let bits = coding.number((0x0028, 0x0100), 16);
    let at = header.windows(bits.len()).position(|w| w == bits).unwrap();
    let eight = [
        coding.number((0x0028, 0x0100), 8),
        coding.number((0x0028, 0x0101), 8),
        coding.number((0x0028, 0x0102), 7),
        coding.number((0x0028, 0x0103), 0),
    ];
    header.truncate(at);
    header.extend(eight.concat());
    let words: Vec<u8> = (0..12).map(|n: u8| n ^ 1).collect();
    let samples: Vec<u8> = (0..12).collect();
    let pixels = coding.element((0x7FE0, 0x0010), "OW", &words);
    let file = coding.file(&[header, pixels].concat());
    check_both(&Instance::read(file.into()).unwrap(), &[&samples]);
}

/// One RLE frame (PS3.5 annex G) of literal runs, one segment for each byte of the samples.
fn rle(segments: &[&[u8]]) -> Vec<u8> {
    let encoded: Vec<Vec<u8>> = segments
        .iter()
        .map(|bytes| {
            let mut run = vec![u8::try_from(bytes.len() - 1).expect("short")];
            run.extend_from_slice(bytes);
            run.resize(run.len().next_multiple_of(2), 0);
            run
        })
        .collect();
    let mut header = [0_u32; 16];
    header[0] = u32::try_from(segments.len()).expect("short");
    let mut offset = 64;
    for (slot, segment) in header[1..].iter_mut().zip(&encoded) {
        *slot = offset;
        offset += u32::try_from(segment.len()).expect("short");
    }
    let header: Vec<u8> = header.iter().flat_map(|n| n.to_le_bytes()).collect();
    [header, encoded.concat()].concat()
}

fn colour_header(photometric: &str, frames: &str) -> Vec<u8> {
    let coding = Coding::Explicit;
    [
        coding.text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7"),
        coding.text((0x0008, 0x0018), "UI", "1.2.3.4.5"),
        coding.text((0x0010, 0x0020), "LO", "HOSP-77"),
        coding.text((0x0020, 0x000D), "UI", "1.2.3"),
        coding.text((0x0020, 0x000E), "UI", "1.2.3.4"),
        coding.number((0x0028, 0x0002), 3),
        coding.text((0x0028, 0x0004), "CS", photometric),
        coding.number((0x0028, 0x0006), 1),
        coding.text((0x0028, 0x0008), "IS", frames),
        coding.number((0x0028, 0x0010), 1),
        coding.number((0x0028, 0x0011), 3),
        coding.number((0x0028, 0x0100), 8),
        coding.number((0x0028, 0x0101), 8),
        coding.number((0x0028, 0x0102), 7),
        coding.number((0x0028, 0x0103), 0),
    ]
    .concat()
}

#[test]
fn compressed_frames_are_decoded_and_described_anew() {
    let first = rle(&[&[1, 2, 3], &[4, 5, 6], &[7, 8, 9]]);
    let second = rle(&[&[9; 3], &[8; 3], &[7; 3]]);
    let fragments = Coding::Explicit.fragments(&[], &[&first, &second]);
    let table = Coding::Explicit.element((0x7FE0, 0x0003), "UN", &[0; 8]);
    let data_set = [colour_header("RGB", "2"), table, fragments].concat();
    let instance = Instance::read(support::file(RLE, &data_set).into()).unwrap();
    let found = check_both(
        &instance,
        &[&[1, 4, 7, 2, 5, 8, 3, 6, 9], &[9, 8, 7, 9, 8, 7, 9, 8, 7]],
    );
    assert_eq!(text(&found, (0x0028, 0x0004)), "RGB");
    assert_eq!(text(&found, (0x0028, 0x0006)), "0");
    assert!(found.header.get(Tag(0x7FE0, 0x0003)).is_none());
    assert!(
        found.header.get(Tag(0x0028, 0x2110)).is_none(),
        "RLE loses nothing"
    );
}

#[test]
fn decoded_ybr_is_called_rgb() {
    let grey = rle(&[&[0, 100, 255], &[128; 3], &[128; 3]]);
    let fragments = Coding::Explicit.fragments(&[0], &[&grey]);
    let data_set = [colour_header("YBR_FULL", "1"), fragments].concat();
    let instance = Instance::read(support::file(RLE, &data_set).into()).unwrap();
    let found = check_both(&instance, &[&[0, 0, 0, 100, 100, 100, 255, 255, 255]]);
    assert_eq!(text(&found, (0x0028, 0x0004)), "RGB");
}

/// A decoder that knows one picture, for transfer syntaxes whose encoders are long.
struct Fixed;

impl arno_codecs::Decoder for Fixed {
    fn decode(
        &self,
        _: arno_codecs::Codec,
        format: &arno_codecs::FrameFormat,
        _: &[u8],
    ) -> Result<arno_codecs::Samples, arno_codecs::DecodeError> {
        Ok(arno_codecs::Samples {
            bytes: vec![5; 9],
            layout: arno_codecs::Layout::Interleaved,
            colour: format.colour,
        })
    }
}

#[test]
fn what_lossy_compression_took_stays_marked() {
    for (syntax, mark) in [
        ("1.2.840.10008.1.2.4.50", true),
        ("1.2.840.10008.1.2.4.91", true),
        ("1.2.840.10008.1.2.4.70", false),
        ("1.2.840.10008.1.2.4.90", false),
    ] {
        let fragments = Coding::Explicit.fragments(&[0], &[b"ab"]);
        let data_set = [colour_header("RGB", "1"), fragments].concat();
        let instance = Instance::read(support::file(syntax, &data_set).into()).unwrap();
        let found = transcode(&instance, EXPLICIT, &Fixed).unwrap();
        assert_eq!(check(&found), Ok(()));
        assert_eq!(
            found.header.get(Tag(0x0028, 0x2110)).is_some(),
            mark,
            "{syntax}"
        );
    }
}

#[test]
fn what_cannot_be_had_is_refused() {
    let instance = Instance::read(Coding::Explicit.image().into()).unwrap();
    assert_eq!(
        transcode(&instance, RLE, &InProcess).err(),
        Some(TranscodeError::Target)
    );
    let fragments = Coding::Explicit.fragments(&[0], &[b"ab"]);
    let data_set = [colour_header("RGB", "1"), fragments].concat();
    let instance = Instance::read(support::file(RLE, &data_set).into()).unwrap();
    let refused = transcode(&instance, EXPLICIT, &InProcess).err();
    assert!(matches!(
        refused,
        Some(TranscodeError::Frame { frame: 0, .. })
    ));
}

#[test]
fn compressed_icons_are_left_out() {
    let coding = Coding::Explicit;
    let icon = coding.item(&coding.fragments(&[0], &[b"ab"]));
    let data_set = [
        coding.image_header(),
        coding.sequence((0x0088, 0x0200), &icon),
        coding.pixels(),
    ]
    .concat();
    let instance = Instance::read(coding.file(&data_set).into()).unwrap();
    let found = transcode(&instance, IMPLICIT, &InProcess).unwrap();
    assert!(found.header.get(Tag(0x0088, 0x0200)).is_none());
    assert_eq!(check(&found), Ok(()));
}
