//! Zip files and DICOMDIRs: what they hold is taken in, what they claim beyond that is told, and a bomb is not set off.

use std::io::{Cursor, Write as _};

use arno_node::FileOutcome;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::support::{
    TestNode,
    dicom::{MEIER, item, long, part_10, series, text},
};

fn archive(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in entries {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A listing of files by their components.
fn dicomdir(files: &[&str]) -> Vec<u8> {
    let record = |id: &&str| item(&text(0x0004_1500, "CS", id));
    let records: Vec<u8> = files.iter().flat_map(record).collect();
    let set = [
        text(0x0004_1130, "CS", "MEDIUM"),
        long(0x0004_1220, "SQ", &records),
    ];
    part_10("1.2.840.10008.1.3.10", "1.2.3", &set.concat())
}

#[tokio::test]
async fn what_a_zip_file_holds_is_taken_in() {
    let site = TestNode::new().await;
    let slices = series(MEIER, 1, 1, 3);
    let inner = archive(&[("4.dcm", slices[2].file())]);
    site.put(
        "export.zip",
        archive(&[
            ("study/1.dcm", slices[0].file()),
            ("study/2.dcm", slices[1].file()),
            ("study/note.txt", b"no image".to_vec()),
            ("study/inner.zip", inner),
            ("../../out.dcm", slices[2].file()),
        ]),
    );
    assert_eq!(site.ingest().await, [3, 0, 2, 0]);
    let expect = [
        ("export.zip/study/inner.zip", "bad_archive"),
        ("export.zip/study/note.txt", "not_dicom"),
    ];
    assert_eq!(
        site.quarantined().await,
        expect.map(|(name, code)| (name.to_owned(), code.to_owned()))
    );
    assert_eq!(site.ingest().await, [0, 5, 0, 0], "it is known now");
    let listed = std::fs::read_dir(site.folder.path()).unwrap().count();
    assert_eq!(listed, 2, "no name in an archive becomes a path");
}

#[tokio::test]
async fn a_bomb_and_a_broken_archive_are_told() {
    let site = TestNode::new().await;
    site.put("a.zip", archive(&[("zeros", vec![0; 300 << 20])]));
    let whole = archive(&[("1.dcm", series(MEIER, 1, 1, 1)[0].file())]);
    site.put("b.zip", &whole[..whole.len() - 30]);
    site.put("c.zip", "not an archive");
    assert_eq!(site.ingest().await, [0, 0, 3, 0]);
    let expect = [
        ("a.zip", "bad_archive"),
        ("b.zip", "bad_archive"),
        ("c.zip", "not_dicom"),
    ];
    assert_eq!(
        site.quarantined().await,
        expect.map(|(name, code)| (name.to_owned(), code.to_owned()))
    );
}

#[tokio::test]
async fn a_dicomdir_is_a_listing_and_tells_what_is_missing() {
    let site = TestNode::new().await;
    let slices = series(MEIER, 1, 1, 3);
    site.put("IMAGES/CT1", slices[0].file());
    site.put("images/ct2", slices[1].file());
    site.put("OTHER/CT3", slices[2].file());
    let listing = dicomdir(&["IMAGES\\CT1", "IMAGES\\CT2", "IMAGES\\CT9"]);
    site.put("DICOMDIR", &listing);
    let missing = [("IMAGES/CT9".to_owned(), "missing_file".to_owned())];

    let one = site.landing().join("DICOMDIR");
    let run = site.node.ingest(&one, "test").await.unwrap();
    assert_eq!([run.files, run.stored, run.quarantined], [3, 2, 1]);
    assert_eq!(site.quarantined().await, missing);

    let run = site.node.ingest(&site.landing(), "test").await.unwrap();
    assert_eq!([run.files, run.stored, run.unchanged], [4, 1, 3]);
    assert_eq!(site.quarantined().await, missing, "told once");

    let other = TestNode::new().await;
    other.put(
        "medium.zip",
        archive(&[
            ("cd/DICOMDIR", listing),
            ("cd/images/ct1", slices[0].file()),
            ("cd/IMAGES/CT2", slices[1].file()),
        ]),
    );
    assert_eq!(other.ingest().await, [2, 0, 1, 0]);
    let missing = "medium.zip/cd/IMAGES/CT9".to_owned();
    assert_eq!(
        other.quarantined().await,
        [(missing, "missing_file".to_owned())]
    );
}

#[tokio::test]
async fn what_became_of_each_file_is_told_in_order() {
    let site = TestNode::new().await;
    let slices = series(MEIER, 1, 1, 2);
    for (name, slice) in [("1.dcm", 0), ("2.dcm", 1), ("3-again.dcm", 0)] {
        site.put(name, slices[slice].file());
    }
    site.put("4.txt", "text");
    let (told, mut outcomes) = tokio::sync::mpsc::unbounded_channel();
    let landing = site.landing();
    let run = site.node.ingest_telling(&landing, "test", told).await;
    assert_eq!(run.unwrap().stored, 2);
    let mut found = Vec::new();
    while let Some(outcome) = outcomes.recv().await {
        let FileOutcome {
            file,
            outcome,
            code,
            modality,
            series,
            ..
        } = outcome;
        assert_eq!(series.is_some(), code.is_none(), "{file}");
        found.push((file, outcome, code, modality));
    }
    let ct = || Some("CT".to_owned());
    let expect = [
        ("1.dcm".to_owned(), "stored", None, ct()),
        ("2.dcm".to_owned(), "stored", None, ct()),
        ("3-again.dcm".to_owned(), "unchanged", None, None),
        ("4.txt".to_owned(), "refused", Some("not_dicom"), None),
    ];
    assert_eq!(found, expect);
}
