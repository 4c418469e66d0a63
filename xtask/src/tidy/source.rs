//! How a source file opens, how long it is, and that it names what it imports.

use super::{
    Finding,
    files::{File, Tree},
};

/// A file that is longer than this is two files.
const MAX_LINES: usize = 500;
/// Files that may be longer, each with its reason.
const LONGER: [(&str, &str); 0] = [];
/// What counts as source.
const EXTENSIONS: [&str; 8] = ["rs", "ts", "js", "mjs", "svelte", "css", "py", "sh"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_written_here()) {
        findings.extend(length(file, &LONGER));
        if file.extension() == "rs" {
            findings.extend(opening(file));
            findings.extend(globs(file));
        }
    }
    let gone = LONGER.iter().filter(|(path, _)| !tree.has(path));
    findings.extend(
        gone.map(|(path, _)| Finding::at(path, "is gone: take it off the list of longer files")),
    );
    findings
}

fn opening(file: &File) -> Option<Finding> {
    let message = "open with `//!`: what the file is for and what it does not do";
    (!file.text.starts_with("//! ")).then(|| Finding::at(&file.path, message))
}

fn length(file: &File, longer: &[(&str, &str)]) -> Option<Finding> {
    let lines = file.text.lines().count();
    let source = EXTENSIONS.contains(&file.extension())
        && !longer.iter().any(|(path, _)| *path == file.path);
    let message = format!("has {lines} lines, at most {MAX_LINES} are read with ease: split it");
    (source && lines > MAX_LINES).then(|| Finding::at(&file.path, message))
}

/// Imports of everything, `super` included: a reader should see where each name comes from.
fn globs(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut lines = file.lines();
    while let Some((number, line)) = lines.next() {
        if !is_import(line) {
            continue;
        }
        let mut import = without_comment(line).to_owned();
        while !import.contains(';') {
            let Some((_, more)) = lines.next() else { break };
            import.push_str(without_comment(more));
        }
        if import.contains('*') {
            findings.push(Finding::line(
                &file.path,
                number,
                "name what is imported instead of `*`",
            ));
        }
    }
    findings
}

fn is_import(line: &str) -> bool {
    let line = line.trim_start();
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')').map_or("", |(_, rest)| rest),
        Some(rest) => rest,
        None => line,
    };
    line.trim_start().starts_with("use ")
}

fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINES, globs, length, opening};
    use crate::tidy::files::{File, Tree};

    fn file(path: &str, text: &str) -> File {
        Tree::of(&[(path, text)]).files.remove(0)
    }

    fn check_globs(import: &str, expect: usize) {
        assert_eq!(globs(&file("a.rs", import)).len(), expect, "{import}");
    }

    #[test]
    fn globs_are_seen_wherever_they_stand() {
        check_globs("use std::io::Read;", 0);
        check_globs("use super::*;", 1);
        check_globs("    pub(crate) use crate::{a, b::*};", 1);
        check_globs(
            "pub use crate::{\n    a, // not *\n    b,\n};\nlet c = a * b;",
            0,
        );
        check_globs("use crate::{\n    a,\n    b::*,\n};", 1);
        check_globs("// use super::*;\nlet used = 2 * 3;", 0);
    }

    #[test]
    fn a_file_says_first_what_it_is_for() {
        assert!(opening(&file("a.rs", "//! For a test.\n")).is_none());
        assert!(opening(&file("a.rs", "use std::io;\n//! Late.\n")).is_some());
        assert!(opening(&file("a.rs", "")).is_some());
    }

    #[test]
    fn a_long_file_needs_a_reason() {
        let (long, fits) = ("x\n".repeat(MAX_LINES + 1), "x\n".repeat(MAX_LINES));
        assert!(length(&file("a.rs", &long), &[]).is_some());
        assert!(length(&file("a.rs", &long), &[("a.rs", "a table")]).is_none());
        assert!(length(&file("a.rs", &fits), &[]).is_none());
        assert!(length(&file("a.json", &long), &[]).is_none());
    }
}
