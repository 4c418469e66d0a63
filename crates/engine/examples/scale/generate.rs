//! Patients that are the same everywhere: one to five studies of one to eleven series, ten columns with as many values as the columns of a
//! large archive have, the first values far more often than the last.

use arno_engine::{Branch, ColumnId, Index, Kind, Level, Presence, Schema, Value};

/// How many values the word columns have; the first three carry a filter.
const VALUES: [usize; 9] = [25, 128, 5, 76, 436, 7, 100, 38, 180];
/// Limits of the number column.
const STEPS: [f64; 5] = [2.0, 10.0, 50.0, 100.0, 500.0];

/// An index, its columns with limits of numbers, and the words of the filters.
pub(crate) struct Generated {
    pub(crate) index: Index,
    pub(crate) columns: Vec<(ColumnId, Vec<f64>)>,
    pub(crate) filtered: Vec<(ColumnId, [String; 2])>,
}

pub(crate) fn index(series: usize) -> anyhow::Result<Generated> {
    let mut schema = Schema::new();
    let words = VALUES.map(|values| {
        (0..values)
            .map(|value| format!("value {value}"))
            .collect::<Vec<_>>()
    });
    let mut columns = Vec::new();
    for _ in VALUES {
        columns.push((schema.column(Level::SERIES, Kind::Words)?, Vec::new()));
    }
    columns.push((schema.column(Level::SERIES, Kind::Numbers)?, STEPS.to_vec()));
    let filtered = (0..3)
        .map(|at| (columns[at].0, [words[at][0].clone(), words[at][1].clone()]))
        .collect();
    let (mut index, mut random, mut left, mut patient) = (Index::new(schema), Random(1), series, 0);
    while left > 0 {
        let studies = (0..=random.below(5)).map(|_| {
            let count = (1 + random.below(11)).min(left);
            left -= count;
            let series = (0..count).map(|_| row(&mut random, &words, &columns));
            branch(Level::STUDY, Vec::new(), series.collect())
        });
        let patient_branch = branch(Level::PATIENT, Vec::new(), studies.collect());
        index.append(&format!("patient {patient:08}"), &patient_branch)?;
        patient += 1;
    }
    index.settle();
    Ok(Generated {
        index,
        columns,
        filtered,
    })
}

fn row<'a>(
    random: &mut Random,
    words: &'a [Vec<String>; 9],
    columns: &[(ColumnId, Vec<f64>)],
) -> Branch<'a> {
    let mut values: Vec<_> = words
        .iter()
        .zip(columns)
        .map(|(words, (column, _))| (*column, Value::Word(&words[random.skewed(words.len())])))
        .collect();
    values.push((
        columns[VALUES.len()].0,
        Value::Number(random.skewed(2000) as f64),
    ));
    branch(Level::SERIES, values, Vec::new())
}

fn branch<'a>(
    level: Level,
    values: Vec<(ColumnId, Value<'a>)>,
    below: Vec<Branch<'a>>,
) -> Branch<'a> {
    Branch {
        level,
        values,
        below,
        presence: Presence::There,
    }
}

/// SplitMix64 (G. L. Steele, D. Lea and C. H. Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// A number below a limit, the cube of an even one: half of all are below an eighth of it.
    fn skewed(&mut self, limit: usize) -> usize {
        let even = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (even.powi(3) * limit as f64) as usize
    }
}
