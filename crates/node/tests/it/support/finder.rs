//! A text finder that is a shell script: it speaks the real one's protocol, and what it reads in a picture is what a test wrote
//! down for the value of the picture's first pixel.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use arno_pixels::{FoundText, Region, WEIGHTS, wire::answer_to_bytes};
use tempfile::TempDir;

/// Three fences that stand; then, for each picture, a file of its folder, or that there is no text. The head of a picture has five
/// bytes.
const PROGRAM: &str = r#"#!/bin/sh
PATH=/usr/bin:/bin
cd "$2" || exit 1
printf '\001\001\001'
while length=$(head -c 8 | od -An -tu8 | tr -d ' \n') && [ -n "$length" ]; do
    pixel=$(head -c "$length" | od -An -tu1 -j5 -N1 | tr -d ' ')
    echo "$pixel" >> looked
    [ -e die ] && exit 1
    if [ -e "$pixel" ]; then cat "$pixel"; else printf '\001\000\000\000\000\000\000\000\000'; fi
done
"#;

/// The folder of a text finder.
pub(crate) struct FakeFinder {
    folder: TempDir,
}

impl FakeFinder {
    /// One that finds nothing.
    pub(crate) fn new() -> Self {
        let finder = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for name in WEIGHTS {
            fs::write(finder.folder().join(name), name).unwrap();
        }
        finder.install();
        finder
    }

    /// Puts the program there.
    pub(crate) fn install(&self) {
        let program = self.program();
        fs::write(&program, PROGRAM).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Takes it away.
    pub(crate) fn uninstall(&self) {
        fs::remove_file(self.program()).unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn program(&self) -> PathBuf {
        self.folder().join("arno-textfinder")
    }

    /// Lets it read this, so surely, at that place of pictures whose first pixel has that value.
    pub(crate) fn reads(&self, pixel: u8, text: &str, confidence: f32, region: Region) {
        let found = FoundText {
            region,
            text: text.to_owned(),
            confidence,
        };
        let answer = answer_to_bytes(Some(&[found]));
        let length = (answer.len() as u64).to_le_bytes();
        let path = self.folder().join(pixel.to_string());
        fs::write(path, [&length[..], &answer].concat()).unwrap();
    }

    /// Lets it end over every picture.
    pub(crate) fn dies(&self) {
        fs::write(self.folder().join("die"), "").unwrap();
    }

    /// First pixels of all pictures that it was shown.
    pub(crate) fn looked(&self) -> Vec<String> {
        let looked = fs::read_to_string(self.folder().join("looked")).unwrap_or_default();
        looked.lines().map(str::to_owned).collect()
    }
}
