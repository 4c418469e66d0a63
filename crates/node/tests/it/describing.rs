//! How series were acquired and what annotates them is found out when images come in, stays true when the index is made anew, is known of
//! series from before, and can be searched.

use std::{collections::BTreeMap, io::Read as _, path::Path};

use arno_domain::{
    SearchId,
    cohort::Cohort,
    model::{Entity, Field, Record, Value},
};
use arno_protocol::{
    federation::{AnswerBody, QuestionBody},
    search::CriterionStatus,
};

use crate::{
    rebuilding::lose_the_index,
    support::{
        TestNode, ask,
        dicom::{MEIER, NOVAK, Person, Slice, series},
    },
};

/// All records of images, by entity and key.
async fn records(node: &TestNode) -> BTreeMap<(Entity, String), Record> {
    let mut found = BTreeMap::new();
    let mut each = |mut record: Record| {
        record.values.sort_by_key(|value| value.field);
        found.insert((record.entity, record.key.clone()), record);
    };
    node.node.store().clinical_records(&mut each).await.unwrap();
    found
}

fn value(record: &Record, field: &str) -> Option<Value> {
    record.value(Field::parse(field).unwrap()).cloned()
}

fn of(records: &BTreeMap<(Entity, String), Record>, entity: Entity) -> Vec<&Record> {
    let records = records.values();
    records.filter(|record| record.entity == entity).collect()
}

async fn search(node: &TestNode, text: &str) -> AnswerBody {
    let question = QuestionBody::Search {
        search: SearchId::new(),
        data_user: "ada".into(),
        cohort: text.parse::<Cohort>().unwrap(),
        facets: Vec::new(),
    };
    ask(&node.node, question).await
}

#[tokio::test]
async fn series_from_before_are_described_from_their_metadata() {
    let mut node = TestNode::new().await;
    for (study, person) in [(1, MEIER), (2, NOVAK)] {
        for slice in series(person, study, 1, 3) {
            node.put(&format!("{study}-{}.dcm", slice.number), slice.file());
        }
    }
    let drawn_on = Slice {
        person: MEIER,
        study: 1,
        series: 1,
        number: 2,
    };
    node.put("rtstruct.dcm", drawn_on.structure_set());
    node.ingest().await;
    let found = records(&node).await;
    for record in of(&found, Entity::Series) {
        let instances = match value(record, "modality") {
            Some(Value::Code(code)) if code.code == "CT" => 3.0,
            _ => 1.0,
        };
        assert_eq!(value(record, "instances"), Some(Value::Number(instances)));
        assert!(value(record, "sop_class").is_some());
    }
    let annotations = of(&found, Entity::Annotation);
    assert_eq!(annotations.len(), 1);
    assert_eq!(value(annotations[0], "segments"), Some(Value::Number(1.0)));

    lose_the_index(&mut node).await;
    assert!(of(&records(&node).await, Entity::Series).is_empty());
    node.node.repair("test", || ()).await.unwrap();
    assert_eq!(records(&node).await, found);
    assert_eq!(node.node.describe_due().await.unwrap(), 0);
}

/// What fewer than five patients have is not asked about, so that there are six.
#[tokio::test]
async fn what_headers_say_can_be_searched() {
    let node = TestNode::new().await;
    for (study, id) in (1..).zip(["A-1", "A-2", "A-3", "A-4", "A-5", "A-6"]) {
        let person = Person { id, ..MEIER };
        node.put(&format!("{id}.dcm"), series(person, study, 1, 1)[0].file());
    }
    node.ingest().await;
    let text = "rows = 16 and pixel_spacing = 2 mm and sop_class recorded and kernel recorded";
    let AnswerBody::Counts(answer) = search(&node, text).await else {
        panic!("nothing counted")
    };
    let statuses: Vec<_> = answer.criteria.iter().map(|one| one.status).collect();
    use CriterionStatus::{Applied, Unsupported};
    assert_eq!(statuses, [Applied, Applied, Applied, Unsupported]);
}

/// A node with some real series: of each folder in the archive, so many files at most. `None` where the data is not here.
async fn real(name: &str, folders: &[&str], most: usize) -> Option<TestNode> {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let packed = packed.join(name).join(format!("{name}.tar.zst"));
    let Ok(file) = std::fs::File::open(&packed) else {
        println!("not asked of {name}: it is not in ../shared/data");
        return None;
    };
    let node = TestNode::new().await;
    let unpacked = ruzstd::decoding::StreamingDecoder::new(std::io::BufReader::new(file)).unwrap();
    let mut left: Vec<_> = folders.iter().map(|folder| (*folder, most)).collect();
    for entry in tar::Archive::new(unpacked).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let wanted = left
            .iter_mut()
            .find(|(folder, left)| *left > 0 && path.contains(*folder) && path.ends_with(".dcm"));
        if let Some((_, left)) = wanted {
            *left -= 1;
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            node.put(&path.replace('/', "_"), bytes);
        }
        if left.iter().all(|(_, left)| *left == 0) {
            break;
        }
    }
    node.ingest().await;
    Some(node)
}

fn check(record: &Record, expect: &[(&str, Option<Value>)]) {
    for (field, expect) in expect {
        assert_eq!(value(record, field), *expect, "{field}");
    }
}

fn number(number: f64) -> Option<Value> {
    Some(Value::Number(number))
}

fn words(words: &str) -> Option<Value> {
    Some(Value::Words(words.into()))
}

/// Which series of a modality there are.
fn series_of<'a>(
    records: &'a BTreeMap<(Entity, String), Record>,
    modality: &str,
) -> Vec<&'a Record> {
    let is = |record: &&Record| matches!(value(record, "modality"), Some(Value::Code(code)) if code.code == modality);
    of(records, Entity::Series).into_iter().filter(is).collect()
}

#[tokio::test]
async fn a_real_pet_has_its_tracer_and_a_real_mr_only_what_is_recorded() {
    let folders = [
        "STS_003/PET/image/",
        "STS_003/MR_T1/image/",
        "STS_003/CT/image/",
    ];
    let Some(node) = real("ibsi_sts_dev", &folders, 2).await else {
        return;
    };
    let found = records(&node).await;
    let pet = [
        ("tracer", words("FDG -- fluorodeoxyglucose")),
        ("injected_activity", number(359.884_96)),
        ("pixel_spacing", number(5.468_75)),
        ("kernel", None),
        ("instances", number(2.0)),
    ];
    check(series_of(&found, "PT")[0], &pet);
    let ct = [
        ("kernel", words("STANDARD")),
        ("kvp", number(120.0)),
        ("tube_current", number(60.0)),
        ("contrast", None),
    ];
    check(series_of(&found, "CT")[0], &ct);
    // This export has emptied them: no time is no time.
    let mr = [
        ("repetition_time", None),
        ("echo_time", None),
        ("field_strength", None),
        ("b_value", None),
    ];
    check(series_of(&found, "MR")[0], &mr);
}

#[tokio::test]
async fn a_real_dce_says_no_phase_because_none_is_recorded() {
    let folders = ["image_dce_pe1/", "mask/"];
    let Some(node) = real("ucsf_breast_dce_mr_seg", &folders, 2).await else {
        return;
    };
    let found = records(&node).await;
    let mr = [
        ("dce_phase", None),
        ("contrast", Some(Value::Flag(false))),
        ("contrast_agent", None),
        ("field_strength", number(1.5)),
        ("flip_angle", number(20.0)),
        ("repetition_time", number(8.2)),
        ("slice_spacing", number(2.0)),
    ];
    check(series_of(&found, "MR")[0], &mr);
    let annotations = of(&found, Entity::Annotation);
    assert_eq!(annotations[0].parent, None, "it names no series");
    let seg = [
        ("segments", number(1.0)),
        (
            "annotation_algorithm",
            words("Background Threshold, VOI limits"),
        ),
        ("annotated_structure", None),
    ];
    check(annotations[0], &seg);
}

#[tokio::test]
async fn a_real_ct_has_its_kernel_and_agent() {
    let Some(node) = real("crlm_ct_1004", &["CRLM-CT-1004/image/"], 3).await else {
        return;
    };
    let found = records(&node).await;
    let ct = [
        ("kernel", words("STANDARD")),
        ("contrast", Some(Value::Flag(true))),
        ("contrast_agent", words("GASTRO & OMNI")),
        ("image_laterality", None),
        ("kvp", number(120.0)),
        ("rows", number(512.0)),
    ];
    check(series_of(&found, "CT")[0], &ct);
}
