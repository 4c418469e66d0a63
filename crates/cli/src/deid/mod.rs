//! `arno deid`: de-identifies a folder into another, offline: in parallel, resumable, with a report.
//!
//! ```text
//! list files → read within limits → check → de-identify → write under the new identifiers → note as done
//! ```
//! Nothing is passed on unprocessed: what cannot be read, checked or cleared is left out and listed with its reason. The
//! output folder holds de-identified instances and nothing else; the report and the list of what is done stand beside it,
//! since they name source files.

mod done;
mod faces;
mod file;
mod report;
mod secret;
mod text;
pub(crate) mod walk;

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Mutex,
};

use anyhow::{Context as _, bail};
use arno_deid::{Recipe, RiskyKinds, Secret};
use arno_pixels::TextFinder;
use indicatif::ProgressBar;
use rayon::prelude::{IntoParallelRefIterator as _, ParallelIterator as _};

use self::{
    done::DoneList,
    faces::Faces,
    file::{Fate, Job},
    report::{Report, Tally},
    text::Texts,
    walk::Found,
};
use crate::{
    Shared,
    output::{self, LeftOut, Refusal},
};

#[derive(Debug, clap::Args)]
pub(crate) struct DeidArgs {
    /// Folder (or one file) to read; links are not followed
    #[arg(required_unless_present = "show_recipe")]
    input: Option<PathBuf>,
    /// Folder to write to, `<pseudonym>/<study>/<series>/<instance>.dcm`
    #[arg(required_unless_present = "show_recipe")]
    output: Option<PathBuf>,
    /// What is done, as TOML; by default the recipe that is built in (see --show-recipe)
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// The secret that makes pseudonyms, UIDs and date offsets: the same again joins later studies to earlier ones
    #[arg(long, value_name = "FILE", required_unless_present_any = ["new_secret", "show_recipe"])]
    secret: Option<PathBuf>,
    /// Make a new secret, in a file that is not there yet, and use it
    #[arg(long, value_name = "FILE", conflicts_with = "secret")]
    new_secret: Option<PathBuf>,
    /// Where the report goes, with `.json` and `.txt` behind; by default `<OUTPUT>.report`
    #[arg(long, value_name = "PATH")]
    report: Option<PathBuf>,
    /// Look for text that is burned into pixels, and make it black: the folder that `arno-textfinder install` made. What it
    /// cannot settle is left out for a person, as without it
    #[arg(long, value_name = "DIR")]
    text_finder: Option<PathBuf>,
    /// What becomes of heads in CT and MR, whatever the recipe says: `review` leaves them out for a person, `deface` removes the face
    /// where it is surely found and leaves out the others, `keep` passes them on
    #[arg(long, value_name = "POLICY")]
    faces: Option<FacesPolicy>,
    /// Files at a time; by default as many as there are cores
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Print the recipe that is built in, to begin one's own with
    #[arg(long, exclusive = true)]
    show_recipe: bool,
}

/// What becomes of heads.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FacesPolicy {
    /// Left out, for a person.
    Review,
    /// The face is removed.
    Deface,
    /// Passed on as they are.
    Keep,
}

/// All that one run goes by.
struct Run {
    input: PathBuf,
    output: PathBuf,
    report: PathBuf,
    recipe: Recipe,
    secret: Secret,
    finder: Option<TextFinder>,
}

pub(crate) fn run(shared: &Shared, args: DeidArgs) -> anyhow::Result<()> {
    if args.show_recipe {
        print!("{}", Recipe::embedded_toml());
        return Ok(());
    }
    let jobs = args.jobs;
    let run = Run::new(args)?;
    let files = walk::list(&run.input)?;
    let done = DoneList::open(&run.output, &run.recipe, &run.secret)?;
    let texts = match &run.finder {
        None => None,
        Some(finder) => {
            let bar = output::bar(shared.json, files.len() as u64, "files looked at");
            let texts = in_pool(jobs, || Texts::look(&run, finder, &files, &bar))?;
            bar.finish_and_clear();
            Some(texts)
        }
    };
    let faces = match run.recipe.pixels().faces {
        arno_deid::Faces::Review | arno_deid::Faces::Keep => None,
        arno_deid::Faces::Deface => {
            let bar = output::bar(shared.json, files.len() as u64, "files looked at for faces");
            let faces = in_pool(jobs, || Faces::look(&run, &files, &bar))?;
            bar.finish_and_clear();
            Some(faces)
        }
    };
    let bar = output::bar(shared.json, files.len() as u64, "files");
    let looked = LookedAt { texts, faces };
    let tally = in_pool(jobs, || run.all(&files, &looked, &done, &bar))?;
    bar.finish_and_clear();
    let report = Report::new(&run.recipe, tally);
    report.write(&run.report)?;
    match shared.json {
        true => output::json(&report)?,
        false => println!(
            "{report}\nReport in {}",
            report::text_file(&run.report).display()
        ),
    }
    match report.left_out() {
        0 => Ok(()),
        left_out => Err(LeftOut(format!(
            "{left_out} files were left out; the report says why"
        ))
        .into()),
    }
}

/// What first walks over all files found in their pixels.
struct LookedAt {
    texts: Option<Texts>,
    faces: Option<Faces>,
}

/// What a look at a file shows.
#[derive(Debug)]
pub(crate) enum Looked {
    /// It can be read and de-identified, after a person has looked if there is a reason.
    Sound { review: Option<String> },
    /// Not DICOM.
    NotDicom,
    /// A stable word, and why.
    NotSound { code: &'static str, reason: String },
}

/// Reads and checks one file.
pub(crate) fn look(input: &Path, found: &Found) -> Looked {
    let path = match found.name.as_os_str().is_empty() {
        true => input.to_owned(),
        false => input.join(&found.name),
    };
    match file::read(&path, found.size_bytes).and_then(file::instance) {
        Ok(instance) => Looked::Sound {
            review: crate::check::review_of(&instance),
        },
        Err(Fate::LeftOut(code, reason)) => Looked::NotSound { code, reason },
        Err(_) => Looked::NotDicom,
    }
}

/// Runs on as many threads as asked for.
pub(crate) fn in_pool<T: Send>(
    jobs: Option<NonZeroUsize>,
    work: impl FnOnce() -> T + Send,
) -> anyhow::Result<T> {
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(jobs) = jobs {
        pool = pool.num_threads(jobs.get());
    }
    let pool = pool.build().context("no threads to work with")?;
    Ok(pool.install(work))
}

impl Run {
    fn new(args: DeidArgs) -> anyhow::Result<Self> {
        let (Some(input), Some(output)) = (args.input, args.output) else {
            bail!("name the folder to read and the folder to write to");
        };
        let recipe = recipe(args.recipe.as_deref())?;
        let recipe = match args.faces {
            None => recipe,
            Some(policy) => recipe.with_faces(policy.into()),
        };
        let input = fs::canonicalize(&input)
            .with_context(|| format!("{} cannot be read", input.display()))?;
        fs::create_dir_all(&output)
            .with_context(|| format!("{} cannot be made", output.display()))?;
        let output = fs::canonicalize(&output)?;
        if output.starts_with(&input) || input.starts_with(&output) {
            bail!(
                "input and output lie inside each other: sources and results would mix; name another output"
            );
        }
        let secret = match (&args.secret, &args.new_secret) {
            (Some(path), _) => secret::read(path)?,
            (None, Some(path)) => secret::create(path)?,
            (None, None) => {
                bail!("name the secret: --secret FILE, or --new-secret FILE to make one")
            }
        };
        let finder = args.text_finder.as_deref().map(TextFinder::open);
        let finder = finder.transpose()?;
        if finder.is_some() && recipe.pixels().risky_kinds == RiskyKinds::Refuse {
            return Err(Refusal(
                "the recipe refuses risky kinds: leave --text-finder out, or set risky_kinds = \"clean\""
                    .to_owned(),
            )
            .into());
        }
        Ok(Self {
            finder,
            report: args.report.unwrap_or_else(|| beside(&output, "report")),
            input,
            output,
            recipe,
            secret,
        })
    }

    fn all(
        &self,
        files: &[Found],
        looked: &LookedAt,
        done: &Mutex<DoneList>,
        bar: &ProgressBar,
    ) -> Tally {
        files
            .par_iter()
            .fold(Tally::default, |mut tally, found| {
                let fate = self.one(found, looked, done);
                bar.inc(1);
                tally.add(found, fate);
                tally
            })
            .reduce(Tally::default, Tally::merged)
    }

    fn one(&self, found: &Found, looked: &LookedAt, done: &Mutex<DoneList>) -> Fate {
        if done::locked(done).has(found) {
            return Fate::DoneBefore;
        }
        let job = Job {
            input: &self.input,
            output: &self.output,
            recipe: &self.recipe,
            secret: &self.secret,
            looked,
            done,
        };
        job.run(found)
    }
}

impl From<FacesPolicy> for arno_deid::Faces {
    fn from(policy: FacesPolicy) -> Self {
        match policy {
            FacesPolicy::Review => Self::Review,
            FacesPolicy::Deface => Self::Deface,
            FacesPolicy::Keep => Self::Keep,
        }
    }
}

fn recipe(path: Option<&Path>) -> anyhow::Result<Recipe> {
    let Some(path) = path else {
        return Ok(Recipe::default());
    };
    let text =
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Recipe::parse(&text)
        .map_err(|error| Refusal(format!("{} is no recipe: {error}", path.display())).into())
}

/// A path beside the output folder, of its name.
fn beside(output: &Path, what: &str) -> PathBuf {
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{what}"));
    output.with_file_name(name)
}
