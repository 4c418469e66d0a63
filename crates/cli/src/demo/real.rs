//! Real series for the demo: a folder of DICOM files, or of `.tar.zst` archives of them, split over the three sites.
//!
//! Patients are kept whole. They go to a site by the manufacturer of their MR, so that the sites are unlike each
//! other as real ones are; with fewer than three manufacturers they are dealt out in turn.

use std::{
    collections::BTreeMap,
    fs,
    io::BufReader,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use arno_dicom::{Instance, summary::summarise};
use bytes::Bytes;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

/// Files that are looked at; a demo is not a migration.
const MAX_FILES: usize = 200_000;
/// A file larger than this is no single image of a demo.
const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;
/// Unpacked size of one archive: more than any that the project tests with.
const MAX_ARCHIVE_BYTES: u64 = 16 * 1024 * 1024 * 1024;
/// Folders below the named one.
const MAX_DEPTH: usize = 16;

/// One file and what decides where it goes.
struct Found {
    path: PathBuf,
    patient: String,
    manufacturer: Option<String>,
    modality: Option<String>,
}

/// Puts every DICOM file below `source` into one of the landing folders; gives files per site. Files that cannot be
/// read as DICOM go to the first site, whose quarantine says why.
pub(crate) fn split(
    source: &Path,
    unpacked: &Path,
    landings: &[PathBuf; 3],
) -> anyhow::Result<[usize; 3]> {
    let mut files = Vec::new();
    collect(source, 0, &mut files)?;
    let (archives, mut files): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|path| is_archive(path));
    for (number, archive) in archives.iter().enumerate() {
        let folder = unpacked.join(number.to_string());
        unpack(archive, &folder).with_context(|| format!("cannot unpack {}", archive.display()))?;
        collect(&folder, 0, &mut files)?;
    }
    let found: Vec<Found> = files.par_iter().filter_map(|path| inspect(path)).collect();
    if found.is_empty() {
        bail!("there is no DICOM file below {}", source.display());
    }
    let site_of = assign(&found);
    let mut counts = [0; 3];
    for file in &found {
        let site = site_of[&file.patient];
        place(&file.path, &landings[site], counts[site])?;
        counts[site] += 1;
    }
    Ok(counts)
}

fn is_archive(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".tar.zst")
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < MAX_DEPTH {
            collect(&entry.path(), depth + 1, files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
        if files.len() > MAX_FILES {
            bail!(
                "more than {MAX_FILES} files below {}; name a smaller folder",
                folder.display()
            );
        }
    }
    Ok(())
}

fn unpack(archive: &Path, folder: &Path) -> anyhow::Result<()> {
    use std::io::Read as _;
    let reader = BufReader::new(fs::File::open(archive)?);
    let decoder = ruzstd::decoding::StreamingDecoder::new(reader)?;
    fs::create_dir_all(folder)?;
    // `unpack` refuses members that point outside of the folder.
    tar::Archive::new(decoder.take(MAX_ARCHIVE_BYTES)).unpack(folder)?;
    Ok(())
}

/// What a file says of itself; `None` for what is plainly no image (notes, tables, pictures).
fn inspect(path: &Path) -> Option<Found> {
    if fs::metadata(path).ok()?.len() > MAX_FILE_BYTES {
        return None;
    }
    let bytes = Bytes::from(fs::read(path).ok()?);
    let looks_like_dicom = bytes.get(128..132) == Some(b"DICM".as_slice());
    let summary = Instance::read(bytes)
        .ok()
        .and_then(|instance| summarise(&instance).ok());
    match summary {
        Some(summary) => Some(Found {
            path: path.to_owned(),
            patient: summary.patient_id.unwrap_or_default(),
            manufacturer: summary.manufacturer,
            modality: summary.modality,
        }),
        // Broken DICOM is for a node to quarantine.
        None if looks_like_dicom => Some(Found {
            path: path.to_owned(),
            patient: String::new(),
            manufacturer: None,
            modality: None,
        }),
        None => None,
    }
}

/// The site of each patient.
fn assign(found: &[Found]) -> BTreeMap<String, usize> {
    let mut makers: BTreeMap<&str, (u8, String)> = BTreeMap::new();
    for file in found {
        let rank = match file.modality.as_deref() {
            Some("MR") => 2,
            Some("CT") => 1,
            _ => 0,
        };
        let maker = vendor(file.manufacturer.as_deref().unwrap_or_default());
        let entry = makers.entry(&file.patient).or_insert((rank, maker.clone()));
        if rank > entry.0 {
            *entry = (rank, maker);
        }
    }
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (patient, (_, maker)) in &makers {
        groups.entry(maker).or_default().push(patient);
    }
    let mut groups: Vec<Vec<&str>> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    if groups.len() < 3 {
        let patients = groups.into_iter().flatten().enumerate();
        return patients
            .map(|(index, patient)| (patient.to_owned(), index % 3))
            .collect();
    }
    let sites = groups.into_iter().enumerate().flat_map(|(index, group)| {
        group
            .into_iter()
            .map(move |patient| (patient.to_owned(), index.min(2)))
    });
    sites.collect()
}

/// The first word of a manufacturer: `GE MEDICAL SYSTEMS` and `GE` are one vendor.
fn vendor(manufacturer: &str) -> String {
    manufacturer
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_uppercase()
}

/// A hard link where the file system allows one, else a copy.
fn place(file: &Path, landing: &Path, number: usize) -> anyhow::Result<()> {
    // Many sources give the same name to files in different folders.
    let target = landing.join(format!("{number:06}.dcm"));
    if fs::hard_link(file, &target).is_err() {
        fs::copy(file, &target)
            .with_context(|| format!("cannot copy {} to the demo's folder", file.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Found, assign};

    fn found(patient: &str, manufacturer: &str, modality: &str) -> Found {
        Found {
            path: PathBuf::new(),
            patient: patient.into(),
            manufacturer: Some(manufacturer.into()),
            modality: Some(modality.into()),
        }
    }

    #[test]
    fn patients_go_by_the_maker_of_their_mr() {
        let files = [
            found("1", "CTI", "PT"),
            found("1", "GE MEDICAL SYSTEMS", "MR"),
            found("2", "GE", "MR"),
            found("3", "SIEMENS", "MR"),
            found("4", "Siemens", "MR"),
            found("5", "Philips", "MR"),
            found("6", "Varian", "MR"),
        ];
        let sites = assign(&files);
        assert_eq!(sites["1"], sites["2"]);
        assert_eq!(sites["3"], sites["4"]);
        assert_eq!(sites["5"], sites["6"], "small groups share the last site");
        assert_ne!(sites["1"], sites["3"]);
        assert_ne!(sites["3"], sites["5"]);
    }

    #[test]
    fn one_maker_is_dealt_out_in_turn() {
        let files: Vec<_> = ["1", "2", "3", "4"]
            .map(|patient| found(patient, "GE", "CT"))
            .into();
        let sites = assign(&files);
        assert_eq!(
            [sites["1"], sites["2"], sites["3"], sites["4"]],
            [0, 1, 2, 0]
        );
    }
}
