//! Words that the glossary rules out. In its last column, what stands in backticks is refused wherever it stands; the
//! other words there depend on what is meant, which no program can tell.

use super::{
    Finding,
    files::{File, Tree},
    markdown,
};

const GLOSSARY: &str = "GLOSSARY.md";

/// Places where a refused word is right: the start of the path, the word, and why.
const EXCEPTIONS: [(&str, &str, &str); 3] = [
    (
        "tests/strangers/deid.py",
        concat!("anony", "miz"),
        "what stands in other people's files instead of a name",
    ),
    (
        "crates/deid/src/identifiers.rs",
        concat!("anony", "mis"),
        "what other programs write instead of a name",
    ),
    (
        "crates/deid/src/identifiers.rs",
        concat!("anony", "miz"),
        "what other programs write instead of a name",
    ),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(glossary) = tree.file(GLOSSARY) else {
        return Vec::new();
    };
    let words = refused(&glossary.text);
    if words.is_empty() {
        return vec![Finding::at(
            GLOSSARY,
            "refuses no word: its tables were not understood",
        )];
    }
    let files = tree
        .files
        .iter()
        .filter(|file| file.is_written_here() && file.path != GLOSSARY);
    files.flat_map(|file| of_file(file, &words)).collect()
}

/// Each refused word and the one to use.
fn refused(glossary: &str) -> Vec<(String, String)> {
    let mut refused = Vec::new();
    for (_, cells) in markdown::rows(glossary) {
        let [word, .., not] = cells.as_slice() else {
            continue;
        };
        refused.extend(
            markdown::quoted(not)
                .iter()
                .map(|not| (plain(not), word.clone())),
        );
    }
    refused
}

fn of_file(file: &File, words: &[(String, String)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        let line = plain(line);
        let found = words
            .iter()
            .filter(|(not, _)| line.contains(not.as_str()) && !is_exception(&file.path, not));
        findings.extend(found.map(|(not, word)| {
            Finding::line(
                &file.path,
                number,
                format!("says \"{not}\"; the glossary's word is {word}"),
            )
        }));
    }
    findings
}

/// Names in code and words in prose alike: small letters, blanks between the parts.
fn plain(text: &str) -> String {
    text.to_lowercase().replace(['_', '-'], " ")
}

fn is_exception(path: &str, not: &str) -> bool {
    EXCEPTIONS
        .iter()
        .any(|(start, word, _)| path.starts_with(start) && *word == not)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::files::Tree;

    fn check_text(text: &str, expect: usize) {
        let glossary = "| word | meaning | not |\n|---|---|---|\n| clean | `to wash` | `scour`, `hot water`, rub |\n";
        let tree = Tree::of(&[("GLOSSARY.md", glossary), ("a.rs", text)]);
        assert_eq!(check(&tree).len(), expect, "{text}");
    }

    #[test]
    fn refused_words_are_found_in_code_and_prose() {
        check_text("fn clean() {}\n// Do not rub.", 0);
        check_text("fn scour_all() {}", 1);
        check_text("let Scoured = hot_water;", 2);
    }

    #[test]
    fn a_glossary_that_refuses_nothing_is_an_error() {
        assert_eq!(check(&Tree::of(&[("GLOSSARY.md", "No table.")])).len(), 1);
    }
}
