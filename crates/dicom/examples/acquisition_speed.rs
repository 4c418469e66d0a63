//! What it costs to find out how an instance was acquired and what it annotates, beside reading it: for each file below a folder, by the
//! clock, on one thread.
//!
//!     cargo run --release -p arno-dicom --example acquisition_speed -- FOLDER

use std::{path::Path, time::Instant};

use arno_dicom::{Acquisition, Annotation, Instance};

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let mut files = Vec::new();
    collect(Path::new(&folder), &mut files);
    let instances: Vec<_> = files
        .into_iter()
        .filter_map(|bytes| {
            let begun = Instant::now();
            let instance = Instance::read(bytes.into()).ok()?;
            Some((instance, begun.elapsed()))
        })
        .collect();
    let read: std::time::Duration = instances.iter().map(|(_, took)| *took).sum();
    let begun = Instant::now();
    let mut said = 0;
    for (instance, _) in &instances {
        let acquisition = Acquisition::of(&instance.header);
        said += usize::from(acquisition.rows.is_some());
        said += usize::from(Annotation::of(&instance.header).is_some());
    }
    let described = begun.elapsed();
    let count = u32::try_from(instances.len().max(1)).unwrap_or(u32::MAX);
    println!(
        "{count} instances, {said} of which say something: read {:?} each, described {:?} each",
        read / count,
        described / count
    );
}

fn collect(folder: &Path, files: &mut Vec<Vec<u8>>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        match path.is_dir() {
            true => collect(&path, files),
            false => files.extend(std::fs::read(&path)),
        }
    }
}
