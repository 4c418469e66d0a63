//! The written folders, read back as a node would: complete, the same for the same seed, consistent between
//! annotations and images, and marked as phantom in every instance.

#![allow(clippy::unwrap_used, reason = "a failing helper is a failing test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use arno_learning::reading::Reading;
use arno_phantom::{
    InputOptions, Progress, SITES, SiteInput, SiteSpec, raw_readings, write_site_input,
};
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, InMemDicomObject, Tag, open_file};
use sha2::{Digest, Sha256};

const CT_IMAGE: &str = "1.2.840.10008.5.1.4.1.1.2";
const RT_STRUCTURE_SET: &str = "1.2.840.10008.5.1.4.1.1.481.3";
const BROKEN: [&str; 4] = ["empty.dcm", "note.dcm", "screenshot.dcm", "truncated.dcm"];

fn options(seed: u64) -> InputOptions {
    InputOptions {
        seed,
        imaged_patients: 3,
        images: true,
    }
}

fn write(site: &SiteSpec, dir: &Path, options: &InputOptions) -> SiteInput {
    write_site_input(site, dir, options, &|_| ()).unwrap()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()))
        } else {
            found.push(entry.path())
        }
    }
    found.sort();
    found
}

fn is_broken(path: &Path) -> bool {
    BROKEN.contains(&path.file_name().unwrap().to_str().unwrap())
}

/// The sound instances of a site's `images/`.
fn instances(dir: &Path) -> Vec<DefaultDicomObject> {
    let sound = files(&dir.join("images"))
        .into_iter()
        .filter(|path| !is_broken(path));
    sound.map(|path| open_file(path).unwrap()).collect()
}

fn annotations(site: &SiteSpec, dir: &Path) -> Vec<Reading> {
    let text = fs::read_to_string(dir.join(format!("{}.annotations.jsonl", site.key))).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text(object: &InMemDicomObject, tag: Tag) -> String {
    object
        .element(tag)
        .unwrap()
        .to_str()
        .unwrap()
        .trim_end_matches(['\0', ' '])
        .to_owned()
}

fn numbers(object: &InMemDicomObject, tag: Tag) -> Vec<f64> {
    object.element(tag).unwrap().to_multi_float64().unwrap()
}

fn items(object: &InMemDicomObject, tag: Tag) -> &[InMemDicomObject] {
    object.element(tag).unwrap().items().unwrap()
}

fn of_class<'a>(instances: &'a [DefaultDicomObject], class: &str) -> Vec<&'a DefaultDicomObject> {
    instances
        .iter()
        .filter(|i| text(i, tags::SOP_CLASS_UID) == class)
        .collect()
}

fn sha256(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let hash = |path: &PathBuf| Sha256::digest(fs::read(path).unwrap()).to_vec();
    files(dir)
        .iter()
        .map(|path| (path.strip_prefix(dir).unwrap().to_owned(), hash(path)))
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let dirs = [1, 1, 2].map(|seed| {
        let dir = tempfile::tempdir().unwrap();
        write(&SITES[1], dir.path(), &options(seed));
        dir
    });
    let [first, again, other] = dirs.each_ref().map(|dir| sha256(dir.path()));
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test]
fn what_is_counted_was_written() {
    for site in &SITES {
        let dir = tempfile::tempdir().unwrap();
        let (calls, last) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let progress = |p: Progress| {
            assert!(p.done <= p.total);
            calls.fetch_add(1, Ordering::Relaxed);
            last.fetch_max(p.done, Ordering::Relaxed);
        };
        let input = write_site_input(site, dir.path(), &options(4), &progress).unwrap();
        let written = files(dir.path());
        let bytes: u64 = written
            .iter()
            .map(|path| fs::metadata(path).unwrap().len())
            .sum();
        let broken = written.iter().filter(|path| is_broken(path)).count();
        assert_eq!(input.bytes, bytes);
        assert_eq!(input.broken, broken);
        assert_eq!(input.broken, if site.key == "celeste" { 4 } else { 3 });
        assert_eq!(input.instances, written.len() - broken - 1);
        assert_eq!(input.imaged_patients, 3);
        let series: BTreeSet<String> = instances(dir.path())
            .iter()
            .map(|i| text(i, tags::SERIES_INSTANCE_UID))
            .collect();
        assert_eq!(input.series, series.len());
        assert_eq!(calls.load(Ordering::Relaxed), last.load(Ordering::Relaxed));
        assert_eq!(last.load(Ordering::Relaxed), 1 + input.series / 2);
    }
}

#[test]
fn without_images_only_readings_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let input = write(
        &SITES[2],
        dir.path(),
        &InputOptions {
            images: false,
            ..options(1)
        },
    );
    assert_eq!(files(dir.path()).len(), 1);
    assert_eq!(
        (
            input.series,
            input.instances,
            input.broken,
            input.imaged_patients
        ),
        (0, 0, 0, 0)
    );
}

/// The site's file holds the committed readings, each patient under another id, and the old one nowhere.
#[test]
fn readings_are_complete_under_other_identities() {
    let mut total = (0, 0);
    for site in &SITES {
        let dir = tempfile::tempdir().unwrap();
        let input = write(
            site,
            dir.path(),
            &InputOptions {
                images: false,
                ..options(1)
            },
        );
        let bytes = fs::read(dir.path().join(format!("{}.annotations.jsonl", site.key))).unwrap();
        assert!(!bytes.windows(4).any(|w| w == b"LIDC"));
        let written = annotations(site, dir.path());
        assert_eq!(
            (input.readings, raw_readings(site).unwrap().count()),
            (written.len(), written.len())
        );
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let by_place: BTreeMap<_, Reading> = written
            .into_iter()
            .map(|r| ((r.series_uid.clone(), r.nodule.clone(), r.reader), r))
            .collect();
        for raw in raw_readings(site).unwrap() {
            let here = &by_place[&(raw.series_uid.clone(), raw.nodule.clone(), raw.reader)];
            names
                .entry(raw.patient_id.clone())
                .or_default()
                .insert(here.patient_id.clone());
            assert_eq!(
                Reading {
                    patient_id: raw.patient_id.clone(),
                    ..here.clone()
                },
                raw
            );
        }
        assert_eq!(names.len(), input.patients);
        assert!(names.values().all(|numbers| numbers.len() == 1));
        assert_eq!(
            names.values().flatten().collect::<BTreeSet<_>>().len(),
            input.patients
        );
        total = (total.0 + input.patients, total.1 + input.readings);
    }
    assert_eq!(total, (875, 6859));
}

#[test]
fn every_instance_says_that_it_is_a_phantom() {
    for site in &SITES {
        let dir = tempfile::tempdir().unwrap();
        write(site, dir.path(), &options(1));
        for instance in instances(dir.path()) {
            for tag in [
                tags::STUDY_DESCRIPTION,
                tags::SERIES_DESCRIPTION,
                tags::IMAGE_COMMENTS,
            ] {
                assert!(text(&instance, tag).contains("PHANTOM"), "{tag}");
            }
            assert_eq!(text(&instance, tags::QUALITY_CONTROL_SUBJECT), "YES");
            if text(&instance, tags::SOP_CLASS_UID) == CT_IMAGE {
                assert_eq!(text(&instance, tags::QUALITY_CONTROL_IMAGE), "YES");
                assert_eq!(text(&instance, tags::IMAGE_TYPE), "DERIVED\\PRIMARY\\AXIAL");
                assert_eq!(
                    instance
                        .element(tags::PIXEL_DATA)
                        .unwrap()
                        .to_bytes()
                        .unwrap()
                        .len(),
                    2 * 256 * 256
                );
            }
        }
    }
}

/// One name and birth date per hospital number, the same numbers in images and annotations for the same study and
/// series, and identifying text where de-identification has to look for it, readable in its character set.
#[test]
fn identities_agree_between_annotations_and_images() {
    for site in &SITES {
        let dir = tempfile::tempdir().unwrap();
        write(site, dir.path(), &options(1));
        let places: BTreeMap<String, (String, String)> = annotations(site, dir.path())
            .into_iter()
            .map(|r| (r.series_uid, (r.study_uid, r.patient_id)))
            .collect();
        let mut people: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let all = instances(dir.path());
        let mut accents = 0;
        for instance in &all {
            let (id, name) = (
                text(instance, tags::PATIENT_ID),
                text(instance, tags::PATIENT_NAME),
            );
            let study = text(instance, tags::STUDY_INSTANCE_UID);
            if let Some(place) = places.get(&text(instance, tags::SERIES_INSTANCE_UID)) {
                assert_eq!(place, &(study, id.clone()));
            } else {
                assert_eq!(text(instance, tags::SOP_CLASS_UID), RT_STRUCTURE_SET);
            }
            let (family, given) = name.split_once('^').unwrap();
            let spoken = format!("{given} {family}");
            for tag in [
                tags::ADDITIONAL_PATIENT_HISTORY,
                tags::PATIENT_COMMENTS,
                tags::IMAGE_COMMENTS,
                Tag(0x0019, 0x1010),
            ] {
                assert!(text(instance, tag).contains(&spoken), "{tag}");
            }
            accents += usize::from(!name.is_ascii());
            people
                .entry(id)
                .or_default()
                .insert(name + &text(instance, tags::PATIENT_BIRTH_DATE));
        }
        assert_eq!(people.len(), 3);
        assert!(people.values().all(|person| person.len() == 1));
        assert!(accents > 0, "{}", site.key);
    }
}

/// Structure sets name existing images at the height of their outlines, and their points are those of the readings,
/// inside the image.
#[test]
fn outlines_lie_where_the_readers_drew_them() {
    for site in &SITES {
        let dir = tempfile::tempdir().unwrap();
        write(site, dir.path(), &options(1));
        let readings = annotations(site, dir.path());
        let all = instances(dir.path());
        let images: BTreeMap<String, &DefaultDicomObject> = of_class(&all, CT_IMAGE)
            .into_iter()
            .map(|i| (text(i, tags::SOP_INSTANCE_UID), i))
            .collect();
        for set in of_class(&all, RT_STRUCTURE_SET) {
            let rois = items(set, tags::STRUCTURE_SET_ROI_SEQUENCE);
            assert!(!rois.is_empty());
            for (roi, drawn) in rois.iter().zip(items(set, tags::ROI_CONTOUR_SEQUENCE)) {
                let name = text(roi, tags::ROI_NAME);
                let outlines = items(drawn, tags::CONTOUR_SEQUENCE);
                let image = |outline: &InMemDicomObject| {
                    images[&text(
                        &items(outline, tags::CONTOUR_IMAGE_SEQUENCE)[0],
                        tags::REFERENCED_SOP_INSTANCE_UID,
                    )]
                };
                let series = text(image(&outlines[0]), tags::SERIES_INSTANCE_UID);
                let reading = readings
                    .iter()
                    .find(|r| {
                        r.series_uid == series
                            && format!("Nodule {} reader {}", r.nodule, r.reader) == name
                    })
                    .unwrap();
                assert_eq!(reading.contours.len(), outlines.len());
                for (contour, outline) in reading.contours.iter().zip(outlines) {
                    let (points, image) = (numbers(outline, tags::CONTOUR_DATA), image(outline));
                    let (corner, spacing) = (
                        numbers(image, tags::IMAGE_POSITION_PATIENT),
                        numbers(image, tags::PIXEL_SPACING),
                    );
                    assert!((contour.z_mm - corner[2]).abs() < 0.01);
                    assert_eq!(points[2], corner[2]);
                    let pixels: Vec<[f64; 2]> = points
                        .chunks(3)
                        .map(|p| {
                            [
                                (p[0] - corner[0]) / spacing[1],
                                (p[1] - corner[1]) / spacing[0],
                            ]
                        })
                        .collect();
                    assert!(pixels.iter().flatten().all(|c| (0.0..256.0).contains(c)));
                    let first = contour.points[0].map(|c| (f64::from(c) - 0.5) / 2.0);
                    assert!(
                        (pixels[0][0] - first[0]).abs() < 0.001
                            && (pixels[0][1] - first[1]).abs() < 0.001
                    );
                }
            }
        }
    }
}

/// No file called broken can be taken for a sound image without a name burned in.
#[test]
fn broken_files_are_broken() {
    let dir = tempfile::tempdir().unwrap();
    write(&SITES[2], dir.path(), &options(1));
    let images = dir.path().join("images");
    assert_eq!(fs::metadata(images.join("empty.dcm")).unwrap().len(), 0);
    assert!(open_file(images.join("note.dcm")).is_err());
    let whole = fs::read(images.join("truncated.dcm")).unwrap();
    assert_eq!(&whole[128..132], b"DICM");
    assert!(whole.len() < 256 * 256 * 2);
    assert!(open_file(images.join("truncated.dcm")).is_err());
    let screenshot = open_file(images.join("screenshot.dcm")).unwrap();
    assert_eq!(text(&screenshot, tags::BURNED_IN_ANNOTATION), "YES");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("taken");
    fs::write(&file, b"").unwrap();
    let error = write_site_input(&SITES[0], &file, &options(1), &|_| ()).unwrap_err();
    assert!(error.to_string().contains("taken"), "{error}");
}
