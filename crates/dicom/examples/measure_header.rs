//! Measures what the way of an instance through a node costs here: reading, checking, summarising, metadata, row
//! attributes, writing. `measure_header FILE [ROUNDS]` prints microseconds of each step, the median over the rounds.

use std::hint::black_box;
use std::time::Instant;

use arno_dicom::query::{Level, level_json};
use arno_dicom::{Instance, check, json, summarise};

fn main() {
    let mut args = std::env::args().skip(1);
    let name = args.next().expect("a file");
    let rounds: usize = args
        .next()
        .map_or(500, |text| text.parse().expect("a number"));
    let bytes = bytes::Bytes::from(std::fs::read(&name).expect("readable"));
    let instance = Instance::read(bytes.clone()).expect("DICOM");
    println!(
        "{} elements at the top level, {} bytes of metadata, {} bytes in all",
        instance.header.iter().count(),
        json::metadata(&instance).len(),
        bytes.len()
    );
    step("read", rounds, || {
        drop(black_box(Instance::read(bytes.clone())));
    });
    step("check", rounds, || {
        drop(black_box(check(&instance)));
    });
    step("summarise", rounds, || {
        drop(black_box(summarise(&instance)));
    });
    step("metadata", rounds, || {
        drop(black_box(json::metadata(&instance)));
    });
    step("row attributes", rounds, || {
        for level in [Level::Study, Level::Series, Level::Instance] {
            drop(black_box(level_json(&instance.header, level)));
        }
    });
    step("write", rounds, || {
        drop(black_box(instance.write_with_pixel_offset()));
    });
}

fn step(name: &str, rounds: usize, work: impl Fn()) {
    let mut times: Vec<f64> = (0..rounds)
        .map(|_| {
            let started = Instant::now();
            work();
            started.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{name:15} {:8.1} µs", times[times.len() / 2]);
}
