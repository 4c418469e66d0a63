//! The node's keys, made on the spot by `init`: to sign, to agree on masks, to make pseudonyms, to mask.
//!
//! Each stands in a file of its own that only its owner can read; none ever leaves the node. The pseudonym secret
//! is the one to back up: without it later studies of a patient no longer join the earlier ones. Its care is in [`crate::secret`].

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use arno_domain::{AgreementKey, NodeId, SecretKey, disclosure::NoiseSecret, hex};
use arno_learning::secagg::NodeSecret;
use rand::TryRng as _;

use crate::{
    NodeError,
    config::NodeConfig,
    secret::{Keyring, SecretError, SecretFile, Unlock},
};

const SIGNING: &str = "signing.key";
const AGREEMENT: &str = "agreement.key";
const PSEUDONYM: &str = "pseudonym.key";
const MASK: &str = "mask.key";
const NODE_ID: &str = "node.id";

/// What makes this node itself.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// Its id.
    pub(crate) node: NodeId,
    /// Signs its messages, cards and records.
    pub(crate) signing: SecretKey,
    /// Its public half for masks.
    pub(crate) agreement: AgreementKey,
    /// Makes pseudonyms, UIDs and offsets.
    pub(crate) pseudonym: Keyring,
    /// Whether whoever reads the node's folder reads that secret.
    pub(crate) secret_lies_open: bool,
    /// Masks its contributions.
    pub(crate) mask: NodeSecret,
    /// Keys the noise in its counts; derived, so that it is neither lost nor drawn anew.
    pub(crate) noise: NoiseSecret,
}

impl Keys {
    /// Makes new keys in a node's folder.
    ///
    /// # Errors
    /// When keys are there already or the files cannot be written.
    pub(crate) fn create(data: &Path, unlock: &Unlock) -> Result<Self, NodeError> {
        let folder = NodeConfig::keys(data);
        fs::create_dir_all(&folder).map_err(|error| NodeError::file(&folder, error))?;
        if !folder.join(NODE_ID).exists() {
            remove_leftovers(&folder)?;
        }
        for name in [SIGNING, AGREEMENT, PSEUDONYM, MASK] {
            let path = folder.join(name);
            let secret = hex::encode(&random(&path)?);
            let text = match name {
                PSEUDONYM => unlock
                    .laid(&secret)
                    .map_err(|error| unusable(&path, &error))?,
                _ => secret,
            };
            write_private(&path, text.as_bytes())?;
        }
        write_private(&folder.join(NODE_ID), NodeId::new().to_string().as_bytes())?;
        Self::load(data, unlock)
    }

    /// Reads the keys of a node's folder.
    ///
    /// # Errors
    /// When a file is missing, damaged, or sealed and not opened by what was given.
    pub(crate) fn load(data: &Path, unlock: &Unlock) -> Result<Self, NodeError> {
        let folder = NodeConfig::keys(data);
        let id = folder.join(NODE_ID);
        let node = read(&id)?.parse().map_err(|_| damaged(&id))?;
        let agreement = secret(&folder.join(AGREEMENT))?;
        let mask = secret(&folder.join(MASK))?;
        let path = pseudonym_file(data);
        let opened = SecretFile::parse(&read(&path)?).and_then(|file| file.open(unlock));
        let opened = opened.map_err(|error| unusable(&path, &error))?;
        Ok(Self {
            node,
            signing: SecretKey::from_seed(&secret(&folder.join(SIGNING))?),
            agreement: AgreementKey::of_secret(&agreement),
            pseudonym: Keyring::of(&opened.versions),
            secret_lies_open: opened.is_plain,
            mask: NodeSecret::new(agreement, mask),
            noise: NoiseSecret::derived_from(&mask),
        })
    }
}

/// Where the pseudonym secret lies.
pub(crate) fn pseudonym_file(data: &Path) -> PathBuf {
    NodeConfig::keys(data).join(PSEUDONYM)
}

fn unusable(path: &Path, error: &SecretError) -> NodeError {
    NodeError::Settings {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// The id is written last: without it the other keys were left by a start that was cut off, and never used.
fn remove_leftovers(folder: &Path) -> Result<(), NodeError> {
    for name in [SIGNING, AGREEMENT, PSEUDONYM, MASK] {
        let path = folder.join(name);
        if path.exists() {
            fs::remove_file(&path).map_err(|error| NodeError::file(&path, error))?;
        }
    }
    Ok(())
}

fn random(path: &Path) -> Result<[u8; 32], NodeError> {
    let mut bytes = [0; 32];
    let filled = rand::rngs::SysRng.try_fill_bytes(&mut bytes);
    filled.map_err(|_| {
        NodeError::file(
            path,
            std::io::Error::other("the system gives no randomness"),
        )
    })?;
    Ok(bytes)
}

fn read(path: &Path) -> Result<String, NodeError> {
    let text = fs::read_to_string(path).map_err(|error| NodeError::file(path, error))?;
    Ok(text.trim().to_owned())
}

fn secret(path: &Path) -> Result<[u8; 32], NodeError> {
    hex::decode_32(&read(path)?).ok_or_else(|| damaged(path))
}

fn damaged(path: &Path) -> NodeError {
    let reason = "the key is damaged: restore it from a backup".to_owned();
    NodeError::Settings {
        path: path.to_owned(),
        reason,
    }
}

/// Writes a file that only its owner can read and that was not there before.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), NodeError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| NodeError::file(path, error))
}

/// Replaces such a file, so that a crash leaves the old one or the new one.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), NodeError> {
    let partial = path.with_extension("part");
    let _ = fs::remove_file(&partial);
    write_private(&partial, bytes)?;
    fs::rename(&partial, path).map_err(|error| NodeError::file(path, error))
}

#[cfg(test)]
mod tests {
    use arno_deid::PatientKey;

    use super::Keys;
    use crate::secret::Unlock;

    fn create(data: &std::path::Path) -> Result<Keys, crate::NodeError> {
        Keys::create(data, &Unlock::none())
    }

    #[test]
    fn a_start_that_was_cut_off_is_made_good() {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path()).unwrap();
        std::fs::remove_file(folder.path().join("keys/node.id")).unwrap();
        assert!(create(folder.path()).is_ok());
    }

    #[test]
    fn keys_are_made_once_and_read_by_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let keys = create(folder.path()).unwrap();
        let again = Keys::load(folder.path(), &Unlock::none()).unwrap();
        assert_eq!(keys.node, again.node);
        assert_eq!(keys.signing.public(), again.signing.public());
        assert_eq!(keys.agreement, again.agreement);
        let patient = PatientKey {
            id: "1".into(),
            issuer: None,
        };
        let under = |keys: &Keys| patient.pseudonym(keys.pseudonym.of_patient(&patient));
        assert_eq!(under(&keys), under(&again));
        assert!(keys.secret_lies_open);
        assert!(create(folder.path()).is_err(), "keys are never overwritten");
        #[cfg(unix)]
        for entry in std::fs::read_dir(folder.path().join("keys")).unwrap() {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                entry.unwrap().metadata().unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn a_node_that_is_made_with_a_passphrase_is_sealed_from_the_begin() {
        let folder = tempfile::tempdir().unwrap();
        let unlock = Unlock::with("correct horse battery");
        assert!(
            !Keys::create(folder.path(), &unlock)
                .unwrap()
                .secret_lies_open
        );
        let error = Keys::load(folder.path(), &Unlock::none()).unwrap_err();
        assert!(
            error.to_string().contains("ARNO_SECRET_PASSPHRASE"),
            "{error}"
        );
    }
}
