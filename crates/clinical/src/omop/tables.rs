//! The tables that are read and written, with their columns in the order of the standard (OMOP CDM 5.4, MI-CDM). Which must be filled is
//! said where rows are made; lengths are those of the standard's own DDL.

/// A column's name.
pub type Column = &'static str;

/// Longest `…_source_value`.
pub(super) const MAX_SOURCE_CHARS: usize = 50;
/// Longest `value_as_string`.
pub(super) const MAX_STRING_CHARS: usize = 60;
/// Longest `concept_name`.
pub(super) const MAX_NAME_CHARS: usize = 255;

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// People.
    Person,
    /// When people were under observation.
    ObservationPeriod,
    /// Diagnoses.
    ConditionOccurrence,
    /// Medicines.
    DrugExposure,
    /// Procedures, and imaging studies.
    ProcedureOccurrence,
    /// Measurements.
    Measurement,
    /// Observations.
    Observation,
    /// Deaths.
    Death,
    /// Specimens.
    Specimen,
    /// Events in the course of a disease.
    Episode,
    /// What belongs to an episode.
    EpisodeEvent,
    /// Series of images.
    ImageOccurrence,
    /// What is known of series of images.
    ImageFeature,
    /// What the files are.
    CdmSource,
    /// Codes.
    Concept,
    /// Terminologies.
    Vocabulary,
    /// Domains of concepts.
    Domain,
    /// Classes of concepts.
    ConceptClass,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 18] = [
        Self::Person,
        Self::ObservationPeriod,
        Self::ConditionOccurrence,
        Self::DrugExposure,
        Self::ProcedureOccurrence,
        Self::Measurement,
        Self::Observation,
        Self::Death,
        Self::Specimen,
        Self::Episode,
        Self::EpisodeEvent,
        Self::ImageOccurrence,
        Self::ImageFeature,
        Self::CdmSource,
        Self::Concept,
        Self::Vocabulary,
        Self::Domain,
        Self::ConceptClass,
    ];

    /// Its name, which is that of its file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::ObservationPeriod => "observation_period",
            Self::ConditionOccurrence => "condition_occurrence",
            Self::DrugExposure => "drug_exposure",
            Self::ProcedureOccurrence => "procedure_occurrence",
            Self::Measurement => "measurement",
            Self::Observation => "observation",
            Self::Death => "death",
            Self::Specimen => "specimen",
            Self::Episode => "episode",
            Self::EpisodeEvent => "episode_event",
            Self::ImageOccurrence => "image_occurrence",
            Self::ImageFeature => "image_feature",
            Self::CdmSource => "cdm_source",
            Self::Concept => "concept",
            Self::Vocabulary => "vocabulary",
            Self::Domain => "domain",
            Self::ConceptClass => "concept_class",
        }
    }

    /// Whether it holds something about people or files; the others are vocabulary.
    pub(super) fn is_clinical(self) -> bool {
        !matches!(
            self,
            Self::Concept | Self::Vocabulary | Self::Domain | Self::ConceptClass
        )
    }

    /// Whether its rows are things of their own; those of values are not.
    pub(super) fn is_own(self) -> bool {
        !matches!(self, Self::Measurement | Self::Observation)
    }

    /// Columns without which nothing can be understood: the key, and whose a row is.
    pub(super) fn needed(self) -> &'static [Column] {
        match self {
            Self::Death => &["person_id"],
            Self::EpisodeEvent => &["episode_id", "event_id", "episode_event_field_concept_id"],
            Self::Concept => &["concept_id", "vocabulary_id", "concept_code"],
            Self::CdmSource | Self::Vocabulary | Self::Domain | Self::ConceptClass => &[],
            keyed => keyed.columns().get(..2).unwrap_or_default(),
        }
    }

    /// Its columns.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Person => PERSON,
            Self::ObservationPeriod => OBSERVATION_PERIOD,
            Self::ConditionOccurrence => CONDITION_OCCURRENCE,
            Self::DrugExposure => DRUG_EXPOSURE,
            Self::ProcedureOccurrence => PROCEDURE_OCCURRENCE,
            Self::Measurement => MEASUREMENT,
            Self::Observation => OBSERVATION,
            Self::Death => DEATH,
            Self::Specimen => SPECIMEN,
            Self::Episode => EPISODE,
            Self::EpisodeEvent => EPISODE_EVENT,
            Self::ImageOccurrence => IMAGE_OCCURRENCE,
            Self::ImageFeature => IMAGE_FEATURE,
            Self::CdmSource => CDM_SOURCE,
            Self::Concept => CONCEPT,
            Self::Vocabulary => VOCABULARY,
            Self::Domain => DOMAIN,
            Self::ConceptClass => CONCEPT_CLASS,
        }
    }
}

const PERSON: &[Column] = &[
    "person_id",
    "gender_concept_id",
    "year_of_birth",
    "month_of_birth",
    "day_of_birth",
    "birth_datetime",
    "race_concept_id",
    "ethnicity_concept_id",
    "location_id",
    "provider_id",
    "care_site_id",
    "person_source_value",
    "gender_source_value",
    "gender_source_concept_id",
    "race_source_value",
    "race_source_concept_id",
    "ethnicity_source_value",
    "ethnicity_source_concept_id",
];

const OBSERVATION_PERIOD: &[Column] = &[
    "observation_period_id",
    "person_id",
    "observation_period_start_date",
    "observation_period_end_date",
    "period_type_concept_id",
];

const CONDITION_OCCURRENCE: &[Column] = &[
    "condition_occurrence_id",
    "person_id",
    "condition_concept_id",
    "condition_start_date",
    "condition_start_datetime",
    "condition_end_date",
    "condition_end_datetime",
    "condition_type_concept_id",
    "condition_status_concept_id",
    "stop_reason",
    "provider_id",
    "visit_occurrence_id",
    "visit_detail_id",
    "condition_source_value",
    "condition_source_concept_id",
    "condition_status_source_value",
];

const DRUG_EXPOSURE: &[Column] = &[
    "drug_exposure_id",
    "person_id",
    "drug_concept_id",
    "drug_exposure_start_date",
    "drug_exposure_start_datetime",
    "drug_exposure_end_date",
    "drug_exposure_end_datetime",
    "verbatim_end_date",
    "drug_type_concept_id",
    "stop_reason",
    "refills",
    "quantity",
    "days_supply",
    "sig",
    "route_concept_id",
    "lot_number",
    "provider_id",
    "visit_occurrence_id",
    "visit_detail_id",
    "drug_source_value",
    "drug_source_concept_id",
    "route_source_value",
    "dose_unit_source_value",
];

const PROCEDURE_OCCURRENCE: &[Column] = &[
    "procedure_occurrence_id",
    "person_id",
    "procedure_concept_id",
    "procedure_date",
    "procedure_datetime",
    "procedure_end_date",
    "procedure_end_datetime",
    "procedure_type_concept_id",
    "modifier_concept_id",
    "quantity",
    "provider_id",
    "visit_occurrence_id",
    "visit_detail_id",
    "procedure_source_value",
    "procedure_source_concept_id",
    "modifier_source_value",
];

const MEASUREMENT: &[Column] = &[
    "measurement_id",
    "person_id",
    "measurement_concept_id",
    "measurement_date",
    "measurement_datetime",
    "measurement_time",
    "measurement_type_concept_id",
    "operator_concept_id",
    "value_as_number",
    "value_as_concept_id",
    "unit_concept_id",
    "range_low",
    "range_high",
    "provider_id",
    "visit_occurrence_id",
    "visit_detail_id",
    "measurement_source_value",
    "measurement_source_concept_id",
    "unit_source_value",
    "unit_source_concept_id",
    "value_source_value",
    "measurement_event_id",
    "meas_event_field_concept_id",
];

const OBSERVATION: &[Column] = &[
    "observation_id",
    "person_id",
    "observation_concept_id",
    "observation_date",
    "observation_datetime",
    "observation_type_concept_id",
    "value_as_number",
    "value_as_string",
    "value_as_concept_id",
    "qualifier_concept_id",
    "unit_concept_id",
    "provider_id",
    "visit_occurrence_id",
    "visit_detail_id",
    "observation_source_value",
    "observation_source_concept_id",
    "unit_source_value",
    "qualifier_source_value",
    "value_source_value",
    "observation_event_id",
    "obs_event_field_concept_id",
];

const DEATH: &[Column] = &[
    "person_id",
    "death_date",
    "death_datetime",
    "death_type_concept_id",
    "cause_concept_id",
    "cause_source_value",
    "cause_source_concept_id",
];

const SPECIMEN: &[Column] = &[
    "specimen_id",
    "person_id",
    "specimen_concept_id",
    "specimen_type_concept_id",
    "specimen_date",
    "specimen_datetime",
    "quantity",
    "unit_concept_id",
    "anatomic_site_concept_id",
    "disease_status_concept_id",
    "specimen_source_id",
    "specimen_source_value",
    "unit_source_value",
    "anatomic_site_source_value",
    "disease_status_source_value",
];

const EPISODE: &[Column] = &[
    "episode_id",
    "person_id",
    "episode_concept_id",
    "episode_start_date",
    "episode_start_datetime",
    "episode_end_date",
    "episode_end_datetime",
    "episode_parent_id",
    "episode_number",
    "episode_object_concept_id",
    "episode_type_concept_id",
    "episode_source_value",
    "episode_source_concept_id",
];

const EPISODE_EVENT: &[Column] = &["episode_id", "event_id", "episode_event_field_concept_id"];

const IMAGE_OCCURRENCE: &[Column] = &[
    "image_occurrence_id",
    "person_id",
    "procedure_occurrence_id",
    "visit_occurrence_id",
    "anatomic_site_concept_id",
    "wadors_uri",
    "local_path",
    "image_occurrence_date",
    "image_study_uid",
    "image_series_uid",
    "modality_concept_id",
];

const IMAGE_FEATURE: &[Column] = &[
    "image_feature_id",
    "person_id",
    "image_occurrence_id",
    "image_feature_event_field_concept_id",
    "image_feature_event_id",
    "image_feature_concept_id",
    "image_feature_type_concept_id",
    "image_finding_concept_id",
    "image_finding_id",
    "anatomic_site_concept_id",
    "alg_system",
    "alg_datetime",
];

const CDM_SOURCE: &[Column] = &[
    "cdm_source_name",
    "cdm_source_abbreviation",
    "cdm_holder",
    "source_description",
    "source_documentation_reference",
    "cdm_etl_reference",
    "source_release_date",
    "cdm_release_date",
    "cdm_version",
    "cdm_version_concept_id",
    "vocabulary_version",
];

const CONCEPT: &[Column] = &[
    "concept_id",
    "concept_name",
    "domain_id",
    "vocabulary_id",
    "concept_class_id",
    "standard_concept",
    "concept_code",
    "valid_start_date",
    "valid_end_date",
    "invalid_reason",
];

const VOCABULARY: &[Column] = &[
    "vocabulary_id",
    "vocabulary_name",
    "vocabulary_reference",
    "vocabulary_version",
    "vocabulary_concept_id",
];

const DOMAIN: &[Column] = &["domain_id", "domain_name", "domain_concept_id"];

const CONCEPT_CLASS: &[Column] = &[
    "concept_class_id",
    "concept_class_name",
    "concept_class_concept_id",
];
