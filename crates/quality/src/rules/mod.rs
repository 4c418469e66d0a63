//! The rules: each a row with its id, words, severity and what to do, and a small function of the facts of one series.
//!
//! An id is for good: certificates name rules by it.

mod completeness;
mod consistency;
mod geometry;
mod identity;
mod segmentation;

use arno_domain::quality::Severity;
use serde::{Deserialize, Serialize};

use crate::{
    body::{self, BodySite},
    facts::SeriesFacts,
    kind::{self, Recognised},
};

/// Examples of one failure that are named.
const MAX_EXAMPLES: usize = 5;

/// A rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its id, for good.
    pub id: &'static str,
    /// What it asks, as the sentence that holds when all is well.
    pub title: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What to do when it is broken.
    pub remedy: &'static str,
    check: fn(&SeriesFacts) -> Verdict,
}

/// What a rule says of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It cannot be asked of such a series.
    NotApplicable,
    /// All is well.
    Passed,
    /// It is broken.
    Failed(Failure),
}

/// How a rule is broken. Holds mapped UIDs and numbers, never a text out of a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Instances, frames or places concerned.
    pub count: u64,
    /// What was found.
    pub detail: String,
    /// Some of the instances or series concerned, by mapped UID.
    pub examples: Vec<String>,
}

/// What was found in one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesReport {
    /// What it is.
    pub kind: Recognised,
    /// The part of the body, as codes.
    pub body: Option<BodySite>,
    /// Ids of the rules that it keeps.
    pub passed: Vec<String>,
    /// Rules that it breaks, by id.
    pub failed: Vec<(String, Failure)>,
}

/// Every rule, in the order in which they are asked.
pub const RULES: [Rule; 20] = [
    Rule {
        id: "series_complete",
        title: "Instance numbers have no holes",
        severity: Severity::Error,
        remedy: "Send the series again from the archive: what is here already is recognised.",
        check: completeness::numbers_have_no_holes,
    },
    Rule {
        id: "instance_number_once",
        title: "No instance number stands for two images at the same place",
        severity: Severity::Warning,
        remedy: "Two versions of one image may have been mixed; delete the one that is not wanted.",
        check: completeness::numbers_are_used_once,
    },
    Rule {
        id: "expected_count",
        title: "As many instances as the header announces",
        severity: Severity::Warning,
        remedy: "Send the series again from the archive.",
        check: completeness::count_is_as_announced,
    },
    Rule {
        id: "geometry_known",
        title: "Every slice says where it lies",
        severity: Severity::Error,
        remedy: "Export the series from the scanner or archive that knows its positions.",
        check: geometry::is_known,
    },
    Rule {
        id: "slice_gap",
        title: "Slices follow each other without gaps",
        severity: Severity::Error,
        remedy: "Send the missing slices, or leave the series out of volume measurements.",
        check: geometry::has_no_gaps,
    },
    Rule {
        id: "slice_overlap",
        title: "No place holds more slices than the others",
        severity: Severity::Error,
        remedy: "Two reconstructions may share one series: split them, or delete one.",
        check: geometry::has_no_overlaps,
    },
    Rule {
        id: "one_orientation",
        title: "All slices have one orientation",
        severity: Severity::Warning,
        remedy: "Localizers often share a series with slices; leave the series out where one volume is needed.",
        check: geometry::has_one_orientation,
    },
    Rule {
        id: "one_spacing",
        title: "All slices have one pixel spacing",
        severity: Severity::Warning,
        remedy: "Leave the series out where one volume is needed.",
        check: geometry::has_one_spacing,
    },
    Rule {
        id: "one_matrix",
        title: "All images have as many rows and columns",
        severity: Severity::Warning,
        remedy: "Leave the series out where one volume is needed.",
        check: geometry::has_one_matrix,
    },
    Rule {
        id: "pixels_readable",
        title: "Pixel data are as long as described and frames can be found in them",
        severity: Severity::Error,
        remedy: "Export the series uncompressed, or in a transfer syntax that is supported.",
        check: consistency::pixels_are_readable,
    },
    Rule {
        id: "exact_duplicate",
        title: "No image is here twice under two UIDs",
        severity: Severity::Error,
        remedy: "One patient may have two ids, or a series was sent twice with new UIDs: delete one.",
        check: consistency::has_no_exact_twin,
    },
    Rule {
        id: "near_duplicate",
        title: "No series of another study looks the same",
        severity: Severity::Warning,
        remedy: "Compare the two: one may be a recompressed copy of the other.",
        check: consistency::has_no_near_twin,
    },
    Rule {
        id: "modality_fits_class",
        title: "The modality fits the SOP class",
        severity: Severity::Warning,
        remedy: "Correct the modality at the source and send the series again.",
        check: consistency::modality_fits_class,
    },
    Rule {
        id: "body_part_known",
        title: "The part of the body is named and has a code",
        severity: Severity::Note,
        remedy: "Searches by body part do not find this series; the source value stays as it is.",
        check: identity::body_part_is_known,
    },
    Rule {
        id: "laterality_known",
        title: "A paired organ says which side",
        severity: Severity::Warning,
        remedy: "Correct the laterality at the source; do not pool this series by side.",
        check: identity::laterality_is_known,
    },
    Rule {
        id: "kind_known",
        title: "What kind of series it is can be told",
        severity: Severity::Note,
        remedy: "Choose by hand whether it belongs into a cohort of one kind.",
        check: identity::kind_is_known,
    },
    Rule {
        id: "sex_value",
        title: "Patient's Sex is M, F, O or empty",
        severity: Severity::Warning,
        remedy: "The value counts as unknown here. Correct it at the source: a number there may be an identifier in the wrong place.",
        check: identity::sex_is_legal,
    },
    Rule {
        id: "age_value",
        title: "Patient's Age is a possible age",
        severity: Severity::Warning,
        remedy: "The value counts as unknown here. Correct it at the source.",
        check: identity::age_is_possible,
    },
    Rule {
        id: "references_kept",
        title: "What a segmentation points at is here",
        severity: Severity::Error,
        remedy: "Send the images that it was drawn on.",
        check: segmentation::references_are_kept,
    },
    Rule {
        id: "segmentation_fits",
        title: "A segmentation lies in the space of its images",
        severity: Severity::Error,
        remedy: "It was drawn on other images or resampled: do not measure with it.",
        check: segmentation::fits,
    },
];

impl Rule {
    /// The rule of that id.
    #[must_use]
    pub fn of(id: &str) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.id == id)
    }
}

/// Asks every rule.
#[must_use]
pub fn check_series(facts: &SeriesFacts) -> SeriesReport {
    let mut report = SeriesReport {
        kind: kind::recognise(&facts.attributes),
        body: body::body_site(&facts.attributes),
        passed: Vec::new(),
        failed: Vec::new(),
    };
    for rule in &RULES {
        match (rule.check)(facts) {
            Verdict::NotApplicable => {}
            Verdict::Passed => report.passed.push(rule.id.to_owned()),
            Verdict::Failed(failure) => report.failed.push((rule.id.to_owned(), failure)),
        }
    }
    report
}

impl Verdict {
    /// Failed when there are any.
    fn failed_if<'a>(
        count: usize,
        detail: impl FnOnce() -> String,
        examples: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        if count == 0 {
            return Self::Passed;
        }
        let examples = examples.into_iter().take(MAX_EXAMPLES);
        Self::Failed(Failure {
            count: count as u64,
            detail: detail(),
            examples: examples.map(str::to_owned).collect(),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
