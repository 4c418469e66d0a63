//! Fills a folder as a hospital's export would: `<site>.annotations.jsonl` with the readings of all its patients and,
//! if asked for, `images/` with the phantom series of some of them and a few broken files.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::broken;
use crate::ct::CtSeries;
use crate::data::{self, SeriesRecord};
use crate::error::PhantomError;
use crate::header::Visit;
use crate::identity::{Identity, hospital_numbers};
use crate::reading::reading;
use crate::rtstruct;
use crate::select;
use crate::site::SiteSpec;
use crate::window::Window;

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputOptions {
    /// Determines names, numbers, dates, which patients are imaged, and every pixel.
    pub seed: u64,
    /// Patients who get a phantom series, at most.
    pub imaged_patients: usize,
    /// Whether to write `images/` at all.
    pub images: bool,
}

impl Default for InputOptions {
    /// The demo as documented: 20 imaged patients per site.
    fn default() -> Self {
        Self {
            seed: 1,
            imaged_patients: 20,
            images: true,
        }
    }
}

/// How far the writing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Files of readings and series of images written so far.
    pub done: usize,
    /// How many there will be.
    pub total: usize,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SiteInput {
    /// Patients with at least one reading.
    pub patients: usize,
    /// Lines of `<site>.annotations.jsonl`.
    pub readings: usize,
    /// Patients with images.
    pub imaged_patients: usize,
    /// Series in `images/`: a CT and an RTSTRUCT series for each imaged series.
    pub series: usize,
    /// Sound instances in `images/`.
    pub instances: usize,
    /// Files in `images/` that belong into quarantine.
    pub broken: usize,
    /// Size of everything written.
    pub bytes: u64,
}

/// A real series that is to be imaged, and the person it belongs to here.
struct Imaged {
    person: Identity,
    series: SeriesRecord,
    window: Window,
}

/// Writes the demo input of one site into `dir`, which is made if need be. The same site and options give the same
/// bytes. `progress` is called from several threads.
///
/// # Errors
/// [`PhantomError::Write`] names the file that could not be written; what was written before stays.
pub fn write_site_input(
    site: &SiteSpec,
    dir: &Path,
    options: &InputOptions,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<SiteInput, PhantomError> {
    let patients = site.patients(data::series()?);
    let numbers = hospital_numbers(site, options.seed, patients.len());
    let imaged = if options.images {
        imaged_series(site, options, &patients, &numbers)
    } else {
        vec![]
    };
    let total = 1 + imaged.len();
    make_folder(dir)?;
    let mut input = write_annotations(site, dir, &patients, &numbers)?;
    progress(Progress { done: 1, total });
    if options.images {
        let done = AtomicUsize::new(1);
        let report = || {
            progress(Progress {
                done: done.fetch_add(1, Ordering::Relaxed) + 1,
                total,
            })
        };
        write_images(
            site,
            &dir.join("images"),
            options.seed,
            &imaged,
            &report,
            &mut input,
        )?;
    }
    Ok(input)
}

fn imaged_series(
    site: &SiteSpec,
    options: &InputOptions,
    patients: &[Vec<SeriesRecord>],
    numbers: &[String],
) -> Vec<Imaged> {
    let chosen = select::imaged(site, options.seed, patients, options.imaged_patients);
    chosen
        .into_iter()
        .flat_map(|patient| {
            patients[patient].iter().filter_map(move |series| {
                let window = Window::choose(series)?;
                let person =
                    Identity::invent(site, options.seed, &numbers[patient], &patients[patient][0]);
                Some(Imaged {
                    person,
                    series: series.clone(),
                    window,
                })
            })
        })
        .collect()
}

fn write_annotations(
    site: &SiteSpec,
    dir: &Path,
    patients: &[Vec<SeriesRecord>],
    numbers: &[String],
) -> Result<SiteInput, PhantomError> {
    // By hospital number: the order of the original ids must not show.
    let mut people: Vec<_> = numbers.iter().zip(patients).collect();
    people.sort_by_key(|(number, _)| *number);
    let path = dir.join(format!("{}.annotations.jsonl", site.key));
    let failed = |source| PhantomError::Write {
        path: path.clone(),
        source,
    };
    let mut file = BufWriter::new(fs::File::create(&path).map_err(failed)?);
    let mut input = SiteInput::default();
    for (number, patient) in people {
        input.patients += usize::from(patient.iter().any(|series| !series.readings.is_empty()));
        for (series, record) in patient
            .iter()
            .flat_map(|series| series.readings.iter().map(move |r| (series, r)))
        {
            let mut line = serde_json::to_vec(&reading(number, series, record))
                .map_err(|e| failed(e.into()))?;
            line.push(b'\n');
            file.write_all(&line).map_err(failed)?;
            input.readings += 1;
            input.bytes += line.len() as u64;
        }
    }
    file.flush().map_err(failed)?;
    Ok(input)
}

fn write_images(
    site: &SiteSpec,
    dir: &Path,
    seed: u64,
    imaged: &[Imaged],
    report: &(dyn Fn() + Sync),
    input: &mut SiteInput,
) -> Result<(), PhantomError> {
    make_folder(dir)?;
    let visits: Vec<(Visit, &Window)> = imaged
        .iter()
        .map(|i| {
            (
                Visit {
                    site,
                    seed,
                    person: &i.person,
                    series: &i.series,
                },
                &i.window,
            )
        })
        .collect();
    let written: Vec<(usize, u64)> = visits
        .par_iter()
        .map(|(visit, window)| {
            let written = write_series(*visit, window, dir)?;
            report();
            Ok(written)
        })
        .collect::<Result<_, PhantomError>>()?;
    let mut people: Vec<&str> = imaged
        .iter()
        .map(|i| i.person.hospital_number.as_str())
        .collect();
    people.dedup();
    input.imaged_patients = people.len();
    input.series = 2 * visits.len();
    input.instances = written.iter().map(|(instances, _)| instances).sum();
    input.bytes += written.iter().map(|(_, bytes)| bytes).sum::<u64>();
    if let Some((visit, window)) = visits.first() {
        write_broken(visit, window, dir, input)?;
    }
    Ok(())
}

/// Writes the images and the structure set of one series; returns the number of instances and their size.
fn write_series(visit: Visit, window: &Window, dir: &Path) -> Result<(usize, u64), PhantomError> {
    let folder = dir
        .join(&visit.person.hospital_number)
        .join(folder_name(visit.series));
    make_folder(&folder)?;
    let ct = CtSeries::new(visit, window);
    let mut bytes = 0;
    for index in 0..window.positions.len() {
        bytes += write_file(
            folder.join(format!("CT_{:04}.dcm", index + 1)),
            &ct.encode(index)?,
        )?;
    }
    bytes += write_file(
        folder.join("RTSTRUCT.dcm"),
        &rtstruct::encode(&visit, window)?,
    )?;
    Ok((window.positions.len() + 1, bytes))
}

/// The last ten characters of the series UID: short, and enough to tell a patient's series apart.
fn folder_name(series: &SeriesRecord) -> &str {
    &series.series[series.series.len().saturating_sub(10)..]
}

fn write_broken(
    visit: &Visit,
    window: &Window,
    dir: &Path,
    input: &mut SiteInput,
) -> Result<(), PhantomError> {
    let whole = CtSeries::new(*visit, window).encode(0)?;
    for (name, bytes) in broken::files(visit, &whole)? {
        input.bytes += write_file(dir.join(name), &bytes)?;
        input.broken += 1;
    }
    Ok(())
}

fn make_folder(path: &Path) -> Result<(), PhantomError> {
    fs::create_dir_all(path).map_err(|source| PhantomError::Write {
        path: path.to_owned(),
        source,
    })
}

fn write_file(path: PathBuf, bytes: &[u8]) -> Result<u64, PhantomError> {
    match fs::write(&path, bytes) {
        Ok(()) => Ok(bytes.len() as u64),
        Err(source) => Err(PhantomError::Write { path, source }),
    }
}
