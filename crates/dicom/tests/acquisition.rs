//! How series were acquired and what annotates them, header by header: single frames, functional groups, nested sequences, vendors.

use arno_dicom::{Acquisition, Annotation, AnnotationKind, Header, json};
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

/// A header that is put together.
#[derive(Default)]
struct Made(Vec<DataElement<InMemDicomObject>>);

impl Made {
    fn text(mut self, tag: Tag, vr: VR, text: &str) -> Self {
        self.0
            .push(DataElement::new(tag, vr, PrimitiveValue::from(text)));
        self
    }

    fn double(mut self, tag: Tag, value: f64) -> Self {
        self.0
            .push(DataElement::new(tag, VR::FD, PrimitiveValue::from(value)));
        self
    }

    fn items(mut self, tag: Tag, items: Vec<Self>) -> Self {
        let items: Vec<_> = items.into_iter().map(Self::header).collect();
        self.0
            .push(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
        self
    }

    fn header(self) -> Header {
        InMemDicomObject::from_element_iter(self.0)
    }
}

fn made() -> Made {
    Made::default()
}

/// What is expected is what a header says, and what its metadata say.
fn check(made: Made, expect: Acquisition) {
    let header = made.header();
    assert_eq!(Acquisition::of(&header), expect);
    let instance = arno_dicom::Instance {
        transfer_syntax: "1.2.840.10008.1.2.1".into(),
        header,
        pixels: None,
    };
    let kept = serde_json::from_slice(&json::metadata(&instance)).expect("JSON");
    assert_eq!(
        Acquisition::of(&json::to_header(&kept).expect("a header")),
        expect
    );
}

#[test]
fn single_frames_say_it_themselves() {
    let ct = made()
        .text(tags::SLICE_THICKNESS, VR::DS, "2.5")
        .text(tags::SPACING_BETWEEN_SLICES, VR::DS, "-1.25")
        .text(tags::PIXEL_SPACING, VR::DS, "0.7\\0.8")
        .text(tags::KVP, VR::DS, "120")
        .text(tags::X_RAY_TUBE_CURRENT, VR::IS, "200")
        .text(tags::CONVOLUTION_KERNEL, VR::SH, "STANDARD")
        .text(tags::CONTRAST_BOLUS_AGENT, VR::LO, "Iomeron")
        .text(tags::LATERALITY, VR::CS, "")
        .text(tags::MANUFACTURER_MODEL_NAME, VR::LO, "LightSpeed VCT");
    check(
        ct,
        Acquisition {
            model: Some("LightSpeed VCT".into()),
            slice_thickness_mm: Some(2.5),
            slice_spacing_mm: Some(1.25),
            pixel_spacing_mm: Some(0.8),
            kvp: Some(120.0),
            tube_current_ma: Some(200.0),
            kernel: Some("STANDARD".into()),
            contrast: Some(true),
            contrast_agent: Some("Iomeron".into()),
            ..Acquisition::default()
        },
    );
}

#[test]
fn what_is_absent_empty_or_impossible_is_not_recorded() {
    let empty = made()
        .text(tags::REPETITION_TIME, VR::DS, "")
        .text(tags::ECHO_TIME, VR::DS, "0")
        .text(tags::FLIP_ANGLE, VR::DS, "ninety")
        .text(tags::PIXEL_SPACING, VR::DS, "0.7")
        .text(tags::LATERALITY, VR::CS, "left")
        .text(tags::TEMPORAL_POSITION_IDENTIFIER, VR::IS, "1");
    check(empty, Acquisition::default());
}

#[test]
fn an_agent_that_is_none_and_gauss_are_understood() {
    let old = made()
        .text(tags::CONTRAST_BOLUS_AGENT, VR::LO, "NONE")
        .text(tags::MAGNETIC_FIELD_STRENGTH, VR::DS, "15000");
    check(
        old,
        Acquisition {
            contrast: Some(false),
            field_strength_t: Some(1.5),
            ..Acquisition::default()
        },
    );
}

#[test]
fn functional_groups_are_looked_into() {
    let frame = |b_value: f64, phase: &str| {
        made()
            .items(
                tags::MR_DIFFUSION_SEQUENCE,
                vec![made().double(tags::DIFFUSION_B_VALUE, b_value)],
            )
            .items(
                tags::FRAME_CONTENT_SEQUENCE,
                vec![made().text(tags::TEMPORAL_POSITION_INDEX, VR::IS, phase)],
            )
    };
    let shared = made()
        .items(
            tags::PIXEL_MEASURES_SEQUENCE,
            vec![made().text(tags::SLICE_THICKNESS, VR::DS, "4").text(
                tags::PIXEL_SPACING,
                VR::DS,
                "1.5\\1.5",
            )],
        )
        .items(
            tags::MR_TIMING_AND_RELATED_PARAMETERS_SEQUENCE,
            vec![made().text(tags::REPETITION_TIME, VR::DS, "5000").text(
                tags::FLIP_ANGLE,
                VR::DS,
                "90",
            )],
        )
        .items(
            tags::MR_ECHO_SEQUENCE,
            vec![made().double(tags::EFFECTIVE_ECHO_TIME, 80.0)],
        )
        .items(
            tags::MR_MODIFIER_SEQUENCE,
            vec![made().double(tags::INVERSION_TIMES, 150.0)],
        )
        .items(
            tags::FRAME_ANATOMY_SEQUENCE,
            vec![made().text(tags::FRAME_LATERALITY, VR::CS, "R")],
        );
    let enhanced = made()
        .items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared])
        .items(
            tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
            vec![frame(0.0, "1"), frame(1000.0, "2"), frame(400.0, "3")],
        );
    check(
        enhanced,
        Acquisition {
            slice_thickness_mm: Some(4.0),
            pixel_spacing_mm: Some(1.5),
            repetition_time_ms: Some(5000.0),
            flip_angle_deg: Some(90.0),
            echo_time_ms: Some(80.0),
            inversion_time_ms: Some(150.0),
            laterality: Some("R".into()),
            b_value: Some(1000.0),
            phases: Some((1, 3)),
            ..Acquisition::default()
        },
    );
    let ct = made().items(
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        vec![
            made()
                .items(
                    tags::CTX_RAY_DETAILS_SEQUENCE,
                    vec![made().double(tags::KVP, 100.0)],
                )
                .items(
                    tags::CT_EXPOSURE_SEQUENCE,
                    vec![made().double(tags::X_RAY_TUBE_CURRENT_INM_A, 87.5)],
                )
                .items(
                    tags::CT_RECONSTRUCTION_SEQUENCE,
                    vec![made().text(tags::CONVOLUTION_KERNEL, VR::SH, "Br40d\\3")],
                ),
        ],
    );
    check(
        ct,
        Acquisition {
            kvp: Some(100.0),
            tube_current_ma: Some(87.5),
            kernel: Some("Br40d".into()),
            ..Acquisition::default()
        },
    );
}

#[test]
fn tracers_stand_in_a_sequence_and_doses_in_two_units() {
    let given = |modality: &str, dose: &str| {
        let code = made().text(tags::CODE_MEANING, VR::LO, "Fluorodeoxyglucose F^18^");
        let given = made()
            .text(tags::RADIONUCLIDE_TOTAL_DOSE, VR::DS, dose)
            .items(tags::RADIOPHARMACEUTICAL_CODE_SEQUENCE, vec![code]);
        made()
            .text(tags::MODALITY, VR::CS, modality)
            .items(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE, vec![given])
    };
    let expect = |activity| Acquisition {
        tracer: Some("Fluorodeoxyglucose F^18^".into()),
        injected_activity_mbq: activity,
        ..Acquisition::default()
    };
    check(given("PT", "3.7E8"), expect(Some(370.0)));
    check(given("NM", "740"), expect(Some(740.0)));
    // Neither becquerel nor surely anything else.
    check(given("PT", "370"), expect(None));
}

#[test]
fn private_weightings_count_where_there_is_no_other() {
    let private = |group: u16, creator: &str, element: u16, text: &str| {
        made()
            .text(tags::MODALITY, VR::CS, "MR")
            .text(Tag(group, 0x0010), VR::LO, creator)
            .text(Tag(group, 0x1000 | element), VR::IS, text)
    };
    let expect = |b_value| Acquisition {
        b_value,
        ..Acquisition::default()
    };
    check(
        private(0x0019, "SIEMENS MR HEADER", 0x0c, "800"),
        expect(Some(800.0)),
    );
    check(
        private(0x0043, "GEMS_PARM_01", 0x39, "1000000600\\8\\0\\0"),
        expect(Some(600.0)),
    );
    check(private(0x0043, "SOMEBODY ELSE", 0x39, "600"), expect(None));
}

#[test]
fn views_of_mammograms_are_codes() {
    let code = |code: &str| {
        let code = made().text(tags::CODE_VALUE, VR::SH, code);
        made().items(tags::VIEW_CODE_SEQUENCE, vec![code])
    };
    let expect = |view: Option<&str>| Acquisition {
        view_position: view.map(str::to_owned),
        ..Acquisition::default()
    };
    check(code("R-10226"), expect(Some("MLO")));
    check(code("399162004"), expect(Some("CC")));
    check(code("399"), expect(None));
}

#[test]
fn headers_of_a_series_add_up() {
    let one = |b_value, phase: u32| Acquisition {
        kernel: Some(format!("K{phase}")),
        b_value: Some(b_value),
        phases: Some((phase, phase)),
        contrast: Some(phase > 1),
        ..Acquisition::default()
    };
    let mut series = Acquisition::default();
    assert!(series.add(&one(0.0, 1)));
    assert_eq!(series.phase(), Some(1));
    assert!(!series.add(&one(0.0, 1)));
    assert!(series.add(&one(800.0, 2)));
    assert!(!series.add(&one(400.0, 1)));
    let expect = Acquisition {
        kernel: Some("K1".into()),
        b_value: Some(800.0),
        phases: Some((1, 2)),
        contrast: Some(true),
        ..Acquisition::default()
    };
    assert_eq!(series, expect);
    assert_eq!(series.phase(), None, "several phases are none");
}

#[test]
fn annotations_say_what_they_show_and_over_what() {
    let series = |uid: &str| made().text(tags::SERIES_INSTANCE_UID, VR::UI, uid);
    let liver = made()
        .text(tags::CODE_VALUE, VR::SH, "10200004")
        .text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, "SCT")
        .text(tags::CODE_MEANING, VR::LO, "Liver");
    let segment = made()
        .text(tags::SEGMENT_ALGORITHM_TYPE, VR::CS, "AUTOMATIC")
        .text(tags::SEGMENT_ALGORITHM_NAME, VR::LO, "TotalSegmentator")
        .items(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, vec![liver]);
    let seg = made()
        .text(tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.66.4")
        .items(tags::REFERENCED_SERIES_SEQUENCE, vec![series("1.2.3")])
        .items(tags::SEGMENT_SEQUENCE, vec![segment, made()]);
    let found = Annotation::of(&seg.header()).unwrap();
    assert_eq!((found.kind, found.segments), (AnnotationKind::Seg, Some(2)));
    assert_eq!(found.series_uid.as_deref(), Some("1.2.3"));
    assert_eq!(found.structure.unwrap().code, "10200004");
    assert_eq!(found.maker.as_deref(), Some("AUTOMATIC"));
    assert_eq!(found.algorithm.as_deref(), Some("TotalSegmentator"));

    let study = made().items(tags::RT_REFERENCED_SERIES_SEQUENCE, vec![series("1.2.4")]);
    let frame = made().items(tags::RT_REFERENCED_STUDY_SEQUENCE, vec![study]);
    let roi = |maker: &str| made().text(tags::ROI_GENERATION_ALGORITHM, VR::CS, maker);
    let rtstruct = made()
        .text(tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.481.3")
        .items(tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE, vec![frame])
        .items(
            tags::STRUCTURE_SET_ROI_SEQUENCE,
            vec![roi(""), roi("MANUAL")],
        );
    let found = Annotation::of(&rtstruct.header()).unwrap();
    assert_eq!(
        (found.kind, found.segments),
        (AnnotationKind::RtStruct, Some(2))
    );
    assert_eq!(found.series_uid.as_deref(), Some("1.2.4"));
    assert_eq!(found.maker.as_deref(), Some("MANUAL"));

    let dose = made().text(tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.88.67");
    assert_eq!(Annotation::of(&dose.header()), None);
}
