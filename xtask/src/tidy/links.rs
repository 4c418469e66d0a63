//! Links in Markdown lead somewhere: to a file or folder that is kept here, and to a heading that is there.
//!
//! Not here: addresses on the web, which come and go without us.

use super::{
    Finding,
    files::{File, Tree},
    markdown,
};

/// Files that a visitor looks for first, beside the drawing of the crates.
const EXPECTED: [&str; 5] = [
    "README.md",
    "GLOSSARY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let missing = EXPECTED.iter().filter(|path| tree.file(path).is_none());
    let missing = missing.map(|path| Finding::at(path, "is missing"));
    missing
        .chain(
            tree.with_extension("md")
                .flat_map(|file| of_file(tree, file)),
        )
        .collect()
}

fn of_file(tree: &Tree, file: &File) -> Vec<Finding> {
    let links = markdown::links(&file.text).into_iter();
    let local =
        links.filter(|(_, target)| !target.contains("://") && !target.starts_with("mailto:"));
    let broken = local.filter(|(_, target)| !leads_somewhere(tree, &file.path, target));
    broken
        .map(|(line, target)| {
            Finding::line(
                &file.path,
                line,
                format!("the link to {target} leads nowhere"),
            )
        })
        .collect()
}

fn leads_somewhere(tree: &Tree, from: &str, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = resolve(from, path) else {
        return false;
    };
    let has_anchor = |file: &File| {
        file.extension() != "md" || markdown::anchors(&file.text).iter().any(|a| a == anchor)
    };
    tree.has(&path) && (anchor.is_empty() || tree.file(&path).is_some_and(has_anchor))
}

/// The path from the root of what `target` means in the file `from`; nothing for what is outside of the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "" => return None,
            "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::of_file;
    use crate::tidy::files::Tree;

    fn check(target: &str, expect: usize) {
        let text = format!("# Top\n[a]({target})\n");
        let tree = Tree::of(&[
            ("docs/a.md", &text),
            ("b.md", "## Way of an image\n"),
            ("docs/c/d.rs", "//! D.\n"),
        ]);
        assert_eq!(of_file(&tree, &tree.files[0]).len(), expect, "{target}");
    }

    #[test]
    fn only_what_is_here_can_be_linked() {
        check("../b.md", 0);
        check("../b.md#way-of-an-image", 0);
        check("../b.md#way-of-a-word", 1);
        check("#top", 0);
        check("#bottom", 1);
        check("c/", 0);
        check("c/d.rs#L1", 0);
        check("c/e.rs", 1);
        check("../../b.md", 1);
        check("/b.md", 1);
        check("https://example.org/b.md", 0);
    }
}
