//! The database: a pool to read from, and one writer at a time.

use std::{path::Path, sync::Arc, time::Duration};

use sqlx::{AnyConnection, AnyPool, Connection as _, any::AnyPoolOptions};
use tokio::sync::{Mutex, MutexGuard};

use crate::{Migration, StoreError, migrations::migrate};

/// Readers beside the writer; more do not help on the few cores of a node.
const MAX_CONNECTIONS: u32 = 6;

/// How long SQLite waits for another process (such as `arno-hub invite`) to finish writing.
const SETUP: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA busy_timeout = 10000;
";

/// The rows of one program.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
    writer: Arc<Mutex<()>>,
}

/// A transaction that may write. Dropped without [`WriteTx::commit`], it changes nothing.
pub struct WriteTx<'a> {
    transaction: sqlx::Transaction<'static, sqlx::Any>,
    _turn: MutexGuard<'a, ()>,
}

impl Database {
    /// Opens the SQLite file, makes it when it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// When the file cannot be used as a database.
    pub async fn open(path: &Path, migrations: &[Migration]) -> Result<Self, StoreError> {
        let url = format!("sqlite://{}?mode=rwc", path.display());
        Self::connect(&url, MAX_CONNECTIONS, migrations).await
    }

    /// A database that lives as long as this value; for tests.
    ///
    /// # Errors
    /// When a migration fails.
    pub async fn in_memory(migrations: &[Migration]) -> Result<Self, StoreError> {
        Self::connect("sqlite::memory:", 1, migrations).await
    }

    async fn connect(
        url: &str,
        connections: u32,
        migrations: &[Migration],
    ) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let options = AnyPoolOptions::new()
            .max_connections(connections)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(30))
            .after_connect(|connection, _| Box::pin(set_up(connection)))
            .after_release(|connection, _| Box::pin(is_reusable(connection)));
        let pool = options.connect(url).await?;
        migrate(&mut *pool.acquire().await?, migrations).await?;
        Ok(Self {
            pool,
            writer: Arc::default(),
        })
    }

    /// The pool, for reading.
    #[must_use]
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins to write, once whoever writes now is done.
    ///
    /// # Errors
    /// When no connection is to be had, or another process keeps writing.
    pub async fn write(&self) -> Result<WriteTx<'_>, StoreError> {
        let turn = self.writer.lock().await;
        let transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        Ok(WriteTx {
            transaction,
            _turn: turn,
        })
    }

    /// Waits for readers and writers and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

async fn set_up(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SETUP).execute(connection).await.map(|_| ())
}

/// SQLite ends a transaction by itself when the disk is full (sqlite.org/lang_transaction.html, section 3). sqlx does not
/// notice and would refuse the next one on that connection, so such a connection is closed instead.
async fn is_reusable(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    // The rollback of a dropped transaction is queued on the connection; it is done before this is answered.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

impl WriteTx<'_> {
    /// The connection, for statements of this transaction.
    pub fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// When the disk is full or fails; then nothing was changed.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}
