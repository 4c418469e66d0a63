//! Codes that profiles name themselves: which observation fills which field, and which answers stand for a word of the model's short
//! lists. Reading and writing share these tables. Taken from mCODE STU 4, from LOINC's and SNOMED CT's codes alone; their labels are not
//! kept.

use arno_domain::model::CodeSystem::{self, Icd10, IcdO3, Loinc, Ncit, Snomed};

/// Addresses of UCUM, of mCODE's profiles and extensions, and of FHIR's own extensions.
pub(super) const UCUM: &str = "http://unitsofmeasure.org";
pub(super) const MCODE: &str = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-";
pub(super) const RELATIVE_DATE: &str =
    "http://hl7.org/fhir/StructureDefinition/cqf-relativeDateTime";
pub(super) const ASSERTED_DATE: &str =
    "http://hl7.org/fhir/StructureDefinition/condition-assertedDate";
/// Our own: what the source wrote, a field without a place in FHIR (its name follows), a field as code of an observation, the key of a
/// record, a link of an event.
pub(super) const SOURCE: &str = "urn:arno:source";
pub(super) const FIELD: &str = "urn:arno:field:";
pub(super) const FIELDS: &str = "urn:arno:field";
pub(super) const RECORD: &str = "urn:arno:record";
pub(super) const LINK: &str = "urn:arno:link";

/// Other addresses of systems, and the version that they imply.
pub(super) const ALIASES: &[(&str, CodeSystem, &str)] = &[
    ("http://hl7.org/fhir/sid/icd-10-cm", Icd10, "ICD-10-CM"),
    (
        "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
        Icd10,
        "ICD-10-GM",
    ),
    (
        "http://fhir.de/CodeSystem/dimdi/icd-10-gm",
        Icd10,
        "ICD-10-GM",
    ),
    ("http://hl7.org/fhir/sid/icd-o-3", IcdO3, ""),
    ("urn:oid:2.16.840.1.113883.6.43.1", IcdO3, ""),
    ("https://ncit.nci.nih.gov", Ncit, ""),
    ("http://www.nlm.nih.gov/research/umls/nci", Ncit, ""),
];

/// An observation that fills a field.
pub(crate) struct Known {
    pub(crate) field: &'static str,
    pub(crate) system: CodeSystem,
    pub(crate) code: &'static str,
    /// What the code says of the kind of a stage.
    pub(crate) kind: &'static str,
}

const fn known(field: &'static str, system: CodeSystem, code: &'static str) -> Known {
    staged(field, system, code, "")
}

const fn staged(
    field: &'static str,
    system: CodeSystem,
    code: &'static str,
    kind: &'static str,
) -> Known {
    Known {
        field,
        system,
        code,
        kind,
    }
}

/// Which observation fills which field; of a field and a kind the first is written.
pub(super) const OBSERVATIONS: &[Known] = &[
    staged("stage_group", Snomed, "399390009", ""),
    staged("stage_group", Snomed, "399537006", "clinical"),
    staged("stage_group", Snomed, "399588009", "pathological"),
    staged("stage_group", Loinc, "21908-9", "clinical"),
    staged("stage_group", Loinc, "21902-2", "pathological"),
    staged("stage_group", Loinc, "21914-7", ""),
    staged("t_category", Snomed, "78873005", ""),
    staged("t_category", Snomed, "399504009", "clinical"),
    staged("t_category", Snomed, "384625004", "pathological"),
    staged("t_category", Loinc, "21905-5", "clinical"),
    staged("t_category", Loinc, "21899-0", "pathological"),
    staged("t_category", Loinc, "21911-3", ""),
    staged("n_category", Snomed, "277206009", ""),
    staged("n_category", Snomed, "399534004", "clinical"),
    staged("n_category", Snomed, "371494008", "pathological"),
    staged("n_category", Loinc, "21906-3", "clinical"),
    staged("n_category", Loinc, "21900-6", "pathological"),
    staged("n_category", Loinc, "21912-1", ""),
    staged("m_category", Snomed, "277208005", ""),
    staged("m_category", Snomed, "399387003", "clinical"),
    staged("m_category", Snomed, "371497001", "pathological"),
    staged("m_category", Loinc, "21907-1", "clinical"),
    staged("m_category", Loinc, "21901-4", "pathological"),
    staged("m_category", Loinc, "21913-9", ""),
    known("grade", Ncit, "C18000"),
    known("grade", Snomed, "371469007"),
    known("grade", Loinc, "33732-9"),
    known("grade", Loinc, "44648-4"),
    known("margins", Loinc, "44669-0"),
    known("tumour_size", Loinc, "33728-7"),
    known("tumour_size", Loinc, "21889-1"),
    known("nodes_examined", Loinc, "21894-1"),
    known("nodes_positive", Loinc, "21893-3"),
    known("nodes_positive", Loinc, "92831-7"),
    known("er_status", Loinc, "85337-4"),
    known("er_status", Loinc, "16112-5"),
    known("er_status", Loinc, "40556-3"),
    known("pr_status", Loinc, "85339-0"),
    known("pr_status", Loinc, "16113-3"),
    known("pr_status", Loinc, "40557-1"),
    known("her2_status", Loinc, "48676-1"),
    known("her2_status", Loinc, "85319-2"),
    known("her2_status", Loinc, "72383-3"),
    known("ki67", Loinc, "29593-1"),
    known("psa", Loinc, "2857-1"),
    known("psa", Loinc, "35741-8"),
    known("psa", Loinc, "83112-3"),
    known("gleason_score", Loinc, "35266-6"),
    known("tumour_status", Loinc, "97509-4"),
    known("recist_response", Loinc, "88040-1"),
];

/// The observation of that code, and of what kind of stage it speaks.
pub(crate) fn observation(system: CodeSystem, code: &str) -> Option<&'static Known> {
    let mut all = OBSERVATIONS.iter();
    all.find(|known| known.system == system && known.code == code)
}

const STATES: &[&str] = &[
    "er_status",
    "pr_status",
    "her2_status",
    "biomarker_result",
    "margins",
];
const INTERPRETATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
const SCT: &str = "http://snomed.info/sct";
const LNC: &str = "http://loinc.org";
const NCI: &str = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl";

/// For fields: a code, and the model's own word for it. Of a field and a word the first of SNOMED CT or NCIt is written beside ours.
pub(super) const WORDS: &[(&[&str], &str, &str, &str)] = &[
    (STATES, SCT, "10828004", "positive"),
    (STATES, SCT, "260385009", "negative"),
    (STATES, SCT, "42425007", "equivocal"),
    (STATES, SCT, "82334004", "equivocal"),
    (STATES, SCT, "260373001", "positive"),
    (STATES, SCT, "260415000", "negative"),
    (STATES, LNC, "LA6576-8", "positive"),
    (STATES, LNC, "LA6577-6", "negative"),
    (STATES, LNC, "LA11882-0", "positive"),
    (STATES, LNC, "LA11883-8", "negative"),
    (STATES, LNC, "LA11884-6", "equivocal"),
    (STATES, INTERPRETATION, "POS", "positive"),
    (STATES, INTERPRETATION, "NEG", "negative"),
    (STATES, INTERPRETATION, "IND", "equivocal"),
    (STATES, INTERPRETATION, "E", "equivocal"),
    (&["margins"], LNC, "LA27151-2", "negative"),
    (&["laterality"], SCT, "7771000", "left"),
    (&["laterality"], SCT, "24028007", "right"),
    (&["laterality"], SCT, "51440002", "both"),
    (&["laterality"], SCT, "399488007", "midline"),
    (&["grade"], SCT, "1155708003", "low"),
    (&["grade"], SCT, "1155707008", "high"),
    (&["grade"], LNC, "LA27824-4", "G2"),
    (&["diagnosis_basis"], SCT, "714797009", "histology"),
    (&["diagnosis_basis"], SCT, "252416005", "histology"),
    (&["diagnosis_basis"], SCT, "116147009", "cytology"),
    (&["diagnosis_basis"], SCT, "363679005", "imaging"),
    (&["diagnosis_basis"], SCT, "363680008", "imaging"),
    (&["diagnosis_basis"], SCT, "16310003", "imaging"),
    (&["diagnosis_basis"], SCT, "113091000", "imaging"),
    (&["diagnosis_basis"], SCT, "77477000", "imaging"),
    (&["diagnosis_basis"], SCT, "82918005", "imaging"),
    (&["diagnosis_basis"], SCT, "5880005", "clinical"),
    (&["tumour_status"], SCT, "268910001", "with_tumour"),
    (&["tumour_status"], SCT, "359746009", "with_tumour"),
    (&["tumour_status"], SCT, "271299001", "with_tumour"),
    (&["tumour_status"], SCT, "281900007", "tumour_free"),
    (&["recist_response"], LNC, "LA28366-5", "CR"),
    (&["recist_response"], LNC, "LA28369-9", "PR"),
    (&["recist_response"], LNC, "LA28371-5", "SD"),
    (&["recist_response"], LNC, "LA28370-7", "PD"),
    (&["recist_response"], NCI, "C4870", "CR"),
    (&["recist_response"], NCI, "C18058", "PR"),
    (&["recist_response"], NCI, "C18213", "SD"),
    (&["recist_response"], NCI, "C35571", "PD"),
    (&["recist_response"], NCI, "C62222", "NE"),
    (&["treatment_intent"], SCT, "373808002", "curative"),
    (&["treatment_intent"], SCT, "363676003", "palliative"),
    (&["treatment_intent"], SCT, "373846009", "adjuvant"),
    (&["treatment_intent"], SCT, "373847000", "neoadjuvant"),
    (&["treatment_kind"], SCT, "387713003", "surgery"),
    (&["treatment_kind"], SCT, "108290001", "radiotherapy"),
    (&["treatment_kind"], SCT, "1217123003", "radiotherapy"),
    (&["treatment_kind"], SCT, "367336001", "chemotherapy"),
    (&["treatment_kind"], SCT, "169413002", "hormone"),
    (&["treatment_kind"], SCT, "76334006", "immunotherapy"),
];

/// The model's own word for a code.
pub(crate) fn word(field: &str, system: &str, code: &str) -> Option<&'static str> {
    let mut all = WORDS.iter();
    all.find(|(fields, uri, known, _)| fields.contains(&field) && *uri == system && *known == code)
        .map(|(.., word)| *word)
}

/// Methods of staging by their codes, as the model writes them.
pub(super) const METHODS: &[(&str, &str)] = &[
    ("444256004", "AJCC 6"),
    ("443830009", "AJCC 7"),
    ("897275008", "AJCC 8"),
    ("1269566009", "AJCC 9"),
];

/// How SNOMED CT names the values of AJCC's staging; what follows is the value.
pub(super) const AJCC: &str = "American Joint Committee on Cancer ";

/// Our own: the series that an annotation belongs to.
pub(super) const SERIES: &str = "urn:arno:series";

/// The types of resources of R4.
pub(super) const RESOURCES: &str = "Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse \
AuditEvent Basic Binary BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem \
ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem Communication CommunicationRequest CompartmentDefinition \
Composition ConceptMap Condition Consent Contract Coverage CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device \
DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference \
EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable \
ExampleScenario ExplanationOfBenefit FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse HealthcareService \
ImagingStudy Immunization ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice Library Linkage \
List Location Measure MeasureReport Media Medication MedicationAdministration MedicationDispense MedicationKnowledge MedicationRequest \
MedicationStatement MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication \
MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged \
MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition MessageHeader MolecularSequence NamingSystem \
NutritionOrder Observation ObservationDefinition OperationDefinition OperationOutcome Organization OrganizationAffiliation Parameters \
Patient PaymentNotice PaymentReconciliation Person PlanDefinition Practitioner PractitionerRole Procedure Provenance Questionnaire \
QuestionnaireResponse RelatedPerson RequestGroup ResearchDefinition ResearchElementDefinition ResearchStudy ResearchSubject \
RiskAssessment RiskEvidenceSynthesis Schedule SearchParameter ServiceRequest Slot Specimen SpecimenDefinition StructureDefinition \
StructureMap Subscription Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation \
SubstanceSourceMaterial SubstanceSpecification SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport TestScript ValueSet \
VerificationResult VisionPrescription";

/// Our own: the pseudonym of a patient, as system of an identifier.
pub(super) const PSEUDONYM: &str = "urn:arno:pseudonym";
/// Our own: entities of the model, as system of a code.
pub(super) const ENTITY: &str = "urn:arno:entity";
