//! Checks, summaries, outlines and listings of generated instances, case by case.

mod support;

use arno_dicom::check::UidProblem;
use arno_dicom::{
    CheckError, FrameError, Geometry, Instance, Outline, Summary, check, listing, outlines,
    summarise,
};
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use support::{Coding, file};

const EXPLICIT: Coding = Coding::Explicit;

fn image() -> Instance {
    Instance::read(EXPLICIT.image().into()).expect("readable")
}

/// The small image with one text attribute changed; an empty VR removes it.
fn image_with(tag: Tag, vr: VR, text: Option<&str>) -> Instance {
    let mut instance = image();
    match text {
        Some(text) => drop(instance.header.put_str(tag, vr, text)),
        None => drop(instance.header.take(tag)),
    }
    instance
}

#[test]
fn identifiers_are_checked() {
    let tag = tags::SERIES_INSTANCE_UID;
    let name = "SeriesInstanceUID";
    let missing = Err(CheckError::MissingUid { tag, name });
    let illegal = |problem| Err(CheckError::IllegalUid { tag, name, problem });
    let longest = "1.".repeat(31) + "12";
    let too_long = "1.".repeat(32) + "1";
    let cases = [
        (None, missing.clone()),
        (Some(""), missing.clone()),
        (Some(" \0"), missing),
        (Some("1.2.3"), Ok(())),
        (Some("1.02.003\0"), Ok(())),
        (Some(longest.as_str()), Ok(())),
        (Some(too_long.as_str()), illegal(UidProblem::TooLong)),
        (Some("1.2.x"), illegal(UidProblem::IllegalCharacter)),
        (Some("1..2"), illegal(UidProblem::EmptyComponent)),
        (Some("1.2."), illegal(UidProblem::EmptyComponent)),
    ];
    for (value, expected) in cases {
        let instance = image_with(tag, VR::UI, value);
        assert_eq!(check(&instance), expected, "{value:?}");
        assert_eq!(summarise(&instance).map(|_| ()), expected, "{value:?}");
    }
}

#[test]
fn a_patient_id_may_be_empty_but_not_absent() {
    assert_eq!(
        check(&image_with(tags::PATIENT_ID, VR::LO, Some(""))),
        Ok(())
    );
    assert_eq!(
        check(&image_with(tags::PATIENT_ID, VR::LO, None)),
        Err(CheckError::MissingPatientId)
    );
}

#[test]
fn pixel_length_must_fit_the_description() {
    let length = |bytes: usize, bits: u16, rows: u16| {
        let pixels = EXPLICIT.element((0x7FE0, 0x0010), "OW", &vec![0; bytes]);
        let mut instance = Instance::read(
            EXPLICIT
                .file(&[EXPLICIT.image_header(), pixels].concat())
                .into(),
        )
        .unwrap();
        instance.header.put(DataElement::new(
            tags::ROWS,
            VR::US,
            PrimitiveValue::from(rows),
        ));
        instance.header.put(DataElement::new(
            tags::BITS_ALLOCATED,
            VR::US,
            PrimitiveValue::from(bits),
        ));
        instance.header.put(DataElement::new(
            tags::BITS_STORED,
            VR::US,
            PrimitiveValue::from(bits),
        ));
        check(&instance)
    };
    let wrong = |expected, actual| Err(CheckError::PixelLength { expected, actual });
    assert_eq!(length(24, 16, 3), Ok(()));
    assert_eq!(length(23, 16, 3), wrong(24, 23));
    assert_eq!(length(26, 16, 3), wrong(24, 26));
    assert_eq!(length(12, 8, 3), Ok(()));
    // 4 × 5 pixels of one bit are 20 bits in 3 bytes, padded to 4.
    assert_eq!(length(4, 1, 5), Ok(()));
    assert_eq!(length(3, 1, 5), Ok(()));
    assert_eq!(length(2, 1, 5), wrong(4, 2));
    assert_eq!(
        length(24, 16, 0),
        Err(CheckError::PixelDescription(FrameError::Description(
            tags::ROWS
        )))
    );
}

#[test]
fn pixel_encoding_must_fit_the_transfer_syntax() {
    let fragments = EXPLICIT.fragments(&[], &[b"data"]);
    let check_in = |syntax: &str, pixels: &[u8]| {
        check(
            &Instance::read(
                file(syntax, &[EXPLICIT.image_header(), pixels.to_vec()].concat()).into(),
            )
            .unwrap(),
        )
    };
    assert_eq!(check_in("1.2.840.10008.1.2.4.90", &fragments), Ok(()));
    assert_eq!(
        check_in("1.2.840.10008.1.2.1", &fragments),
        Err(CheckError::PixelEncoding)
    );
    assert_eq!(
        check_in("1.2.840.10008.1.2.4.90", &EXPLICIT.pixels()),
        Err(CheckError::PixelEncoding)
    );
}

#[test]
fn a_summary_holds_what_the_header_says() {
    let mut instance = image();
    for (tag, vr, text) in [
        (tags::PIXEL_SPACING, VR::DS, "0.5\\0.25 "),
        (tags::IMAGE_POSITION_PATIENT, VR::DS, "-10\\20.5\\1e2"),
        (tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0"),
        (tags::SLICE_THICKNESS, VR::DS, "2.5"),
        (tags::RESCALE_INTERCEPT, VR::DS, "-1024"),
        (tags::WINDOW_CENTER, VR::DS, "40\\400"),
        (tags::SERIES_NUMBER, VR::IS, " 7 "),
        (tags::MANUFACTURER, VR::LO, " GE MEDICAL SYSTEMS "),
        (tags::PATIENT_SEX, VR::CS, "F "),
    ] {
        instance.header.put_str(tag, vr, text);
    }
    let summary = summarise(&instance).unwrap();
    assert_eq!(summary.patient_id.as_deref(), Some("HOSP-77"));
    assert_eq!(
        (summary.study_uid.as_str(), summary.instance_uid.as_str()),
        ("1.2.3", "1.2.3.4.5")
    );
    assert_eq!(summary.pixel_spacing_mm, Some([0.5, 0.25]));
    assert_eq!(summary.image_position_mm, Some([-10.0, 20.5, 100.0]));
    assert_eq!(
        (summary.slice_thickness_mm, summary.rescale_intercept),
        (Some(2.5), Some(-1024.0))
    );
    assert_eq!(
        (summary.window_center, summary.series_number),
        (Some(40.0), Some(7))
    );
    assert_eq!(summary.manufacturer.as_deref(), Some("GE MEDICAL SYSTEMS"));
    assert_eq!(
        (summary.sex.as_deref(), summary.study_date.as_deref()),
        (Some("F"), Some("20240229"))
    );
    assert_eq!(
        (summary.rows, summary.columns, summary.bits_stored),
        (Some(3), Some(4), Some(12))
    );
    assert_eq!(
        (summary.frames, summary.kvp, summary.model.clone()),
        (None, None, None)
    );
    let json = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&json).unwrap(), summary);
}

#[test]
fn malformed_numbers_are_absent() {
    for text in ["", "NaN", "inf", "1e400", "1e13", "2,5", "thick", "-1", "0"] {
        let summary = summarise(&image_with(tags::SLICE_THICKNESS, VR::DS, Some(text))).unwrap();
        assert_eq!(summary.slice_thickness_mm, None, "{text}");
    }
    for text in ["1", "1\\2\\3", "0\\1", "1\\x"] {
        let summary = summarise(&image_with(tags::PIXEL_SPACING, VR::DS, Some(text))).unwrap();
        assert_eq!(summary.pixel_spacing_mm, None, "{text}");
    }
}

#[test]
fn age_is_stated_or_computed_in_completed_years() {
    let cases = [
        (Some("045Y"), None, Some(45)),
        (Some("030M"), None, Some(2)),
        (Some("104W"), None, Some(2)),
        (Some("364D"), None, Some(0)),
        (Some("45"), None, None),
        (Some("999Y"), None, None),
        (Some("ééY"), None, None),
        (None, Some("19640229"), Some(60)),
        (None, Some("19640301"), Some(59)),
        (None, Some("1964.03.01"), Some(59)),
        (None, Some("20240301"), None),
        (None, Some("17000101"), None),
        (None, Some("19641301"), None),
        (Some(""), Some("20000101"), Some(24)),
    ];
    for (age, birth, expected) in cases {
        let mut instance = image_with(tags::PATIENT_AGE, VR::AS, age);
        if let Some(birth) = birth {
            instance
                .header
                .put_str(tags::PATIENT_BIRTH_DATE, VR::DA, birth);
        }
        assert_eq!(
            summarise(&instance).unwrap().age_years,
            expected,
            "{age:?} {birth:?}"
        );
    }
}

fn sequence(tag: Tag, items: Vec<InMemDicomObject>) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::SQ, DataSetSequence::from(items))
}

fn item(elements: &[(Tag, VR, &str)]) -> InMemDicomObject {
    let elements = elements
        .iter()
        .map(|(tag, vr, text)| DataElement::new(*tag, *vr, *text));
    InMemDicomObject::from_element_iter(elements)
}

#[test]
fn enhanced_objects_keep_geometry_in_functional_groups() {
    let mut instance = image();
    let measures = sequence(
        tags::PIXEL_MEASURES_SEQUENCE,
        vec![item(&[(tags::SLICE_THICKNESS, VR::DS, "3")])],
    );
    let position = item(&[(tags::IMAGE_POSITION_PATIENT, VR::DS, "1\\2\\3")]);
    let position = sequence(tags::PLANE_POSITION_SEQUENCE, vec![position]);
    let groups = |element| vec![InMemDicomObject::from_element_iter([element])];
    instance.header.put(sequence(
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        groups(measures),
    ));
    instance.header.put(sequence(
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        groups(position),
    ));
    let instance = Instance::read(instance.write().into()).unwrap();
    let summary = summarise(&instance).unwrap();
    assert_eq!(summary.slice_thickness_mm, Some(3.0));
    assert_eq!(summary.image_position_mm, Some([1.0, 2.0, 3.0]));
}

/// A structure set with one contour of the given type and data.
fn structure_set(kind: &str, data: &str) -> InMemDicomObject {
    let roi = item(&[
        (tags::ROI_NUMBER, VR::IS, "7"),
        (tags::ROI_NAME, VR::LO, "GTV"),
    ]);
    let reference = sequence(
        tags::CONTOUR_IMAGE_SEQUENCE,
        vec![item(&[(
            tags::REFERENCED_SOP_INSTANCE_UID,
            VR::UI,
            "1.2.9\0",
        )])],
    );
    let mut contour = item(&[(tags::CONTOUR_GEOMETRIC_TYPE, VR::CS, kind)]);
    contour.put_str(tags::CONTOUR_DATA, VR::DS, "");
    let values: Vec<String> = data.split('\\').map(str::to_owned).collect();
    contour.put(DataElement::new(
        tags::CONTOUR_DATA,
        VR::DS,
        PrimitiveValue::Strs(values.into()),
    ));
    contour.put(reference);
    let mut contours = item(&[(tags::REFERENCED_ROI_NUMBER, VR::IS, "7")]);
    let color = ["255", "0", "16"].map(str::to_owned).to_vec();
    contours.put(DataElement::new(
        tags::ROI_DISPLAY_COLOR,
        VR::IS,
        PrimitiveValue::Strs(color.into()),
    ));
    contours.put(sequence(tags::CONTOUR_SEQUENCE, vec![contour]));
    InMemDicomObject::from_element_iter([
        sequence(tags::STRUCTURE_SET_ROI_SEQUENCE, vec![roi]),
        sequence(tags::ROI_CONTOUR_SEQUENCE, vec![contours]),
    ])
}

#[test]
fn outlines_are_read_with_name_colour_and_image() {
    let found = outlines::outlines(&structure_set(
        "CLOSED_PLANAR ",
        "0\\0\\5\\1\\0\\5\\1\\1.5\\5",
    ));
    let expected = Outline {
        roi_number: 7,
        roi_name: "GTV".to_owned(),
        color_rgb: Some([255, 0, 16]),
        referenced_series_uid: None,
        referenced_instance_uid: Some("1.2.9".to_owned()),
        points_mm: vec![[0.0, 0.0, 5.0], [1.0, 0.0, 5.0], [1.0, 1.5, 5.0]],
    };
    assert_eq!(found, [expected]);
}

#[test]
fn contours_that_enclose_nothing_are_left_out() {
    for (kind, data) in [
        ("POINT", "0\\0\\5"),
        ("OPEN_PLANAR", "0\\0\\5\\1\\0\\5\\1\\1\\5"),
        ("CLOSED_PLANAR", "0\\0\\5\\1\\0\\5"),
        ("CLOSED_PLANAR", "0\\0\\5\\1\\0\\5\\1\\1"),
        ("CLOSED_PLANAR", "0\\0\\5\\1\\0\\5\\1\\1\\NaN"),
        ("CLOSED_PLANAR", ""),
    ] {
        assert_eq!(
            outlines::outlines(&structure_set(kind, data)),
            [],
            "{kind} {data}"
        );
    }
}

#[test]
fn points_fall_on_pixels() {
    // A sagittal slice: rows run along y, columns along -z.
    let geometry = Geometry {
        position_mm: [5.0, -20.0, 100.0],
        orientation: [0.0, 1.0, 0.0, 0.0, 0.0, -1.0],
        spacing_mm: [2.0, 0.5],
    };
    let points = [[5.0, -20.0, 100.0], [5.0, -19.0, 94.0], [8.0, -20.5, 101.0]];
    assert_eq!(
        outlines::to_pixels(&points, &geometry),
        [[0.0, 0.0], [2.0, 3.0], [-1.0, -0.5]]
    );
    assert_eq!(
        points.map(|point| geometry.distance_mm(point)),
        [0.0, 0.0, -3.0]
    );
}

#[test]
fn outlines_find_their_slice_by_plane() {
    let found = outlines::outlines(&structure_set(
        "CLOSED_PLANAR",
        "0\\0\\5\\1\\0\\5\\1\\1\\5.25",
    ));
    let slice = |z| Geometry {
        position_mm: [-9.0, -9.0, z],
        orientation: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        spacing_mm: [1.0, 1.0],
    };
    for (z, tolerance_mm, expected) in [(5.0, 0.25, true), (5.0, 0.2, false), (7.0, 1.5, false)] {
        assert_eq!(
            found[0].lies_on(&slice(z), tolerance_mm),
            expected,
            "{z} {tolerance_mm}"
        );
    }
}

#[test]
fn geometry_needs_unit_vectors_at_right_angles() {
    let with = |orientation: &str| {
        let mut instance = image_with(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, Some(orientation));
        instance
            .header
            .put_str(tags::IMAGE_POSITION_PATIENT, VR::DS, "0\\0\\0");
        instance.header.put_str(tags::PIXEL_SPACING, VR::DS, "1\\1");
        Geometry::of(&summarise(&instance).unwrap())
    };
    assert!(with("1\\0\\0\\0\\1\\0").is_some());
    for orientation in [
        "0\\0\\0\\0\\0\\0",
        "2\\0\\0\\0\\1\\0",
        "1\\0\\0\\1\\0\\0",
        "",
    ] {
        assert_eq!(with(orientation), None, "{orientation}");
    }
}

#[test]
fn a_listing_shows_paths_keywords_and_cut_values() {
    let mut header = item(&[
        (tags::PATIENT_NAME, VR::PN, "Doe^Jane "),
        (tags::PATIENT_COMMENTS, VR::LT, &"é".repeat(201)),
    ]);
    header.put(sequence(
        tags::REFERENCED_IMAGE_SEQUENCE,
        vec![
            item(&[]),
            item(&[(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, "1.2")]),
        ],
    ));
    header.put(DataElement::new(
        Tag(0x0009, 0x1001),
        VR::OB,
        PrimitiveValue::U8(vec![1, 2, 3].into()),
    ));
    header.put(DataElement::new(
        tags::ROWS,
        VR::US,
        PrimitiveValue::from(512u16),
    ));
    let rows = listing::list(&header, 100);
    let shown: Vec<(&str, &str, &str, &str)> = rows
        .iter()
        .map(|r| {
            (
                r.path.as_str(),
                r.name.as_str(),
                r.vr.as_str(),
                r.value.as_str(),
            )
        })
        .collect();
    let cut = "é".repeat(200) + "…";
    assert_eq!(
        shown,
        [
            ("(0008,1140)", "ReferencedImageSequence", "SQ", "<2 items>"),
            (
                "(0008,1140)[2].(0008,1155)",
                "ReferencedSOPInstanceUID",
                "UI",
                "1.2"
            ),
            ("(0009,1001)", "", "OB", "<3 bytes>"),
            ("(0010,0010)", "PatientName", "PN", "Doe^Jane"),
            ("(0010,4000)", "PatientComments", "LT", cut.as_str()),
            ("(0028,0010)", "Rows", "US", "512"),
        ]
    );
    assert_eq!(listing::list(&header, 2).len(), 2);
}
