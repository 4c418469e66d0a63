//! Which patients of a site get images: as many with a malignant as with a benign nodule, as far as there are any.

use rand::seq::SliceRandom;

use crate::data::SeriesRecord;
use crate::site::SiteSpec;
use crate::stable;
use crate::window::{Label, Window};

/// Indices into `patients` of those to be imaged, ascending; at most `count`.
pub(crate) fn imaged(
    site: &SiteSpec,
    seed: u64,
    patients: &[Vec<SeriesRecord>],
    count: usize,
) -> Vec<usize> {
    let gravest: Vec<Option<Label>> = patients.iter().map(|series| gravest(series)).collect();
    let mut rng = stable::rng(seed, &["imaged patients", site.key]);
    let mut queue = |label: Label| {
        let mut queue: Vec<usize> = (0..patients.len())
            .filter(|&i| gravest[i] == Some(label))
            .collect();
        queue.shuffle(&mut rng);
        queue
    };
    let (malignant, benign, rest) = (
        queue(Label::Malignant),
        queue(Label::Benign),
        queue(Label::None),
    );
    let pairs = malignant.len().max(benign.len());
    let labelled = (0..pairs).flat_map(|i| malignant.get(i).into_iter().chain(benign.get(i)));
    let mut chosen: Vec<usize> = labelled.chain(&rest).copied().take(count).collect();
    chosen.sort_unstable();
    chosen
}

/// The gravest label of a patient's nodules that fit into a stack; `None` if none fits.
fn gravest(series: &[SeriesRecord]) -> Option<Label> {
    series
        .iter()
        .filter_map(Window::choose)
        .map(|window| window.label)
        .max()
}

#[cfg(test)]
mod tests {
    use super::imaged;
    use crate::data;
    use crate::site::SITES;
    use crate::window::{Label, Window};

    #[test]
    fn half_of_the_imaged_patients_have_a_malignant_nodule() {
        for site in &SITES {
            let patients = site.patients(data::series().unwrap());
            let chosen = imaged(site, 1, &patients, 20);
            assert_eq!(chosen.len(), 20);
            let malignant = chosen.iter().filter(|&&i| {
                patients[i]
                    .iter()
                    .filter_map(Window::choose)
                    .any(|w| w.label == Label::Malignant)
            });
            assert_eq!(malignant.count(), 10, "{}", site.key);
        }
    }
}
