//! Clinical files as hospitals really have them: each of these is broken in one way, is made by the test, and is answered with problems
//! that name the place and say what to do. Nothing of any of them could be loaded, and none of them makes the program large or slow.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod resources;
mod tables;
mod workbook;

use std::{fs, path::Path};

use arno_clinical::{SourceMapping, source::check};

const TABLE: &str = r#"
source = "registry"
[file]
missing = ["NA"]
dates = ["iso"]
[patient]
column = "id"
once = true
[[record]]
entity = "diagnosis"
fields = [{ field = "diagnosis", column = "icd", system = "icd10" }, { field = "diagnosis_date", column = "date" }]
[[record]]
entity = "pathology"
fields = [{ field = "tumour_size", column = "size", unit = "mm" }, { field = "histology", column = "words" }]
"#;
const FHIR: &str = "source = \"ehr\"\n[fhir]\nidentifier_system = \"urn:h\"\n";

/// What a file is answered with; nothing if it could be loaded.
fn answers(name: &str, bytes: &[u8], mapping: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    answers_of(&path, mapping)
}

fn answers_of(path: &Path, mapping: &str) -> Vec<String> {
    match check(path, &SourceMapping::parse(mapping).unwrap(), None) {
        Ok(checked) => checked.problems.iter().map(ToString::to_string).collect(),
        Err(error) if error.problems().is_empty() => {
            let folder = path.parent().unwrap().display().to_string();
            vec![error.to_string().replace(&folder, "")]
        }
        Err(error) => error.problems().iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
fn is_answered(found: &[String], expect: &[&str]) {
    assert_eq!(found.len(), expect.len(), "{found:#?}");
    for (found, expect) in found.iter().zip(expect) {
        let (place, what) = expect.split_once(" … ").unwrap_or((expect, ""));
        assert!(
            found.starts_with(place) && found.contains(what),
            "{found}\nis not\n{expect}"
        );
        assert!(!found.contains("Geheim"), "{found}");
    }
}
