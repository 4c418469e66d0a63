//! `arno deid --faces`: a folder with a head goes in, and what comes out shows no face, or is left out with the reason.
//!
//! The head is synthetic; what it is made of is known at every point, so the brain is compared pixel by pixel.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use arno_dicom::Instance;
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::tags;
use serde_json::Value;

use crate::enhanced::{FrameTypes, enhanced};
use crate::head::{AXIAL, CHIN, NOSE_TIP, Part, V3, faceless, part_at};
use crate::support::files_below;

const NAME: &str = "Bianchi^Carla";
const CHEEKS: [V3; 2] = [[-32.0, -74.0, -55.0], [32.0, -74.0, -55.0]];
/// Stored for -1000 Hounsfield units.
const AIR: u16 = 24;
/// The least that is stored for anything softer than bone.
const SOFT: u16 = 1000;
/// Nothing was left out; something was.
const ALL: i32 = 0;
const SOME_LEFT_OUT: i32 = 4;

/// A folder with a head in it, and room for what is made of it.
struct Folder {
    base: tempfile::TempDir,
    instances: Vec<Instance>,
}

/// What the command said, and the instances it wrote by their number, from 1.
struct Done {
    code: i32,
    report: Value,
    written: BTreeMap<usize, Instance>,
}

impl Folder {
    fn with(instances: Vec<Instance>) -> Self {
        let folder = Self {
            base: tempfile::tempdir().unwrap(),
            instances: instances.into_iter().map(named).collect(),
        };
        fs::create_dir(folder.source()).unwrap();
        for (number, instance) in folder.instances.iter().enumerate() {
            fs::write(folder.file_of(number), instance.write()).unwrap();
        }
        folder
    }

    fn source(&self) -> PathBuf {
        self.base.path().join("in")
    }

    fn file_of(&self, number: usize) -> PathBuf {
        self.source().join(format!("{number:03}.dcm"))
    }

    fn deid(&self, faces: &str) -> Done {
        let result = self.base.path().join(faces);
        let done = Command::new(env!("CARGO_BIN_EXE_arno"))
            .args(["--json", "deid", "--faces", faces])
            .arg(self.source())
            .arg(&result)
            .arg("--new-secret")
            .arg(self.base.path().join(format!("{faces}.secret")))
            .output()
            .unwrap();
        Done {
            code: done.status.code().unwrap(),
            report: serde_json::from_slice(&done.stdout).unwrap(),
            written: written(&result),
        }
    }
}

fn named(mut instance: Instance) -> Instance {
    let text = |tag: Tag, vr, value: &str| DataElement::new(tag, vr, value);
    instance.header.put(text(tags::PATIENT_NAME, VR::PN, NAME));
    instance
        .header
        .put(text(tags::BODY_PART_EXAMINED, VR::CS, "HEAD"));
    instance
}

fn written(folder: &Path) -> BTreeMap<usize, Instance> {
    let files = if folder.is_dir() {
        files_below(folder)
    } else {
        Vec::new()
    };
    let instances = files.into_iter().map(|path| {
        let bytes = fs::read(path).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("Bianchi"));
        let instance = Instance::read(bytes.into()).unwrap();
        let number = text_of(&instance, tags::INSTANCE_NUMBER);
        (number.parse().unwrap(), instance)
    });
    instances.collect()
}

fn text_of(instance: &Instance, tag: Tag) -> String {
    let element = instance.header.get(tag);
    element.map_or_else(String::new, |element| {
        element.to_str().unwrap().trim().to_owned()
    })
}

/// Codes of (0012,0064).
fn methods(instance: &Instance) -> Vec<String> {
    let sequence = instance
        .header
        .get(tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE);
    let items = sequence.unwrap().items().unwrap().iter();
    let codes = items.map(|item| item.get(tags::CODE_VALUE).unwrap().to_str().unwrap());
    codes.map(|code| code.trim().to_owned()).collect()
}

fn samples(instance: &Instance) -> Vec<u16> {
    let value = instance.pixels.as_ref().unwrap().value();
    let words = value.chunks_exact(2);
    words
        .map(|word| u16::from_le_bytes([word[0], word[1]]))
        .collect()
}

/// Slice and pixel nearest to a point of the head.
fn place_of(point: V3) -> (usize, usize) {
    let columns = usize::from(AXIAL.columns);
    let places = (0..AXIAL.slices)
        .flat_map(|slice| (0..usize::from(AXIAL.rows) * columns).map(move |pixel| (slice, pixel)));
    let apart_mm = |(slice, pixel): (usize, usize)| {
        let at = AXIAL.point(slice, pixel / columns, pixel % columns);
        (0..3).map(|i| (at[i] - point[i]).powi(2)).sum::<f64>()
    };
    places
        .min_by(|a, b| apart_mm(*a).total_cmp(&apart_mm(*b)))
        .unwrap()
}

/// Whether a pixel of a slice lies in the brain.
fn is_brain(slice: usize, pixel: usize) -> bool {
    let columns = usize::from(AXIAL.columns);
    part_at(AXIAL.point(slice, pixel / columns, pixel % columns)) == Part::Brain
}

/// Brain is as it was, nose, cheeks and chin are air; gives for each slice whether anything of it changed.
fn check_face_is_gone(before: &[Vec<u16>], after: &[Vec<u16>]) -> Vec<bool> {
    assert_eq!((before.len(), after.len()), (AXIAL.slices, AXIAL.slices));
    let mut brain = 0;
    for (slice, (old, new)) in before.iter().zip(after).enumerate() {
        for pixel in (0..old.len()).filter(|pixel| is_brain(slice, *pixel)) {
            assert_eq!(new[pixel], old[pixel], "brain of slice {slice}");
            brain += 1;
        }
    }
    assert!(brain > 10_000, "{brain}");
    for gone in [NOSE_TIP, CHIN, CHEEKS[0], CHEEKS[1]] {
        let (slice, pixel) = place_of(gone);
        assert!(before[slice][pixel] > SOFT, "{gone:?}");
        assert_eq!(after[slice][pixel], AIR, "{gone:?}");
    }
    before.iter().zip(after).map(|(a, b)| a != b).collect()
}

fn check_is_marked(instance: &Instance) {
    assert!(methods(instance).contains(&"113102".to_owned()));
    assert_eq!(text_of(instance, tags::RECOGNIZABLE_VISUAL_FEATURES), "NO");
}

#[test]
fn a_face_is_air_afterwards_and_the_brain_as_it_was() {
    let folder = Folder::with(AXIAL.of(part_at));
    let done = folder.deid("deface");
    assert_eq!(done.code, ALL, "{}", done.report);
    assert_eq!(done.report["faces_removed"], AXIAL.slices);
    let before: Vec<_> = folder.instances.iter().map(samples).collect();
    let after: Vec<_> = done.written.values().map(samples).collect();
    let changed = check_face_is_gone(&before, &after);
    for (instance, is_changed) in done.written.values().zip(changed) {
        check_is_marked(instance);
        let is_derived = text_of(instance, tags::IMAGE_TYPE).starts_with("DERIVED");
        assert!(is_derived || !is_changed);
    }
}

#[test]
fn a_head_in_one_enhanced_instance_loses_its_face_too() {
    let whole = enhanced(&AXIAL.of(part_at), FrameTypes::PerFrame);
    let folder = Folder::with(vec![whole]);
    let done = folder.deid("deface");
    assert_eq!(done.code, ALL, "{}", done.report);
    assert_eq!(
        (done.written.len(), &done.report["faces_removed"]),
        (1, &1.into())
    );
    let frames = |instance: &Instance| -> Vec<Vec<u16>> {
        let pixels = usize::from(AXIAL.rows) * usize::from(AXIAL.columns);
        samples(instance)
            .chunks(pixels)
            .map(<[u16]>::to_vec)
            .collect()
    };
    check_face_is_gone(&frames(&folder.instances[0]), &frames(&done.written[&1]));
    check_is_marked(&done.written[&1]);
}

#[test]
fn by_default_a_head_is_left_out_for_a_person() {
    let folder = Folder::with(AXIAL.of(part_at));
    let done = folder.deid("review");
    check_all_left_out(&done, "can show a face");
}

#[test]
fn a_head_is_passed_on_as_it_is_where_that_is_said() {
    let folder = Folder::with(AXIAL.of(part_at));
    let done = folder.deid("keep");
    assert_eq!((done.code, &done.report["faces_removed"]), (ALL, &0.into()));
    for (slice, before) in folder.instances.iter().enumerate() {
        let after = &done.written[&(slice + 1)];
        assert_eq!(samples(after), samples(before));
        assert!(!methods(after).contains(&"113102".to_owned()));
        assert_ne!(text_of(after, tags::RECOGNIZABLE_VISUAL_FEATURES), "NO");
    }
}

#[test]
fn what_has_no_face_to_be_found_or_lacks_a_slice_is_left_out_as_a_whole() {
    let done = Folder::with(AXIAL.of(faceless)).deid("deface");
    check_all_left_out(&done, "no brow and nose were found");
    let folder = Folder::with(AXIAL.of(part_at));
    fs::remove_file(folder.file_of(40)).unwrap();
    check_all_left_out(&folder.deid("deface"), "is not removed");
}

fn check_all_left_out(done: &Done, reason: &str) {
    assert_eq!((done.code, done.written.len()), (SOME_LEFT_OUT, 0));
    let left_out = done.report["left_out"].as_array().unwrap();
    assert!(left_out.len() >= AXIAL.slices - 1);
    for file in left_out {
        assert_eq!(file["code"], "needs_review");
        let said = file["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{said}");
    }
}
