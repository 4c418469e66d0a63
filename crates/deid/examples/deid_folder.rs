//! De-identifies every DICOM file of a folder into another, by the default recipe, and says how long it took.
//!
//! Usage: `deid_folder IN OUT`. For trials by hand: its secret is a constant, so its pseudonyms protect nobody.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arno_deid::{Recipe, Secret, deidentify};
use arno_dicom::Instance;

#[derive(Default)]
struct Tally {
    done: usize,
    refused: BTreeMap<String, usize>,
    read: Duration,
    deidentify: Duration,
    write: Duration,
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [input, output] = arguments.as_slice() else {
        eprintln!("usage: deid_folder IN OUT");
        std::process::exit(2);
    };
    let mut tally = Tally::default();
    folder(input, output, &mut tally)?;
    let per_second = |time: Duration| tally.done as f64 / time.as_secs_f64().max(f64::EPSILON);
    println!(
        "{} instances de-identified; refused: {:?}",
        tally.done, tally.refused
    );
    println!(
        "instances per CPU-second: read {:.0}, de-identify {:.0}, encode {:.0}",
        per_second(tally.read),
        per_second(tally.deidentify),
        per_second(tally.write)
    );
    Ok(())
}

fn folder(input: &Path, output: &Path, tally: &mut Tally) -> std::io::Result<()> {
    fs::create_dir_all(output)?;
    for entry in fs::read_dir(input)? {
        let entry = entry?;
        let (from, to) = (entry.path(), output.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            folder(&from, &to, tally)?;
        } else {
            file(&from, &to, tally)?;
        }
    }
    Ok(())
}

fn file(from: &Path, to: &Path, tally: &mut Tally) -> std::io::Result<()> {
    let bytes = fs::read(from)?;
    let start = Instant::now();
    let instance = match Instance::read(bytes.into()) {
        Ok(instance) => instance,
        Err(error) => return refuse(tally, &error.to_string()),
    };
    tally.read += start.elapsed();
    let start = Instant::now();
    let (instance, _report) = match deidentify(instance, &Recipe::default(), &Secret::new([42; 32]))
    {
        Ok(done) => done,
        Err(error) => return refuse(tally, &error.to_string()),
    };
    tally.deidentify += start.elapsed();
    let start = Instant::now();
    let bytes = instance.as_ref().write();
    tally.write += start.elapsed();
    tally.done += 1;
    fs::write(to, bytes)
}

fn refuse(tally: &mut Tally, why: &str) -> std::io::Result<()> {
    *tally.refused.entry(why.to_owned()).or_default() += 1;
    Ok(())
}
