//! The care of the pseudonym secret: sealed at rest, backed up, held in trust by several people, and the link from pseudonym to
//! patient id that only it opens (docs/secret.md).
//!
//! The file `keys/pseudonym.key` holds the secret plain (64 hexadecimal digits a version, as nodes before had it) or sealed (JSON). What
//! opens it comes from the environment or a service manager's credential, never from the node's folder.

mod command;
mod export;
mod keyring;
mod links;
mod sealed;
mod shares;
mod unlock;

pub use command::SecretCommand;
pub(crate) use command::secret;
pub(crate) use keyring::Keyring;
pub(crate) use links::LinkSealer;
pub(crate) use sealed::SecretFile;
pub use unlock::Unlock;

/// Why the secret cannot be used. No message holds any of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Sealed, and nothing was given that could open it.
    #[error(
        "the pseudonym secret is sealed: set ARNO_SECRET_PASSPHRASE, or ARNO_SECRET_KEY_FILE to a file with the passphrase, \
         or give the service the credential arno-secret"
    )]
    Locked,
    /// Sealed under another passphrase, or changed.
    #[error(
        "the passphrase does not open the pseudonym secret, or the file was changed: try another, or restore a backup"
    )]
    WrongPassphrase,
    /// Neither form.
    #[error("the file holds no secret, plain or sealed: restore it from a backup or from shares")]
    Malformed,
    /// Rotated too often.
    #[error("a node keeps at most {} versions of its secret", sealed::MAX_VERSIONS)]
    TooManyVersions,
    /// Asks for more memory or time than this program ever seals with.
    #[error(
        "the sealed secret asks for more work than Arno seals with; it may have been tampered with"
    )]
    TooCostly,
    /// A passphrase that is guessed in no time.
    #[error(
        "a passphrase has at least {} characters",
        sealed::MIN_PASSPHRASE_CHARS
    )]
    ShortPassphrase,
    /// A line that is no share, or was mistyped.
    #[error("line {line} is no share of a secret, or mistyped: compare it with the paper")]
    BadShare {
        /// From 1.
        line: usize,
    },
    /// Shares of different secrets or splits.
    #[error("line {line} belongs to another split than the first line")]
    OtherSplit {
        /// From 1.
        line: usize,
    },
    /// One share twice.
    #[error("line {line} repeats a share")]
    SameShare {
        /// From 1.
        line: usize,
    },
    /// Too few.
    #[error("{given} shares are here, and {needed} are needed")]
    TooFewShares {
        /// Those that were given.
        given: usize,
        /// Those that are needed.
        needed: usize,
    },
    /// Whole lines, but not of what was split.
    #[error("the shares give no secret that they were made of: one of them is false")]
    FalseShares,
    /// A split that makes no sense.
    #[error(
        "a secret is split into 2 to {} shares, of which at least 2 and at most all are needed",
        shares::MAX_SHARES
    )]
    BadSplit,
    /// No randomness.
    #[error("the system gives no randomness")]
    NoRandomness,
}
