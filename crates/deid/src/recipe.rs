//! Which options of PS3.15 Annex E are applied on top of the Basic Profile, and their codes (PS3.16 CID 7050).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::table::{OptionAction, Row};

/// An option of the confidentiality profile: a column of Table E.1-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ProfileOption {
    /// 113103: graphics, text annotations and overlays are cleaned (here: removed).
    CleanGraphics,
    /// 113104: structured content is kept with its items cleaned.
    CleanStructuredContent,
    /// 113105: free text is cleaned instead of removed.
    CleanDescriptors,
    /// 113106: dates stay as they are.
    RetainFullDates,
    /// 113107: dates move by a secret number of days per patient.
    RetainModifiedDates,
    /// 113108: sex, age, size, weight and the like stay.
    RetainPatientCharacteristics,
    /// 113109: serial numbers, station names and the like stay.
    RetainDeviceIdentity,
    /// 113110: UIDs stay.
    RetainUids,
    /// 113111: private attributes known to be safe stay. A column of the table, not yet of a [`Recipe`].
    RetainSafePrivate,
    /// 113112: institution name and address stay.
    RetainInstitutionIdentity,
}

impl ProfileOption {
    /// Code value and meaning in coding scheme DCM (PS3.16 CID 7050).
    #[must_use]
    pub fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::CleanGraphics => ("113103", "Clean Graphics Option"),
            Self::CleanStructuredContent => ("113104", "Clean Structured Content Option"),
            Self::CleanDescriptors => ("113105", "Clean Descriptors Option"),
            Self::RetainFullDates => (
                "113106",
                "Retain Longitudinal Temporal Information Full Dates Option",
            ),
            Self::RetainModifiedDates => (
                "113107",
                "Retain Longitudinal Temporal Information Modified Dates Option",
            ),
            Self::RetainPatientCharacteristics => {
                ("113108", "Retain Patient Characteristics Option")
            }
            Self::RetainDeviceIdentity => ("113109", "Retain Device Identity Option"),
            Self::RetainUids => ("113110", "Retain UIDs Option"),
            Self::RetainSafePrivate => ("113111", "Retain Safe Private Option"),
            Self::RetainInstitutionIdentity => ("113112", "Retain Institution Identity Option"),
        }
    }
}

/// Code and meaning of the Basic Profile itself, always first in the method sequence.
pub(crate) const BASIC_PROFILE: (&str, &str) =
    ("113100", "Basic Application Confidentiality Profile");

/// The Basic Profile and the options applied with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeSet<ProfileOption>", into = "BTreeSet<ProfileOption>")]
pub struct Recipe {
    options: BTreeSet<ProfileOption>,
}

/// Why a set of options is no recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// Dates either stay or move.
    #[error("full dates and modified dates exclude each other")]
    BothDates,
    /// No list of safe private attributes is built in.
    #[error("safe private attributes cannot be retained: private attributes are always removed")]
    SafePrivate,
}

/// What becomes of dates under a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dates {
    Dropped,
    Shifted,
    Kept,
}

impl Default for Recipe {
    /// What research needs and no more: intervals between dates, patient characteristics, cleaned descriptions.
    /// Manufacturer and model are not in Table E.1-1 and stay without the device identity option.
    fn default() -> Self {
        let options = [
            ProfileOption::RetainModifiedDates,
            ProfileOption::RetainPatientCharacteristics,
            ProfileOption::CleanDescriptors,
        ];
        Self {
            options: options.into(),
        }
    }
}

impl Recipe {
    /// The Basic Profile with `options`.
    ///
    /// # Errors
    /// [`RecipeError`] when the options contradict each other or cannot be honoured.
    pub fn new(options: impl IntoIterator<Item = ProfileOption>) -> Result<Self, RecipeError> {
        let options: BTreeSet<_> = options.into_iter().collect();
        let has = |option| options.contains(&option);
        if has(ProfileOption::RetainFullDates) && has(ProfileOption::RetainModifiedDates) {
            return Err(RecipeError::BothDates);
        }
        if has(ProfileOption::RetainSafePrivate) {
            return Err(RecipeError::SafePrivate);
        }
        Ok(Self { options })
    }

    /// The options, in the order of their codes.
    pub fn options(&self) -> impl Iterator<Item = ProfileOption> + '_ {
        self.options.iter().copied()
    }

    /// Whether `option` is applied.
    #[must_use]
    pub fn has(&self, option: ProfileOption) -> bool {
        self.options.contains(&option)
    }

    pub(crate) fn dates(&self) -> Dates {
        if self.has(ProfileOption::RetainModifiedDates) {
            Dates::Shifted
        } else if self.has(ProfileOption::RetainFullDates) {
            Dates::Kept
        } else {
            Dates::Dropped
        }
    }

    /// The option that decides `row`, if one applies. Where two options differ (a calibration date is kept by
    /// device identity and shifted by modified dates), cleaning wins: it discloses less.
    pub(crate) fn option_for(&self, row: &Row) -> Option<(ProfileOption, OptionAction)> {
        let mut applied = row
            .options
            .iter()
            .filter(|(option, _)| self.has(**option))
            .map(|(o, a)| (*o, *a));
        let first = applied.next()?;
        Some(applied.fold(first, |best, next| match best.1 {
            OptionAction::C => best,
            OptionAction::K => next,
        }))
    }
}

impl TryFrom<BTreeSet<ProfileOption>> for Recipe {
    type Error = RecipeError;

    fn try_from(options: BTreeSet<ProfileOption>) -> Result<Self, RecipeError> {
        Self::new(options)
    }
}

impl From<Recipe> for BTreeSet<ProfileOption> {
    fn from(recipe: Recipe) -> Self {
        recipe.options
    }
}

#[cfg(test)]
mod tests {
    use super::{ProfileOption, Recipe, RecipeError};
    use crate::table::{OptionAction, Table};
    use dicom_core::Tag;

    #[test]
    fn contradictions_are_refused() {
        fn check(options: &[ProfileOption], expect: Result<(), RecipeError>) {
            assert_eq!(Recipe::new(options.iter().copied()).map(drop), expect);
        }
        use ProfileOption::{RetainFullDates, RetainModifiedDates, RetainSafePrivate, RetainUids};
        check(&[], Ok(()));
        check(&[RetainUids, RetainFullDates], Ok(()));
        check(
            &[RetainFullDates, RetainModifiedDates],
            Err(RecipeError::BothDates),
        );
        check(&[RetainSafePrivate], Err(RecipeError::SafePrivate));
    }

    #[test]
    fn cleaning_wins_over_keeping() {
        let recipe = |options: &[ProfileOption]| Recipe::new(options.iter().copied()).unwrap();
        let calibration_date = Table::embedded().row(Tag(0x0014, 0x407E)).unwrap();
        let both = recipe(&[
            ProfileOption::RetainDeviceIdentity,
            ProfileOption::RetainModifiedDates,
        ]);
        assert_eq!(
            both.option_for(calibration_date).unwrap().1,
            OptionAction::C
        );
        let device = recipe(&[ProfileOption::RetainDeviceIdentity]);
        assert_eq!(
            device.option_for(calibration_date).unwrap().1,
            OptionAction::K
        );
        assert_eq!(recipe(&[]).option_for(calibration_date), None);
    }

    #[test]
    fn a_stored_recipe_is_checked_when_read() {
        let json = serde_json::to_string(&Recipe::default()).unwrap();
        assert_eq!(
            serde_json::from_str::<Recipe>(&json).unwrap(),
            Recipe::default()
        );
        assert!(
            serde_json::from_str::<Recipe>(r#"["RetainFullDates","RetainModifiedDates"]"#).is_err()
        );
    }
}
