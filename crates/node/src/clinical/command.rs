//! `arno-node clinical …`: a mapping is drafted from a file, a file is checked and loaded, and what is here is listed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use arno_clinical::{Checked, Problem, draft, fhir::FhirMapping, source::suggest};
use arno_store::node::Loaded;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{ClinicalFile, Understood, count::Count, export::Export, understand};
use crate::commands::{open, say};

/// Problems and words that are printed; the report has them all.
const MAX_PRINTED: usize = 20;
/// Longest mapping or list of values that is read.
const MAX_TEXT_BYTES: u64 = 16 << 20;

/// What can be done with clinical data.
#[derive(Debug, Subcommand)]
pub enum ClinicalCommand {
    /// Draft a mapping from a table (CSV, XLSX, Parquet) or from FHIR. A person reads it before it is used.
    Suggest {
        /// The file.
        file: PathBuf,
        /// Name of the source; the file's name unless given.
        #[arg(long)]
        source: Option<String>,
    },
    /// Check every row of a file by its mapping, then load it as a whole or not at all.
    Load(Load),
    /// Count what matches a cohort at this node, exactly.
    Count(Count),
    /// Write all records to a new folder, in a format that others read.
    Export(Export),
    /// List the sources that were loaded, and how much there is of each entity.
    List {
        /// The node's folder.
        #[arg(long)]
        data: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// What is loaded, and how.
#[derive(Debug, Args)]
pub struct Load {
    /// The file: a table (.csv, .tsv, .xlsx, .parquet) or FHIR (.json, .ndjson, or a folder of them).
    file: PathBuf,
    /// What stands in it (TOML); FHIR needs none where --source and --identifier-system say enough.
    #[arg(long, required_unless_present = "source")]
    mapping: Option<PathBuf>,
    /// Of FHIR without a mapping: the name under which it is loaded.
    #[arg(long, conflicts_with = "mapping")]
    source: Option<String>,
    /// The system of the identifier that stands in Patient ID of the images, where patients have several.
    #[arg(long, requires = "source", value_name = "URI")]
    identifier_system: Option<String>,
    /// The node's folder.
    #[arg(long)]
    data: PathBuf,
    /// Only rows whose cell in this column is a line of the file that --values names.
    #[arg(long, requires = "values")]
    column: Option<String>,
    /// See --column.
    #[arg(long, requires = "column")]
    values: Option<PathBuf>,
    /// Write every problem, every word without a code and all that was left out to this file (JSON).
    #[arg(long)]
    report: Option<PathBuf>,
    /// Check only.
    #[arg(long)]
    dry_run: bool,
    /// Print the outcome as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Does it.
///
/// # Errors
/// When a file cannot be read or has problems; then nothing was loaded.
pub(crate) async fn run(command: ClinicalCommand) -> anyhow::Result<()> {
    match command {
        ClinicalCommand::Suggest { file, source } => draft_mapping(&file, source),
        ClinicalCommand::Load(load) => run_load(load).await,
        ClinicalCommand::Count(count) => super::count::run(&count).await,
        ClinicalCommand::Export(export) => super::export::run(&export).await,
        ClinicalCommand::List { data, json } => list(&data, json).await,
    }
}

fn draft_mapping(file: &Path, source: Option<String>) -> anyhow::Result<()> {
    let name = file.file_stem().map(|stem| stem.to_string_lossy().into());
    let source = source.or(name).unwrap_or_default();
    say(&suggest(file, &source)?)?;
    Ok(())
}

async fn run_load(load: Load) -> anyhow::Result<()> {
    let file = ClinicalFile {
        path: load.file.clone(),
        mapping: mapping(&load)?,
        only: only(&load)?,
    };
    let understood = tokio::task::spawn_blocking(move || understand(&file)).await?;
    let understood = match understood {
        Ok(understood) => understood,
        Err(error) => {
            report(&load, error.problems(), &Checked::default())?;
            print_problems(error.problems());
            return Err(error.into());
        }
    };
    let checked = &understood.checked;
    report(&load, &checked.problems, checked)?;
    if !checked.problems.is_empty() {
        print_problems(&checked.problems);
        bail!("{} problems: nothing was loaded", checked.problems.len());
    }
    finish(&load, understood).await
}

async fn finish(load: &Load, understood: Understood) -> anyhow::Result<()> {
    let (rows, source) = (understood.checked.rows, understood.source.clone());
    let records = understood.checked.records();
    let uncoded: u64 = understood.checked.uncoded.iter().map(|one| one.count).sum();
    let left_out: u64 = understood
        .checked
        .left_out
        .iter()
        .map(|one| one.count)
        .sum();
    let loaded = match load.dry_run {
        true => None,
        false => Some(open(&load.data).await?.load_clinical(understood).await?),
    };
    let (state, words) = match loaded {
        None => ("checked", "can be loaded".to_owned()),
        Some(Loaded::Unchanged) => (
            "unchanged",
            "were loaded before; nothing changed".to_owned(),
        ),
        Some(Loaded::Replaced { before: 0, .. }) => ("loaded", "are loaded".to_owned()),
        Some(Loaded::Replaced { before, .. }) => {
            ("loaded", format!("are loaded in place of {before}"))
        }
    };
    if load.json {
        let outcome = json!({"source": source, "state": state, "rows": rows, "records": records, "values_without_code": uncoded, "left_out": left_out});
        say(&outcome.to_string())?;
        return Ok(());
    }
    say(&format!(
        "{source}: {records} records of {rows} rows {words}."
    ))?;
    if uncoded > 0 {
        say(&format!(
            "{uncoded} values have no code and stay in the source's words; --report lists them."
        ))?;
    }
    if left_out > 0 {
        say(&format!(
            "{left_out} entries or parts of them have no place in the common data model; --report counts them by kind."
        ))?;
    }
    Ok(())
}

async fn list(data: &Path, as_json: bool) -> anyhow::Result<()> {
    let node = open(data).await?;
    let sources = node.store().clinical_sources().await?;
    let counts = node.count_clinical().await?;
    if as_json {
        let source = |one: &arno_store::node::ClinicalSource| json!({"source": one.name, "records": one.records, "loaded_at": one.loaded_at});
        let sources: Vec<_> = sources.iter().map(source).collect();
        let counts: serde_json::Map<_, _> = counts
            .iter()
            .map(|(entity, count)| Ok((entity.as_str().to_owned(), serde_json::to_value(count)?)))
            .collect::<anyhow::Result<_>>()?;
        say(&json!({"sources": sources, "entities": counts}).to_string())?;
        return Ok(());
    }
    if sources.is_empty() {
        say("No clinical source is loaded: arno-node clinical suggest FILE drafts a mapping.")?;
    }
    for one in &sources {
        say(&format!(
            "{:<30} {:>10} records, loaded {}",
            one.name,
            one.records,
            one.loaded_at.format("%Y-%m-%d %H:%M")
        ))?;
    }
    for (entity, count) in &counts {
        say(&format!(
            "{:<30} {:>10} records, {} values",
            entity.as_str(),
            count.records,
            count.values
        ))?;
    }
    Ok(())
}

/// The text of the mapping; of FHIR alone the options may say all that there is to say.
fn mapping(load: &Load) -> anyhow::Result<String> {
    match (&load.mapping, &load.source) {
        (Some(path), _) => text(path),
        (None, source) => Ok(FhirMapping::text(
            source.as_deref().unwrap_or_default(),
            load.identifier_system.as_deref(),
        )),
    }
}

fn only(load: &Load) -> anyhow::Result<Option<draft::Only>> {
    let (Some(column), Some(values)) = (&load.column, &load.values) else {
        return Ok(None);
    };
    let values: BTreeSet<_> = text(values)?.lines().map(str::to_owned).collect();
    Ok(Some(draft::Only {
        column: column.clone(),
        values,
    }))
}

fn text(path: &Path) -> anyhow::Result<String> {
    let length = fs::metadata(path)
        .with_context(|| format!("cannot read {}", path.display()))?
        .len();
    if length > MAX_TEXT_BYTES {
        bail!("{} has more than {MAX_TEXT_BYTES} bytes", path.display());
    }
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn report(load: &Load, problems: &[Problem], checked: &Checked) -> anyhow::Result<()> {
    let Some(path) = &load.report else {
        return Ok(());
    };
    let report = json!({"problems": problems, "values_without_code": checked.uncoded, "left_out": checked.left_out});
    fs::write(path, serde_json::to_vec_pretty(&report)?)
        .with_context(|| format!("cannot write {}", path.display()))
}

fn print_problems(problems: &[Problem]) {
    for problem in problems.iter().take(MAX_PRINTED) {
        eprintln!("{problem}");
    }
    if problems.len() > MAX_PRINTED {
        eprintln!(
            "… and {} more; --report lists them all.",
            problems.len() - MAX_PRINTED
        );
    }
}
