//! The outlines of one phantom series as an RT Structure Set (PS3.3 A.19): one ROI for each reading that lies wholly
//! in the stack of images.

use dicom_core::VR;
use dicom_dictionary_std::tags;

use crate::ct::{CT_IMAGE, CtSeries};
use crate::data::ReadingRecord;
use crate::element::{Elements, decimals};
use crate::error::PhantomError;
use crate::header::{Kind, MARK, Visit};
use crate::nodule::read_mm;
use crate::window::Window;
use arno_learning::reading::Contour;

/// RT Structure Set Storage.
pub(crate) const RT_STRUCTURE_SET: &str = "1.2.840.10008.5.1.4.1.1.481.3";
/// Detached Study Management (retired): what RT Referenced Study Sequence has named since the beginning.
const DETACHED_STUDY: &str = "1.2.840.10008.3.1.2.3.1";
const SERIES_NUMBER: u32 = 103;
/// Place of malignancy among the nine ratings.
const MALIGNANCY: usize = 8;
/// One colour per reader, told apart also by the colour-blind (after Okabe and Ito).
const COLOURS: [&str; 4] = ["230\\159\\0", "86\\180\\233", "0\\158\\115", "240\\228\\66"];

/// The Part 10 file of the structure set.
pub(crate) fn encode(visit: &Visit, window: &Window) -> Result<Vec<u8>, PhantomError> {
    let (uid, series_uid) = (
        visit.uid("structure set"),
        visit.uid("structure set series"),
    );
    let mut set = visit.common(Kind {
        class_uid: RT_STRUCTURE_SET,
        instance_uid: &uid,
        series_uid: &series_uid,
        series_number: SERIES_NUMBER,
        modality: "RTSTRUCT",
        description: &format!("{MARK} nodule outlines (LIDC-IDRI)"),
    });
    let readings: Vec<&ReadingRecord> = shown(visit, window).collect();
    set.text(tags::STRUCTURE_SET_LABEL, VR::SH, "NODULES")
        .text(tags::STRUCTURE_SET_NAME, VR::LO, format!("{MARK} nodules"))
        .date(tags::STRUCTURE_SET_DATE, visit.person.study)
        .text(tags::STRUCTURE_SET_TIME, VR::TM, visit.time(600))
        .text(
            tags::FRAME_OF_REFERENCE_UID,
            VR::UI,
            visit.frame_of_reference(),
        )
        .text(tags::POSITION_REFERENCE_INDICATOR, VR::LO, "")
        .text(tags::APPROVAL_STATUS, VR::CS, "UNAPPROVED")
        .items(
            tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE,
            vec![frame(visit, window)],
        )
        .items(
            tags::STRUCTURE_SET_ROI_SEQUENCE,
            numbered(&readings, |n, r| roi(visit, n, r)),
        )
        .items(
            tags::ROI_CONTOUR_SEQUENCE,
            numbered(&readings, |n, r| outlines(visit, window, n, r)),
        )
        .items(
            tags::RTROI_OBSERVATIONS_SEQUENCE,
            numbered(&readings, observation),
        );
    set.encode(RT_STRUCTURE_SET, &uid)
}

/// The readings that lie wholly in the stack.
pub(crate) fn shown<'a>(
    visit: &'a Visit,
    window: &'a Window,
) -> impl Iterator<Item = &'a ReadingRecord> {
    let whole = |reading: &&ReadingRecord| reading.heights().all(|z| window.slice_at(z).is_some());
    visit.series.readings.iter().filter(whole)
}

fn numbered(
    readings: &[&ReadingRecord],
    item: impl Fn(usize, &ReadingRecord) -> Elements,
) -> Vec<Elements> {
    readings
        .iter()
        .enumerate()
        .map(|(index, reading)| item(index + 1, reading))
        .collect()
}

fn frame(visit: &Visit, window: &Window) -> Elements {
    let images = (0..window.positions.len())
        .map(|index| image(visit, index))
        .collect();
    let mut series = Elements::default();
    series
        .text(tags::SERIES_INSTANCE_UID, VR::UI, &visit.series.series)
        .items(tags::CONTOUR_IMAGE_SEQUENCE, images);
    let mut study = Elements::default();
    study
        .text(tags::REFERENCED_SOP_CLASS_UID, VR::UI, DETACHED_STUDY)
        .text(
            tags::REFERENCED_SOP_INSTANCE_UID,
            VR::UI,
            &visit.series.study,
        )
        .items(tags::RT_REFERENCED_SERIES_SEQUENCE, vec![series]);
    let mut frame = Elements::default();
    frame
        .text(
            tags::FRAME_OF_REFERENCE_UID,
            VR::UI,
            visit.frame_of_reference(),
        )
        .items(tags::RT_REFERENCED_STUDY_SEQUENCE, vec![study]);
    frame
}

fn image(visit: &Visit, index: usize) -> Elements {
    let mut image = Elements::default();
    image
        .text(tags::REFERENCED_SOP_CLASS_UID, VR::UI, CT_IMAGE)
        .text(
            tags::REFERENCED_SOP_INSTANCE_UID,
            VR::UI,
            CtSeries::instance_uid(visit, index),
        );
    image
}

fn roi(visit: &Visit, number: usize, reading: &ReadingRecord) -> Elements {
    let mut roi = Elements::default();
    roi.text(tags::ROI_NUMBER, VR::IS, number.to_string())
        .text(
            tags::REFERENCED_FRAME_OF_REFERENCE_UID,
            VR::UI,
            visit.frame_of_reference(),
        )
        .text(
            tags::ROI_NAME,
            VR::LO,
            format!("Nodule {} reader {}", reading.nodule, reading.reader),
        )
        .text(
            tags::ROI_DESCRIPTION,
            VR::ST,
            format!("malignancy {} of 5", reading.ratings[MALIGNANCY]),
        )
        .text(tags::ROI_GENERATION_ALGORITHM, VR::CS, "MANUAL");
    roi
}

fn outlines(visit: &Visit, window: &Window, number: usize, reading: &ReadingRecord) -> Elements {
    let contours = reading.contours();
    // An ROI with holes is the exclusive or of its outlines (PS3.3 C.8.8.6.3): all of them carry that type.
    let closed = if contours.iter().all(|c| c.inclusion) {
        "CLOSED_PLANAR"
    } else {
        "CLOSEDPLANAR_XOR"
    };
    let colour = COLOURS[(usize::from(reading.reader) - 1) % COLOURS.len()];
    let mut roi = Elements::default();
    roi.text(tags::ROI_DISPLAY_COLOR, VR::IS, colour)
        .items(
            tags::CONTOUR_SEQUENCE,
            contours
                .iter()
                .filter_map(|c| outline(visit, window, c, closed))
                .collect(),
        )
        .text(tags::REFERENCED_ROI_NUMBER, VR::IS, number.to_string());
    roi
}

fn outline(visit: &Visit, window: &Window, contour: &Contour, closed: &str) -> Option<Elements> {
    let slice = window.slice_at(contour.z_mm)?;
    let spacing = visit.series.pixel_spacing_mm;
    // The last point repeats the first; DICOM closes the line by itself.
    let mut points = contour.points.clone();
    points.dedup();
    if points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    let kind = if points.len() > 2 {
        closed
    } else {
        "OPEN_PLANAR"
    };
    let kind = if points.len() == 1 { "POINT" } else { kind };
    let z = window.positions[slice];
    let data = decimals(
        points
            .iter()
            .flat_map(|[col, row]| [read_mm(*col, spacing), read_mm(*row, spacing), z]),
    );
    let mut item = Elements::default();
    item.items(tags::CONTOUR_IMAGE_SEQUENCE, vec![image(visit, slice)])
        .text(tags::CONTOUR_GEOMETRIC_TYPE, VR::CS, kind)
        .text(
            tags::NUMBER_OF_CONTOUR_POINTS,
            VR::IS,
            points.len().to_string(),
        )
        .text(tags::CONTOUR_DATA, VR::DS, data);
    Some(item)
}

fn observation(number: usize, _: &ReadingRecord) -> Elements {
    let mut observation = Elements::default();
    observation
        .text(tags::OBSERVATION_NUMBER, VR::IS, number.to_string())
        .text(tags::REFERENCED_ROI_NUMBER, VR::IS, number.to_string())
        .text(tags::RTROI_INTERPRETED_TYPE, VR::CS, "")
        .text(tags::ROI_INTERPRETER, VR::PN, "");
    observation
}
