//! A sign-in that was kept: which hub, whose token. Files that only their owner can read, one a profile.

use std::{env, fs, io::Write as _, path::PathBuf};

use anyhow::{Context as _, bail};
use arno_client::ApiClient;
use serde::{Deserialize, Serialize};

use crate::Shared;

/// The profile of a person who signed in once.
pub(crate) const DEFAULT: &str = "default";
/// The profile that a running demo leaves for its data user.
pub(crate) const DEMO: &str = "demo";

/// One sign-in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// Address of the hub.
    pub(crate) hub: String,
    /// The account's name.
    pub(crate) account: String,
    /// The session's token.
    pub(crate) token: String,
}

impl Profile {
    /// Keeps the profile under a name.
    pub(crate) fn save(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = path(name)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let mut file =
            private_file(&path).with_context(|| format!("cannot write {}", path.display()))?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        Ok(path)
    }

    /// Forgets the profile of that name, if it is this one.
    pub(crate) fn forget(&self, name: &str) {
        let kept = path(name)
            .ok()
            .and_then(|path| read(&path).ok().map(|profile| (path, profile)));
        if let Some((path, profile)) = kept
            && profile.token == self.token
        {
            // The session ends with its hub in any case.
            let _ = fs::remove_file(path);
        }
    }
}

/// The hub to speak to, in the name of the chosen profile.
pub(crate) fn client(shared: &Shared) -> anyhow::Result<(ApiClient, Profile)> {
    let profile = load(shared.profile.as_deref())?;
    Ok((
        ApiClient::new(&profile.hub, Some(profile.token.clone()))?,
        profile,
    ))
}

fn load(name: Option<&str>) -> anyhow::Result<Profile> {
    let names = name.map_or(vec![DEFAULT, DEMO], |name| vec![name]);
    for name in &names {
        let path = path(name)?;
        if path.exists() {
            return read(&path)
                .with_context(|| format!("cannot read the sign-in {}", path.display()));
        }
    }
    match name {
        Some(name) => bail!(
            "there is no sign-in `{name}`; make it with: arno login <address of the hub> --profile {name}"
        ),
        None => {
            bail!("nobody is signed in; start with: arno login <address of the hub>, or: arno demo")
        }
    }
}

fn read(path: &std::path::Path) -> anyhow::Result<Profile> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn path(name: &str) -> anyhow::Result<PathBuf> {
    if name.is_empty()
        || !name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
    {
        bail!("`{name}` is no name for a sign-in: use letters, digits, - and _");
    }
    let base = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let base = base.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let base =
        base.context("neither HOME nor XDG_CONFIG_HOME is set, so sign-ins cannot be kept")?;
    Ok(base.join("arno").join(format!("{name}.json")))
}

#[cfg(unix)]
fn private_file(path: &std::path::Path) -> std::io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn private_file(path: &std::path::Path) -> std::io::Result<fs::File> {
    fs::File::create(path)
}
