//! The table's rows about people and their disease: patient, diagnosis, stage, pathology, biomarker.

use super::{
    CodeSystem::{Arno, Icd10, IcdO3, Loinc, Ncit, Snomed, Tnm},
    Entity::{Biomarker, Diagnosis, Pathology, Patient, Stage},
    FieldKind::{Days, Flag, Words},
    FieldSpec,
    spec::{code, number},
    system::CodeSystem,
};

pub(super) const PATIENT: &[FieldSpec] = &[
    FieldSpec::new(
        Patient,
        "sex",
        code(&[CodeSystem::Dicom, Snomed]),
        "Sex: F, M or O.",
    )
    .dicom("Patient's Sex (0010,0040)")
    .fhir("Patient.gender")
    .omop("person.gender_source_concept_id")
    .eucaim("SNOMEDCT263495000"),
    FieldSpec::new(
        Patient,
        "menopausal_status",
        code(&[Arno, Ncit]),
        "pre, peri or post, at diagnosis.",
    )
    .fhir("Observation.valueCodeableConcept")
    .omop("observation.value_as_concept_id"),
];

pub(super) const DIAGNOSIS: &[FieldSpec] = &[
    FieldSpec::new(
        Diagnosis,
        "diagnosis",
        code(&[IcdO3, Icd10, Snomed]),
        "The disease: ICD-O-3 topography, ICD-10 or SNOMED CT.",
    )
    .fhir("Condition.code (mCODE Primary Cancer Condition)")
    .omop("condition_occurrence.condition_source_concept_id")
    .eucaim("SNOMEDCT439401001"),
    FieldSpec::new(
        Diagnosis,
        "morphology",
        code(&[IcdO3, Snomed]),
        "What kind of tumour: ICD-O-3 morphology, such as 8140/3.",
    )
    .fhir("Condition.extension (mCODE Histology Morphology Behavior)")
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(
        Diagnosis,
        "laterality",
        code(&[Arno, Snomed]),
        "left, right, both or midline.",
    )
    .fhir("Condition.bodySite.extension (mCODE Laterality Qualifier)")
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(
        Diagnosis,
        "diagnosis_basis",
        code(&[Arno, Snomed]),
        "What it rests on: histology, cytology, imaging, clinical, autopsy.",
    )
    .fhir("Condition.evidence.code")
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(Diagnosis, "diagnosis_date", Days, "When it was found.")
        .fhir("Condition.onsetDateTime")
        .omop("condition_occurrence.condition_start_date"),
    FieldSpec::new(
        Diagnosis,
        "diagnosis_year",
        number("a"),
        "Calendar year of the diagnosis, where the source gives no more.",
    )
    .fhir("Condition.onsetDateTime")
    .omop("observation.value_as_number")
    .eucaim("SNOMEDCT432213005"),
    FieldSpec::new(
        Diagnosis,
        "age_at_diagnosis",
        number("a"),
        "Age when it was found, in years.",
    )
    .fhir("Condition.onsetAge")
    .omop("observation.value_as_number")
    .eucaim("SNOMEDCT423493009"),
    FieldSpec::new(
        Diagnosis,
        "primary_tumour",
        Flag,
        "Whether it is the primary tumour; no for a metastasis.",
    )
    .fhir("Condition.meta.profile (mCODE Primary or Secondary Cancer Condition)")
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(
        Diagnosis,
        "cancer_type",
        Words,
        "The source's own name of the disease, such as a study's abbreviation.",
    )
    .fhir("Condition.code.text")
    .omop("observation.value_as_string"),
];

pub(super) const STAGE: &[FieldSpec] = &[
    FieldSpec::new(
        Stage,
        "stage_group",
        code(&[Tnm, Snomed]),
        "Prognostic group, such as IIIA.",
    )
    .fhir("Observation.valueCodeableConcept (mCODE TNM Stage Group)")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Stage,
        "t_category",
        code(&[Tnm, Snomed]),
        "Primary tumour, such as T2a.",
    )
    .fhir("Observation.valueCodeableConcept (mCODE TNM Primary Tumor Category)")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Stage,
        "n_category",
        code(&[Tnm, Snomed]),
        "Regional lymph nodes, such as N1.",
    )
    .fhir("Observation.valueCodeableConcept (mCODE TNM Regional Nodes Category)")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Stage,
        "m_category",
        code(&[Tnm, Snomed]),
        "Distant metastases, such as M0.",
    )
    .fhir("Observation.valueCodeableConcept (mCODE TNM Distant Metastases Category)")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Stage,
        "stage_kind",
        code(&[Arno, Snomed]),
        "clinical, pathological, or after therapy.",
    )
    .fhir("Observation.code")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Stage,
        "stage_edition",
        Words,
        "Staging system and edition, such as UICC 8.",
    )
    .fhir("Observation.method")
    .omop("observation.value_as_string"),
    FieldSpec::new(Stage, "stage_date", Days, "When the stage was set.")
        .fhir("Observation.effectiveDateTime")
        .omop("measurement.measurement_date"),
];

pub(super) const PATHOLOGY: &[FieldSpec] = &[
    FieldSpec::new(
        Pathology,
        "grade",
        code(&[Arno, Snomed, Ncit]),
        "Histological grade: G1 to G4, GX, low or high.",
    )
    .fhir("Observation.valueCodeableConcept (mCODE Histologic Grade)")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Pathology,
        "grade_system",
        Words,
        "The grade's system, such as Nottingham.",
    )
    .fhir("Observation.method")
    .omop("observation.value_as_string"),
    FieldSpec::new(
        Pathology,
        "histology",
        Words,
        "Histological type in the source's words; its code is the diagnosis' morphology.",
    )
    .fhir("Observation.valueCodeableConcept.text")
    .omop("observation.value_as_string"),
    FieldSpec::new(
        Pathology,
        "margins",
        code(&[Arno, Snomed]),
        "Resection margins: negative, close or positive.",
    )
    .fhir("Observation.valueCodeableConcept (mCODE Tumor Specimen)")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Pathology,
        "residual_tumour",
        code(&[Tnm, Snomed]),
        "Residual tumour after resection: R0, R1, R2, RX.",
    )
    .fhir("Observation.valueCodeableConcept")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Pathology,
        "tumour_size",
        number("mm"),
        "Largest extent of the tumour.",
    )
    .fhir("Observation.valueQuantity (mCODE Tumor Size)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Pathology,
        "nodes_examined",
        number(""),
        "Lymph nodes that were examined.",
    )
    .fhir("Observation.valueInteger")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Pathology,
        "nodes_positive",
        number(""),
        "Lymph nodes with tumour.",
    )
    .fhir("Observation.valueInteger")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Pathology,
        "pathology_date",
        Days,
        "When the specimen was taken.",
    )
    .fhir("Specimen.collection.collectedDateTime")
    .omop("measurement.measurement_date"),
];

pub(super) const BIOMARKER: &[FieldSpec] = &[
    FieldSpec::new(
        Biomarker,
        "biomarker",
        code(&[Loinc, Ncit]),
        "What was tested: a LOINC or NCI Thesaurus code.",
    )
    .fhir("Observation.code (mCODE Tumor Marker Test)")
    .omop("measurement.measurement_source_concept_id"),
    FieldSpec::new(
        Biomarker,
        "biomarker_result",
        code(&[Arno, Snomed, Loinc]),
        "positive, negative, equivocal, mutated or wild.",
    )
    .fhir("Observation.valueCodeableConcept")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Biomarker,
        "biomarker_value",
        number(""),
        "The number, in the unit beside it.",
    )
    .fhir("Observation.valueQuantity.value")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Biomarker,
        "biomarker_unit",
        Words,
        "Unit of the number (UCUM).",
    )
    .fhir("Observation.valueQuantity.code")
    .omop("measurement.unit_source_value"),
    FieldSpec::new(
        Biomarker,
        "er_status",
        code(&[Arno, Snomed]),
        "Oestrogen receptor: positive or negative.",
    )
    .fhir("Observation.valueCodeableConcept (LOINC 85337-4)")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Biomarker,
        "pr_status",
        code(&[Arno, Snomed]),
        "Progesterone receptor: positive or negative.",
    )
    .fhir("Observation.valueCodeableConcept (LOINC 85339-0)")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(
        Biomarker,
        "her2_status",
        code(&[Arno, Snomed]),
        "HER2: positive, negative or equivocal.",
    )
    .fhir("Observation.valueCodeableConcept (LOINC 48676-1)")
    .omop("measurement.value_as_concept_id"),
    FieldSpec::new(Biomarker, "ki67", number("%"), "Ki-67 index.")
        .fhir("Observation.valueQuantity (LOINC 29593-1)")
        .omop("measurement.value_as_number"),
    FieldSpec::new(
        Biomarker,
        "psa",
        number("ng/mL"),
        "Prostate-specific antigen in serum.",
    )
    .fhir("Observation.valueQuantity (LOINC 2857-1)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Biomarker,
        "biomarker_date",
        Days,
        "When the sample was taken.",
    )
    .fhir("Observation.effectiveDateTime")
    .omop("measurement.measurement_date"),
];
