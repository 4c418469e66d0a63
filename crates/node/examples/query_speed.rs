//! What a row of an answer costs: a node with 20,000 made-up instances is asked at each level. Prints microseconds of processor
//! time for each row, without writing the answer down.
//!
//! ```text
//! cargo run --release -p arno-node --example query_speed
//! ```

use arno_dicom::query::{Key, Level, Query, Returned, parse_path};
use arno_domain::Clock;
use arno_node::{Node, NodeConfig, SiteConfig};
use arno_protocol::node::ViewInstance;
use arno_store::node::{IngestBatch, NewInstance, NewPatient, NewSeries, NewStudy, PackLocation};
use chrono::Utc;

const STUDIES: usize = 400;
const INSTANCES: usize = 50;
/// Clock ticks in a second, as `/proc/self/stat` counts (proc(5)).
const TICKS: f64 = 100.0;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let site = SiteConfig::new("Site", "Graz", "AT", 47.0, 15.0);
    Node::init(folder.path(), &site).await?;
    let node = Node::open(NodeConfig::load(folder.path(), 0)?, Clock::system()).await?;
    for study in 0..STUDIES {
        let store = node.store();
        store
            .commit_ingest_batch(0, &batch(study), Utc::now())
            .await?;
    }
    ask(&node, Level::Study, &[]).await?;
    ask(
        &node,
        Level::Study,
        &[("PatientName", "P*7"), ("StudyDate", "20200101-20201231")],
    )
    .await?;
    ask(&node, Level::Series, &[("Modality", "CT")]).await?;
    ask(
        &node,
        Level::Instance,
        &[("StudyInstanceUID", &study_uid(7))],
    )
    .await?;
    ask(&node, Level::Instance, &[]).await?;
    ask(&node, Level::Instance, &[("InstanceNumber", "7")]).await?;
    Ok(())
}

async fn ask(
    node: &Node,
    level: Level,
    keys: &[(&str, &str)],
) -> Result<(), Box<dyn std::error::Error>> {
    let mut query = Query {
        level,
        keys: Vec::new(),
        fuzzy: false,
        returned: Returned::Default,
        limit: usize::MAX,
        offset: 0,
    };
    for (name, value) in keys {
        query.keys.push(Key {
            path: parse_path(name)?,
            value: (*value).to_owned(),
        });
    }
    let (before, mut asked, mut rows) = (processor_seconds()?, 0, 0);
    while processor_seconds()? - before < 1.0 {
        rows += node.find(&query).await?.rows.len();
        asked += 1;
    }
    let micros = (processor_seconds()? - before) * 1e6;
    println!(
        "{level:?} {keys:?}: {} rows, {:.0} µs a query, {:.1} µs a row",
        rows / asked,
        micros / asked as f64,
        micros / rows.max(1) as f64
    );
    Ok(())
}

fn study_uid(study: usize) -> String {
    format!("2.25.33012345678901234567890123456789.{study}")
}

fn batch(study: usize) -> IngestBatch {
    let (study_uid, patient) = (study_uid(study), format!("PAT{study:05}"));
    let series_uid = format!("{study_uid}.1");
    let date = format!("2020{:02}{:02}", study % 12 + 1, study % 28 + 1);
    let study_json = [
        word("00080020", "DA", &date),
        word("00080030", "TM", "101500"),
        word("00080050", "SH", ""),
        word("00081030", "LO", "CT THORAX"),
        format!("\"00100010\":{{\"vr\":\"PN\",\"Value\":[{{\"Alphabetic\":\"{patient}\"}}]}}"),
        word("00100020", "LO", &patient),
        word("00100040", "CS", "F"),
        word("0020000D", "UI", &study_uid),
        word("00200010", "SH", "1"),
    ];
    let series_json = [
        word("00080060", "CS", "CT"),
        word("00080070", "LO", "Arno"),
        word("0008103E", "LO", "Thorax 1.0"),
        word("00180015", "CS", "CHEST"),
        word("0020000E", "UI", &series_uid),
        "\"00200011\":{\"vr\":\"IS\",\"Value\":[1]}".to_owned(),
    ];
    let mut batch = IngestBatch::default();
    batch.patients.push(NewPatient {
        pseudonym: patient.clone(),
        sex: Some("F".into()),
    });
    batch.studies.push(NewStudy {
        study_uid: study_uid.clone(),
        patient,
        age_years: Some(60.0),
        study_date: Some(date),
        attributes_json: format!("{{{}}}", study_json.join(",")),
    });
    batch.series.push(NewSeries {
        series_uid: series_uid.clone(),
        study_uid,
        modality: Some("CT".into()),
        description: None,
        manufacturer: None,
        body_part: None,
        slice_thickness_mm: None,
        synthetic: false,
        attributes_json: format!("{{{}}}", series_json.join(",")),
    });
    batch.instances = (0..INSTANCES)
        .map(|number| instance(&series_uid, number))
        .collect();
    batch
}

fn instance(series_uid: &str, number: usize) -> NewInstance {
    let uid = format!("{series_uid}.{number}");
    let attributes = [
        "\"00080008\":{\"vr\":\"CS\",\"Value\":[\"ORIGINAL\",\"PRIMARY\",\"AXIAL\"]}".to_owned(),
        word("00080016", "UI", "1.2.840.10008.5.1.4.1.1.2"),
        word("00080018", "UI", &uid),
        word("00080022", "DA", "20200131"),
        word("00080023", "DA", "20200131"),
        word("00080032", "TM", "101500"),
        word("00080033", "TM", "101500"),
        "\"00180050\":{\"vr\":\"DS\",\"Value\":[1.0]}".to_owned(),
        "\"00200012\":{\"vr\":\"IS\",\"Value\":[1]}".to_owned(),
        format!("\"00200013\":{{\"vr\":\"IS\",\"Value\":[{number}]}}"),
        "\"00200032\":{\"vr\":\"DS\",\"Value\":[-180.0,-170.5,12.25]}".to_owned(),
        "\"00200037\":{\"vr\":\"DS\",\"Value\":[1.0,0.0,0.0,0.0,1.0,0.0]}".to_owned(),
        "\"00201041\":{\"vr\":\"DS\",\"Value\":[12.25]}".to_owned(),
        "\"00280002\":{\"vr\":\"US\",\"Value\":[1]}".to_owned(),
        word("00280004", "CS", "MONOCHROME2"),
        "\"00280010\":{\"vr\":\"US\",\"Value\":[512]}".to_owned(),
        "\"00280011\":{\"vr\":\"US\",\"Value\":[512]}".to_owned(),
        "\"00280030\":{\"vr\":\"DS\",\"Value\":[0.7,0.7]}".to_owned(),
        "\"00280100\":{\"vr\":\"US\",\"Value\":[16]}".to_owned(),
        "\"00280101\":{\"vr\":\"US\",\"Value\":[12]}".to_owned(),
    ];
    NewInstance {
        series_uid: series_uid.to_owned(),
        sop_class: "1.2.840.10008.5.1.4.1.1.2".into(),
        transfer_syntax: "1.2.840.10008.1.2.1".into(),
        source_sha256: format!("{uid:0<64}"),
        location: PackLocation {
            pack: format!("00/{series_uid}.pack"),
            offset: number as u64 * 530_000,
            length: 525_000,
            metadata_length: 4000,
            sha256: format!("{number:064x}"),
        },
        pixel_offset: Some(1500),
        view: view(uid, number),
        layout_json: Some("{\"format\":{},\"count\":1}".repeat(8)),
        geometry_json: None,
        attributes_json: format!("{{{}}}", attributes.join(",")),
        pixel_print: Some(format!("{number:016x}")),
        annotation: None,
    }
}

fn word(name: &str, vr: &str, value: &str) -> String {
    match value {
        "" => format!("\"{name}\":{{\"vr\":\"{vr}\"}}"),
        value => format!("\"{name}\":{{\"vr\":\"{vr}\",\"Value\":[\"{value}\"]}}"),
    }
}

fn view(instance_uid: String, number: usize) -> ViewInstance {
    ViewInstance {
        instance_uid,
        number: i64::try_from(number).ok(),
        position_mm: Some(number as f64),
        rows: 512,
        columns: 512,
        frames: 1,
        bits_allocated: 16,
        pixel_signed: true,
        samples_per_pixel: 1,
        photometric: "MONOCHROME2".into(),
        rescale_slope: 1.0,
        rescale_intercept: -1024.0,
        window_center: None,
        window_width: None,
        pixel_spacing_mm: None,
    }
}

/// User and system time of all threads of this process.
fn processor_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = after_name
        .split(' ')
        .skip(11)
        .take(2)
        .map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS)
}
