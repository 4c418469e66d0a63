//! Prints what is read of each file named on the command line: `name`, a tab, then metadata as DICOM JSON or why it was
//! refused. For comparing readers.

use arno_dicom::{Instance, json};

fn main() {
    for name in std::env::args().skip(1) {
        let bytes = std::fs::read(&name).map(bytes::Bytes::from);
        let line = match bytes.map(Instance::read) {
            Ok(Ok(instance)) => String::from_utf8_lossy(&json::metadata(&instance)).into_owned(),
            Ok(Err(refused)) => format!("! {refused}"),
            Err(error) => format!("! {error}"),
        };
        println!("{name}\t{line}");
    }
}
