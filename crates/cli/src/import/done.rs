//! What was dealt with, so that the same import goes on where it was, and the report for people.
//!
//! One line an object in `imports/<store>.done` of the node's folder: key, size and digest, as its store listed them. A line is
//! written after the node has the instance, so one that a crash lost costs a download and nothing else.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use arno_domain::hex;
use arno_node::Fate;
use sha2::{Digest as _, Sha256};

use super::{download::Object, imports_folder, line_error};

/// Objects of one store that were dealt with.
pub(super) struct DoneList {
    path: PathBuf,
    file: File,
    known: HashSet<[u8; 16]>,
}

impl DoneList {
    /// The list for one store, by its address.
    pub(super) fn open(data: &Path, endpoint: &str) -> anyhow::Result<Self> {
        let store = hex::encode(&Sha256::digest(endpoint)[..8]);
        let path = imports_folder(data)?.join(format!("{store}.done"));
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(line_error(&path))?;
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let known = text.lines().map(key_of).collect();
        Ok(Self { path, file, known })
    }

    /// Whether this very object was dealt with: same key, size and digest.
    pub(super) fn has(&self, object: &Object) -> bool {
        self.known.contains(&key_of(&line_of(object)))
    }

    pub(super) fn add(&mut self, object: &Object) -> anyhow::Result<()> {
        let line = line_of(object);
        writeln!(self.file, "{line}").map_err(line_error(&self.path))?;
        self.known.insert(key_of(&line));
        Ok(())
    }
}

fn line_of(object: &Object) -> String {
    let listed = &object.listed;
    let size = listed.size.map(|size| size.to_string()).unwrap_or_default();
    let md5 = listed.md5.as_deref().unwrap_or_default();
    // A key may hold anything, so it is quoted: a line break in it must not make two lines.
    let address = serde_json::Value::from(object.address());
    format!("{address}\t{size}\t{md5}")
}

/// A million lines in sixteen megabytes.
fn key_of(line: &str) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(line).into();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

/// A line of the report.
#[derive(Debug)]
pub(super) struct Line {
    address: String,
    outcome: &'static str,
    code: String,
    reason: String,
}

impl Line {
    pub(super) fn of(object: &Object, fate: &Fate) -> Self {
        let (outcome, code, reason) = match fate {
            Fate::Stored => ("stored", "", ""),
            Fate::Known => ("unchanged", "", ""),
            Fate::Refused { code, reason } => ("quarantined", *code, reason.as_str()),
        };
        Self {
            address: object.address(),
            outcome,
            code: code.to_owned(),
            reason: reason.to_owned(),
        }
    }

    pub(super) fn failed(address: &str, reason: &str) -> Self {
        Self {
            address: address.to_owned(),
            outcome: "failed",
            code: "not_downloaded".to_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// The report: a CSV file, when one is wanted.
pub(super) struct Report(Option<(PathBuf, BufWriter<File>)>);

impl Report {
    pub(super) fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self(None));
        };
        let mut file = BufWriter::new(File::create(path).map_err(line_error(path))?);
        writeln!(file, "object,outcome,code,reason").map_err(line_error(path))?;
        Ok(Self(Some((path.to_owned(), file))))
    }

    pub(super) fn write(&mut self, line: &Line) -> anyhow::Result<()> {
        let Some((path, file)) = &mut self.0 else {
            return Ok(());
        };
        let cells = [
            line.address.as_str(),
            line.outcome,
            &line.code,
            &line.reason,
        ];
        let cells = cells.map(quoted);
        writeln!(file, "{}", cells.join(",")).map_err(line_error(path))
    }

    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        match &mut self.0 {
            Some((path, file)) => file.flush().map_err(line_error(path)),
            None => Ok(()),
        }
    }
}

/// RFC 4180; a cell that a spreadsheet would take for a formula is led by an apostrophe.
fn quoted(cell: &str) -> String {
    let guard = match cell.starts_with(['=', '+', '-', '@']) {
        true => "'",
        false => "",
    };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn cells_are_quoted() {
        let check = |cell: &str, expect: &str| assert_eq!(quoted(cell), expect);
        check("a,b", "\"a,b\"");
        check("say \"no\"", "\"say \"\"no\"\"\"");
        check("=1+1", "\"'=1+1\"");
    }
}
