//! FHIR: bundles and lines.

use arno_clinical::SourceMapping;

use crate::{FHIR, answers, is_answered};

#[track_caller]
fn fhir(text: &str, expect: &[&str]) {
    is_answered(&answers("b.json", text.as_bytes(), FHIR), expect);
}

/// A bundle of a patient and these entries.
fn bundle(entries: &str) -> String {
    let patient = r#"{"resource":{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:h","value":"Geheim"}]}}"#;
    format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{patient}{entries}]}}"#)
}

/// A further entry: an observation of the patient, with this besides.
fn observation(id: &str, code: &str, more: &str) -> String {
    format!(
        r#",{{"resource":{{"resourceType":"Observation","id":"{id}","status":"final","subject":{{"reference":"Patient/p"}},"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}}{more}}}}}"#
    )
}

#[test]
fn bundles_that_are_none() {
    fhir(&bundle(""), &[]);
    fhir("", &["/b.json: the file is empty"]);
    fhir(
        "[1, 2]",
        &["something else stands where a bundle has an object"],
    );
    fhir(
        r#"{"resourceType":"Patient","id":"p"}"#,
        &["column resourceType, a Bundle is wanted"],
    );
    fhir(
        r#"{"resourceType":"Bundle","type":"history","entry":[]}"#,
        &["column type, a bundle of type collection"],
    );
    fhir(
        r#"{"resourceType":"Bundle","type":"searchset","link":[{"relation":"next","url":"x"}],"entry":[]}"#,
        &["column link, this is one page"],
    );
    let whole = bundle(&observation("o", "2857-1", ""));
    fhir(
        &whole[..whole.len() - 30],
        &["entry 2, resource.code.coding[0].system, it ends in the middle … cut off"],
    );
    fhir(
        &format!("{whole}{whole}"),
        &["no JSON from line 1 … one bundle a file"],
    );
    is_answered(
        &answers(
            "b.json",
            &whole
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>(),
            FHIR,
        ),
        &["/b.json: this is not UTF-8"],
    );
    is_answered(
        &answers("b.xml", b"<Bundle/>", FHIR),
        &["/b.xml: a bundle ends in .json"],
    );
    let latin = bundle(&observation("o", "2857-1", r#","note":"M?ller""#)).into_bytes();
    let latin: Vec<u8> = latin
        .into_iter()
        .map(|byte| if byte == b'?' { 0xFC } else { byte })
        .collect();
    is_answered(
        &answers("b.json", &latin, FHIR),
        &["entry 2, resource.note, no JSON … UTF-8"],
    );
}

#[test]
fn entries_that_cannot_be_used() {
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    fhir(
        &bundle(&observation(
            "o",
            "2857-1",
            &format!(r#","extension":{deep}"#),
        )),
        &["entry 2, resource.extension[0][0] … nested deeper than 128 levels"],
    );
    fhir(
        &bundle(&observation("o", "2857-1", r#","status":"amended""#)),
        &["entry 2, resource.status, this key comes twice"],
    );
    fhir(
        &bundle(&observation(
            "o",
            "2857-1",
            r#","valueQuantity":{"value":18446744073709551616,"unit":"ng/mL"}"#,
        )),
        &["entry 2, Observation.valueQuantity.value, a number beyond 2^53"],
    );
    fhir(
        &bundle(&observation(
            "o",
            "2857-1",
            r#","valueQuantity":{"value":1e999,"unit":"ng/mL"}"#,
        )),
        &["entry 2, resource.valueQuantity.value, a number that is larger"],
    );
    fhir(
        &bundle(&observation(
            "o",
            "2857-1",
            r#","valueQuantity":{"value":"4.5","unit":"ng/mL"}"#,
        )),
        &["entry 2, Observation.valueQuantity.value, a number is wanted here, without quotes"],
    );
    fhir(
        &bundle(&observation(
            "o",
            "2857-1",
            r#","valueQuantity":{"value":4.5}"#,
        )),
        &["entry 2, Observation.valueQuantity, a number without a unit"],
    );
    fhir(
        &bundle(&observation(
            "o",
            "2857-1",
            r#","valueQuantity":{"value":4.5,"unit":"mmol/L"}"#,
        )),
        &["entry 2, Observation.valueQuantity, a unit that is not turned into ng/mL"],
    );
    fhir(
        &bundle(&observation(
            "o",
            "85337-4",
            r#","valueCodeableConcept":"positive""#,
        )),
        &["entry 2, Observation.valueCodeableConcept, an object is wanted"],
    );
    fhir(
        &bundle(&observation(
            "o",
            "2857-1",
            r#","effectiveDateTime":"2020-02-30","valueQuantity":{"value":4.5,"unit":"ng/mL"}"#,
        )),
        &["entry 2, Observation.effectiveDateTime, no date that there is"],
    );
    fhir(
        &bundle(
            r#",{"resource":{"resourceType":"Pateint","id":"x"}},{"resource":{"id":"y"}},{"resource":7},8"#,
        ),
        &[
            "entry 2, resourceType, no type of resource",
            "entry 3, resourceType, no resourceType",
            "entry 4, a resource is an object",
            "entry 5, an entry is an object",
        ],
    );
    let again = observation("o", "2857-1", "");
    fhir(
        &bundle(&format!("{again}{again}")),
        &["entry 3, Observation.id, an earlier entry has the same id"],
    );
    let large = format!(r#","note":"{}""#, "x".repeat(9 << 20));
    fhir(
        &bundle(&observation("o", "2857-1", &large)),
        &["entry 2, resource.note, an entry of more than 8 MB"],
    );
}

#[test]
fn references_that_lead_nowhere_or_back() {
    let other = observation("o", "85337-4", r#","valueCodeableConcept":{"text":"+"}"#)
        .replace("Patient/p", "Patient/q");
    fhir(
        &bundle(&other),
        &["entry 2, subject.reference, points at nothing"],
    );
    let focus = observation(
        "o",
        "85337-4",
        r#","focus":[{"reference":"Condition/c"}],"valueCodeableConcept":{"text":"+"}"#,
    );
    fhir(
        &bundle(&focus),
        &["entry 2, Observation.focus[0].reference, points at nothing"],
    );
    let stage = |id: &str, member: &str| {
        observation(
            id,
            "21908-9",
            &format!(
                r#","hasMember":[{{"reference":"Observation/{member}"}}],"valueCodeableConcept":{{"coding":[{{"system":"http://cancerstaging.org","code":"IIIA"}}]}}"#
            ),
        )
    };
    fhir(
        &bundle(&format!("{}{}", stage("a", "b"), stage("b", "a"))),
        &[
            "entry 2, Observation.hasMember, its members lead back to it",
            "entry 3, Observation.hasMember, its members lead back to it",
        ],
    );
    fhir(
        &bundle(&stage("a", "a")),
        &["entry 2, Observation.hasMember, its members lead back"],
    );
    let itself = observation("o", "85337-4", r#","valueCodeableConcept":{"text":"+"}"#)
        .replace("Patient/p", "Observation/o");
    fhir(
        &bundle(&itself),
        &["entry 2, subject.reference, points at something that is no patient"],
    );
    fhir(
        &bundle(
            &observation("o", "85337-4", "").replace(r#""subject":{"reference":"Patient/p"},"#, ""),
        ),
        &["entry 2, Observation.subject, nothing says which patient"],
    );
}

#[test]
fn patients_that_cannot_be_told() {
    let patient = |identifiers: &str| {
        format!(
            r#",{{"resource":{{"resourceType":"Patient","id":"q","identifier":[{identifiers}]}}}}"#
        )
    };
    fhir(
        &bundle(&patient(r#"{"system":"urn:other","value":"Geheim"}"#)),
        &[
            "entry 2, Patient.identifier, no identifier of the system that counts (urn:h) … urn:other",
        ],
    );
    fhir(
        &bundle(&patient(
            r#"{"system":"urn:h","value":"Geheim1"},{"system":"urn:h","value":"Geheim2"}"#,
        )),
        &["entry 2, Patient.identifier, several identifiers"],
    );
    let plain = "source = \"ehr\"\n[fhir]\n";
    let two = bundle(&patient(
        r#"{"system":"urn:a","value":"Geheim1"},{"system":"urn:b","value":"Geheim2"}"#,
    ));
    is_answered(
        &answers("b.json", two.as_bytes(), plain),
        &["entry 2, Patient.identifier, several identifiers: name the system … urn:a, urn:b"],
    );
    // The same person twice, as of two sexes.
    let twice = |gender: &str| {
        format!(
            r#",{{"resource":{{"resourceType":"Patient","id":"{gender}","gender":"{gender}","identifier":[{{"system":"urn:h","value":"Geheim"}}]}}}}"#
        )
    };
    fhir(
        &bundle(&format!("{}{}", twice("male"), twice("female"))),
        &["entry 3, patient, says another sex of the same patient than entry 2"],
    );
}

#[test]
fn lines_are_named_one_by_one() {
    let lines = format!(
        "{}\n\n{{\"resourceType\":\n{}\n",
        r#"{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:h","value":"Geheim"}]}"#,
        r#"{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/p"},"code":{"text":"x"},"status":"final","status":"final"}"#
    );
    is_answered(
        &answers("b.ndjson", lines.as_bytes(), FHIR),
        &[
            "line 3, resourceType, it ends in the middle",
            "line 4, status, this key comes twice",
        ],
    );
}

#[test]
fn a_mapping_says_of_what_kind_it_is() {
    let error = SourceMapping::parse("source = 1\n[fhir]\n").unwrap_err();
    assert!(error.to_string().contains("line 1"), "{error}");
    is_answered(
        &answers(
            "b.json",
            bundle("").as_bytes(),
            &format!("{FHIR}observations = {{ \"a|b\" = \"er_statu\" }}\n"),
        ),
        &["mapping, fhir.observations: \"er_statu\" is no field; did you mean er_status?"],
    );
}

#[test]
fn no_damage_to_a_bundle_makes_the_reader_fail_itself() {
    let whole = bundle(&observation(
        "o",
        "2857-1",
        r#","effectiveDateTime":"2020-01-31","valueQuantity":{"value":4.5,"unit":"ng/mL"}"#,
    ));
    for length in 1..whole.len() - 1 {
        let found = answers("b.json", &whole.as_bytes()[..length], FHIR);
        assert!(!found.is_empty(), "cut off after {length} bytes");
    }
    for at in 0..whole.len() {
        for letter in *b"\0\"{[9\xff" {
            let mut bytes = whole.clone().into_bytes();
            bytes[at] = letter;
            answers("b.json", &bytes, FHIR);
        }
    }
}
