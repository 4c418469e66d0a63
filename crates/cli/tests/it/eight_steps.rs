//! Hub and three nodes in one process drive all eight steps: with phantoms always, with real series where they are.

use std::{collections::BTreeSet, fs};

use crate::support::{eight_steps, first_leak, real_series};
use arno_cli::demo::{DemoArgs, Running};

#[tokio::test(flavor = "multi_thread")]
async fn phantoms_go_the_whole_way() {
    let base = tempfile::tempdir().unwrap();
    let mut args = DemoArgs::phantoms_in(base.path().join("demo"));
    args.imaged_patients = 2;
    let report = eight_steps(&args, async |running, _| {
        let numbers = hospital_numbers(running);
        assert!(numbers.len() > 800, "the input names its patients");
        assert_eq!(
            first_leak(&args.dir.join("hub"), &numbers),
            None,
            "the hub holds nobody's number"
        );
        for site in &running.sites {
            let packs = args.dir.join(site.spec.key).join("packs");
            assert_eq!(
                first_leak(&packs, &numbers),
                None,
                "what is kept is de-identified"
            );
        }
    })
    .await;
    assert_eq!(
        report.sites.iter().map(|site| site.readings).sum::<u64>(),
        6859
    );
    assert_eq!(
        report.quarantined, 10,
        "three broken files a site, and a screenshot"
    );
    assert!(
        report
            .search
            .values()
            .all(|site| site.patients.contains('±')),
        "every count has noise and says how much"
    );
    let training = &report.training;
    assert!((training.federated_auc - training.pooled_auc).abs() < 1e-9);
    assert!(
        (0.93..0.97).contains(&training.pooled_auc),
        "{}",
        training.pooled_auc
    );
    assert!(
        (7..=9).contains(&training.newton_rounds),
        "{}",
        training.newton_rounds
    );
    assert!(training.max_coefficient_difference < 1e-6);
}

/// The numbers by which the invented hospitals know their patients.
fn hospital_numbers(running: &Running) -> Vec<String> {
    let mut numbers = BTreeSet::new();
    for site in &running.sites {
        let path = site
            .landing
            .join(format!("{}.annotations.jsonl", site.spec.key));
        for line in fs::read_to_string(path).unwrap().lines() {
            let reading: serde_json::Value = serde_json::from_str(line).unwrap();
            numbers.insert(reading["patient_id"].as_str().unwrap().to_owned());
        }
    }
    numbers.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn real_series_go_the_whole_way() {
    let source = real_series();
    if !source.is_dir() {
        eprintln!("NOT RUN: the real series of ../shared/data are not beside this checkout");
        return;
    }
    let base = tempfile::tempdir().unwrap();
    let mut args = DemoArgs::phantoms_in(base.path().join("demo"));
    args.phantoms = false;
    args.data = Some(source);
    let patients: Vec<String> = ["002", "004", "005", "016", "026"]
        .map(|number| format!("STS_{number}"))
        .into();
    let report = eight_steps(&args, async |running, _| {
        assert_eq!(first_leak(&args.dir.join("hub"), &patients), None);
        for site in &running.sites {
            assert_eq!(
                first_leak(&args.dir.join(site.spec.key).join("packs"), &patients),
                None
            );
        }
    })
    .await;
    assert_eq!(report.input, "real series");
    assert_eq!(
        report.sites.iter().map(|site| site.kept).sum::<u64>(),
        2227,
        "all of CT, MR, PET and RTSTRUCT"
    );
    assert_eq!(report.quarantined, 0);
    assert!(
        report.pages.outlines.iter().all(|count| *count > 0),
        "the tumour's outline is on the image"
    );
}
