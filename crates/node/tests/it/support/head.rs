//! A head of ellipsoids as a CT of thick slices, in the files of a hospital. Synthetic through and through.

use super::dicom::{CT, MEIER, Slice, long, number, part_10, text};

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

/// One slice as a Part 10 file, from 1.
pub(crate) fn head_slice(number_of: u32) -> Vec<u8> {
    let slice = Slice {
        person: MEIER,
        study: 7,
        series: 1,
        number: number_of,
    };
    let z = -150.0 + STEP_MM * f64::from(number_of);
    let (right, front) = (
        -SPACING_MM * (f64::from(COLUMNS) - 1.0) / 2.0,
        -SPACING_MM * (f64::from(ROWS) - 1.0) / 2.0,
    );
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
    let mut set = slice.head_of(CT, &slice.instance_uid(), "CT", "Kopf nativ");
    set.extend(text(0x0018_0015, "CS", "HEAD"));
    set.extend(slice.identifiers(slice.series_uid()));
    set.extend(text(0x0020_0013, "IS", &number_of.to_string()));
    set.extend(text(0x0020_0032, "DS", &format!("{right}\\{front}\\{z}")));
    set.extend(text(0x0020_0037, "DS", "1\\0\\0\\0\\1\\0"));
    set.extend(number(0x0028_0002, 1));
    set.extend(text(0x0028_0004, "CS", "MONOCHROME2"));
    set.extend(number(0x0028_0010, ROWS));
    set.extend(number(0x0028_0011, COLUMNS));
    set.extend(text(
        0x0028_0030,
        "DS",
        &format!("{SPACING_MM}\\{SPACING_MM}"),
    ));
    for (tag, value) in [
        (0x0028_0100, 16),
        (0x0028_0101, 12),
        (0x0028_0102, 11),
        (0x0028_0103, 0),
    ] {
        set.extend(number(tag, value));
    }
    set.extend(text(0x0028_1052, "DS", "-1024"));
    set.extend(text(0x0028_1053, "DS", "1"));
    set.extend(long(0x7FE0_0010, "OW", &pixels));
    part_10(CT, &slice.instance_uid(), &set)
}
