//! The weights: which they are, how they come into a folder, and the engine made of them.
//!
//! Only weights with exactly these digests are ever loaded: others would find other things, and nobody has measured them.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use arno_pixels::{FoundText, Picture, WEIGHTS};
use rten::{Model, RunOptions, ThreadPool};
use sha2::{Digest as _, Sha256};

use crate::detect::{self, Input};
use crate::raster::Raster;
use crate::recognise::{self, Alphabet};

/// A file of weights.
struct Weights {
    /// In the wheel, and in the folder the last part of it.
    path: &'static str,
    file: &'static str,
    size_bytes: u64,
    sha256: &'static str,
}

/// PP-OCRv6 small, from PyPI's `rapidocr` 3.10.0.
const DETECTOR: Weights = Weights {
    path: "rapidocr/models/PP-OCRv6_det_small.onnx",
    file: WEIGHTS[0],
    size_bytes: 9_929_594,
    sha256: "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
};
const RECOGNISER: Weights = Weights {
    path: "rapidocr/models/PP-OCRv6_rec_small.onnx",
    file: WEIGHTS[1],
    size_bytes: 21_234_383,
    sha256: "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
};

/// The program's name in its folder.
const PROGRAM: &str = "arno-textfinder";

/// Takes the weights out of a wheel, and copies this program beside them.
pub(crate) fn install(wheel: &Path, to: &Path) -> anyhow::Result<()> {
    let file =
        fs::File::open(wheel).with_context(|| format!("{} cannot be read", wheel.display()))?;
    let mut archive =
        zip::ZipArchive::new(file).with_context(|| format!("{} is no wheel", wheel.display()))?;
    fs::create_dir_all(to).with_context(|| format!("{} cannot be made", to.display()))?;
    for weights in [&DETECTOR, &RECOGNISER] {
        let entry = archive.by_name(weights.path).with_context(|| {
            format!(
                "{} does not hold {}: download the wheel of rapidocr 3.10.0",
                wheel.display(),
                weights.path
            )
        })?;
        let mut bytes = Vec::new();
        entry
            .take(weights.size_bytes + 1)
            .read_to_end(&mut bytes)
            .with_context(|| format!("{} is damaged", wheel.display()))?;
        weights.checked(&bytes)?;
        put(&to.join(weights.file), &bytes)?;
    }
    let program = std::env::current_exe().context("this program does not find itself")?;
    let copy = to.join(PROGRAM);
    if fs::canonicalize(&program).ok() != fs::canonicalize(&copy).ok() {
        fs::copy(&program, &copy)
            .with_context(|| format!("{} cannot be written", copy.display()))?;
    }
    Ok(())
}

/// Whole or not at all: under another name first.
fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let partial = path.with_extension("part");
    fs::write(&partial, bytes)
        .and_then(|()| fs::rename(&partial, path))
        .with_context(|| format!("{} cannot be written", path.display()))
}

impl Weights {
    fn checked(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let digest = Sha256::digest(bytes);
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        ensure!(
            digits == self.sha256,
            "{} is not the file that was measured: its SHA-256 is {digits}, wanted is {}",
            self.file,
            self.sha256
        );
        Ok(())
    }

    fn read(&self, folder: &Path) -> anyhow::Result<Vec<u8>> {
        let path = folder.join(self.file);
        let bytes = fs::read(&path).with_context(|| {
            format!(
                "{} cannot be read; make the folder with `arno-textfinder install WHEEL --to DIR`",
                path.display()
            )
        })?;
        self.checked(&bytes)?;
        Ok(bytes)
    }
}

/// Both models, loaded.
pub(crate) struct Models {
    detector: Model,
    recogniser: Model,
    alphabet: Alphabet,
}

/// Models that look, on so many threads.
pub(crate) struct Engine<'a> {
    models: &'a Models,
    pool: Arc<ThreadPool>,
}

impl Models {
    /// Loads the weights of a folder.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let (detector, recogniser) = (DETECTOR.read(folder)?, RECOGNISER.read(folder)?);
        let Some(alphabet) = Alphabet::of_onnx(&recogniser) else {
            bail!("{} holds no alphabet", RECOGNISER.file);
        };
        Ok(Self {
            detector: Model::load(detector).context("the detector cannot be loaded")?,
            recogniser: Model::load(recogniser).context("the recogniser cannot be loaded")?,
            alphabet,
        })
    }

    /// Where no thread may be started, everything runs on this one.
    pub(crate) fn engine(&self, threads: usize) -> Engine<'_> {
        Engine {
            models: self,
            pool: Arc::new(ThreadPool::with_num_threads(threads)),
        }
    }
}

impl Engine<'_> {
    /// All that is read in a picture.
    pub(crate) fn find(&self, picture: &Picture) -> anyhow::Result<Vec<FoundText>> {
        let raster = Raster::of(picture).context("no picture")?;
        let input = Input::of(&raster);
        let shares = self.run(&self.models.detector, input.tensor())?;
        let mut found = Vec::new();
        for region in detect::regions(&input, &shares, &raster) {
            let line = recognise::line(&raster, region);
            let characters = self.run(&self.models.recogniser, line)?;
            found.push(self.models.alphabet.read(&characters, region)?);
        }
        Ok(found)
    }

    fn run(
        &self,
        model: &Model,
        input: rten_tensor::NdTensor<f32, 4>,
    ) -> anyhow::Result<rten_tensor::Tensor<f32>> {
        let mut options = RunOptions::default();
        options.thread_pool = Some(Arc::clone(&self.pool));
        let output = model.run_one(input.into(), Some(options))?;
        output.try_into().context("the model gives no numbers")
    }
}
