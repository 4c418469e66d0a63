//! Faces: a first walk over the files finds the series that can show one, and in each of them where it is, so that every slice
//! of a series is cut alike.
//!
//! One series is in memory at a time, in small. What shows a face that cannot be removed is left out, as without this.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

use arno_codecs::cage::Cage;
use arno_deid::{FaceProof, shows_face};
use arno_dicom::{Instance, summarise};
use arno_pixels::{CoarseSlice, Cut, MOST_SLICES, SliceBudget, WhyNot, deface, find_cut};
use indicatif::ProgressBar;
use rayon::prelude::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::{
    Run,
    file::{self, Fate},
    walk::Found,
};

/// Where the faces are, by file; nothing for files whose series shows none.
pub(super) struct Faces {
    found: HashMap<PathBuf, Result<Cut, WhyNot>>,
    decoder: Cage,
}

impl Faces {
    /// Looks at every file, and at the pixels of those whose series can show a face.
    pub(super) fn look(run: &Run, files: &[Found], bar: &ProgressBar) -> Self {
        let decoder = arno_node::caged_decoder();
        let heads: Vec<(String, bool, &Found)> = files
            .par_iter()
            .filter_map(|found| {
                let head = series_of(run, found);
                bar.inc(1);
                head
            })
            .collect();
        let mut series: BTreeMap<String, (bool, Vec<&Found>)> = BTreeMap::new();
        for (uid, shows_face, found) in heads {
            let (any, files) = series.entry(uid).or_default();
            *any |= shows_face;
            files.push(found);
        }
        let mut found = HashMap::new();
        for (_, files) in series.into_values().filter(|(any, _)| *any) {
            let cut = cut_of(run, &decoder, &files);
            found.extend(files.iter().map(|file| (file.name.clone(), cut)));
        }
        Self { found, decoder }
    }

    /// The instance without the face, if its series shows one, and what can be said of it.
    pub(super) fn settle(
        &self,
        found: &Found,
        instance: Instance,
    ) -> Result<(Instance, FaceProof), Fate> {
        let waits = |why: WhyNot| {
            let reason = format!(
                "a person has to look at it: its series can show a face, which is not removed: {why}"
            );
            Fate::LeftOut("needs_review", reason)
        };
        match self.found.get(&found.name) {
            None => Ok((instance, FaceProof::NotLookedFor)),
            Some(Err(why)) => Err(waits(*why)),
            Some(Ok(cut)) => {
                let defaced = deface(&instance, cut, &self.decoder).map_err(waits)?;
                Ok((defaced.instance, FaceProof::Removed))
            }
        }
    }
}

/// The series of a file, and whether it can show a face.
fn series_of<'a>(run: &Run, found: &'a Found) -> Option<(String, bool, &'a Found)> {
    let instance = instance(run, found)?;
    let series_uid = summarise(&instance).ok()?.series_uid;
    Some((series_uid, shows_face(&instance.header).is_some(), found))
}

fn cut_of(run: &Run, decoder: &Cage, files: &[&Found]) -> Result<Cut, WhyNot> {
    if files.len() > MOST_SLICES {
        return Err(WhyNot::TooLarge);
    }
    let budget = SliceBudget::default();
    let slice = |found: &&Found| {
        let instance = instance(run, found).ok_or(WhyNot::Pixels)?;
        CoarseSlice::of(&instance, decoder, &budget)
    };
    let slices: Result<Vec<Vec<CoarseSlice>>, WhyNot> = files.par_iter().map(slice).collect();
    find_cut(slices?.concat())
}

fn instance(run: &Run, found: &Found) -> Option<Instance> {
    let path = file::source(&run.input, &found.name);
    file::instance(file::read(&path, found.size_bytes).ok()?).ok()
}
