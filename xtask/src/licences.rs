//! Licences and sources of everything in the lock file, by the list in `deny.toml`, which `cargo deny` reads too.
//!
//! The same questions as `cargo deny check licenses sources`, answered without building that program first.
//! Not here: security advisories, which need a database, and licence texts inside the crates.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::Context as _;

use crate::{
    metadata::{Package, all_packages},
    spdx,
    tidy::Finding,
};

/// The default registry, as the lock file spells it.
const REGISTRY: &str = concat!(
    "registry+https://github.com/rust-lang/",
    "crates",
    ".io-index"
);

/// A summary for people, and what is wrong.
pub(crate) fn check(root: &Path) -> anyhow::Result<(String, Vec<Finding>)> {
    let deny = fs::read_to_string(root.join("deny.toml")).context("cannot read deny.toml")?;
    let allowed = allow_list(&deny);
    let packages = all_packages(root)?;
    let findings = packages
        .iter()
        .flat_map(|package| findings(package, &allowed))
        .collect();
    Ok((summary(&packages), findings))
}

/// The quoted words of `allow = [ … ]` in the section `[licenses]`.
fn allow_list(deny: &str) -> Vec<String> {
    let section = deny.split("[licenses]").nth(1).unwrap_or_default();
    let list = section.split("allow = [").nth(1).unwrap_or_default();
    let list = list.split("\n]").next().unwrap_or_default();
    let entries = list
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    entries
        .filter_map(|line| line.split('"').nth(1))
        .map(str::to_owned)
        .collect()
}

fn findings(package: &Package, allowed: &[String]) -> Vec<Finding> {
    let at = |message: String| {
        Finding::at(
            "Cargo.lock",
            format!("{} {}: {message}", package.name, package.version),
        )
    };
    let mut found = Vec::new();
    if let Some(source) = package.source.as_ref().filter(|source| *source != REGISTRY) {
        found.push(at(format!(
            "comes from {source}, not from the default registry"
        )));
    }
    match &package.licence {
        None => found.push(at("names no licence".to_owned())),
        Some(licence) if !spdx::is_satisfied(licence, allowed) => {
            found.push(at(format!(
                "the licence {licence} is not allowed by deny.toml"
            )));
        }
        Some(_) => {}
    }
    found
}

fn summary(packages: &[Package]) -> String {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        versions
            .entry(&package.name)
            .or_default()
            .insert(&package.version);
    }
    let twice = versions.iter().filter(|(_, versions)| versions.len() > 1);
    let twice: Vec<_> = twice
        .map(|(name, versions)| {
            format!(
                "{name} {}",
                versions.iter().copied().collect::<Vec<_>>().join(" and ")
            )
        })
        .collect();
    format!(
        "{} packages on all platforms; in more than one version: {}",
        packages.len(),
        twice.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::{REGISTRY, allow_list, findings};
    use crate::metadata::Package;

    fn check(source: &str, licence: Option<&str>, expect: &[&str]) {
        let (source, licence) = (Some(source.to_owned()), licence.map(str::to_owned));
        let package = Package {
            name: "thing".into(),
            source,
            licence,
            ..Package::default()
        };
        let found: Vec<_> = findings(&package, &["MIT".to_owned()])
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
    fn licence_and_source_must_both_be_allowed() {
        check(REGISTRY, Some("MIT OR Apache-2.0"), &[]);
        check(REGISTRY, Some("GPL-3.0"), &["GPL-3.0 is not allowed"]);
        check(REGISTRY, None, &["names no licence"]);
        check(
            "git+https://example.org/thing",
            Some("MIT"),
            &["default registry"],
        );
    }

    #[test]
    fn the_list_is_that_of_cargo_deny() {
        let deny = "[bans]\nallow = [\n \"x\",\n]\n[licenses]\nallow = [\n  \"MIT\", # why\n  # \"GPL-3.0\"\n  \"ISC\",\n]\n";
        assert_eq!(allow_list(deny), ["MIT", "ISC"]);
    }
}
