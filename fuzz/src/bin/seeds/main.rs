//! Writes the inputs that fuzzing starts from: small, valid, of every form that a parser knows, and all made here.
//!
//!     cargo run --bin seeds -- corpus
//!
//! Not here: what fuzzing has found since, which lies beside them.

mod files;
mod pdus;
/// The encoder of the tests of `arno-dicom`, which does not share a line with the code under test.
#[path = "../../../../crates/dicom/tests/support/mod.rs"]
mod support;
mod texts;

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "corpus".to_owned());
    let folder = Path::new(&folder);
    write(&folder.join("file"), files::files())?;
    write(&folder.join("pdu"), pdus::streams())?;
    write(&folder.join("multipart"), texts::bodies())?;
    write(&folder.join("query_string"), texts::texts())?;
    write(&folder.join("identifier"), texts::identifiers())
}

fn write(folder: &Path, seeds: Vec<Vec<u8>>) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (number, seed) in seeds.iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number:03}")), seed)?;
    }
    println!("{}: {} seeds", folder.display(), seeds.len());
    Ok(())
}
