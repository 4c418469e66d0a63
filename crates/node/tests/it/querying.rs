//! Questions to the index: every level, kinds of keys, what is computed, pages, and what only the metadata has.

use arno_dicom::query::{Key, Level, Query, Returned, parse_path};
use arno_node::{Found, Row};
use serde_json::{Value, json};

use crate::support::{TestNode, hospital};

fn query(level: Level, keys: &[(&str, &str)]) -> Query {
    let key = |(name, value): &(&str, &str)| Key {
        path: parse_path(name).unwrap(),
        value: (*value).to_owned(),
    };
    Query {
        level,
        keys: keys.iter().map(key).collect(),
        fuzzy: false,
        returned: Returned::Default,
        limit: 100,
        offset: 0,
    }
}

fn first(row: &Row, name: &str) -> Option<Value> {
    let attribute: Value = serde_json::from_str(row.get(name)?).unwrap();
    attribute.get("Value")?.get(0).cloned()
}

fn words(found: &Found, name: &str) -> Vec<String> {
    let word = |row| match first(row, name) {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => "-".to_owned(),
    };
    found.rows.iter().map(word).collect()
}

async fn filled() -> TestNode {
    let site = TestNode::new().await;
    hospital(&site);
    assert_eq!(site.ingest().await, [13, 0, 0, 0]);
    site
}

const STUDY: &str = "0020000D";
const SERIES: &str = "0020000E";
const INSTANCE: &str = "00080018";

#[tokio::test]
async fn each_level_has_its_rows_and_counts() {
    let site = filled().await;
    let patients = site.node.find(&query(Level::Patient, &[])).await.unwrap();
    let mut counts = Vec::new();
    for row in &patients.rows {
        let counted = ["00201200", "00201202", "00201204"].map(|name| first(row, name));
        counts.push(counted.map(|count| count.unwrap().as_u64().unwrap()));
    }
    counts.sort_unstable();
    assert_eq!(counts, [[1, 1, 4], [1, 3, 9]]);

    let studies = site.node.find(&query(Level::Study, &[])).await.unwrap();
    assert!(studies.complete);
    let mut modalities: Vec<_> = studies
        .rows
        .iter()
        .map(|row| row.attributes()["00080061"]["Value"].clone())
        .collect();
    modalities.sort_by_key(|value| value.as_array().map(Vec::len));
    assert_eq!(modalities, [json!(["CT"]), json!(["CT", "RTSTRUCT"])]);
    assert!(
        words(&studies, "00080056")
            .iter()
            .all(|word| word == "ONLINE")
    );

    let series = site.node.find(&query(Level::Series, &[])).await.unwrap();
    let mut instances = words(&series, "00201209");
    instances.sort();
    assert_eq!(instances, ["1", "4", "4", "4"]);
    // Without a study in the question, an answer says of which study a series is.
    assert!(
        series
            .rows
            .iter()
            .all(|row| first(row, STUDY).is_some() && row.get("00201208").is_some())
    );

    let instances = site.node.find(&query(Level::Instance, &[])).await.unwrap();
    assert_eq!(instances.rows.len(), 13);
    assert!(
        instances
            .rows
            .iter()
            .all(|row| first(row, "00083002").is_some())
    );
    assert!(
        instances
            .rows
            .iter()
            .all(|row| first(row, SERIES).is_some())
    );
}

#[tokio::test]
async fn keys_narrow_down_at_every_level() {
    let site = filled().await;
    let all = site.node.find(&query(Level::Instance, &[])).await.unwrap();
    let (study, series) = (
        first(&all.rows[0], STUDY).unwrap(),
        first(&all.rows[0], SERIES).unwrap(),
    );
    let (study, series) = (study.as_str().unwrap(), series.as_str().unwrap());
    let patient = words(&all, "00100020").remove(0);
    let of_series = words(&all, SERIES)
        .iter()
        .filter(|uid| *uid == series)
        .count();
    let check = async |level, keys: &[(&str, &str)], expect: usize| {
        let found = site.node.find(&query(level, keys)).await.unwrap();
        assert_eq!(found.rows.len(), expect, "{level:?} {keys:?}");
    };
    check(Level::Instance, &[("SeriesInstanceUID", series)], of_series).await;
    check(Level::Instance, &[("SeriesInstanceUID", "1.2.3")], 0).await;
    check(
        Level::Instance,
        &[
            ("StudyInstanceUID", study),
            ("InstanceNumber", "2"),
            ("Modality", "CT"),
        ],
        if all
            .rows
            .iter()
            .filter(|row| first(row, STUDY).unwrap() == *study)
            .count()
            == 9
        {
            2
        } else {
            1
        },
    )
    .await;
    check(Level::Instance, &[("Modality", "RT*")], 1).await;
    check(Level::Instance, &[("Rows", "16")], 12).await;
    check(Level::Instance, &[("Rows", "17")], 0).await;
    check(Level::Series, &[("Modality", "CT\\MR")], 3).await;
    check(Level::Series, &[("BodyPartExamined", "CHE?T")], 3).await;
    check(Level::Study, &[("ModalitiesInStudy", "RTSTRUCT")], 1).await;
    check(Level::Study, &[("PatientID", &patient)], 1).await;
    check(
        Level::Study,
        &[("PatientID", &format!("{}*", &patient[..6]))],
        1,
    )
    .await;
    check(Level::Study, &[("StudyDate", "19000101-29991231")], 2).await;
    check(Level::Study, &[("StudyDate", "19000101-19000102")], 0).await;
    check(Level::Study, &[("PatientSex", "F")], 1).await;
    check(
        Level::Study,
        &[("SOPClassesInStudy", "1.2.840.10008.5.1.4.1.1.481.3")],
        1,
    )
    .await;
    check(Level::Patient, &[("PatientSex", "M")], 1).await;
    check(Level::Patient, &[("PatientSex", "X")], 0).await;
}

#[tokio::test]
async fn pages_fit_together_and_say_whether_there_is_more() {
    let site = filled().await;
    let whole = site.node.find(&query(Level::Instance, &[])).await.unwrap();
    let whole = words(&whole, INSTANCE);
    for key in [
        ("Modality", ""),
        ("PatientSex", "*"),
        ("InstanceNumber", "*"),
    ] {
        let (mut seen, mut offset) = (Vec::new(), 0);
        loop {
            let page = Query {
                limit: 5,
                offset,
                ..query(Level::Instance, &[key])
            };
            let found = site.node.find(&page).await.unwrap();
            seen.extend(words(&found, INSTANCE));
            assert_eq!(found.complete, seen.len() == 13, "{key:?}");
            if found.complete {
                break;
            }
            offset += 5;
        }
        assert_eq!(seen, whole);
    }
    let none = Query {
        limit: 0,
        ..query(Level::Study, &[])
    };
    let node = site.node.clone();
    let found = tokio::spawn(async move { node.find(&none).await.unwrap() });
    let found = found.await.unwrap();
    assert!(found.rows.is_empty() && !found.complete);
}

#[tokio::test]
async fn what_rows_do_not_keep_comes_from_metadata() {
    let site = filled().await;
    let by_key = query(Level::Instance, &[("RescaleIntercept", "-1024")]);
    assert_eq!(site.node.find(&by_key).await.unwrap().rows.len(), 12);
    let by_other = query(Level::Instance, &[("RescaleIntercept", "0")]);
    assert_eq!(site.node.find(&by_other).await.unwrap().rows.len(), 0);
    let field = Query {
        returned: Returned::Also(vec![parse_path("RescaleSlope").unwrap()]),
        ..query(Level::Instance, &[("Modality", "CT")])
    };
    let found = site.node.find(&field).await.unwrap();
    assert_eq!(words(&found, "00281053"), ["1"; 12]);
    let all = Query {
        returned: Returned::All,
        ..query(Level::Instance, &[("Modality", "CT")])
    };
    let found = site.node.find(&all).await.unwrap();
    assert_eq!(words(&found, "00281052"), ["-1024"; 12]);
    assert!(
        found
            .rows
            .iter()
            .all(|row| row.get("7FE00010").is_none() && row.get(STUDY).is_some())
    );
}

#[tokio::test]
async fn cfind_gets_just_what_it_asked_for() {
    let site = filled().await;
    let paths = [
        "PatientName",
        "ModalitiesInStudy",
        "StudyInstanceUID",
        "KVP",
    ];
    let asked = Query {
        returned: Returned::Only(paths.iter().map(|name| parse_path(name).unwrap()).collect()),
        ..query(Level::Study, &[("PatientSex", "M")])
    };
    let found = site.node.find(&asked).await.unwrap();
    let attributes = found.rows[0].attributes();
    let names: Vec<_> = attributes.keys().map(String::as_str).collect();
    assert_eq!(names, ["00080061", "00100010", "00180060", "0020000D"]);
}
