//! `arno demo`: a hub and three hospitals as four processes on this machine, and the whole way of an image from its
//! arrival to a model trained over all sites.
//!
//! The steps go through the public interfaces alone, as people and their programs would: `setup` is what operators and
//! data managers do once, `steps` is what a data user and the access committee do.

mod federation;
mod folder;
mod input;
mod outcomes;
mod places;
mod process;
mod real;
mod report;
mod setup;
mod steps;
mod yardstick;

pub use federation::{Running, Site};
pub use folder::Folder;
pub use places::Places;
pub use process::{Mode, Process, Program};
pub use report::{Report, welcome};
pub use setup::start;
pub use steps::drive;

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use crate::{Shared, output};

/// Real series beside a checkout, as the project's own tests have them.
const REAL_SERIES: &str = "../shared/data/ibsi_sts_dev";

/// Sixty patients with images in all: enough to look round, few enough to make while somebody waits.
const IMAGED_PATIENTS: usize = 20;

/// How the demo is to be.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {
    /// Use your own DICOM folder (or a folder of .tar.zst archives), split over the three sites by patient
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Make phantom images even where real series lie beside the checkout
    #[arg(long, conflicts_with = "data")]
    pub phantoms: bool,
    /// Where the demo lives
    #[arg(long, default_value = "demo-data", value_name = "DIR")]
    pub dir: PathBuf,
    /// Keep the folder at the end, and take it up again next time
    #[arg(long)]
    pub keep: bool,
    /// Begin with an empty folder, even if one was kept
    #[arg(long)]
    pub fresh: bool,
    /// Drive all steps without a person, then stop; the exit code says whether each did its work
    #[arg(long)]
    pub check: bool,
    /// First port to try; each program takes the next that is free (0 takes any)
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    pub port: u16,
    /// Patients with phantom images at each site
    #[arg(long, default_value_t = IMAGED_PATIENTS, value_name = "N")]
    pub imaged_patients: usize,
    /// Least time of a training round in milliseconds, to watch it on the page
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub pace: u32,
}

/// What the sites are filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Phantoms made at start.
    Phantoms,
    /// Real series from a folder.
    Real(PathBuf),
}

impl DemoArgs {
    /// The demo with phantoms in a folder, on any free ports; for tests.
    #[must_use]
    pub fn phantoms_in(dir: PathBuf) -> Self {
        let (data, phantoms, keep, fresh, check) = (None, true, false, false, true);
        Self {
            data,
            phantoms,
            dir,
            keep,
            fresh,
            check,
            port: 0,
            imaged_patients: IMAGED_PATIENTS,
            pace: 0,
        }
    }
}

impl Input {
    fn chosen(args: &DemoArgs) -> Self {
        match &args.data {
            Some(folder) => Self::Real(folder.clone()),
            None if !args.phantoms && Path::new(REAL_SERIES).is_dir() => {
                Self::Real(REAL_SERIES.into())
            }
            None => Self::Phantoms,
        }
    }
}

pub(crate) async fn run(shared: &Shared, args: DemoArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut stop = process::StopSignal::new()?;
    let folder = Folder::open(&args.dir, args.keep, args.fresh)?;
    let work = async {
        let mut running = setup::start(
            &args,
            &folder,
            &Mode::Processes(std::env::current_exe()?),
            shared.json,
        )
        .await?;
        running.leave_profiles().await?;
        let outcome = stay(shared, &args, &running, started, &mut stop).await;
        running.stop().await;
        outcome
    };
    let outcome = work.await;
    let closed = folder.close();
    outcome.and(closed)
}

/// Everything after the programs run.
async fn stay(
    shared: &Shared,
    args: &DemoArgs,
    running: &Running,
    started: Instant,
    stop: &mut process::StopSignal,
) -> anyhow::Result<()> {
    if !shared.json {
        println!("{}", welcome(running, started.elapsed()));
    }
    if args.check || !running.resumed {
        let report = tokio::select! {
            report = steps::drive(args, running, started, shared.json) => report?,
            () = stop.wait() => return Ok(()),
        };
        publish(shared, args, &report)?;
        if args.check {
            return report.verdict();
        }
    }
    if !shared.json {
        println!("\nEverything runs until you press Ctrl-C.");
    }
    stop.wait().await;
    if !shared.json {
        println!("\nStopping.");
    }
    Ok(())
}

fn publish(shared: &Shared, args: &DemoArgs, report: &Report) -> anyhow::Result<()> {
    if shared.json {
        return output::json(report);
    }
    println!("\n{}", report.text());
    if !args.check {
        println!("\n{}", report::NEXT);
    }
    Ok(())
}
