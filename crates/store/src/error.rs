//! What can go wrong with the store, named for what a caller can do about it.

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No such row.
    #[error("no such {what}")]
    NotFound {
        /// The noun of the glossary.
        what: &'static str,
    },
    /// It is there already, or was changed meanwhile.
    #[error("the {what} is there already")]
    Conflict {
        /// The noun of the glossary.
        what: &'static str,
    },
    /// The disk is full; nothing was changed.
    #[error("the disk is full: free some space and try again")]
    Full,
    /// A stored value is not what was written.
    #[error("a stored {what} is damaged")]
    Corrupt {
        /// The noun of the glossary.
        what: &'static str,
    },
    /// A file of the store.
    #[error("cannot use a file of the store")]
    Io(#[source] std::io::Error),
    /// The database.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

/// SQLite's result code for a full disk (sqlite.org/rescode.html#full).
const SQLITE_FULL: &str = "13";

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound { what: "row" },
            sqlx::Error::Database(cause) if cause.is_unique_violation() => {
                Self::Conflict { what: "row" }
            }
            sqlx::Error::Database(cause) if cause.code().as_deref() == Some(SQLITE_FULL) => {
                Self::Full
            }
            sqlx::Error::Io(cause) if cause.kind() == std::io::ErrorKind::StorageFull => Self::Full,
            _ => Self::Database(error),
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull => Self::Full,
            _ => Self::Io(error),
        }
    }
}

impl StoreError {
    /// The same error about a named thing, where the database only knows of rows.
    #[must_use]
    pub fn about(self, what: &'static str) -> Self {
        match self {
            Self::NotFound { .. } => Self::NotFound { what },
            Self::Conflict { .. } => Self::Conflict { what },
            other => other,
        }
    }
}
