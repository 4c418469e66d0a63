//! The table's rows about the course of a disease: treatment, outcome, event.

use super::{
    CodeSystem::{Arno, Atc, Icd10, IcdO3, Ncit, RxNorm, Snomed},
    Entity::{Event, Outcome, Treatment},
    FieldKind::{Days, Flag, Words},
    FieldSpec,
    spec::{code, number},
};

pub(super) const TREATMENT: &[FieldSpec] = &[
    FieldSpec::new(
        Treatment,
        "treatment_kind",
        code(&[Arno, Snomed]),
        "surgery, radiotherapy, chemotherapy, hormone, targeted, immunotherapy, ablation or watchful.",
    )
    .fhir("Procedure.category, MedicationRequest.category")
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(
        Treatment,
        "treatment",
        code(&[Snomed, Ncit, Atc, RxNorm]),
        "The procedure or the medicine.",
    )
    .fhir("Procedure.code (mCODE Cancer-Related Surgical Procedure), MedicationRequest.medicationCodeableConcept")
    .omop("procedure_occurrence.procedure_source_concept_id, drug_exposure.drug_source_concept_id"),
    FieldSpec::new(
        Treatment,
        "treatment_intent",
        code(&[Arno, Snomed]),
        "curative, palliative, neoadjuvant or adjuvant.",
    )
    .fhir("Procedure.extension (mCODE Procedure Intent)")
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(Treatment, "treatment_start", Days, "When it began.")
        .fhir("Procedure.performedPeriod.start")
    .omop("procedure_occurrence.procedure_date, drug_exposure.drug_exposure_start_date"),
    FieldSpec::new(Treatment, "treatment_end", Days, "When it ended.")
        .fhir("Procedure.performedPeriod.end")
    .omop("procedure_occurrence.procedure_end_date, drug_exposure.drug_exposure_end_date"),
    FieldSpec::new(Treatment, "radiation_dose", number("Gy"), "Total dose of a radiotherapy.")
        .fhir("Procedure.extension (mCODE Radiation Dose Delivered To Volume)")
    .omop("measurement.value_as_number"),
    FieldSpec::new(
        Treatment,
        "treatment_response",
        code(&[Arno, Ncit]),
        "Response to the first course: CR, PR, SD, PD or persistent.",
    )
    .fhir("Observation.valueCodeableConcept (mCODE Cancer Disease Status)")
    .omop("measurement.value_as_concept_id"),
];

pub(super) const OUTCOME: &[FieldSpec] = &[
    FieldSpec::new(
        Outcome,
        "vital_status",
        code(&[Arno, Snomed]),
        "alive or dead, when last heard of.",
    )
    .fhir("Patient.deceasedBoolean")
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(
        Outcome,
        "overall_survival_days",
        number("d"),
        "Days from diagnosis to death, or to the last contact of the living.",
    )
    .omop("observation.value_as_number"),
    FieldSpec::new(
        Outcome,
        "progression_free_days",
        number("d"),
        "Days from diagnosis to progression or death, or to the last contact.",
    )
    .omop("observation.value_as_number"),
    FieldSpec::new(
        Outcome,
        "progression",
        Flag,
        "Whether the disease went on or the patient died of it within the progression-free days.",
    )
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(
        Outcome,
        "disease_free_days",
        number("d"),
        "Days from diagnosis to recurrence, of those who were free of disease.",
    )
    .omop("observation.value_as_number"),
    FieldSpec::new(
        Outcome,
        "recurrence",
        Flag,
        "Whether it came back within the disease-free days.",
    )
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(
        Outcome,
        "disease_specific_days",
        number("d"),
        "Days from diagnosis to death of the disease, or to the last contact.",
    )
    .omop("observation.value_as_number"),
    FieldSpec::new(
        Outcome,
        "disease_specific_death",
        Flag,
        "Whether the patient died of the disease within those days.",
    )
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(
        Outcome,
        "tumour_status",
        code(&[Arno, Ncit]),
        "with_tumour or tumour_free, when last heard of.",
    )
    .fhir("Observation.valueCodeableConcept (mCODE Cancer Disease Status)")
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(
        Outcome,
        "last_contact",
        Days,
        "When the patient was last heard of.",
    )
    .fhir("Encounter.period.end")
    .omop("observation.value_as_number"),
    FieldSpec::new(Outcome, "death_date", Days, "When the patient died.")
        .fhir("Patient.deceasedDateTime")
        .omop("death.death_date"),
    FieldSpec::new(
        Outcome,
        "cause_of_death",
        code(&[Icd10, Snomed]),
        "What the patient died of.",
    )
    .fhir("Observation.valueCodeableConcept")
    .omop("death.cause_source_concept_id"),
];

pub(super) const EVENT: &[FieldSpec] = &[
    FieldSpec::new(
        Event,
        "event_kind",
        code(&[Arno, Ncit]),
        "recurrence, metastasis, progression, new_primary or other.",
    )
    .fhir("Condition.category")
    .omop("episode.episode_source_concept_id"),
    FieldSpec::new(Event, "event_date", Days, "When it happened.")
        .fhir("Condition.onsetDateTime")
        .omop("episode.episode_start_date"),
    FieldSpec::new(
        Event,
        "event_site",
        code(&[IcdO3, Snomed]),
        "Where in the body.",
    )
    .fhir("Condition.bodySite")
    .omop("observation.value_as_concept_id"),
    FieldSpec::new(Event, "event_note", Words, "What the source calls it.")
        .fhir("Condition.code.text")
        .omop("episode.episode_source_value"),
];
