//! The folder of an export: files are written beside their place, and moved there when all of them are whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::ExportError;

/// A folder that is being filled. Dropped before [`Folder::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct Folder {
    place: PathBuf,
    /// Where files are written until all are there; `None` once they are.
    partial: Option<PathBuf>,
}

/// A file of an export; its errors name it.
#[derive(Debug)]
pub struct ExportFile {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Folder {
    /// Begins a folder at a place where there is nothing.
    ///
    /// # Errors
    /// [`ExportError::Exists`], or when the folder cannot be made.
    pub fn begin(place: &Path) -> Result<Self, ExportError> {
        if place.exists() {
            return Err(ExportError::Exists(place.to_owned()));
        }
        let mut name = place.as_os_str().to_owned();
        name.push(".part");
        let partial = PathBuf::from(name);
        if partial.exists() {
            return Err(ExportError::Exists(partial));
        }
        let made = fs::create_dir_all(&partial);
        made.map_err(|source| ExportError::Io {
            path: partial.clone(),
            source,
        })?;
        Ok(Self {
            place: place.to_owned(),
            partial: Some(partial),
        })
    }

    /// A new file. What it holds is for the data manager alone.
    ///
    /// # Errors
    /// When it is there already or cannot be made.
    pub fn create(&self, name: &str) -> Result<ExportFile, ExportError> {
        let folder = self.partial.as_ref().unwrap_or(&self.place);
        let path = folder.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(file) => Ok(ExportFile {
                path,
                file: BufWriter::new(file),
            }),
            Err(source) => Err(ExportError::Io { path, source }),
        }
    }

    /// Puts the folder at its place.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn finish(mut self) -> Result<(), ExportError> {
        if let Some(partial) = &self.partial {
            let moved = fs::rename(partial, &self.place);
            moved.map_err(|source| ExportError::Io {
                path: self.place.clone(),
                source,
            })?;
        }
        self.partial = None;
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(partial) = &self.partial {
            // What cannot be removed is named `.part`, and the next export says that it is there.
            let _ = fs::remove_dir_all(partial);
        }
    }
}

impl ExportFile {
    /// Appends bytes.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        let written = self.file.write_all(bytes);
        written.map_err(|source| self.failed(source))
    }

    /// Puts everything on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&mut self) -> Result<(), ExportError> {
        let flushed = self.file.flush();
        let synced = flushed.and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> ExportError {
        ExportError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExportError, Folder};

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let room = tempfile::tempdir().unwrap();
        let place = room.path().join("out");
        let folder = Folder::begin(&place).unwrap();
        let mut file = folder.create("a.csv").unwrap();
        file.put(b"x\n").unwrap();
        file.finish().unwrap();
        assert!(!place.exists());
        drop(folder);
        assert_eq!(std::fs::read_dir(room.path()).unwrap().count(), 0);

        let folder = Folder::begin(&place).unwrap();
        folder.create("a.csv").unwrap().put(b"y\n").unwrap();
        folder.finish().unwrap();
        assert_eq!(std::fs::read(place.join("a.csv")).unwrap(), b"y\n");
        let again = Folder::begin(&place);
        assert!(matches!(again, Err(ExportError::Exists(_))));
    }
}
