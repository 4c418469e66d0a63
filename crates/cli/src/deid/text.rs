//! Text in pixels: a first walk over all files looks at those that are worth it, so that the frames of a series can be voted
//! on before any of them is written.
//!
//! What the text finder says is `arno-pixels`' to weigh. What it cannot settle is left out, as without it.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

use arno_codecs::cage::Cage;
use arno_deid::{PixelProof, TextProof, is_worth_a_look, risk_of};
use arno_dicom::{Instance, summarise};
use arno_pixels::{Cleaned, LookError, Looked, TextFinder, Verdict, decide, look};
use indicatif::ProgressBar;
use rayon::prelude::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::{
    Run,
    file::{self, Fate},
    walk::Found,
};

/// What is to be done about the pixels of each file that was looked at.
pub(super) struct Texts {
    settled: HashMap<PathBuf, Settled>,
    decoder: Cage,
}

enum Settled {
    By(Verdict),
    /// Nobody could look.
    Not(String),
}

impl Texts {
    /// Looks at every file that is worth it, and decides series by series.
    pub(super) fn look(run: &Run, finder: &TextFinder, files: &[Found], bar: &ProgressBar) -> Self {
        let decoder = arno_node::caged_decoder();
        let looked: Vec<_> = files
            .par_iter()
            .filter_map(|found| {
                let looked = look_at(run, finder, &decoder, found);
                bar.inc(1);
                looked
            })
            .collect();
        let mut series: BTreeMap<String, Vec<(PathBuf, Looked)>> = BTreeMap::new();
        let mut settled = HashMap::new();
        for (file, series_uid, looked) in looked {
            match looked {
                Ok(looked) => series.entry(series_uid).or_default().push((file, looked)),
                Err(error) => {
                    settled.insert(
                        file,
                        Settled::Not(format!("nobody could look for text: {error}")),
                    );
                }
            }
        }
        for all in series.into_values() {
            let (files, looked): (Vec<_>, Vec<_>) = all.into_iter().unzip();
            let verdicts = decide(&looked).into_iter().map(Settled::By);
            settled.extend(files.into_iter().zip(verdicts));
        }
        Self { settled, decoder }
    }

    /// The instance with its text overwritten, if there is any, and what can be said of it.
    pub(super) fn settle(
        &self,
        found: &Found,
        instance: Instance,
    ) -> Result<(Instance, PixelProof), Fate> {
        let needs_person = |why: String| {
            Fate::LeftOut("needs_review", format!("a person has to look at it: {why}"))
        };
        let proof = |text| PixelProof {
            text,
            ..PixelProof::none()
        };
        match self.settled.get(&found.name) {
            None => Ok((instance, PixelProof::none())),
            Some(Settled::Not(why)) => Err(needs_person(why.clone())),
            Some(Settled::By(verdict)) => match verdict.carry_out(instance, &self.decoder) {
                Ok(Cleaned::AsItWas(instance)) => Ok((instance, proof(TextProof::NoneFound))),
                Ok(Cleaned::Black(instance)) => Ok((instance, proof(TextProof::Removed))),
                Err(error) => Err(needs_person(error.to_string())),
            },
        }
    }
}

/// What is read in one file that is worth a look, and its series; nothing of others.
fn look_at(
    run: &Run,
    finder: &TextFinder,
    decoder: &Cage,
    found: &Found,
) -> Option<(PathBuf, String, Result<Looked, LookError>)> {
    let bytes = file::read(&file::source(&run.input, &found.name), found.size_bytes).ok()?;
    let instance = file::instance(bytes).ok()?;
    if !is_worth_a_look(&instance.header) {
        return None;
    }
    let series_uid = summarise(&instance).ok()?.series_uid;
    let looked = look(&instance, finder, decoder);
    if matches!(looked, Err(LookError::NotShown(_))) && risk_of(&instance.header).is_none() {
        // Passed by its header alone, as without a text finder; (0012,0063) says that nobody looked.
        return None;
    }
    Some((found.name.clone(), series_uid, looked))
}
