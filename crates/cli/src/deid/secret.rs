//! The file that holds the secret: made on request, read by its owner only, never overwritten.

use std::{fs, io::Write as _, path::Path};

use anyhow::{Context as _, bail};
use arno_deid::Secret;
use arno_domain::hex;
use rand::TryRng as _;

/// What the file opens with, so that no other file is taken for one.
const HEAD: &str = "arno-deid-secret-1 ";
const SECRET_BYTES: usize = 32;

/// Makes a secret in a new file.
pub(super) fn create(path: &Path) -> anyhow::Result<Secret> {
    let mut bytes = [0; SECRET_BYTES];
    rand::rngs::SysRng
        .try_fill_bytes(&mut bytes)
        .context("the system gives no randomness")?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).with_context(|| {
        format!(
            "{} cannot be made; a secret is never overwritten: use the one that is there with --secret",
            path.display()
        )
    })?;
    writeln!(file, "{HEAD}{}", hex::encode(&bytes))?;
    file.sync_all()?;
    Ok(Secret::new(bytes))
}

/// Reads a secret that [`create`] made.
pub(super) fn read(path: &Path) -> anyhow::Result<Secret> {
    let text = fs::read_to_string(path).with_context(|| {
        format!(
            "{} cannot be read; make a secret with --new-secret {0}",
            path.display()
        )
    })?;
    let digits = text.strip_prefix(HEAD).map(str::trim_end);
    match digits.and_then(hex::decode_32) {
        Some(bytes) => Ok(Secret::new(bytes)),
        None => bail!(
            "{} holds no secret: make one with --new-secret FILE",
            path.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{create, read};

    #[test]
    fn a_secret_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        assert!(read(&path).is_err(), "there is none yet");
        let made = create(&path).unwrap();
        assert_eq!(
            read(&path).unwrap().pseudonym("1", None),
            made.pseudonym("1", None)
        );
        assert!(create(&path).is_err(), "a secret is never overwritten");
    }

    #[test]
    fn other_files_are_no_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for text in [
            "",
            "arno-deid-secret-1 ",
            "arno-deid-secret-1 00",
            "something else",
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(read(&path).is_err(), "{text:?}");
        }
    }
}
