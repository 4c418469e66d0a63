//! Bundles and lines that are right, and those that are not: each problem is named with its entry and path, and nothing is half there.

use std::fs;

use arno_domain::model::{CodeSystem, Coded, Entity, Field, Value};
use serde_json::{Value as Json, json};

use super::FhirMapping;
use crate::{Checked, Draft, DraftContent, DraftKey};

const MCODE: &str = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-";
const SCT: &str = "http://snomed.info/sct";
const LNC: &str = "http://loinc.org";

fn mapping(text: &str) -> FhirMapping {
    FhirMapping::parse(text).unwrap()
}

fn plain() -> FhirMapping {
    mapping("source = \"ehr\"\n[fhir]\nidentifier_system = \"urn:hospital\"\n")
}

fn checked_file(name: &str, bytes: &[u8], mapping: &FhirMapping) -> Checked {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    match super::check(&path, mapping) {
        Ok(checked) => checked,
        Err(error) => panic!("{error}"),
    }
}

fn bundle(resources: &[Json]) -> Vec<u8> {
    let entries: Vec<_> = resources
        .iter()
        .map(|resource| json!({"resource": resource}))
        .collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
        .to_string()
        .into_bytes()
}

fn checked(resources: &[Json]) -> Checked {
    checked_file("b.json", &bundle(resources), &plain())
}

fn problems(checked: &Checked) -> Vec<String> {
    checked.problems.iter().map(ToString::to_string).collect()
}

fn concept(system: &str, code: &str) -> Json {
    json!({"coding": [{"system": system, "code": code}]})
}

fn patient(id: &str) -> Json {
    json!({"resourceType": "Patient", "id": id, "gender": "female", "birthDate": "1960-05-02",
        "identifier": [{"system": "urn:insurance", "value": "X9"}, {"system": "urn:hospital", "value": format!("H-{id}")}]})
}

fn condition() -> Json {
    json!({"resourceType": "Condition", "id": "c1", "meta": {"profile": [format!("{MCODE}primary-cancer-condition")]},
        "subject": {"reference": "Patient/p1"}, "onsetDateTime": "2018-03-01",
        "code": {"coding": [{"system": SCT, "code": "254837009"}], "text": "Mammakarzinom"},
        "bodySite": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/icd-o-3", "code": "C50.4", "version": "3.2"}],
            "extension": [{"url": format!("{MCODE}laterality-qualifier"), "valueCodeableConcept": concept(SCT, "7771000")}]}],
        "extension": [{"url": format!("{MCODE}histology-morphology-behavior"),
            "valueCodeableConcept": concept("http://terminology.hl7.org/CodeSystem/icd-o-3", "8500/3")}],
        "evidence": [{"code": [concept(SCT, "252416005")]}]})
}

fn observation(id: &str, code: Json, value: Json) -> Json {
    let mut resource = json!({"resourceType": "Observation", "id": id, "status": "final", "code": code,
        "subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2018-03-16T10:00:00+01:00"});
    for (key, value) in value.as_object().unwrap() {
        resource[key] = value.clone();
    }
    resource
}

fn of(checked: &Checked, entity: Entity) -> Vec<&Draft> {
    let drafts = checked.drafts.iter();
    drafts.filter(|draft| draft.entity == entity).collect()
}

fn said(draft: &Draft, name: &str) -> Option<(DraftContent, Option<String>)> {
    let field = Field::parse(name).unwrap();
    let value = draft.values.iter().find(|value| value.field == field)?;
    Some((value.said.content.clone(), value.said.source.clone()))
}

fn code(draft: &Draft, name: &str) -> String {
    match said(draft, name) {
        Some((DraftContent::Known(Value::Code(coded)), _)) => {
            let version = coded
                .version
                .map_or(String::new(), |version| format!("|{version}"));
            format!("{}|{}{version}", coded.system, coded.code)
        }
        other => format!("{other:?}"),
    }
}

fn number(draft: &Draft, name: &str) -> Option<f64> {
    match said(draft, name)?.0 {
        DraftContent::Known(Value::Number(number)) => Some(number),
        _ => None,
    }
}

#[test]
fn a_patient_of_mcode_becomes_records() {
    let quantity = |value: f64, unit: &str| json!({"value": value, "system": "http://unitsofmeasure.org", "code": unit});
    let focus = json!([{"reference": "Condition/c1"}]);
    let checked = checked(&[
        // The order of entries says nothing.
        observation(
            "g",
            concept(SCT, "399537006"),
            json!({"focus": focus, "method": concept(SCT, "897275008"),
            "valueCodeableConcept": {"coding": [{"system": SCT, "code": "1222769001",
                "display": "American Joint Committee on Cancer stage IIB (qualifier value)"}]},
            "hasMember": [{"reference": "Observation/t"}, {"reference": "Observation/n"}]}),
        ),
        observation(
            "t",
            concept(LNC, "21905-5"),
            json!({"valueCodeableConcept": concept("http://cancerstaging.org", "cT3")}),
        ),
        observation(
            "n",
            concept(SCT, "399534004"),
            json!({"valueCodeableConcept": concept("http://cancerstaging.org", "N0")}),
        ),
        observation(
            "er",
            concept(LNC, "85337-4"),
            json!({"valueCodeableConcept": concept(LNC, "LA6576-8")}),
        ),
        observation(
            "her2",
            concept(LNC, "48676-1"),
            json!({"interpretation": [concept("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "NEG")]}),
        ),
        observation(
            "ki",
            concept(LNC, "29593-1"),
            json!({"valueQuantity": quantity(22.5, "%")}),
        ),
        observation(
            "psa",
            concept(LNC, "2857-1"),
            json!({"valueQuantity": quantity(4500.0, "ng/L")}),
        ),
        observation(
            "size",
            concept(LNC, "21889-1"),
            json!({"component": [
            {"code": concept(LNC, "33728-7"), "valueQuantity": quantity(2.5, "cm")},
            {"code": concept(LNC, "33729-5"), "valueQuantity": quantity(1.5, "cm")}]}),
        ),
        observation(
            "grade",
            concept(
                "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
                "C18000",
            ),
            json!({"valueCodeableConcept": concept(SCT, "1155707008"), "method": {"text": "Nottingham"}}),
        ),
        observation(
            "status",
            concept(LNC, "97509-4"),
            json!({"valueCodeableConcept": concept(SCT, "359746009")}),
        ),
        observation(
            "response",
            concept(LNC, "88040-1"),
            json!({"valueCodeableConcept": concept(LNC, "LA28369-9")}),
        ),
        observation(
            "pulse",
            concept(LNC, "8867-4"),
            json!({"valueQuantity": quantity(70.0, "/min")}),
        ),
        condition(),
        patient("p1"),
        json!({"resourceType": "Procedure", "id": "op", "status": "completed", "subject": {"reference": "Patient/p1"},
            "meta": {"profile": [format!("{MCODE}cancer-related-surgical-procedure")]},
            "extension": [{"url": format!("{MCODE}procedure-intent"), "valueCodeableConcept": concept(SCT, "373808002")}],
            "code": concept(SCT, "64368001"), "performedPeriod": {"start": "2018-04-01", "end": "2018-04-02"}}),
        json!({"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order", "authoredOn": "2018-05-01",
            "subject": {"reference": "Patient/p1"}, "reasonReference": [{"reference": "Condition/c1"}],
            "medicationReference": {"reference": "Medication/x"}}),
        json!({"resourceType": "Medication", "id": "x", "code": concept("http://www.whocc.no/atc", "L02BA01")}),
        json!({"resourceType": "Encounter", "id": "e"}),
    ]);
    assert_eq!(problems(&checked), Vec::<String>::new());
    assert!(checked.drafts.iter().all(|draft| &*draft.patient == "H-p1"));
    let one = |entity: Entity| match of(&checked, entity).as_slice() {
        [one] => (*one).clone(),
        other => panic!("{entity:?}: {}", other.len()),
    };
    assert_eq!(code(&one(Entity::Patient), "sex"), "dicom|F");

    let diagnosis = one(Entity::Diagnosis);
    assert_eq!(
        code(&diagnosis, "diagnosis"),
        "icdo3|C50.4|3.2",
        "a topography says more"
    );
    assert_eq!(
        said(&diagnosis, "diagnosis").unwrap().1.as_deref(),
        Some("Mammakarzinom")
    );
    assert_eq!(code(&diagnosis, "morphology"), "icdo3|8500/3");
    assert_eq!(code(&diagnosis, "laterality"), "arno|left");
    assert_eq!(code(&diagnosis, "diagnosis_basis"), "arno|histology");
    assert_eq!(
        number(&diagnosis, "age_at_diagnosis"),
        Some(57.0),
        "a day before the birthday is a year less"
    );
    let date = said(&diagnosis, "diagnosis_date").unwrap().0;
    assert_eq!(date, DraftContent::Date("2018-03-01".parse().unwrap()));

    let stage = one(Entity::Stage);
    assert_eq!(stage.parent, Some(diagnosis.key.clone()));
    assert_eq!(code(&stage, "stage_group"), "tnm|IIB");
    assert_eq!(
        said(&stage, "stage_group").unwrap().1.as_deref(),
        Some("http://snomed.info/sct|1222769001")
    );
    assert_eq!(code(&stage, "t_category"), "tnm|T3");
    assert_eq!(code(&stage, "n_category"), "tnm|N0");
    assert_eq!(code(&stage, "stage_kind"), "arno|clinical");
    let words = |draft: &Draft, name: &str| said(draft, name).unwrap().0;
    assert_eq!(
        words(&stage, "stage_edition"),
        DraftContent::Known(Value::Words("AJCC 8".into()))
    );

    let markers = of(&checked, Entity::Biomarker);
    assert_eq!(markers.len(), 4);
    assert!(
        markers
            .iter()
            .all(|marker| marker.parent == Some(diagnosis.key.clone())),
        "the patient's only one"
    );
    let marker = |name: &str| {
        markers
            .iter()
            .find(|marker| said(marker, name).is_some())
            .unwrap()
    };
    assert_eq!(code(marker("er_status"), "er_status"), "arno|positive");
    assert_eq!(code(marker("her2_status"), "her2_status"), "arno|negative");
    assert_eq!(number(marker("ki67"), "ki67"), Some(22.5));
    assert_eq!(number(marker("psa"), "psa"), Some(4.5));
    assert_eq!(
        said(marker("psa"), "psa").unwrap().1.as_deref(),
        Some("4500.0 ng/L")
    );

    let pathology = of(&checked, Entity::Pathology);
    assert_eq!(number(pathology[0], "tumour_size"), Some(25.0));
    assert_eq!(code(pathology[1], "grade"), "arno|high");
    assert_eq!(
        code(&one(Entity::Outcome), "tumour_status"),
        "arno|with_tumour"
    );
    assert_eq!(
        code(&one(Entity::Measurement), "recist_response"),
        "arno|PR"
    );

    let [operation, medicine] = of(&checked, Entity::Treatment).try_into().unwrap();
    assert_eq!(code(operation, "treatment_kind"), "arno|surgery");
    assert_eq!(code(operation, "treatment_intent"), "arno|curative");
    assert_eq!(code(medicine, "treatment"), "atc|L02BA01");

    let left_out: Vec<_> = checked
        .left_out
        .iter()
        .map(|one| one.what.as_str())
        .collect();
    assert_eq!(
        left_out,
        ["Encounter", "Observation http://loinc.org|8867-4"]
    );
}

#[test]
fn lines_and_folders_are_read_as_bundles_are() {
    let folder = tempfile::tempdir().unwrap();
    let lines = |name: &str, resources: &[Json]| {
        let lines: Vec<_> = resources.iter().map(Json::to_string).collect();
        fs::write(folder.path().join(name), lines.join("\n")).unwrap();
    };
    lines("Condition.ndjson", &[condition()]);
    lines("Patient.ndjson", &[patient("p1"), patient("p2")]);
    let checked = super::check(folder.path(), &plain()).unwrap();
    assert_eq!(problems(&checked), Vec::<String>::new());
    assert_eq!(of(&checked, Entity::Diagnosis).len(), 1);
    lines(
        "Condition.ndjson",
        &[
            condition(),
            json!({"resourceType": "Condition", "id": "c2",
        "code": concept("http://hl7.org/fhir/sid/icd-10-gm", "C34.1"), "subject": {"reference": "Patient/nobody"},
        "meta": {"profile": [format!("{MCODE}primary-cancer-condition")]}}),
        ],
    );
    let broken = super::check(folder.path(), &plain()).unwrap();
    let found = problems(&broken);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("Condition.ndjson, line 2, subject.reference, points at nothing"),
        "{found:?}"
    );
}

#[test]
fn the_hospitals_own_codes_are_those_of_the_mapping() {
    let mapping = mapping(
        r#"
source = "ehr"
[fhir]
identifier_system = "urn:hospital"
observations = { "urn:lab|HER2" = "her2_status" }
[codes.her2_status]
system = "arno"
map = { "urn:lab|3+" = "positive", "keine" = "negative" }
"#,
    );
    let resources = [
        patient("p1"),
        observation(
            "a",
            concept("urn:lab", "HER2"),
            json!({"valueCodeableConcept": concept("urn:lab", "3+")}),
        ),
        observation(
            "b",
            concept("urn:lab", "HER2"),
            json!({"valueString": "Keine"}),
        ),
        observation(
            "c",
            concept("urn:lab", "HER2"),
            json!({"valueCodeableConcept": concept("urn:lab", "2+")}),
        ),
    ];
    let checked = checked_file("b.json", &bundle(&resources), &mapping);
    assert_eq!(problems(&checked), Vec::<String>::new());
    let found: Vec<_> = of(&checked, Entity::Biomarker)
        .iter()
        .map(|draft| said(draft, "her2_status").unwrap().0)
        .collect();
    let known = |word: &str| DraftContent::Known(Value::Code(Coded::new(CodeSystem::Arno, word)));
    assert_eq!(
        found,
        [known("positive"), known("negative"), DraftContent::Uncoded]
    );
    let uncoded = &checked.uncoded[0];
    assert_eq!(
        (
            uncoded.column.as_str(),
            uncoded.value.as_str(),
            uncoded.count
        ),
        ("Observation.valueCodeableConcept", "urn:lab|2+", 1)
    );
}

#[test]
fn the_same_resource_has_the_same_key_when_it_comes_again() {
    let keys = |resources: &[Json]| -> Vec<DraftKey> {
        checked(resources)
            .drafts
            .iter()
            .map(|draft| draft.key.clone())
            .collect()
    };
    assert_eq!(
        keys(&[patient("p1"), condition()]),
        keys(&[patient("p1"), condition()])
    );
}

#[test]
fn what_was_withdrawn_or_never_done_is_left_out() {
    let check = |resource: Json, expect: &str| {
        let checked = checked(&[patient("p1"), condition(), resource]);
        assert_eq!(problems(&checked), Vec::<String>::new());
        let left_out: Vec<_> = checked
            .left_out
            .iter()
            .map(|one| one.what.as_str())
            .collect();
        assert_eq!(left_out, [expect]);
    };
    let medication = |key: &str, value: Json| {
        let mut resource = json!({"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
            "subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": concept("http://www.whocc.no/atc", "L02BA01")});
        resource[key] = value;
        resource
    };
    check(
        medication("intent", json!("proposal")),
        "MedicationRequest that is proposal",
    );
    check(
        medication("status", json!("entered-in-error")),
        "MedicationRequest that is entered-in-error",
    );
    check(
        medication("doNotPerform", json!(true)),
        "MedicationRequest that says what not to do",
    );
    check(
        medication("reasonReference", json!([])),
        "MedicationRequest that nothing ties to a cancer",
    );
    let mut refuted = condition();
    refuted["id"] = json!("c2");
    refuted["verificationStatus"] = concept(
        "http://terminology.hl7.org/CodeSystem/condition-ver-status",
        "refuted",
    );
    check(refuted, "Condition that is refuted");
    let pressure = json!({"resourceType": "Condition", "id": "c2", "subject": {"reference": "Patient/p1"},
        "onsetDateTime": "1999-01-01", "code": concept("http://hl7.org/fhir/sid/icd-10", "I10")});
    check(pressure, "Condition that is no cancer");
    check(
        observation(
            "x",
            concept(LNC, "2857-1"),
            json!({"valueQuantity": {"value": 0.1, "comparator": "<", "unit": "ng/mL"}}),
        ),
        "Observation with a bound in place of a number, for psa",
    );
}
