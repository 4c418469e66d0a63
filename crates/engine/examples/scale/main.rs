//! Measures what a panel costs against how many series there are, on generated patients, and draws it.
//!
//! ```sh
//! cargo run --release -p arno-engine --example scale -- docs/images/index-scale.svg
//! ```

mod generate;
mod plot;

use std::time::Instant;

use anyhow::Context as _;
use arno_engine::{Branch, Cells, Change, Facet, Level, Plan, Presence, Question, Test};

/// How many series.
const SIZES: [usize; 7] = [
    10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000,
];
/// Turns, of which the middle one counts.
const TURNS: usize = 9;
/// A turn asks the panel so often that it looks at as many series as this: the system counts CPU time in steps of milliseconds.
const SERIES_A_TURN: usize = 5_000_000;

/// What was measured at one size.
pub(crate) struct Measured {
    pub(crate) series: f64,
    pub(crate) panel_ms: f64,
    pub(crate) index_mb: f64,
}

fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).context("usage: scale PLOT.svg")?;
    let measured = SIZES.map(measure).into_iter();
    let measured: Vec<Measured> = measured.collect::<Result<_, _>>()?;
    std::fs::write(&path, plot::draw(&measured)).with_context(|| format!("cannot write {path}"))
}

fn measure(series: usize) -> anyhow::Result<Measured> {
    let started = Instant::now();
    let mut generated = generate::index(series)?;
    let made_s = started.elapsed().as_secs_f64();
    let filters: Vec<Question> = generated
        .filtered
        .iter()
        .map(|(column, words)| {
            Plan::Is(*column, Test::OneOf(words.iter().cloned().collect())).into()
        })
        .collect();
    let facets: Vec<_> = generated
        .columns
        .iter()
        .enumerate()
        .map(|(at, (column, steps))| Facet {
            column: *column,
            cells: if steps.is_empty() {
                Cells::Values
            } else {
                Cells::Steps(steps.clone())
            },
            own: filters.get(at),
        })
        .collect();
    let mut turns = Vec::new();
    for _ in 0..TURNS {
        let cpu = cpu_ms()?;
        let times = SERIES_A_TURN.div_ceil(series);
        for _ in 0..times {
            std::hint::black_box(generated.index.panel(&Plan::everything().into(), &facets));
        }
        turns.push((cpu_ms()? - cpu) / times as f64);
    }
    turns.sort_by(f64::total_cmp);
    let measured = Measured {
        series: series as f64,
        panel_ms: turns[TURNS / 2],
        index_mb: generated.index.bytes() as f64 / 1e6,
    };
    let cpu = cpu_ms()?;
    let now = Some(Branch {
        level: Level::PATIENT,
        values: Vec::new(),
        below: Vec::new(),
        presence: Presence::There,
    });
    let patient = "patient 00000100";
    generated.index.patch(vec![Change { patient, now }])?;
    println!(
        "{series:9} series: panel {:8.2} ms of CPU, index {:7.2} MB, made in {made_s:.1} s, one patient replaced in {:.1} ms of CPU",
        measured.panel_ms,
        measured.index_mb,
        cpu_ms()? - cpu
    );
    Ok(measured)
}

/// CPU time of this thread, which is the only one.
fn cpu_ms() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = stat.split_whitespace().next().context("no CPU time")?;
    Ok(nanoseconds.parse::<f64>()? / 1e6)
}
