//! What the three hospitals receive: phantoms, or real series, each with the real readings of LIDC-IDRI.

use std::{fs, path::Path};

use anyhow::Context as _;
use arno_phantom::{InputOptions, SITES, write_site_input};

use super::{DemoArgs, Input, folder::landing, real};
use crate::output;

/// One seed, so that every demo shows the same patients.
pub(super) const SEED: u64 = 20_110_101;

/// Fills the landing folders of the demo in `folder`.
pub(crate) fn fill(
    folder: &Path,
    input: &Input,
    args: &DemoArgs,
    quiet: bool,
) -> anyhow::Result<()> {
    let landings = SITES.each_ref().map(|site| landing(folder, site.key));
    for landing in &landings {
        fs::create_dir_all(landing)
            .with_context(|| format!("cannot make the folder {}", landing.display()))?;
    }
    let images = *input == Input::Phantoms;
    let options = InputOptions {
        seed: SEED,
        imaged_patients: args.imaged_patients,
        images,
    };
    let bar = output::bar(quiet, SITES.len() as u64, "making input");
    for (site, landing) in SITES.iter().zip(&landings) {
        write_site_input(site, landing, &options, &|_| {})?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Input::Real(source) = input {
        let bar = output::bar(quiet, 1, "splitting real series");
        real::split(source, &folder.join("unpacked"), &landings)?;
        bar.finish_and_clear();
    }
    Ok(())
}
