//! What the index costs for each instance that comes in: the look-ups and the transaction of a batch, without reading,
//! de-identifying and writing bytes. Prints microseconds of processor time and of the clock, for batches of several sizes.
//!
//! ```text
//! cargo run --release -p arno-store --example commit_speed
//! ```

use std::time::Instant;

use arno_protocol::node::ViewInstance;
use arno_store::node::{
    IngestBatch, NewInstance, NewPatient, NewSeries, NewSource, NewStudy, NodeStore, PackLocation,
    SourceFate,
};
use chrono::Utc;

/// Instances of one series.
const SERIES: usize = 200;
/// Instances for each size of batch.
const INSTANCES: usize = 4000;
/// Clock ticks in a second, as `/proc/self/stat` counts (proc(5)).
const TICKS: f64 = 100.0;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    for size in [1, 4, 16, 64] {
        let folder = tempfile::tempdir()?;
        let store = NodeStore::open(&folder.path().join("node.sqlite")).await?;
        let run = store.create_ingest_run("test", 0, Utc::now()).await?;
        let (clock, processor) = (Instant::now(), processor_seconds()?);
        let numbers: Vec<usize> = (0..INSTANCES).collect();
        for numbers in numbers.chunks(size) {
            let mut batch = batch(numbers);
            look_up(&store, &mut batch).await?;
            store.commit_ingest_batch(run, &batch, Utc::now()).await?;
        }
        let micros = |seconds: f64| seconds * 1e6 / INSTANCES as f64;
        println!(
            "batches of {size:2}: {:4.0} µs of processor, {:4.0} µs by the clock, an instance",
            micros(processor_seconds()? - processor),
            micros(clock.elapsed().as_secs_f64())
        );
        store.database().close().await;
    }
    Ok(())
}

async fn look_up(
    store: &NodeStore,
    batch: &mut IngestBatch,
) -> Result<(), Box<dyn std::error::Error>> {
    let sources: Vec<_> = batch.sources.iter().map(|row| row.sha256.clone()).collect();
    let instances: Vec<_> = batch
        .instances
        .iter()
        .map(|row| row.view.instance_uid.clone())
        .collect();
    let series: Vec<_> = batch
        .series
        .iter()
        .map(|row| row.series_uid.clone())
        .collect();
    let studies: Vec<_> = batch
        .studies
        .iter()
        .map(|row| row.study_uid.clone())
        .collect();
    store.known_sources(&sources).await?;
    let before = store.before(&instances, &studies, &series).await?;
    // Rows of what is known and complete are not put again, as an ingest does.
    let is_new = |uid: &String| {
        before
            .series
            .get(uid)
            .is_none_or(|series| series.lacks_facts)
    };
    if !series.iter().any(is_new) {
        batch.patients.clear();
        batch.studies.clear();
        batch.series.clear();
    }
    Ok(())
}

fn batch(numbers: &[usize]) -> IngestBatch {
    let mut batch = IngestBatch::default();
    for number in numbers {
        let series = number / SERIES;
        let uid = format!("2.25.3301234567890123456789012345678901.{series}");
        if batch
            .series
            .last()
            .is_none_or(|last| last.series_uid != uid)
        {
            add_series(&mut batch, &uid);
        }
        batch.instances.push(instance(&uid, *number));
        batch.sources.push(NewSource {
            sha256: format!("{number:064x}"),
            fate: SourceFate::Stored,
        });
        batch.totals.stored += 1;
    }
    batch
}

fn add_series(batch: &mut IngestBatch, uid: &str) {
    let (study_uid, patient) = (format!("{uid}.9"), format!("P-{uid}"));
    batch.patients.push(NewPatient {
        pseudonym: patient.clone(),
        sex: Some("F".into()),
    });
    batch.studies.push(NewStudy {
        study_uid: study_uid.clone(),
        patient,
        age_years: Some(60.0),
        study_date: Some("20200131".into()),
        attributes_json: attributes(20),
    });
    batch.series.push(NewSeries {
        series_uid: uid.to_owned(),
        study_uid,
        modality: Some("CT".into()),
        description: Some("Thorax".into()),
        manufacturer: None,
        body_part: Some("CHEST".into()),
        slice_thickness_mm: Some(1.0),
        synthetic: false,
        attributes_json: attributes(15),
    });
}

fn instance(series_uid: &str, number: usize) -> NewInstance {
    let place = (number % SERIES) as u64;
    NewInstance {
        series_uid: series_uid.to_owned(),
        sop_class: "1.2.840.10008.5.1.4.1.1.2".into(),
        transfer_syntax: "1.2.840.10008.1.2.1".into(),
        source_sha256: format!("{number:064x}"),
        location: PackLocation {
            pack: format!("00/{series_uid}.pack"),
            offset: place * 530_000,
            length: 525_000,
            metadata_length: 4000,
            sha256: format!("{number:064x}"),
        },
        pixel_offset: Some(1500),
        view: view(format!("{series_uid}.{number}"), place),
        layout_json: Some("{\"format\":{},\"count\":1}".repeat(8)),
        geometry_json: Some("{\"origin\":[1.0,2.0,3.0]}".repeat(6)),
        attributes_json: attributes(26),
        annotation: None,
        pixel_print: Some(format!(
            "{:016x}",
            (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        )),
    }
}

fn view(instance_uid: String, place: u64) -> ViewInstance {
    ViewInstance {
        instance_uid,
        number: i64::try_from(place).ok(),
        position_mm: Some(place as f64),
        rows: 512,
        columns: 512,
        frames: 1,
        bits_allocated: 16,
        pixel_signed: true,
        samples_per_pixel: 1,
        photometric: "MONOCHROME2".into(),
        rescale_slope: 1.0,
        rescale_intercept: -1024.0,
        window_center: Some(40.0),
        window_width: Some(400.0),
        pixel_spacing_mm: Some([0.7, 0.7]),
    }
}

fn attributes(count: usize) -> String {
    let one =
        |number| format!("\"0020{number:04X}\":{{\"vr\":\"LO\",\"Value\":[\"value {number}\"]}}");
    let all: Vec<_> = (0..count).map(one).collect();
    format!("{{{}}}", all.join(","))
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
