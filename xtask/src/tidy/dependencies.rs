//! Dependencies: each is a decision, stands in the table of decision 0010 with the crates that may import it, and is
//! used. The two fences that matter most stand here in code too: SQL is `store`'s, calling out is `client`'s.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Finding,
    files::{File, Tree},
    markdown,
};
use crate::metadata::{Dependency, Package, short};

const TABLE: &str = "docs/decisions/0010-dependencies.md";
const WORKSPACE: &str = "Cargo.toml";
/// In the table: whoever needs it.
const ANYBODY: &str = "any";

/// Crates that only one of ours may depend on, whatever the table says.
const FENCES: [(&str, &str); 2] = [("sqlx", "store"), ("reqwest", "client")];
/// The type without which nothing calls out over TLS.
const CALLING_OUT: &str = concat!("Client", "Config");
/// Where it may stand: HTTP is the client's, DICOM's own protocol is dimse's.
const CALLERS: [&str; 2] = ["crates/client/", "crates/dimse/src/tls.rs"];

/// Who may import each dependency.
type Importers = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn check(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let mut findings = against_table(tree, packages);
    findings.extend(packages.iter().flat_map(fences));
    findings.extend(tree.with_extension("rs").flat_map(calling_out));
    findings.extend(never_used(tree, packages));
    findings.extend(packages.iter().flat_map(|package| unused(tree, package)));
    findings
}

fn against_table(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let Some(page) = tree.file(TABLE) else {
        return vec![Finding::at(TABLE, "is missing")];
    };
    let table = importers(&page.text);
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for package in packages {
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| !dependency.own)
        {
            seen.insert(dependency.name.as_str());
            findings.extend(permitted(&table, package, dependency));
        }
    }
    let stale = table.keys().filter(|name| !seen.contains(name.as_str()));
    findings
        .extend(stale.map(|name| Finding::at(TABLE, format!("{name} is no dependency any more"))));
    findings
}

/// From rows `| name | why | may be imported by | … |`; several names may share a row.
fn importers(page: &str) -> Importers {
    let mut importers = Importers::new();
    for (_, cells) in markdown::rows(page) {
        let [names, _, by, ..] = cells.as_slice() else {
            continue;
        };
        let by: BTreeSet<_> = by
            .split([',', ' '])
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        importers.extend(
            markdown::quoted(names)
                .iter()
                .map(|name| ((*name).to_owned(), by.clone())),
        );
    }
    importers
}

fn permitted(table: &Importers, package: &Package, dependency: &Dependency) -> Option<Finding> {
    let (name, importer) = (&dependency.name, short(&package.name));
    let message = match table.get(name) {
        None => format!(
            "has no row for {name}, on which {importer} depends: why is it taken, and what does it cost?"
        ),
        Some(by) if by.contains(ANYBODY) || by.contains(importer) || dependency.for_tests_only => {
            return None;
        }
        Some(_) => format!("does not let {importer} import {name}"),
    };
    Some(Finding::at(TABLE, message))
}

fn fences(package: &Package) -> Vec<Finding> {
    let name = short(&package.name);
    let depends = |crossed: &str| {
        package
            .dependencies
            .iter()
            .any(|dependency| dependency.name == crossed)
    };
    let crossed = FENCES
        .iter()
        .filter(|(fenced, inside)| depends(fenced) && *inside != name);
    let manifest = format!("crates/{name}/Cargo.toml");
    crossed
        .map(|(fenced, inside)| {
            Finding::at(&manifest, format!("only {inside} may depend on {fenced}"))
        })
        .collect()
}

fn calling_out(file: &File) -> Vec<Finding> {
    let is_caller = CALLERS.iter().any(|inside| file.path.starts_with(inside));
    let lines = file
        .lines()
        .filter(|(_, line)| line.contains(CALLING_OUT) && !is_caller);
    lines
        .map(|(number, _)| {
            Finding::line(
                &file.path,
                number,
                "only the client and dimse call out over TLS",
            )
        })
        .collect()
}

/// Dependencies of the workspace that no crate takes.
fn never_used(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let Some(manifest) = tree.file(WORKSPACE) else {
        return vec![Finding::at(WORKSPACE, "is missing")];
    };
    let used = |name: &str| {
        packages
            .iter()
            .flat_map(|package| &package.dependencies)
            .any(|used| used.name == name)
    };
    let section = manifest
        .lines()
        .skip_while(|(_, line)| *line != "[workspace.dependencies]")
        .skip(1);
    let section = section.take_while(|(_, line)| !line.starts_with('['));
    let names = section.filter_map(|(number, line)| Some((number, line.split_once(" =")?.0)));
    let unused = names.filter(|(_, name)| !name.starts_with('#') && !used(name));
    unused
        .map(|(number, name)| Finding::line(WORKSPACE, number, format!("no crate uses {name}")))
        .collect()
}

/// Dependencies of a crate whose name stands nowhere in its code.
fn unused(tree: &Tree, package: &Package) -> Vec<Finding> {
    let folder = match short(&package.name) {
        "xtask" => "xtask/".to_owned(),
        name => format!("crates/{name}/"),
    };
    let sources: Vec<_> = tree
        .with_extension("rs")
        .filter(|file| file.path.starts_with(&folder))
        .collect();
    let named = |dependency: &Dependency| {
        // The library of md-5 is called md5.
        let names = ["_", ""].map(|dash| dependency.name.replace('-', dash));
        let has_any = |text: &str| names.iter().any(|name| has_word(text, name));
        sources.iter().any(|file| has_any(&file.text))
    };
    let unused = package
        .dependencies
        .iter()
        .filter(|dependency| !named(dependency));
    let manifest = format!("{folder}Cargo.toml");
    unused
        .map(|dependency| Finding::at(&manifest, format!("{} is not used", dependency.name)))
        .collect()
}

fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word).any(|(start, _)| {
        !text[..start].ends_with(part) && !text[start + word.len()..].starts_with(part)
    })
}

#[cfg(test)]
mod tests {
    use super::{TABLE, WORKSPACE, check};
    use crate::{
        metadata::{Dependency, Package},
        tidy::{Finding, files::Tree},
    };

    const PAGE: &str =
        "| crate | why | by |\n|---|---|---|\n| `sqlx`, `serde` | rows | store, node |\n";
    const MANIFEST: &str =
        "[workspace.dependencies]\nserde = \"1\"\nsqlx = \"1\"\n\n[profile.dev]\nlto = true\n";
    const CODE: &str = "use {serde, sqlx};";

    fn found(
        name: &str,
        dependencies: &[&str],
        page: &str,
        manifest: &str,
        code: &str,
    ) -> Vec<Finding> {
        let foreign = |name: &&str| Dependency {
            name: (*name).to_owned(),
            ..Dependency::default()
        };
        let dependencies = dependencies.iter().map(foreign).collect();
        let package = Package {
            name: format!("arno-{name}"),
            dependencies,
            ..Package::default()
        };
        let source = format!("crates/{name}/src/lib.rs");
        let tree = Tree::of(&[(TABLE, page), (WORKSPACE, manifest), (&source, code)]);
        check(&tree, &[package])
    }

    fn check_finding(found: &[Finding], expect: &[&str]) {
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
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
    fn the_table_says_who_may_import_what() {
        let both = ["serde", "sqlx"];
        check_finding(&found("store", &both, PAGE, MANIFEST, CODE), &[]);
        check_finding(
            &found("node", &both, PAGE, MANIFEST, CODE),
            &["only store may depend on sqlx"],
        );
        check_finding(
            &found(
                "store",
                &both,
                &PAGE.replace(", `serde`", ""),
                MANIFEST,
                CODE,
            ),
            &["no row for serde"],
        );
        let crossing = [
            "not let hub import serde",
            "not let hub import sqlx",
            "only store may depend on sqlx",
        ];
        check_finding(&found("hub", &both, PAGE, MANIFEST, CODE), &crossing);
        check_finding(
            &found(
                "hub",
                &both,
                &PAGE.replace("store, node", "any"),
                MANIFEST,
                CODE,
            ),
            &crossing[2..],
        );
    }

    #[test]
    fn what_is_not_used_goes() {
        let both = ["serde", "sqlx"];
        check_finding(
            &found("store", &both, PAGE, MANIFEST, "use sqlx; // serde_json"),
            &["serde is not used"],
        );
        let page = PAGE.replace("`sqlx`, ", "");
        check_finding(
            &found("store", &["serde"], &page, MANIFEST, CODE),
            &["no crate uses sqlx"],
        );
        check_finding(
            &found("store", &["serde"], PAGE, "", CODE),
            &["sqlx is no dependency any more"],
        );
    }

    #[test]
    fn only_the_client_calls_out() {
        let code = format!("{CODE}\nlet tls = {};", super::CALLING_OUT);
        check_finding(
            &found("store", &["serde", "sqlx"], PAGE, MANIFEST, &code),
            &["only the client"],
        );
    }
}
