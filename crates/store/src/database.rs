//! The database: a pool to read from, and one writer at a time.

use std::{path::Path, sync::Arc, time::Duration};

use sqlx::{AnyConnection, AnyPool, Connection as _, any::AnyPoolOptions};
use tokio::sync::{Mutex, MutexGuard};

use crate::{Migration, StoreError, migrations::migrate};

/// Readers beside the writer; more do not help on the few cores of a node.
const MAX_CONNECTIONS: u32 = 6;

/// What every connection is told (sqlite.org/pragma.html). Readers do not wait for the writer (WAL), and what is committed is on the
/// disk (FULL). The log is folded into the database every 4096 pages (16 MB): a batch touches some dozens, many of them the same
/// ones again. Another process (such as `arno-hub invite`) has ten seconds to finish writing. Each connection caches
/// up to 4 MB of pages, and none is mapped, so that memory stays what it seems. What is deleted, replaced or moved to another page is
/// overwritten where it was (secure_delete): previews hold identities, and SQLite would leave them in what is free.
const SETUP: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA busy_timeout = 10000;
PRAGMA wal_autocheckpoint = 4096;
PRAGMA cache_size = -4096;
PRAGMA mmap_size = 0;
PRAGMA secure_delete = ON;
";

/// The rows of one program.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
    writer: AnyPool,
    turn: Arc<Mutex<()>>,
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
        let writer = connect(&url, 1).await?;
        migrate(&mut *writer.acquire().await?, migrations).await?;
        Ok(Self {
            pool: connect(&url, MAX_CONNECTIONS).await?,
            writer,
            turn: Arc::default(),
        })
    }

    /// A database that lives as long as this value; for tests.
    ///
    /// # Errors
    /// When a migration fails.
    pub async fn in_memory(migrations: &[Migration]) -> Result<Self, StoreError> {
        let pool = connect("sqlite::memory:", 1).await?;
        migrate(&mut *pool.acquire().await?, migrations).await?;
        Ok(Self {
            writer: pool.clone(),
            pool,
            turn: Arc::default(),
        })
    }

    /// The pool, for reading.
    #[must_use]
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// The writer's one connection, to look up what is about to be written. What a connection has cached is void once another
    /// one wrote: this one's never is, while a reader's would be read again for each batch. Not while a transaction is open.
    #[must_use]
    pub fn writer(&self) -> &AnyPool {
        &self.writer
    }

    /// Begins to write, once whoever writes now is done.
    ///
    /// # Errors
    /// When no connection is to be had, or another process keeps writing.
    pub async fn write(&self) -> Result<WriteTx<'_>, StoreError> {
        let turn = self.turn.lock().await;
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(WriteTx {
            transaction,
            _turn: turn,
        })
    }

    /// Waits for readers and writers and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
        self.writer.close().await;
    }
}

async fn connect(url: &str, connections: u32) -> Result<AnyPool, StoreError> {
    sqlx::any::install_default_drivers();
    let options = AnyPoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(30))
        // A file does not go away like a server; asking before each use costs as much as a small query.
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(set_up(connection)))
        .after_release(|connection, _| Box::pin(is_reusable(connection)));
    Ok(options.connect(url).await?)
}

async fn set_up(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SETUP).execute(connection).await.map(|_| ())
}

/// SQLite ends a transaction by itself when the disk is full (sqlite.org/lang_transaction.html, section 3). sqlx does not
/// notice and would refuse the next one on that connection, so such a connection is closed instead.
async fn is_reusable(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // The rollback of a dropped transaction is queued on the connection; it is done before this is answered.
        connection.ping().await?;
    }
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
