//! `arno-node ingest`: takes in a folder, a zip file or what a DICOMDIR lists, shows how far it is, and tells what became of
//! what. A report names every file; names are the hospital's own, and stay there with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufWriter, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use arno_domain::Clock;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::{
    CodecPlace, FileOutcome, Node, NodeConfig, NodeError, Resting,
    commands::{ACTOR, say},
};

/// Files that are named after an ingest; the page and a report have them all.
const MAX_NAMED_FILES: usize = 20;

/// What is taken in, and how it is told.
#[derive(Debug, Args)]
pub struct Ingest {
    /// The node's folder.
    #[arg(long)]
    data: PathBuf,
    /// The folder to take in, or a zip file, or a DICOMDIR.
    folder: PathBuf,
    /// Write what became of each file here: JSON lines if it ends in .jsonl or .json, else CSV.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The folder of the text finder, which looks at what would wait for a person; what the node's settings say, unless given.
    #[arg(long, value_name = "DIR")]
    text_finder: Option<PathBuf>,
    /// Print the outcome as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Takes it in.
pub(crate) async fn ingest(ingest: Ingest) -> anyhow::Result<()> {
    let node = open_with(&ingest).await?;
    let mut report = ingest.report.as_deref().map(Report::create).transpose()?;
    let (bar, mut summary) = (bar(), Summary::default());
    let (told, mut outcomes) = tokio::sync::mpsc::unbounded_channel();
    let telling = async {
        while let Some(outcome) = outcomes.recv().await {
            let outcome: FileOutcome = outcome;
            bar.inc(1);
            summary.add(&outcome);
            if let Some(report) = &mut report {
                report.add(&outcome)?;
            }
        }
        report.map_or(Ok(()), Report::finish)
    };
    let progress = node.progress();
    let taking = async {
        let shown = tokio::spawn(show_total(bar.clone(), progress));
        let run = node.ingest_telling(&ingest.folder, ACTOR, told).await;
        shown.abort();
        run
    };
    let (run, reported) = tokio::join!(taking, telling);
    bar.finish_and_clear();
    let run = run?;
    reported?;
    let looked = look_for_text(&node).await?;
    if ingest.json {
        return say(&serde_json::to_string(&run)?);
    }
    say(&format!(
        "{} files: {} stored, {} unchanged, {} in quarantine, {} readings",
        run.files, run.stored, run.unchanged, run.quarantined, run.readings
    ))?;
    say(summary.table().trim_end())?;
    say_refused(&node, &summary).await?;
    looked.map_or(Ok(()), |looked| say(&looked))
}

/// Frames that the text finder is to look at are decoded in children, as they are where a node serves.
async fn open_with(ingest: &Ingest) -> anyhow::Result<Node> {
    let mut config = NodeConfig {
        codecs: CodecPlace::Child,
        ..NodeConfig::load(&ingest.data, 0)?
    };
    config.set_text_finder(ingest.text_finder.as_deref())?;
    Ok(Node::open(config, Clock::system()).await?)
}

/// Has the text finder look at what is due, and says what came of it. A text finder that fails keeps nothing from having come in.
async fn look_for_text(node: &Node) -> anyhow::Result<Option<String>> {
    let due = node.store().count_text_due().await?;
    if node.text_finder().is_none() || due == 0 {
        return Ok(None);
    }
    eprintln!("the text finder looks at {due} instances; Ctrl-C leaves them to the next time");
    Ok(Some(match node.look_for_text(Resting::All).await {
        Ok(Some(looked)) => format!(
            "text finder: {} came in with text made black, {} without text, {} wait for a person",
            looked.blackened, looked.clean, looked.waiting
        ),
        Ok(None) => "text finder: another program of this node looks already".to_owned(),
        Err(NodeError::TextFinder(error)) => {
            format!("text finder: {error}. {due} instances wait for it, or for a person")
        }
        Err(error) => return Err(error.into()),
    }))
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = "{bar:30} {pos} of {len} files, {per_sec}, {eta} left";
    let style =
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

/// How many files there are is known once the folder was walked.
async fn show_total(
    bar: ProgressBar,
    mut progress: tokio::sync::watch::Receiver<Option<arno_protocol::node::IngestProgress>>,
) {
    if let Ok(known) = progress.wait_for(Option::is_some).await
        && let Some(known) = *known
    {
        bar.set_length(known.files);
    }
}

/// Names the first files that were refused, and why.
async fn say_refused(node: &Node, summary: &Summary) -> anyhow::Result<()> {
    for (name, reason) in &summary.named {
        say(&format!("  {name}: {reason}"))?;
    }
    let refused: u64 = summary.refused.values().sum();
    let more = refused.saturating_sub(summary.named.len() as u64);
    if more > 0 {
        let page = "see the quarantine page of the node, or ask for a --report";
        say(&format!("  and {more} more: {page}"))?;
    }
    if node.is_identifiable() {
        eprintln!("this node keeps identifiable objects as they come (--recipe none)");
    }
    Ok(())
}

/// What a run adds up to.
#[derive(Debug, Default)]
struct Summary {
    modalities: BTreeMap<String, (BTreeSet<String>, u64)>,
    refused: BTreeMap<&'static str, u64>,
    named: Vec<(String, String)>,
}

impl Summary {
    fn add(&mut self, outcome: &FileOutcome) {
        if let (Some(series), "stored") = (&outcome.series, outcome.outcome) {
            let modality = outcome.modality.clone().unwrap_or_else(|| "?".to_owned());
            let (all, instances) = self.modalities.entry(modality).or_default();
            all.insert(series.clone());
            *instances += 1;
        }
        if let Some(code) = outcome.code {
            *self.refused.entry(code).or_default() += 1;
            if self.named.len() < MAX_NAMED_FILES {
                let reason = outcome.reason.clone().unwrap_or_default();
                self.named.push((outcome.file.clone(), reason));
            }
        }
    }

    fn table(&self) -> String {
        let mut lines = String::new();
        if !self.modalities.is_empty() {
            lines += &format!("{:<28}{:>8}{:>11}\n", "stored", "series", "instances");
        }
        for (modality, (series, instances)) in &self.modalities {
            lines += &format!("  {modality:<26}{:>8}{instances:>11}\n", series.len());
        }
        if !self.refused.is_empty() {
            lines += &format!("{:<28}{:>19}\n", "refused", "files");
        }
        for (code, files) in &self.refused {
            lines += &format!("  {code:<26}{files:>19}\n");
        }
        lines
    }
}

/// A report file: one line a file.
struct Report {
    out: BufWriter<File>,
    form: Form,
    path: PathBuf,
}

#[derive(Clone, Copy)]
enum Form {
    Csv,
    JsonLines,
}

/// A line of a report.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    outcome: &'a str,
    code: &'a str,
    reason: &'a str,
}

impl Report {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let is_json = path
            .extension()
            .is_some_and(|suffix| suffix == "jsonl" || suffix == "json");
        let file = File::create(path)
            .with_context(|| format!("cannot write the report {}", path.display()))?;
        let mut report = Self {
            out: BufWriter::new(file),
            form: if is_json { Form::JsonLines } else { Form::Csv },
            path: path.to_owned(),
        };
        if let Form::Csv = report.form {
            report.write("file,outcome,code,reason")?;
        }
        Ok(report)
    }

    fn add(&mut self, outcome: &FileOutcome) -> anyhow::Result<()> {
        let line = Line {
            file: &outcome.file,
            outcome: outcome.outcome,
            code: outcome.code.unwrap_or_default(),
            reason: outcome.reason.as_deref().unwrap_or_default(),
        };
        let text = match self.form {
            Form::Csv => csv(&[line.file, line.outcome, line.code, line.reason]),
            Form::JsonLines => serde_json::to_string(&line)?,
        };
        self.write(&text)
    }

    fn write(&mut self, line: &str) -> anyhow::Result<()> {
        let written = writeln!(self.out, "{line}");
        written.with_context(|| format!("cannot write the report {}", self.path.display()))
    }

    fn finish(mut self) -> anyhow::Result<()> {
        let flushed = self.out.flush();
        flushed.with_context(|| format!("cannot write the report {}", self.path.display()))
    }
}

/// A line of CSV (RFC 4180).
fn csv(fields: &[&str]) -> String {
    let field = |field: &&str| match field.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => (*field).to_owned(),
    };
    fields.iter().map(field).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::csv;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let check = |fields: &[&str], expect: &str| assert_eq!(csv(fields), expect);
        check(&["a", "b c", ""], "a,b c,");
        check(
            &["a,b", "say \"x\"", "1\n2"],
            "\"a,b\",\"say \"\"x\"\"\",\"1\n2\"",
        );
    }
}
