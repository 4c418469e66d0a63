//! `arno-textfinder`: finds and reads text in pictures, for `arno deid --text-finder` and nodes.
//!
//! ```text
//! arno-textfinder install WHEEL --to DIR   takes the weights out of a wheel that you downloaded, checks them, copies itself
//! arno-textfinder check DIR                whether the weights in a folder are right, and how long a picture takes
//! arno-textfinder serve DIR                pictures in on standard input, boxes and strings out (arno_pixels::wire)
//! arno-textfinder read DIR PICTURE         what is read in one PGM or PPM picture, for people
//! ```
//! The weights are PP-OCR's, under the Apache License 2.0, as PyPI's `rapidocr` packs them; they are not part of Arno. Not
//! here: what is done about text.

mod detect;
mod model;
mod netpbm;
mod raster;
mod recognise;
mod regions;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use arno_pixels::Picture;
use clap::{Parser, Subcommand};

use crate::model::Models;

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Take the weights out of a wheel (`pip download --no-deps rapidocr`) and put them into a folder, with this program
    Install {
        /// The file that was downloaded
        wheel: PathBuf,
        /// The folder to make
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Check the weights in a folder, and measure one picture
    Check {
        /// The folder that `install` made
        folder: PathBuf,
    },
    /// Answer pictures on standard input, until it ends
    Serve {
        /// The folder that `install` made
        folder: PathBuf,
    },
    /// Print what is read in one picture
    Read {
        /// The folder that `install` made
        folder: PathBuf,
        /// A binary PGM or PPM file
        picture: PathBuf,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Install { wheel, to } => {
            model::install(&wheel, &to)?;
            println!(
                "The text finder is in {0}; use it with: arno deid … --text-finder {0}",
                to.display()
            );
        }
        Command::Check { folder } => check(&Models::open(&folder)?)?,
        Command::Serve { folder } => return Ok(serve::serve(&Models::open(&folder)?)),
        Command::Read { folder, picture } => {
            let bytes = std::fs::read(&picture)
                .with_context(|| format!("{} cannot be read", picture.display()))?;
            let picture = netpbm::parse(&bytes)
                .with_context(|| format!("{} is no binary PGM or PPM", picture.display()))?;
            read(&Models::open(&folder)?, &picture)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(models: &Models, picture: &Picture) -> anyhow::Result<()> {
    let engine = models.engine(std::thread::available_parallelism()?.get());
    for found in engine.find(picture)? {
        let region = found.region;
        println!(
            "{} {} {} {} {:.2} {}",
            region.x, region.y, region.width, region.height, found.confidence, found.text
        );
    }
    Ok(())
}

fn check(models: &Models) -> anyhow::Result<()> {
    let blank = Picture {
        rows: 512,
        columns: 512,
        bytes: vec![0; 512 * 512],
    };
    let engine = models.engine(1);
    let begun = Instant::now();
    engine.find(&blank)?;
    println!(
        "The weights are right; a picture of 512 x 512 took {} ms on one core",
        begun.elapsed().as_millis()
    );
    Ok(())
}
