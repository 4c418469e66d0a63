//! Real objects from several toolkits: CT, SEG, SR, parametric maps, whole-slide images, ultrasound. Nothing of them is in
//! this repository; without the shared data folder the test says so and passes.

use std::path::{Path, PathBuf};

use arno_dicom::{FrameError, Instance, check, listing, outlines, summarise};

const FOLDERS: [&str; 4] = [
    "dcmqi_test_data",
    "highdicom_test_files",
    "presidio_pixel_phi",
    "deid_data_ultrasound",
];

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .expect("readable folder")
        .map(|entry| entry.expect("entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_dicom = |path: &PathBuf| {
        path.extension()
            .is_some_and(|ext| ext == "dcm" || ext == "seg")
    };
    files
        .into_iter()
        .filter(is_dicom)
        .chain(folders.iter().flat_map(|folder| files_under(folder)))
        .collect()
}

#[test]
fn real_files_are_read_checked_and_written_unchanged() {
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    if !data.is_dir() {
        eprintln!("skipped: ../shared/data is not there");
        return;
    }
    let files: Vec<PathBuf> = FOLDERS
        .iter()
        .flat_map(|folder| files_under(&data.join(folder)))
        .collect();
    assert!(files.len() > 40, "only {} files", files.len());
    for path in files {
        check_file(&path);
    }
}

fn check_file(path: &Path) {
    let name = path.display();
    let instance = Instance::read(std::fs::read(path).expect("readable").into())
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    let written = instance.write();
    let again =
        Instance::read(written.clone().into()).unwrap_or_else(|e| panic!("{name}, written: {e}"));
    assert_eq!(again.write(), written, "{name}");
    assert_eq!(
        again.pixels.map(|p| p.encoded),
        instance.pixels.as_ref().map(|p| p.encoded.clone()),
        "{name}"
    );
    assert_eq!(check(&instance), Ok(()), "{name}");
    assert!(
        summarise(&instance).is_ok_and(|summary| summary.modality.is_some()),
        "{name}"
    );
    assert!(
        listing::list(&instance.header, usize::MAX).len() >= instance.header.iter().count(),
        "{name}"
    );
    assert!(
        outlines::outlines(&instance.header).is_empty(),
        "{name}: no structure sets in these folders"
    );
    if instance.pixels.is_some() {
        let frame = instance.frame(0);
        assert!(
            matches!(frame, Ok(_) | Err(FrameError::NotDecodable { .. })),
            "{name}: {:?}",
            frame.err()
        );
    }
}
