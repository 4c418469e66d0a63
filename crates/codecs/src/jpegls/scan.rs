//! Rows of a JPEG-LS scan: neighbours, runs and the order of components (ITU-T T.87 A.2, A.7, and B).

use super::bits::Bits;
use super::model::{Model, Parameters, RUN_BITS, predict};
use super::segments::{Interleave, Scan};
use crate::DecodeError;

/// Two rows of one component with a sample before and after each (T.87 A.2.1): the one before is the sample above it,
/// the one after repeats the last.
struct Rows {
    above: Vec<u16>,
    row: Vec<u16>,
}

impl Rows {
    fn new(columns: usize) -> Self {
        let row = vec![0; columns + 2];
        Self {
            above: row.clone(),
            row,
        }
    }

    /// Makes the last row the one above.
    fn advance(&mut self) {
        std::mem::swap(&mut self.above, &mut self.row);
        let last = self.above.len() - 1;
        self.above[last] = self.above[last - 1];
        self.row[0] = self.above[1];
    }

    fn near(&self, column: usize) -> Near {
        let [corner, above, beyond] = [0, 1, 2].map(|at| i32::from(self.above[column + at]));
        Near {
            left: i32::from(self.row[column]),
            above,
            corner,
            beyond,
        }
    }

    fn put(&mut self, column: usize, value: i32) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "samples are clamped to 0..=65535"
        )]
        let value = value as u16;
        self.row[column + 1] = value;
    }

    fn samples(&self) -> &[u16] {
        &self.row[1..self.row.len() - 1]
    }
}

/// The neighbours of a sample (T.87 figure 3: Ra, Rb, Rc, Rd).
#[derive(Clone, Copy)]
struct Near {
    left: i32,
    above: i32,
    corner: i32,
    beyond: i32,
}

impl Near {
    /// The context of the sample; 0 begins a run (T.87 A.3).
    fn context(&self, parameters: &Parameters) -> i32 {
        let [first, second, third] = [
            self.beyond - self.above,
            self.above - self.corner,
            self.corner - self.left,
        ]
        .map(|gradient| parameters.region(gradient));
        81 * first + 9 * second + third
    }
}

/// Decodes a scan to its places among interleaved samples; gives how many bytes it took.
pub(super) fn decode(
    scan: &Scan,
    data: &[u8],
    (columns, pixel): (usize, usize),
    samples: &mut [u16],
) -> Result<usize, DecodeError> {
    let mut work = Work {
        parameters: scan.parameters,
        model: Model::new(scan.parameters),
        bits: Bits::new(data),
        columns,
    };
    let mut rows: Vec<Rows> = (0..scan.components).map(|_| Rows::new(columns)).collect();
    let mut runs = vec![0; scan.components];
    for out in samples.chunks_mut(columns * pixel) {
        rows.iter_mut().for_each(Rows::advance);
        if scan.interleave == Interleave::Sample && rows.len() > 1 {
            work.row(&mut rows, &mut runs[0])?;
        } else {
            for (row, run) in rows.chunks_mut(1).zip(&mut runs) {
                work.row(row, run)?;
            }
        }
        if work.bits.is_over() {
            return Err(DecodeError::Damaged);
        }
        for (component, row) in rows.iter().enumerate() {
            let places = out[scan.first + component..].iter_mut().step_by(pixel);
            places
                .zip(row.samples())
                .for_each(|(place, sample)| *place = *sample);
        }
    }
    Ok(work.bits.taken())
}

struct Work<'a> {
    parameters: Parameters,
    model: Model,
    bits: Bits<'a>,
    columns: usize,
}

impl Work<'_> {
    /// Decodes one row of the components that come sample by sample; `run` is the index of T.87 A.7.1 (`RUNindex`).
    fn row(&mut self, rows: &mut [Rows], run: &mut usize) -> Result<(), DecodeError> {
        let mut column = 0;
        while column < self.columns {
            let flat = |row: &Rows| row.near(column).context(&self.parameters) == 0;
            if rows.iter().all(flat) {
                column = self.run(rows, column, run)?;
                continue;
            }
            for row in rows.iter_mut() {
                let near = row.near(column);
                let context = near.context(&self.parameters);
                let prediction = predict(near.left, near.above, near.corner);
                let value = self.model.regular(&mut self.bits, context, prediction)?;
                row.put(column, value);
            }
            column += 1;
        }
        Ok(())
    }

    /// A run of samples like the one to the left, and the sample that ends it; gives the next column (T.87 A.7).
    fn run(
        &mut self,
        rows: &mut [Rows],
        start: usize,
        run: &mut usize,
    ) -> Result<usize, DecodeError> {
        let end = start + self.run_length(self.columns - start, run);
        for row in rows.iter_mut() {
            let value = row.row[start];
            row.row[start + 1..=end].fill(value);
        }
        if end == self.columns {
            return Ok(end);
        }
        let alone = rows.len() == 1;
        for row in rows.iter_mut() {
            let near = row.near(end);
            // Of several components together each ends as if its neighbours were not alike (T.87 B.3, and CharLS).
            let alike = alone && (near.left - near.above).abs() <= self.parameters.near;
            let neighbours = (near.left, near.above);
            let value = self
                .model
                .run_end(&mut self.bits, neighbours, alike, RUN_BITS[*run])?;
            row.put(end, value);
        }
        *run = run.saturating_sub(1);
        Ok(end + 1)
    }

    /// T.87 A.7.1.2; `left` samples remain in the row.
    fn run_length(&mut self, left: usize, run: &mut usize) -> usize {
        let mut length = 0;
        while self.bits.read(1) == 1 {
            let whole = 1 << RUN_BITS[*run];
            if length + whole > left {
                return left;
            }
            length += whole;
            *run = (*run + 1).min(RUN_BITS.len() - 1);
            if length == left {
                return left;
            }
        }
        (length + self.bits.read(RUN_BITS[*run]) as usize).min(left)
    }
}
