//! A hospital's export as the demo makes it: real outlines, phantom images, invented people, broken files.

use arno_phantom::{InputOptions, SITES, write_site_input};
use arno_protocol::node::SeriesRow;

use crate::support::{TestNode, contains, files};

#[tokio::test]
async fn a_whole_export_comes_in() {
    let site = TestNode::new().await;
    let options = InputOptions {
        imaged_patients: 2,
        ..InputOptions::default()
    };
    let input = write_site_input(&SITES[2], &site.landing(), &options, &|_| ()).unwrap();
    let expect = [
        input.instances as u64,
        0,
        input.broken as u64,
        input.readings as u64,
    ];
    assert_eq!(
        site.ingest().await,
        expect,
        "{:?}",
        site.quarantined().await
    );
    assert!(
        site.quarantined()
            .await
            .contains(&("images/screenshot.dcm".into(), "needs_review".into()))
    );
    let holdings = site.node.store().holdings().await.unwrap();
    assert_eq!(
        (holdings.series, holdings.patients),
        (input.series as u64, input.patients_with_anything())
    );

    let page = site.series().await;
    let images: Vec<&SeriesRow> = page
        .rows
        .iter()
        .filter(|row| row.modality == "CT")
        .collect();
    for row in &images {
        assert!(
            row.outlined && row.description.contains("PHANTOM"),
            "{row:?}"
        );
        assert!(
            row.slice_thickness_mm.is_some() && row.age_years.is_some() && !row.sex.is_empty(),
            "{row:?}"
        );
        let regions = site.node.outlines(&row.series_uid).await.unwrap();
        assert!(!regions.is_empty());
        let points = regions
            .iter()
            .flat_map(|region| &region.polygons)
            .flat_map(|polygon| &polygon.points);
        assert!(
            points.flatten().all(|value| (-1.0..256.0).contains(value)),
            "within the image"
        );
    }
    let dataset = site.publish("modality = CT").await;
    assert!(dataset.record.synthetic_images);
    assert_eq!(dataset.record.series, images.len() as u64);

    let people = people(&site);
    assert!(people.len() >= 2);
    for pack in files(&site.data().join("packs")) {
        let bytes = std::fs::read(&pack).unwrap();
        for number in &people {
            assert!(!contains(&bytes, number), "{number} in {}", pack.display());
        }
    }
}

/// Hospital numbers, which are the names of folders in the export.
fn people(site: &TestNode) -> Vec<String> {
    let folders = std::fs::read_dir(site.landing().join("images"))
        .unwrap()
        .flatten();
    let folders = folders.filter(|entry| entry.file_type().unwrap().is_dir());
    folders
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

/// Patients are those with readings and those with images.
trait Patients {
    fn patients_with_anything(&self) -> u64;
}

impl Patients for arno_phantom::SiteInput {
    fn patients_with_anything(&self) -> u64 {
        // Who is imaged has outlines, else there would be nothing to draw.
        self.patients as u64
    }
}
