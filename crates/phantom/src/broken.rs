//! Files that no node may take in, so that the demo's quarantine has something in it.

use dicom_core::VR;
use dicom_dictionary_std::tags;

use crate::element::Elements;
use crate::error::PhantomError;
use crate::font;
use crate::header::{Kind, MARK, Visit};

/// Secondary Capture Image Storage.
const SECONDARY_CAPTURE: &str = "1.2.840.10008.5.1.4.1.1.7";
/// The site whose export holds a screenshot with a name burned in.
const SCREENSHOT_SITE: &str = "celeste";
const SERIES_NUMBER: u32 = 900;
const COLUMNS: usize = 320;
const ROWS: usize = 96;

/// A file name and what stands in the file.
pub(crate) type BrokenFile = (&'static str, Vec<u8>);

/// The broken files of a site. `whole` is a sound instance of the visit.
pub(crate) fn files(visit: &Visit, whole: &[u8]) -> Result<Vec<BrokenFile>, PhantomError> {
    let note = b"Export stopped: disk full. Please copy the rest from CD 2.\n".to_vec();
    let mut files = vec![
        ("empty.dcm", vec![]),
        ("note.dcm", note),
        ("truncated.dcm", whole[..whole.len() * 2 / 5].to_vec()),
    ];
    if visit.site.key == SCREENSHOT_SITE {
        files.push(("screenshot.dcm", screenshot(visit)?));
    }
    Ok(files)
}

/// A well-formed secondary capture (PS3.3 A.8.1) that admits to a name in its pixels.
fn screenshot(visit: &Visit) -> Result<Vec<u8>, PhantomError> {
    let (uid, series_uid) = (visit.uid("screenshot"), visit.uid("screenshot series"));
    let mut image: Elements = visit.common(Kind {
        class_uid: SECONDARY_CAPTURE,
        instance_uid: &uid,
        series_uid: &series_uid,
        series_number: SERIES_NUMBER,
        modality: "OT",
        description: &format!("{MARK} screenshot"),
    });
    image
        .text(tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY")
        .text(tags::BODY_PART_EXAMINED, VR::CS, "CHEST")
        .text(tags::CONVERSION_TYPE, VR::CS, "WSD")
        .text(tags::INSTANCE_NUMBER, VR::IS, "1")
        .text(tags::PATIENT_ORIENTATION, VR::CS, "")
        .text(tags::QUALITY_CONTROL_IMAGE, VR::CS, "YES")
        .text(tags::BURNED_IN_ANNOTATION, VR::CS, "YES")
        .number(tags::SAMPLES_PER_PIXEL, 1)
        .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")
        .number(tags::ROWS, ROWS as u16)
        .number(tags::COLUMNS, COLUMNS as u16)
        .number(tags::BITS_ALLOCATED, 8)
        .number(tags::BITS_STORED, 8)
        .number(tags::HIGH_BIT, 7)
        .number(tags::PIXEL_REPRESENTATION, 0)
        .pixels(VR::OB, picture(visit));
    image.encode(SECONDARY_CAPTURE, &uid)
}

fn picture(visit: &Visit) -> Vec<u8> {
    const SCALE: usize = 3;
    let person = visit.person;
    let birth = person.birth.format("%d.%m.%Y").to_string();
    let lines = [
        person.spoken_name(),
        format!("{birth} {}", person.hospital_number),
        MARK.to_owned(),
    ];
    let mut pixels = vec![24_u8; ROWS * COLUMNS];
    for (number, line) in lines.iter().enumerate() {
        let (left, top) = (8, 10 + number * 28);
        font::write(line, SCALE, |x, y| {
            if left + x < COLUMNS && top + y < ROWS {
                pixels[(top + y) * COLUMNS + left + x] = 235;
            }
        });
    }
    pixels
}
