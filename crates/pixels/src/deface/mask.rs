//! Which cells of a grid are head: from a threshold, closed over the skull and the sinuses, parted from table and straps.

use super::grid::{Grid, Size};

/// Cells that are part of the body, without holes.
#[derive(Debug)]
pub(super) struct Mask {
    pub(super) size: Size,
    pub(super) cells: Vec<bool>,
}

/// Which of its neighbours a cell goes by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Neighbours {
    Any,
    All,
}

#[derive(Clone, Copy)]
enum Axis {
    Up,
    Back,
    Left,
}

impl Mask {
    /// What is at least `threshold`; gaps of `close` cells to each side are closed, and what is no thicker than `open` cells to
    /// each side goes. Of each section only the largest part stays: arms and tables beside a head go.
    pub(super) fn of(grid: &Grid, threshold: f32, close: usize, open: usize) -> Self {
        let mut mask = Self {
            size: grid.size,
            cells: grid
                .values
                .iter()
                .map(|value| *value >= threshold)
                .collect(),
        };
        mask.grow(close);
        mask.shrink(close);
        for section in mask.cells.chunks_exact_mut(grid.size.section()) {
            fill_holes(section, grid.size);
        }
        mask.shrink(open);
        mask.grow(open);
        for section in mask.cells.chunks_exact_mut(grid.size.section()) {
            keep_largest(section, grid.size);
        }
        mask
    }

    pub(super) fn section(&self, z: usize) -> &[bool] {
        let cells = self.size.section();
        self.cells.get(z * cells..(z + 1) * cells).unwrap_or(&[])
    }

    fn grow(&mut self, by: usize) {
        self.filter(by, Neighbours::Any);
    }

    fn shrink(&mut self, by: usize) {
        self.filter(by, Neighbours::All);
    }

    /// A cube of neighbours is a line of lines of lines. What lies outside of the grid has no say.
    fn filter(&mut self, reach: usize, go_by: Neighbours) {
        for axis in [Axis::Up, Axis::Back, Axis::Left] {
            let (count, stride) = match axis {
                Axis::Up => (self.size.up, self.size.section()),
                Axis::Back => (self.size.back, self.size.left),
                Axis::Left => (self.size.left, 1),
            };
            for start in 0..self.cells.len() {
                if start / stride % count == 0 {
                    self.filter_line((start, count, stride), reach, go_by);
                }
            }
        }
    }

    fn filter_line(
        &mut self,
        (start, count, stride): (usize, usize, usize),
        reach: usize,
        go_by: Neighbours,
    ) {
        let line = (0..count).map(|at| self.cells[start + at * stride]);
        let mut sums = Vec::with_capacity(count + 1);
        sums.push(0_usize);
        for (at, cell) in line.enumerate() {
            sums.push(sums[at] + usize::from(cell));
        }
        for at in 0..count {
            let (from, to) = (at.saturating_sub(reach), (at + reach + 1).min(count));
            let set = sums[to] - sums[from];
            self.cells[start + at * stride] = match go_by {
                Neighbours::Any => set > 0,
                Neighbours::All => set == to - from,
            };
        }
    }
}

/// Cells of a section beside one.
fn beside(at: usize, size: Size) -> impl Iterator<Item = usize> {
    let (y, x) = (at / size.left, at % size.left);
    let steps = [
        (y > 0).then(|| at - size.left),
        (y + 1 < size.back).then_some(at + size.left),
        (x > 0).then(|| at - 1),
        (x + 1 < size.left).then_some(at + 1),
    ];
    steps.into_iter().flatten()
}

/// All that is reached from `seeds` through cells that are `value`, marked in `reached`.
fn flood(
    section: &[bool],
    size: Size,
    value: bool,
    seeds: Vec<usize>,
    reached: &mut [bool],
) -> usize {
    let mut found = 0;
    let mut open = seeds;
    while let Some(at) = open.pop() {
        if reached[at] || section[at] != value {
            continue;
        }
        reached[at] = true;
        found += 1;
        open.extend(beside(at, size).filter(|next| !reached[*next] && section[*next] == value));
    }
    found
}

/// Whatever is not reached from the edge of the section is inside.
fn fill_holes(section: &mut [bool], size: Size) {
    let is_edge = |at: &usize| beside(*at, size).count() < 4;
    let mut outside = vec![false; section.len()];
    let seeds = (0..section.len()).filter(is_edge).collect();
    flood(section, size, false, seeds, &mut outside);
    for (cell, outside) in section.iter_mut().zip(outside) {
        *cell = !outside;
    }
}

fn keep_largest(section: &mut [bool], size: Size) {
    let mut seen = vec![false; section.len()];
    let mut largest = (0, 0);
    for at in 0..section.len() {
        if section[at] && !seen[at] {
            let cells = flood(section, size, true, vec![at], &mut seen);
            largest = largest.max((cells, at));
        }
    }
    let mut kept = vec![false; section.len()];
    if largest.0 > 0 {
        flood(section, size, true, vec![largest.1], &mut kept);
    }
    section.copy_from_slice(&kept);
}

#[cfg(test)]
mod tests {
    use super::{Mask, fill_holes, keep_largest};
    use crate::deface::grid::Size;

    const SIZE: Size = Size {
        up: 1,
        back: 5,
        left: 6,
    };

    fn check(work: fn(&mut [bool], Size), before: [&str; 5], after: [&str; 5]) {
        let cells = |rows: [&str; 5]| -> Vec<bool> {
            rows.iter()
                .flat_map(|row| row.chars().map(|cell| cell == '#'))
                .collect()
        };
        let mut section = cells(before);
        work(&mut section, SIZE);
        assert_eq!(section, cells(after));
    }

    #[test]
    fn a_hole_is_filled_and_a_bay_is_not() {
        let bay = ["####..", "#..#..", "####..", "#..###", "#..#.."];
        check(
            fill_holes,
            bay,
            ["####..", "####..", "####..", "#..###", "#..#.."],
        );
    }

    #[test]
    fn the_largest_part_stays() {
        let parts = ["##...#", "##...#", "##....", "......", "####.."];
        check(
            keep_largest,
            parts,
            ["##....", "##....", "##....", "......", "......"],
        );
    }

    #[test]
    fn gaps_are_closed_and_what_is_thin_goes() {
        let close = |section: &mut [bool], size| {
            let mut mask = Mask {
                size,
                cells: section.to_vec(),
            };
            mask.grow(1);
            mask.shrink(1);
            section.copy_from_slice(&mask.cells);
        };
        check(
            close,
            ["......", "......", ".#.#..", "......", "......"],
            // Beyond the edge there is nothing that would keep a gap beside it open.
            ["......", "......", "####..", "......", "......"],
        );
        let open = |section: &mut [bool], size| {
            let mut mask = Mask {
                size,
                cells: section.to_vec(),
            };
            mask.shrink(1);
            mask.grow(1);
            section.copy_from_slice(&mask.cells);
        };
        check(
            open,
            ["###...", "###...", "######", "......", "......"],
            ["###...", "###...", "###...", "......", "......"],
        );
    }
}
