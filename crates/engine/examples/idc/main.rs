//! Measures the index on the series of NCI's Imaging Data Commons (PyPI `idc-index-data`, `idc_index.parquet`): loads one of three nodes,
//! asks a panel of ten facets with three filters, and writes time, memory and answers as JSON. `tests/strangers/index_peers.py` asks
//! DuckDB and SQLite the same and compares.
//!
//! ```sh
//! cargo run --release -p arno-engine --example idc -- idc_index.parquet 1 node-1.json
//! ```
//! The nodes are dealt whole collections, the largest first, each to the node that has the fewest series yet.

mod bars;
mod load;
mod panel;

use std::{path::PathBuf, time::Instant};

use anyhow::{Context as _, bail};
use serde_json::json;

/// How often the panel is asked; the middle one counts.
const TURNS: usize = 21;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let [path, node, out] = [(); 3].map(|()| arguments.next().unwrap_or_default());
    let node: usize = node.parse().unwrap_or_default();
    if !(1..=load::NODES).contains(&node) || out.is_empty() {
        bail!(
            "usage: idc PARQUET NODE OUT.json, with a node from 1 to {}",
            load::NODES
        );
    }
    let (started, cpu) = (Instant::now(), cpu_seconds()?);
    let loaded = load::load(&PathBuf::from(path), node)?;
    let (load_s, load_cpu_s) = (started.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let turns = turns_ms(|| panel::ask(&loaded))?;
    let listings = bars::listings(&loaded);
    bars::check(&loaded, &listings, &panel::ask(&loaded))?;
    let of_bars = turns_ms(|| bars::ask_as_a_node(&loaded, &listings))?;
    let measured = json!({
        "load_s": load_s,
        "load_cpu_s": load_cpu_s,
        "index_mb": loaded.index.bytes() as f64 / 1e6,
        "peak_mb": peak_mb()?,
        "panel_cpu_ms": turns[TURNS / 2],
        "panel_cpu_ms_worst": turns[TURNS - 1],
        "bars_cpu_ms": of_bars[TURNS / 2],
        "bars_cpu_ms_worst": of_bars[TURNS - 1],
    });
    println!(
        "node {node}: {} collections, {} patients, {} studies, {} series",
        loaded.collections.len(),
        loaded.rows[0],
        loaded.rows[1],
        loaded.rows[2]
    );
    println!("{measured:#}");
    let answer = json!({
        "collections": loaded.collections,
        "measured": measured,
        "answer": panel::answer(&loaded),
    });
    std::fs::write(&out, answer.to_string()).with_context(|| format!("cannot write {out}"))
}

/// CPU times of turns, the least first.
fn turns_ms<T>(ask: impl Fn() -> T) -> anyhow::Result<Vec<f64>> {
    let mut turns = Vec::new();
    for _ in 0..TURNS {
        let cpu = cpu_seconds()?;
        std::hint::black_box(ask());
        turns.push((cpu_seconds()? - cpu) * 1000.0);
    }
    turns.sort_by(f64::total_cmp);
    Ok(turns)
}

/// CPU time of this thread, which is the only one.
fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = stat.split_whitespace().next().context("no CPU time")?;
    Ok(nanoseconds.parse::<f64>()? / 1e9)
}

fn peak_mb() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes.context("no peak of memory")?.parse::<f64>()? / 1000.0)
}
