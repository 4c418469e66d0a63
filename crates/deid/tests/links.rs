//! What research needs survives: references between instances, intervals between studies, technical text, structure.

use arno_deid::{Action, Deidentified, Recipe, Report, Secret, deidentify};
use arno_dicom::{Header, Instance, listing};
use chrono::NaiveDate;
use dicom_core::value::{DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Length, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

const IMAGE_UID: &str = "1.3.6.1.4.1.99999.1.2.3";
const SERIES_UID: &str = "1.3.6.1.4.1.99999.1.2";
const FRAME_OF_REFERENCE: &str = "1.3.6.1.4.1.99999.7";

fn text(tag: Tag, vr: VR, value: &str) -> InMemElement {
    DataElement::new(
        tag,
        vr,
        PrimitiveValue::Strs(value.split('\\').map(str::to_owned).collect()),
    )
}

fn sequence(tag: Tag, items: Vec<InMemDicomObject>) -> InMemElement {
    DataElement::new(tag, VR::SQ, DataSetSequence::new(items, Length::UNDEFINED))
}

fn set(elements: impl IntoIterator<Item = InMemElement>) -> InMemDicomObject {
    InMemDicomObject::from_element_iter(elements)
}

fn image(patient: &str, study_date: &str) -> InMemDicomObject {
    set([
        text(tags::PATIENT_NAME, VR::PN, "Bianchi^Carla"),
        text(tags::PATIENT_ID, VR::LO, patient),
        text(tags::STUDY_DATE, VR::DA, study_date),
        text(
            tags::ACQUISITION_DATE_TIME,
            VR::DT,
            &format!("{study_date}101112.5+0100"),
        ),
        text(tags::STUDY_TIME, VR::TM, "101112"),
        text(tags::STUDY_INSTANCE_UID, VR::UI, "1.3.6.1.4.1.99999.1"),
        text(tags::SERIES_INSTANCE_UID, VR::UI, SERIES_UID),
        text(tags::SOP_INSTANCE_UID, VR::UI, IMAGE_UID),
        text(tags::FRAME_OF_REFERENCE_UID, VR::UI, FRAME_OF_REFERENCE),
        text(tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.2"),
        text(tags::MODALITY, VR::CS, "CT"),
        text(
            tags::SERIES_DESCRIPTION,
            VR::LO,
            "CT THORAX 1.25 mm lung kernel",
        ),
        text(
            tags::STUDY_DESCRIPTION,
            VR::LO,
            "CT THORAX Carla Bianchi follow-up",
        ),
        text(tags::MANUFACTURER, VR::LO, "GE MEDICAL SYSTEMS"),
        text(tags::CONVOLUTION_KERNEL, VR::SH, "BONEPLUS"),
        text(tags::PATIENT_AGE, VR::AS, "093Y"),
        text(tags::PATIENT_SEX, VR::CS, "F"),
        text(tags::PATIENT_BIRTH_DATE, VR::DA, "19300405"),
        text(tags::PIXEL_SPACING, VR::DS, "0.7\\0.7"),
    ])
}

fn reference() -> InMemDicomObject {
    set([
        text(
            tags::REFERENCED_SOP_CLASS_UID,
            VR::UI,
            "1.2.840.10008.5.1.4.1.1.2",
        ),
        text(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, IMAGE_UID),
    ])
}

/// A structure set as radiotherapy writes it: the image is three sequences down.
fn structure_set() -> InMemDicomObject {
    let contour_images = sequence(tags::CONTOUR_IMAGE_SEQUENCE, vec![reference()]);
    let series = set([
        text(tags::SERIES_INSTANCE_UID, VR::UI, SERIES_UID),
        contour_images,
    ]);
    let study = set([sequence(tags::RT_REFERENCED_SERIES_SEQUENCE, vec![series])]);
    let frame = set([
        text(tags::FRAME_OF_REFERENCE_UID, VR::UI, FRAME_OF_REFERENCE),
        sequence(tags::RT_REFERENCED_STUDY_SEQUENCE, vec![study]),
    ]);
    let mut header = image("MRN1", "20200301");
    header.put(text(
        tags::SOP_INSTANCE_UID,
        VR::UI,
        "1.3.6.1.4.1.99999.1.9.9",
    ));
    header.put(sequence(
        tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE,
        vec![frame],
    ));
    header.put(sequence(tags::REFERENCED_IMAGE_SEQUENCE, vec![reference()]));
    header.put(sequence(
        tags::STRUCTURE_SET_ROI_SEQUENCE,
        vec![set([text(tags::ROI_NAME, VR::LO, "GTV_Mass_CT Bianchi")])],
    ));
    header
}

fn run(header: InMemDicomObject, secret: u8) -> (Header, Report) {
    let instance = Instance {
        transfer_syntax: "1.2.840.10008.1.2.1".to_owned(),
        header,
        pixels: None,
    };
    let (done, report) = deidentify(instance, &Recipe::default(), &Secret::new([secret; 32]))
        .expect("nothing risky");
    (Deidentified::into_inner(done).header, report)
}

fn value(header: &InMemDicomObject, tag: Tag) -> String {
    let element = header.get(tag).expect("the element is there");
    element.value().to_str().expect("it is text").into_owned()
}

/// The values at a path of the listing.
fn at(header: &Header, path: &str) -> String {
    let rows = listing::list(header, 1000);
    rows.into_iter()
        .find(|row| row.path == path)
        .unwrap_or_else(|| panic!("{path}"))
        .value
}

fn date(yyyymmdd: &str) -> NaiveDate {
    NaiveDate::parse_from_str(yyyymmdd, "%Y%m%d").expect("a date")
}

#[test]
fn references_between_instances_still_point_to_them() {
    let (image, _) = run(image("MRN1", "20200301"), 1);
    let (structures, _) = run(structure_set(), 1);
    let frame = "(3006,0010)[1].(3006,0012)[1].(3006,0014)[1]";
    let check = |path: &str, tag| assert_eq!(at(&structures, path), value(&image, tag), "{path}");
    check(
        &format!("{frame}.(3006,0016)[1].(0008,1155)"),
        tags::SOP_INSTANCE_UID,
    );
    check(&format!("{frame}.(0020,000E)"), tags::SERIES_INSTANCE_UID);
    check("(3006,0010)[1].(0020,0052)", tags::FRAME_OF_REFERENCE_UID);
    check("(0008,1140)[1].(0008,1155)", tags::SOP_INSTANCE_UID);
    check("(0008,1140)[1].(0008,1150)", tags::SOP_CLASS_UID);
    assert_eq!(at(&structures, "(3006,0020)[1].(3006,0026)"), "GTV Mass CT");
    assert_ne!(value(&image, tags::SOP_INSTANCE_UID), IMAGE_UID);
}

#[test]
fn intervals_between_two_studies_of_a_patient_survive() {
    let (first, _) = run(image("MRN1", "20200301"), 1);
    let (second, _) = run(image("MRN1", "20210715"), 1);
    let days = |header: &Header| date(&value(header, tags::STUDY_DATE));
    assert_eq!(
        days(&second) - days(&first),
        date("20210715") - date("20200301")
    );
    assert_ne!(days(&first), date("20200301"));
    let acquired = value(&first, tags::ACQUISITION_DATE_TIME);
    assert_eq!(
        acquired,
        format!("{}101112.5+0100", value(&first, tags::STUDY_DATE))
    );
    assert_eq!(value(&first, tags::STUDY_TIME), "101112");
    assert_eq!(
        value(&first, tags::PATIENT_ID),
        value(&second, tags::PATIENT_ID)
    );
}

#[test]
fn the_same_secret_gives_the_same_result_and_another_one_another() {
    let image = || image("MRN1", "20200301");
    let rows = |(header, report): (Header, Report)| (listing::list(&header, 1000), report);
    assert_eq!(rows(run(image(), 1)), rows(run(image(), 1)));
    for tag in [tags::PATIENT_ID, tags::STUDY_INSTANCE_UID, tags::STUDY_DATE] {
        assert_ne!(
            value(&run(image(), 1).0, tag),
            value(&run(image(), 2).0, tag),
            "{tag}"
        );
    }
}

#[test]
fn what_research_needs_is_kept() {
    let (header, _) = run(image("MRN1", "20200301"), 1);
    let check = |tag, expect: &str| assert_eq!(value(&header, tag), expect, "{tag}");
    check(tags::SERIES_DESCRIPTION, "CT THORAX 1.25 mm lung kernel");
    check(tags::STUDY_DESCRIPTION, "CT THORAX follow up");
    check(tags::MANUFACTURER, "GE MEDICAL SYSTEMS");
    check(tags::CONVOLUTION_KERNEL, "BONEPLUS");
    check(tags::PIXEL_SPACING, "0.7\\0.7");
    check(tags::PATIENT_SEX, "F");
    check(tags::PATIENT_AGE, "090Y");
    check(tags::PATIENT_BIRTH_DATE, "");
    check(tags::PATIENT_NAME, &value(&header, tags::PATIENT_ID));
}

/// A dummy would make a valid instance invalid: without a known part, Laterality (0020,0060), type 2C, may be required.
#[test]
fn the_part_of_the_body_is_known_though_somebody_is_called_so() {
    let check = |part: &str, expect: &str| {
        let mut header = image("BC-1", "20200101");
        header.put(text(tags::PATIENT_NAME, VR::PN, "Chest^Ann"));
        header.put(text(tags::BODY_PART_EXAMINED, VR::CS, part));
        header.put(text(tags::SERIES_DESCRIPTION, VR::LO, "CT Chest 1.25 mm"));
        let (header, _) = run(header, 1);
        assert_eq!(value(&header, tags::BODY_PART_EXAMINED), expect, "{part}");
        assert_eq!(value(&header, tags::SERIES_DESCRIPTION), "CT 1.25 mm");
    };
    check("CHEST", "CHEST");
    check("CHESTABDOMEN", "CHESTABDOMEN");
    check("CHEST ANN", "REMOVED");
}

#[test]
fn the_result_says_how_it_was_made() {
    let (header, report) = run(image("MRN1", "20200301"), 1);
    assert_eq!(value(&header, tags::PATIENT_IDENTITY_REMOVED), "YES");
    assert_eq!(
        value(&header, tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED),
        "MODIFIED"
    );
    assert!(!value(&header, tags::DEIDENTIFICATION_METHOD).is_empty());
    assert_eq!(
        report.options,
        [
            "113100", "113103", "113104", "113105", "113107", "113108", "113109", "113111"
        ]
    );
    for (i, code) in report.options.iter().enumerate() {
        assert_eq!(
            &at(&header, &format!("(0012,0064)[{}].(0008,0100)", i + 1)),
            code
        );
    }
}

#[test]
fn the_report_names_every_change_by_the_path_of_the_listing() {
    let source = structure_set();
    let before = listing::list(&source, 1000);
    let (after, report) = run(source, 1);
    let after = listing::list(&after, 1000);
    let changed = |path: &str| report.changes.iter().any(|change| change.path == path);
    for row in &before {
        let now = after.iter().find(|other| other.path == row.path);
        assert_eq!(
            now.is_none_or(|now| now.value != row.value),
            changed(&row.path),
            "{row:?}"
        );
    }
    for change in &report.changes {
        let is_somewhere = before
            .iter()
            .chain(&after)
            .any(|row| row.path == change.path && row.name == change.name);
        assert!(is_somewhere, "{change:?}");
    }
    let action = |path: &str| {
        report
            .changes
            .iter()
            .find(|change| change.path == path)
            .unwrap()
            .action
    };
    assert_eq!(action("(0008,1140)[1].(0008,1155)"), Action::UidMapped);
    assert_eq!(action("(0008,0020)"), Action::DateShifted);
    assert_eq!(action("(0010,0020)"), Action::Pseudonymised);
    assert_eq!(action("(0012,0062)"), Action::Marked);
}

#[test]
fn without_a_patient_id_the_study_stands_for_the_patient() {
    let without = |study: &str| {
        let mut header = image("", "20200301");
        header.put(text(tags::STUDY_INSTANCE_UID, VR::UI, study));
        value(&run(header, 1).0, tags::PATIENT_ID)
    };
    assert_eq!(without("1.2.3"), without("1.2.3"));
    assert_ne!(without("1.2.3"), without("1.2.4"));
}
