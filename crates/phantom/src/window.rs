//! Which slices of a real series become images: one gapless stack round the nodules that matter most.

use std::collections::BTreeMap;

use crate::data::SeriesRecord;

/// Most slices of one phantom series: keeps 60 patients within 200 MB.
pub(crate) const MAX_SLICES: usize = 28;
/// Slices shown above and below the outlines.
const MARGIN: usize = 3;
/// Readers that a nodule needs for a label, and the mean malignancy from and up to which it has one.
const LABEL_READERS: usize = 3;
const MALIGNANT_FROM: f64 = 4.0;
const BENIGN_UP_TO: f64 = 2.0;

/// What the readers together say of a nodule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Label {
    /// Too few readers, or in between.
    None,
    Benign,
    Malignant,
}

/// A nodule of a series, with the slices on which any reader drew it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Extent {
    label: Label,
    readers: usize,
    first: usize,
    last: usize,
}

/// The chosen stack of slices.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Window {
    /// z of the slices in mm, ascending.
    pub(crate) positions: Vec<f64>,
    /// The gravest label of a nodule that lies wholly in the stack.
    pub(crate) label: Label,
}

impl Window {
    /// The stack of at most [`MAX_SLICES`] that wholly holds the gravest nodule, and as many readings as it can.
    /// `None` if no nodule fits.
    pub(crate) fn choose(series: &SeriesRecord) -> Option<Self> {
        let slices = series.slice_positions();
        let extents = extents(series, &slices);
        let fits = |from: usize, to: usize| to - from < MAX_SLICES;
        let best = extents
            .iter()
            .flat_map(|a| extents.iter().map(move |b| (a, b)))
            .map(|(a, b)| {
                (
                    a.first.saturating_sub(MARGIN),
                    (b.last + MARGIN).min(slices.len() - 1),
                )
            })
            .filter(|&(from, to)| from <= to && fits(from, to))
            .map(|(from, to)| (worth(&extents, from, to), from, to))
            .filter(|(worth, ..)| worth.1 > 0)
            // Of equal worth, the shorter stack.
            .max_by_key(|&(worth, from, to)| (worth, std::cmp::Reverse(to - from)))?;
        let ((label, _), from, to) = best;
        Some(Self {
            positions: slices[from..=to].to_vec(),
            label,
        })
    }

    /// Index of the slice of the stack at `z`.
    pub(crate) fn slice_at(&self, z: f64) -> Option<usize> {
        nearest(&self.positions, z)
    }
}

/// The gravest label and the number of readings wholly within the slices `from..=to`.
fn worth(extents: &[Extent], from: usize, to: usize) -> (Label, usize) {
    let inside = extents.iter().filter(|e| from <= e.first && e.last <= to);
    inside.fold((Label::None, 0), |(label, readers), e| {
        (label.max(e.label), readers + e.readers)
    })
}

fn extents(series: &SeriesRecord, slices: &[f64]) -> Vec<Extent> {
    let mut nodules: BTreeMap<u32, Vec<_>> = BTreeMap::new();
    for reading in &series.readings {
        nodules.entry(reading.nodule).or_default().push(reading);
    }
    nodules
        .values()
        .filter_map(|readings| {
            let drawn: Vec<usize> = readings
                .iter()
                .flat_map(|r| r.heights())
                .filter_map(|z| nearest(slices, z))
                .collect();
            let malignancy: Vec<u8> = readings.iter().map(|r| r.ratings[8]).collect();
            Some(Extent {
                label: label(&malignancy),
                readers: readings.len(),
                first: *drawn.iter().min()?,
                last: *drawn.iter().max()?,
            })
        })
        .collect()
}

fn label(malignancy: &[u8]) -> Label {
    let mean = malignancy.iter().map(|&m| f64::from(m)).sum::<f64>() / malignancy.len() as f64;
    match mean {
        _ if malignancy.len() < LABEL_READERS => Label::None,
        m if m >= MALIGNANT_FROM => Label::Malignant,
        m if m <= BENIGN_UP_TO => Label::Benign,
        _ => Label::None,
    }
}

/// Index of the position that equals `z` to a hundredth of a mm (the committed positions are rounded).
fn nearest(positions: &[f64], z: f64) -> Option<usize> {
    positions.iter().position(|p| (p - z).abs() < 0.01)
}

#[cfg(test)]
mod tests {
    use super::{Label, MAX_SLICES, Window, label};
    use crate::data;

    #[test]
    fn labels_need_three_readers_who_agree() {
        let check = |malignancy: &[u8], expect: Label| {
            assert_eq!(label(malignancy), expect, "{malignancy:?}")
        };
        check(&[5, 5], Label::None);
        check(&[4, 4, 4], Label::Malignant);
        check(&[2, 1, 3], Label::Benign);
        check(&[3, 3, 3, 3], Label::None);
        check(&[5, 4, 2], Label::None);
    }

    #[test]
    fn stacks_are_short_and_hold_a_nodule() {
        let mut found = 0;
        for series in data::series().unwrap() {
            let Some(window) = Window::choose(&series) else {
                continue;
            };
            found += 1;
            assert!((1..=MAX_SLICES).contains(&window.positions.len()));
            let whole = |r: &data::ReadingRecord| r.heights().all(|z| window.slice_at(z).is_some());
            assert!(series.readings.iter().any(whole), "{}", series.series);
        }
        assert!(found > 700, "{found}");
    }
}
