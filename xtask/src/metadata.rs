//! What `cargo metadata` says of the packages: names, folders, dependencies as the manifests have them.
//! Nothing is resolved, so neither network nor downloaded crates are needed.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// Our crates are called this and what they are for.
const PREFIX: &str = "arno-";

/// One package.
#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a package's dependencies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) for_tests_only: bool,
    /// In this repository.
    pub(crate) own: bool,
}

/// The packages of the workspace.
pub(crate) fn own_packages(root: &Path) -> anyhow::Result<Vec<Package>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--no-deps",
        ])
        .current_dir(root);
    let output = command.output().context("cannot run cargo metadata")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "cargo metadata failed: {complaint}"
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata names no packages")?;
    packages.iter().map(package).collect()
}

fn package(value: &Value) -> anyhow::Result<Package> {
    let text = |field: &str| value[field].as_str().map(str::to_owned);
    let manifest = PathBuf::from(text("manifest_path").context("a package without a manifest")?);
    let dependencies = value["dependencies"]
        .as_array()
        .context("a package without a list of dependencies")?;
    Ok(Package {
        name: text("name").context("a package without a name")?,
        folder: manifest
            .parent()
            .context("a manifest outside of any folder")?
            .to_owned(),
        dependencies: dependencies.iter().map(dependency).collect(),
    })
}

fn dependency(value: &Value) -> Dependency {
    Dependency {
        name: value["name"].as_str().unwrap_or_default().to_owned(),
        for_tests_only: value["kind"].as_str() == Some("dev"),
        own: value["path"].is_string(),
    }
}

/// A crate's name without what all of ours begin with.
pub(crate) fn short(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}
