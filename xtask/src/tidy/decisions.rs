//! Decisions: numbered without a gap, each with the same four parts, and every mention of one leads to it.

use super::{
    Finding,
    files::{File, Tree},
};

const FOLDER: &str = "docs/decisions/";
const PARTS: [&str; 4] = ["## Status", "## Context", "## Decision", "## Consequences"];
/// One page.
const MAX_LINES: usize = 120;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let decisions: Vec<_> = tree
        .files
        .iter()
        .filter(|file| file.path.starts_with(FOLDER))
        .collect();
    let mut findings: Vec<_> = decisions.iter().flat_map(|file| parts(file)).collect();
    let numbered = (1..).zip(&decisions);
    let misnumbered = numbered
        .filter(|(number, file)| !file.path[FOLDER.len()..].starts_with(&format!("{number:04}-")));
    findings.extend(misnumbered.map(|(number, file)| {
        Finding::at(&file.path, format!("decision {number:04} stands here"))
    }));
    findings.extend(tree.files.iter().flat_map(|file| mentions(tree, file)));
    findings
}

fn parts(file: &File) -> Vec<Finding> {
    let lacking = PARTS
        .iter()
        .filter(|part| !file.text.lines().any(|line| line == **part));
    let mut findings: Vec<_> = lacking
        .map(|part| Finding::at(&file.path, format!("lacks \"{part}\"")))
        .collect();
    let number: String = file.path[FOLDER.len()..].chars().take(4).collect();
    if !file.text.starts_with(&format!("# {number} ")) {
        findings.push(Finding::at(
            &file.path,
            format!("must open with \"# {number} \" and its title"),
        ));
    }
    if file.text.lines().count() > MAX_LINES {
        findings.push(Finding::at(
            &file.path,
            format!("is longer than a page of {MAX_LINES} lines"),
        ));
    }
    findings
}

/// `docs/decisions/0006` in code and comments.
fn mentions(tree: &Tree, file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line_number, line) in file.lines() {
        for rest in line.split(FOLDER).skip(1) {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let start = format!("{FOLDER}{number}-");
            if !number.is_empty() && !tree.files.iter().any(|file| file.path.starts_with(&start)) {
                findings.push(Finding::line(
                    &file.path,
                    line_number,
                    format!("there is no decision {number}"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{FOLDER, check};
    use crate::tidy::files::Tree;

    const WHOLE: &str = "# 0001 One\n\n## Status\n\n## Context\n\n## Decision\n\n## Consequences\n";

    fn check_page(name: &str, text: &str, expect: usize) {
        let tree = Tree::of(&[(&format!("{FOLDER}{name}"), text)]);
        assert_eq!(check(&tree).len(), expect, "{name}: {text}");
    }

    #[test]
    fn a_decision_has_a_number_and_four_parts() {
        check_page("0001-one.md", WHOLE, 0);
        check_page("0001-one.md", &WHOLE.replace("## Status\n", ""), 1);
        check_page("0001-one.md", &WHOLE.replace("# 0001 One", "# One"), 1);
        check_page("0002-one.md", &WHOLE.replace("0001", "0002"), 1);
        check_page(
            "0001-one.md",
            &format!("{WHOLE}{}", "more\n".repeat(120)),
            1,
        );
    }

    #[test]
    fn a_mention_leads_to_a_decision() {
        let mention = |number: &str| format!("//! See {FOLDER}{number}.\n");
        let tree =
            |text: &str| Tree::of(&[(&format!("{FOLDER}0001-one.md"), WHOLE), ("a.rs", text)]);
        assert_eq!(check(&tree(&mention("0001"))), []);
        assert_eq!(check(&tree(&mention("0002"))).len(), 1);
    }
}
