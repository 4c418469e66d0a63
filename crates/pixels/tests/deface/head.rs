//! A head of ellipsoids in the patient's coordinates: skull, brain, face, nose, eyes, ears and neck, as CT and as MR would see
//! them, and slices through it in any direction. Synthetic through and through.

use arno_dicom::{Header, Instance, PixelElement};
use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};

pub(crate) type V3 = [f64; 3];

/// What a point is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Air,
    Soft,
    Bone,
    Brain,
}

/// Root of the nose, where skull and face meet in the middle.
pub(crate) const NASION: V3 = [0.0, -87.0, -40.0];
pub(crate) const NOSE_TIP: V3 = [0.0, -114.0, -65.0];
pub(crate) const EYES: [V3; 2] = [[-32.0, -80.0, -44.0], [32.0, -80.0, -44.0]];
pub(crate) const CHIN: V3 = [0.0, -88.0, -125.0];
pub(crate) const EARS: [V3; 2] = [[-88.0, 5.0, -45.0], [88.0, 5.0, -45.0]];

fn is_in(point: V3, centre: V3, radii: V3) -> bool {
    let part = |i: usize| ((point[i] - centre[i]) / radii[i]).powi(2);
    part(0) + part(1) + part(2) <= 1.0
}

/// The head, upright, looking to the front.
pub(crate) fn part_at(point: V3) -> Part {
    let [x, y, z] = point;
    let floor = if y < -30.0 { -20.0 } else { -60.0 };
    if is_in(point, [0.0, 0.0, 8.0], [65.0, 83.0, 72.0]) && z > floor {
        return Part::Brain;
    }
    if is_in(point, [0.0; 3], [70.0, 89.0, 84.0]) && z > floor - 6.0 {
        return Part::Bone;
    }
    let is_soft = is_in(point, [0.0; 3], [76.0, 96.0, 90.0])
        || is_in(point, [0.0, -40.0, -72.0], [62.0, 52.0, 72.0])
        || is_in(point, [0.0, -90.0, -65.0], [14.0, 26.0, 22.0])
        || is_in(point, [0.0, -70.0, -122.0], [30.0, 24.0, 18.0])
        || EARS.iter().any(|ear| is_in(point, *ear, [9.0, 12.0, 26.0]))
        || (x.hypot(y - 20.0) < 55.0 && (-190.0..-60.0).contains(&z));
    match is_soft {
        true => Part::Soft,
        false => Part::Air,
    }
}

/// A ball on a stick: a head without a face.
pub(crate) fn faceless(point: V3) -> Part {
    let is_neck = point[0].hypot(point[1]) < 50.0 && (-190.0..0.0).contains(&point[2]);
    match is_neck || is_in(point, [0.0; 3], [76.0, 96.0, 90.0]) {
        true => Part::Soft,
        false => Part::Air,
    }
}

/// How slices are taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scan {
    pub(crate) modality: &'static str,
    /// Along a row, along a column.
    pub(crate) directions: [V3; 2],
    /// From one slice to the next; need not be at right angles to them.
    pub(crate) step: V3,
    /// Centre of all slices.
    pub(crate) centre: V3,
    pub(crate) rows: u16,
    pub(crate) columns: u16,
    pub(crate) slices: usize,
    pub(crate) spacing_mm: f64,
}

/// From the feet up, from ear to ear and from front to back.
pub(crate) const AXIAL: Scan = Scan {
    modality: "CT",
    directions: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    step: [0.0, 0.0, 3.0],
    centre: [0.0, 0.0, -30.0],
    rows: 128,
    columns: 112,
    slices: 88,
    spacing_mm: 2.0,
};

pub(crate) const SAGITTAL: Scan = Scan {
    modality: "MR",
    directions: [[0.0, 1.0, 0.0], [0.0, 0.0, -1.0]],
    step: [3.0, 0.0, 0.0],
    rows: 132,
    columns: 128,
    slices: 70,
    ..AXIAL
};

pub(crate) const CORONAL: Scan = Scan {
    modality: "MR",
    directions: [[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]],
    step: [0.0, 3.0, 0.0],
    rows: 132,
    columns: 112,
    slices: 84,
    ..AXIAL
};

impl Scan {
    pub(crate) fn origin(&self, slice: usize) -> V3 {
        let [row, column] = self.directions;
        let back = |count: usize| -(count as f64 - 1.0) / 2.0;
        let (right, down) = (
            back(self.columns.into()) * self.spacing_mm,
            back(self.rows.into()) * self.spacing_mm,
        );
        let steps = back(self.slices) + slice as f64;
        [0, 1, 2].map(|i| self.centre[i] + row[i] * right + column[i] * down + self.step[i] * steps)
    }

    pub(crate) fn point(&self, slice: usize, row: usize, column: usize) -> V3 {
        let origin = self.origin(slice);
        let [along_row, along_column] = self.directions;
        [0, 1, 2].map(|i| {
            origin[i]
                + (along_row[i] * column as f64 + along_column[i] * row as f64) * self.spacing_mm
        })
    }

    /// All slices of a head.
    pub(crate) fn of(&self, head: impl Fn(V3) -> Part) -> Vec<Instance> {
        let mut noise = Noise(1);
        let slice = |slice| {
            let mut value = Vec::new();
            for row in 0..usize::from(self.rows) {
                for column in 0..usize::from(self.columns) {
                    let part = head(self.point(slice, row, column));
                    let stored = self.stored(part) + noise.next();
                    value.extend_from_slice(&stored.max(0).cast_unsigned().to_le_bytes());
                }
            }
            self.instance(slice, &value)
        };
        (0..self.slices).map(slice).collect()
    }

    /// CT with an intercept of -1024; MR with a dark skull.
    fn stored(&self, part: Part) -> i16 {
        match (self.modality, part) {
            ("CT", Part::Air) => 24,
            ("CT", Part::Soft) => 1074,
            ("CT", Part::Bone) => 1900,
            ("CT", Part::Brain) => 1059,
            (_, Part::Air) => 20,
            (_, Part::Soft) => 700,
            (_, Part::Bone) => 40,
            (_, Part::Brain) => 500,
        }
    }

    fn instance(&self, slice: usize, value: &[u8]) -> Instance {
        let text = |tag: Tag, vr, value: &str| DataElement::new(tag, vr, value);
        let number =
            |tag: Tag, value: u16| DataElement::new(tag, VR::US, PrimitiveValue::from(value));
        let decimals = |tag: Tag, values: &[f64]| {
            let values: Vec<String> = values.iter().map(|value| format!("{value:.6}")).collect();
            DataElement::new(tag, VR::DS, PrimitiveValue::Strs(values.into()))
        };
        let [row, column] = self.directions;
        let class = match self.modality {
            "CT" => uids::CT_IMAGE_STORAGE,
            _ => uids::MR_IMAGE_STORAGE,
        };
        let mut header = Header::from_element_iter([
            text(tags::SOP_CLASS_UID, VR::UI, class),
            text(tags::SOP_INSTANCE_UID, VR::UI, &format!("1.2.3.4.{slice}")),
            text(tags::STUDY_INSTANCE_UID, VR::UI, "1.2.3.2"),
            text(tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3.3"),
            text(tags::PATIENT_ID, VR::LO, "1"),
            text(tags::MODALITY, VR::CS, self.modality),
            text(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL"),
            text(tags::INSTANCE_NUMBER, VR::IS, &(slice + 1).to_string()),
            decimals(tags::IMAGE_POSITION_PATIENT, &self.origin(slice)),
            decimals(tags::IMAGE_ORIENTATION_PATIENT, &[row, column].concat()),
            decimals(tags::PIXEL_SPACING, &[self.spacing_mm; 2]),
            number(tags::SAMPLES_PER_PIXEL, 1),
            text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
            number(tags::ROWS, self.rows),
            number(tags::COLUMNS, self.columns),
            number(tags::BITS_ALLOCATED, 16),
            number(tags::BITS_STORED, 12),
            number(tags::HIGH_BIT, 11),
            number(tags::PIXEL_REPRESENTATION, 0),
            number(tags::SMALLEST_IMAGE_PIXEL_VALUE, 1),
        ]);
        if self.modality == "CT" {
            header.put(text(tags::RESCALE_INTERCEPT, VR::DS, "-1024"));
            header.put(text(tags::RESCALE_SLOPE, VR::DS, "1"));
        }
        let (group, element) = (0x7FE0_u16.to_le_bytes(), 0x0010_u16.to_le_bytes());
        let length = u32::try_from(value.len()).expect("short").to_le_bytes();
        let encoded = [&group[..], &element, b"OW\0\0", &length, value].concat();
        Instance {
            transfer_syntax: uids::EXPLICIT_VR_LITTLE_ENDIAN.to_owned(),
            header,
            pixels: Some(PixelElement {
                encoded: encoded.into(),
                value_offset: 12,
                encapsulated: false,
            }),
        }
    }
}

/// Numbers from -16 to 15, the same every time.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> i16 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        i16::try_from(self.0 >> 27).expect("five bits") - 16
    }
}

/// Turns a point about an axis: 0 nods, 1 leans, 2 turns.
pub(crate) fn turned(point: V3, axis: usize, degrees: f64) -> V3 {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (a, b) = ((axis + 1) % 3, (axis + 2) % 3);
    let mut turned = point;
    turned[a] = cos * point[a] - sin * point[b];
    turned[b] = sin * point[a] + cos * point[b];
    turned
}
