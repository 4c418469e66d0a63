//! Replays a kept corpus with the body of its fuzz target, for the tests of the crates that own the parsers.

use std::path::Path;

/// Gives every file of `fuzz/corpus/<target>` to the body. There are some, or the test would pass for nothing.
pub(crate) fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let entries = std::fs::read_dir(&folder).expect("the corpus is part of the repository");
    let mut replayed = 0;
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        // Shown when the body panics.
        println!("{}", path.display());
        body(&std::fs::read(&path).expect("a readable file"));
        replayed += 1;
    }
    assert!(replayed > 0, "{} is empty", folder.display());
}
