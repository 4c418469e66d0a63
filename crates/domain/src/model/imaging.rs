//! The table's rows about images: study, series with acquisition parameters, annotation, measurement.

use super::{
    CodeSystem::{Arno, Dicom, Ncit, RadLex, Snomed},
    Entity::{Annotation, Measurement, Series, Study},
    FieldKind::{Days, Flag, Words},
    FieldSpec,
    spec::{code, number},
};

pub(super) const STUDY: &[FieldSpec] = &[
    FieldSpec::new(Study, "age", number("a"), "Age at the study, in years.")
        .dicom("Patient's Age (0010,1010)")
        .omop("observation.value_as_number"),
    FieldSpec::new(Study, "study_date", Days, "When the study was made.")
        .dicom("Study Date (0008,0020)")
        .fhir("ImagingStudy.started")
        .omop("image_occurrence.image_occurrence_date"),
];

pub(super) const SERIES: &[FieldSpec] = &[
    FieldSpec::new(
        Series,
        "modality",
        code(&[Dicom]),
        "Kind of image, such as CT or MR.",
    )
    .dicom("Modality (0008,0060)")
    .fhir("ImagingStudy.series.modality")
    .omop("image_occurrence.modality_concept_id")
    .eucaim("RID10311"),
    FieldSpec::new(
        Series,
        "body_part",
        code(&[Dicom, Snomed, RadLex]),
        "Part of the body: a defined term of DICOM, or a SNOMED CT or RadLex code.",
    )
    .dicom("Body Part Examined (0018,0015)")
    .fhir("ImagingStudy.series.bodySite")
    .omop("image_occurrence.anatomic_site_concept_id")
    .eucaim("SNOMEDCT123037004"),
    FieldSpec::new(Series, "manufacturer", Words, "Maker of the scanner.")
        .dicom("Manufacturer (0008,0070)")
        .fhir("Device.manufacturer")
    .omop("observation.value_as_string")
        .eucaim("C25392"),
    FieldSpec::new(Series, "model", Words, "The scanner's model.")
        .dicom("Manufacturer's Model Name (0008,1090)")
        .fhir("Device.modelNumber")
    .omop("observation.value_as_string"),
    FieldSpec::new(
        Series,
        "series_description",
        Words,
        "Its description, cleaned.",
    )
    .dicom("Series Description (0008,103E)")
    .fhir("ImagingStudy.series.description")
    .omop("observation.value_as_string"),
    FieldSpec::new(
        Series,
        "instances",
        number(""),
        "How many instances it has.",
    )
    .dicom("Number of Series Related Instances (0020,1209)")
    .fhir("ImagingStudy.series.numberOfInstances")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Series,
        "sop_class",
        Words,
        "SOP class UID of its instances.",
    )
    .dicom("SOP Class UID (0008,0016)")
    .fhir("ImagingStudy.series.instance.sopClass")
    .omop("observation.value_as_string"),
    FieldSpec::new(
        Series,
        "image_laterality",
        code(&[Dicom]),
        "Side that is imaged: L, R, U (unpaired) or B.",
    )
    .dicom("Image Laterality (0020,0062), Frame Laterality (0020,9072), Laterality (0020,0060)")
    .fhir("ImagingStudy.series.laterality")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Series,
        "view_position",
        code(&[Dicom]),
        "Projection, such as CC or MLO of a mammogram.",
    )
    .dicom("View Position (0018,5101), View Code Sequence (0054,0220)")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Series,
        "synthetic",
        Flag,
        "Whether the images say that they are no patient's.",
    )
    .dicom("Quality Control Image (0028,0300)")
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(
        Series,
        "collection",
        Words,
        "The public collection that it belongs to.",
    )
    .omop("observation.value_as_string"),
    FieldSpec::new(
        Series,
        "licence",
        Words,
        "Under which licence its source gives it away.",
    )
    .omop("observation.value_as_string"),
    FieldSpec::new(
        Series,
        "slice_thickness",
        number("mm"),
        "Nominal thickness of a slice.",
    )
    .dicom("Slice Thickness (0018,0050)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Series,
        "slice_spacing",
        number("mm"),
        "Distance between the centres of slices.",
    )
    .dicom("Spacing Between Slices (0018,0088)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Series,
        "pixel_spacing",
        number("mm"),
        "Distance between pixels; the larger one where they differ.",
    )
    .dicom("Pixel Spacing (0028,0030)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(Series, "rows", number(""), "Rows of its first instance.")
        .dicom("Rows (0028,0010)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Series,
        "columns",
        number(""),
        "Columns of its first instance.",
    )
    .dicom("Columns (0028,0011)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(Series, "kvp", number("kV"), "Peak voltage of the tube.")
        .dicom("KVP (0018,0060)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(Series, "tube_current", number("mA"), "Current of the tube.")
        .dicom("X-Ray Tube Current (0018,1151), in mA (0018,9330)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(Series, "kernel", Words, "Reconstruction kernel of a CT.")
        .dicom("Convolution Kernel (0018,1210)")
    .omop("observation.value_as_string"),
    FieldSpec::new(
        Series,
        "contrast",
        Flag,
        "Whether a contrast agent was given; nothing where the header names neither an agent nor none.",
    )
    .dicom("Contrast/Bolus Agent (0018,0010), its sequence (0018,0012)")
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(Series, "contrast_agent", Words, "The contrast agent.")
        .dicom("Contrast/Bolus Agent (0018,0010), its sequence (0018,0012)")
    .omop("observation.value_as_string"),
    FieldSpec::new(
        Series,
        "field_strength",
        number("T"),
        "Magnetic field of an MR scanner.",
    )
    .dicom("Magnetic Field Strength (0018,0087)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(Series, "echo_time", number("ms"), "Echo time (TE).")
        .dicom("Echo Time (0018,0081), Effective Echo Time (0018,9082)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Series,
        "repetition_time",
        number("ms"),
        "Repetition time (TR).",
    )
    .dicom("Repetition Time (0018,0080)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Series,
        "inversion_time",
        number("ms"),
        "Inversion time (TI).",
    )
    .dicom("Inversion Time (0018,0082), Inversion Times (0018,9079)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(Series, "flip_angle", number("deg"), "Flip angle.")
        .dicom("Flip Angle (0018,1314)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Series,
        "b_value",
        number("s/mm2"),
        "Diffusion weighting; the largest that was found.",
    )
    .dicom("Diffusion b-value (0018,9087), safe private ones of GE, Philips, Siemens")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Series,
        "dce_phase",
        number(""),
        "Which phase of several it is, from 1; nothing where the series holds more than one.",
    )
    .dicom("Temporal Position Identifier (0020,0100), Index (0020,9128)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(Series, "tracer", Words, "Radiopharmaceutical, such as FDG.")
        .dicom("Radiopharmaceutical (0018,0031), its code (0054,0304)")
    .omop("observation.value_as_string"),
    FieldSpec::new(
        Series,
        "injected_activity",
        number("MBq"),
        "Activity that was injected.",
    )
    .dicom("Radionuclide Total Dose (0018,1074)")
    .omop("measurement.value_as_number"),
];

pub(super) const ANNOTATION: &[FieldSpec] = &[
    FieldSpec::new(
        Annotation,
        "annotation_kind",
        code(&[Dicom]),
        "Form of the annotation: SEG, RTSTRUCT or SR.",
    )
    .dicom("Modality (0008,0060)")
    .omop("image_feature.image_feature_concept_id"),
    FieldSpec::new(
        Annotation,
        "segments",
        number(""),
        "Segments or regions that it holds.",
    )
    .dicom("Segment Sequence (0062,0002), Structure Set ROI Sequence (3006,0020)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Annotation,
        "annotated_structure",
        code(&[Snomed, RadLex, Ncit]),
        "What its first segment shows.",
    )
    .dicom("Segmented Property Type Code Sequence (0062,000F)")
    .omop("image_feature.anatomic_site_concept_id"),
    FieldSpec::new(
        Annotation,
        "annotation_maker",
        code(&[Dicom]),
        "Who or what made it: MANUAL, SEMIAUTOMATIC or AUTOMATIC.",
    )
    .dicom("Segment Algorithm Type (0062,0008), ROI Generation Algorithm (3006,0036)")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Annotation,
        "annotation_algorithm",
        Words,
        "Name of the algorithm.",
    )
    .dicom("Segment Algorithm Name (0062,0009)")
    .omop("image_feature.alg_system"),
];

pub(super) const MEASUREMENT: &[FieldSpec] = &[
    FieldSpec::new(
        Measurement,
        "measurement",
        code(&[Snomed, Ncit, RadLex]),
        "What was measured.",
    )
    .fhir("Observation.code")
    .omop("measurement.measurement_source_concept_id"),
    FieldSpec::new(
        Measurement,
        "measurement_value",
        number(""),
        "The number, in the unit beside it.",
    )
    .fhir("Observation.valueQuantity.value")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Measurement,
        "measurement_unit",
        Words,
        "Unit of the number (UCUM).",
    )
    .fhir("Observation.valueQuantity.code")
    .omop("measurement.unit_source_value"),
    FieldSpec::new(
        Measurement,
        "recist_response",
        code(&[Arno, Ncit]),
        "Response by RECIST: CR, PR, SD, PD or NE.",
    )
    .fhir("Observation.valueCodeableConcept (mCODE Cancer Disease Status)")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Measurement,
        "longest_diameter",
        number("mm"),
        "Longest diameter of a lesion.",
    )
    .fhir("Observation.valueQuantity")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Measurement,
        "pi_rads",
        number(""),
        "PI-RADS category, 1 to 5.",
    )
    .fhir("Observation.valueInteger")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Measurement,
        "bi_rads",
        code(&[Arno, RadLex]),
        "BI-RADS category: 0 to 6, 4A to 4C.",
    )
    .fhir("Observation.valueCodeableConcept")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Measurement,
        "lung_rads",
        code(&[Arno, RadLex]),
        "Lung-RADS category: 0 to 4X.",
    )
    .fhir("Observation.valueCodeableConcept")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Measurement,
        "gleason_score",
        number(""),
        "Gleason score, 2 to 10.",
    )
    .fhir("Observation.valueInteger (LOINC 35266-6)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Measurement,
        "malignancy",
        number(""),
        "Mean malignancy of the patient's most suspicious nodule, 1 to 5, as its readers rated it.",
    )
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Measurement,
        "readers",
        number(""),
        "Radiologists who outlined the patient's most-read nodule.",
    )
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Measurement,
        "measurement_date",
        Days,
        "When it was measured.",
    )
    .fhir("Observation.effectiveDateTime")
    .omop("measurement.measurement_date"),
];
