//! The crates: every one bound to the lints of the workspace, and the edges between them as `ARCHITECTURE.md` draws
//! them. That the hub never sees DICOM is one of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, files::Tree, markdown};
use crate::metadata::{Package, short};

const DRAWING: &str = "ARCHITECTURE.md";
/// How the drawing's block begins.
const FENCE: &str = "```text edges";
/// What the hub must not reach, over any number of edges: it holds no image and cannot read one.
const NEVER_AT_THE_HUB: [&str; 3] = ["deid", "dicom", "phantom"];

/// From a crate to those that it depends on, tests left out.
type Edges = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn check(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let edges = edges(packages);
    let mut findings = drawing(tree, &edges);
    let reached = reached("hub", &edges);
    let forbidden = NEVER_AT_THE_HUB
        .iter()
        .filter(|name| reached.contains(**name));
    findings.extend(forbidden.map(|name| {
        Finding::at(
            "crates/hub/Cargo.toml",
            format!("the hub must not reach {name}"),
        )
    }));
    findings.extend(packages.iter().filter_map(|package| lints(tree, package)));
    findings
}

fn edges(packages: &[Package]) -> Edges {
    let mut edges = Edges::new();
    for package in packages {
        let own = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.own && !dependency.for_tests_only);
        let names: BTreeSet<_> = own
            .map(|dependency| short(&dependency.name).to_owned())
            .collect();
        if !names.is_empty() {
            edges.insert(short(&package.name).to_owned(), names);
        }
    }
    edges
}

fn drawing(tree: &Tree, edges: &Edges) -> Vec<Finding> {
    let Some(file) = tree.file(DRAWING) else {
        return vec![Finding::at(
            DRAWING,
            format!("is missing; it must hold this block:\n{}", draw(edges)),
        )];
    };
    let drawn = markdown::block(&file.text, FENCE).map(|block| parse(&block));
    if drawn.as_ref() == Some(edges) {
        return Vec::new();
    }
    vec![Finding::at(
        DRAWING,
        format!(
            "does not draw the edges that the crates have, which are:\n{}",
            draw(edges)
        ),
    )]
}

/// Lines like `node → dicom deid store`, in any order.
fn parse(block: &str) -> Edges {
    let lines = block.lines().filter_map(|line| line.split_once('→'));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    lines
        .map(|(from, to)| (from.trim().to_owned(), words(to)))
        .collect()
}

fn draw(edges: &Edges) -> String {
    let width = edges.keys().map(String::len).max().unwrap_or_default();
    let lines = edges.iter().map(|(from, to)| {
        let to: Vec<_> = to.iter().map(String::as_str).collect();
        format!("{from:width$} → {}\n", to.join(" "))
    });
    format!("{FENCE}\n{}```", lines.collect::<String>())
}

fn reached(from: &str, edges: &Edges) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(name) = open.pop() {
        for next in edges.get(&name).into_iter().flatten() {
            if reached.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    reached
}

fn lints(tree: &Tree, package: &Package) -> Option<Finding> {
    let folder = package
        .folder
        .components()
        .rev()
        .take(2)
        .map(|part| part.as_os_str().to_string_lossy());
    let folder: Vec<_> = folder.collect();
    let manifest = |path: &str| tree.file(&format!("{path}/Cargo.toml"));
    let file =
        manifest(&format!("{}/{}", folder[1], folder[0])).or_else(|| manifest(&folder[0]))?;
    let bound = file.text.contains("[lints]\nworkspace = true\n");
    (!bound).then(|| Finding::at(&file.path, "lacks `[lints] workspace = true`"))
}

#[cfg(test)]
mod tests {
    use super::{FENCE, check, edges, reached};
    use crate::{
        metadata::{Dependency, Package},
        tidy::files::Tree,
    };

    fn package(name: &str, dependencies: &[&str]) -> Package {
        let own = |name: &&str| Dependency {
            name: format!("arno-{name}"),
            own: true,
            for_tests_only: false,
        };
        Package {
            name: format!("arno-{name}"),
            folder: format!("/x/crates/{name}").into(),
            dependencies: dependencies.iter().map(own).collect(),
        }
    }

    fn check_drawing(block: &str, expect: &[&str]) {
        let packages = [
            package("hub", &["store", "client"]),
            package("store", &["domain"]),
        ];
        let tree = Tree::of(&[("ARCHITECTURE.md", &format!("# A\n\n{FENCE}\n{block}```\n"))]);
        let found: Vec<_> = check(&tree, &packages)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found.len(), expect.len(), "{found:?}");
        assert!(
            found
                .iter()
                .zip(expect)
                .all(|(found, part)| found.contains(part)),
            "{found:?}"
        );
    }

    #[test]
    fn the_drawing_equals_the_crates() {
        check_drawing("store → domain\nhub → client store\n", &[]);
        check_drawing(
            "store → domain\nhub → store\n",
            &["hub   → client store\nstore → domain"],
        );
        check_drawing(
            "store → domain\nhub → client store\nnode → store\n",
            &["does not draw"],
        );
    }

    #[test]
    fn a_way_round_a_corner_is_a_way() {
        let edges = edges(&[
            package("hub", &["learning"]),
            package("learning", &["dicom"]),
            package("dicom", &["hub"]),
        ]);
        assert!(reached("hub", &edges).contains("dicom"));
        assert!(!reached("hub", &edges).contains("deid"));
    }

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let manifest = |text: &str| {
            Tree::of(&[
                ("ARCHITECTURE.md", "```text edges\n```\n"),
                ("crates/hub/Cargo.toml", text),
            ])
        };
        let packages = [package("hub", &[])];
        assert_eq!(
            check(&manifest("[lints]\nworkspace = true\n"), &packages),
            []
        );
        assert_eq!(check(&manifest("[package]\n"), &packages).len(), 1);
    }
}
