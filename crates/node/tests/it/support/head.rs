//! A head of ellipsoids as a CT of thick slices, in the files of a hospital. Synthetic through and through.

use super::dicom::{CT, MEIER, Slice, item, long, number, part_10, text};

const ENHANCED_CT: &str = "1.2.840.10008.5.1.4.1.1.2.1";

/// Slices of the whole head, from below the chin to above the top.
pub(crate) const SLICES: u32 = 62;
const COLUMNS: u16 = 72;
const ROWS: u16 = 88;
const SPACING_MM: f64 = 3.0;
const STEP_MM: f64 = 4.0;
/// Stored for -1000 Hounsfield units.
pub(crate) const AIR: u16 = 24;
const SOFT: u16 = 1064;

/// Slice and pixel of the tip of the nose, and of the middle of the skull.
pub(crate) const NOSE: (u32, usize) = (22, 4 * COLUMNS as usize + 36);
pub(crate) const SKULL: (u32, usize) = (40, 44 * COLUMNS as usize + 36);

fn is_in([x, y, z]: [f64; 3], centre: [f64; 3], radii: [f64; 3]) -> bool {
    let part = |at: f64, of: usize| ((at - centre[of]) / radii[of]).powi(2);
    part(x, 0) + part(y, 1) + part(z, 2) <= 1.0
}

fn is_head(point: [f64; 3]) -> bool {
    let [x, y, z] = point;
    is_in(point, [0.0; 3], [76.0, 96.0, 90.0])
        || is_in(point, [0.0, -40.0, -72.0], [62.0, 52.0, 72.0])
        || is_in(point, [0.0, -90.0, -65.0], [14.0, 32.0, 22.0])
        || (x.hypot(y - 20.0) < 55.0 && (-190.0..-60.0).contains(&z))
}

/// Where the first pixel of all slices lies, right and front, and the slice of that number.
fn position(number_of: u32) -> [f64; 3] {
    let begin = |pixels: u16| -SPACING_MM * (f64::from(pixels) - 1.0) / 2.0;
    [
        begin(COLUMNS),
        begin(ROWS),
        -150.0 + STEP_MM * f64::from(number_of),
    ]
}

fn position_element(number_of: u32) -> Vec<u8> {
    let [right, front, z] = position(number_of);
    text(0x0020_0032, "DS", &format!("{right}\\{front}\\{z}"))
}

fn orientation() -> Vec<u8> {
    text(0x0020_0037, "DS", "1\\0\\0\\0\\1\\0")
}

fn spacing() -> Vec<u8> {
    let spacing = format!("{SPACING_MM}\\{SPACING_MM}");
    text(0x0028_0030, "DS", &spacing)
}

fn rescale() -> Vec<u8> {
    [
        text(0x0028_1052, "DS", "-1024"),
        text(0x0028_1053, "DS", "1"),
    ]
    .concat()
}

fn pixels(number_of: u32) -> Vec<u8> {
    let [right, front, z] = position(number_of);
    let mut pixels = Vec::new();
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            let point = [
                right + SPACING_MM * f64::from(column),
                front + SPACING_MM * f64::from(row),
                z,
            ];
            let value = if is_head(point) { SOFT } else { AIR };
            pixels.extend(value.to_le_bytes());
        }
    }
    pixels
}

fn rows_and_columns() -> Vec<u8> {
    [number(0x0028_0010, ROWS), number(0x0028_0011, COLUMNS)].concat()
}

/// 12 of 16, without a sign.
fn bits() -> Vec<u8> {
    [
        number(0x0028_0100, 16),
        number(0x0028_0101, 12),
        number(0x0028_0102, 11),
        number(0x0028_0103, 0),
    ]
    .concat()
}

fn slice(number_of: u32) -> Slice {
    Slice {
        person: MEIER,
        study: 7,
        series: 1,
        number: number_of,
    }
}

/// One slice as a Part 10 file, from 1.
pub(crate) fn head_slice(number_of: u32) -> Vec<u8> {
    let slice = slice(number_of);
    let set = [
        slice.head_of(CT, &slice.instance_uid(), "CT", "Kopf nativ"),
        text(0x0018_0015, "CS", "HEAD"),
        slice.identifiers(slice.series_uid()),
        text(0x0020_0013, "IS", &number_of.to_string()),
        position_element(number_of),
        orientation(),
        number(0x0028_0002, 1),
        text(0x0028_0004, "CS", "MONOCHROME2"),
        rows_and_columns(),
        spacing(),
        bits(),
        rescale(),
        long(0x7FE0_0010, "OW", &pixels(number_of)),
    ];
    part_10(CT, &slice.instance_uid(), &set.concat())
}

/// The whole head as one enhanced instance, each slice a frame.
pub(crate) fn enhanced_head() -> Vec<u8> {
    let slice = slice(1);
    let group = |tag: u32, content: &[u8]| long(tag, "SQ", &item(content));
    let shared = [
        group(
            0x0018_9329,
            &text(0x0008_9007, "CS", "ORIGINAL\\PRIMARY\\AXIAL\\NONE"),
        ),
        group(0x0020_9116, &orientation()),
        group(0x0028_9110, &spacing()),
        group(0x0028_9145, &rescale()),
    ]
    .concat();
    let frame = |number_of| item(&group(0x0020_9113, &position_element(number_of)));
    let frames: Vec<u8> = (1..=SLICES).flat_map(frame).collect();
    let all: Vec<u8> = (1..=SLICES).flat_map(pixels).collect();
    let set = [
        slice.head_of(ENHANCED_CT, &slice.instance_uid(), "CT", "Kopf nativ"),
        text(0x0018_0015, "CS", "HEAD"),
        slice.identifiers(slice.series_uid()),
        text(0x0020_0013, "IS", "1"),
        number(0x0028_0002, 1),
        text(0x0028_0004, "CS", "MONOCHROME2"),
        text(0x0028_0008, "IS", &SLICES.to_string()),
        rows_and_columns(),
        bits(),
        group(0x5200_9229, &shared),
        long(0x5200_9230, "SQ", &frames),
        long(0x7FE0_0010, "OW", &all),
    ];
    part_10(ENHANCED_CT, &slice.instance_uid(), &set.concat())
}
