//! A recipe: which options of PS3.15 Annex E are applied on top of the Basic Profile, and what it does differently.
//!
//! Recipes are TOML (`recipe/file.rs`); the one that is built in is `recipes/default.toml`. Nothing a recipe says lets
//! a value through unseen: what it keeps is still searched for the patient's own values.

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use dicom_core::{Tag, VR};

pub use self::file::RecipeError;
use crate::options::ProfileOption;
use crate::safe_private::{SafePrivate, SafeRow};
use crate::table::{OptionAction, Row, Table};

const DEFAULT_TOML: &str = include_str!("../recipes/default.toml");

/// Parsed once; immutable.
static DEFAULT: LazyLock<Recipe> =
    LazyLock::new(|| Recipe::parse(DEFAULT_TOML).expect("the embedded recipe is tested to parse"));

/// The Basic Profile, the options applied with it, and what is done differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    name: String,
    options: BTreeSet<ProfileOption>,
    overrides: BTreeMap<Tag, Override>,
    private: Vec<SafeRow>,
    pixels: PixelPolicy,
}

/// What a recipe does to one attribute instead of what Table E.1-1 asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// What is done.
    pub action: OverrideAction,
    /// Why, in the words of whoever wrote the recipe.
    pub reason: String,
}

/// What an override asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverrideAction {
    /// What the Basic Profile says, whatever the options are.
    Basic,
    /// The element goes.
    Remove,
    /// The element stays without a value.
    Empty,
    /// The value becomes one that says nothing.
    Dummy,
    /// The value stays if it has the form of its representation and holds none of the patient's own values.
    Keep,
    /// Text is cleaned, dates are shifted.
    Clean,
}

/// What is to be done about pixels, for those who look at them. Not carried out in this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelPolicy {
    /// Kinds that often carry text: ultrasound, captures, scanned forms.
    pub risky_kinds: RiskyKinds,
    /// Series that show a face.
    pub faces: Faces,
}

/// What becomes of instances whose pixels may carry text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RiskyKinds {
    /// A person looks at each.
    Review,
    /// What a detector finds is overwritten; a person looks only at what it cannot decide.
    Clean,
    /// They are left out.
    Refuse,
}

/// What becomes of series that show a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faces {
    /// A person looks at each.
    Review,
    /// The face is removed.
    Deface,
    /// They stay as they are.
    Keep,
}

/// What becomes of dates under a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dates {
    Dropped,
    Shifted,
    Kept,
}

impl Default for Recipe {
    /// The recipe that is built in.
    fn default() -> Self {
        Self::embedded().clone()
    }
}

impl Recipe {
    /// The recipe that is built in, `recipes/default.toml`: what cancer research needs and no more.
    #[must_use]
    pub fn embedded() -> &'static Self {
        &DEFAULT
    }

    /// The text of the recipe that is built in, to begin one's own with.
    #[must_use]
    pub fn embedded_toml() -> &'static str {
        DEFAULT_TOML
    }

    /// The Basic Profile with `options` and nothing else.
    ///
    /// # Errors
    /// [`RecipeError`] when the options contradict each other.
    pub fn new(options: impl IntoIterator<Item = ProfileOption>) -> Result<Self, RecipeError> {
        let options: BTreeSet<_> = options.into_iter().collect();
        file::check_options(&options, 0)?;
        Ok(Self {
            name: "unnamed".to_owned(),
            options,
            overrides: BTreeMap::new(),
            private: Vec::new(),
            pixels: PixelPolicy {
                risky_kinds: RiskyKinds::Review,
                faces: Faces::Review,
            },
        })
    }

    /// The same recipe with another policy for faces.
    #[must_use]
    pub fn with_faces(&self, faces: Faces) -> Self {
        let mut recipe = self.clone();
        recipe.pixels.faces = faces;
        recipe
    }

    /// Reads a recipe from TOML.
    ///
    /// # Errors
    /// [`RecipeError`] names line and key of what cannot be honoured.
    pub fn parse(toml: &str) -> Result<Self, RecipeError> {
        file::parse(toml)
    }

    /// Its name, which every instance that it made carries.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
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

    /// What is to be done about pixels.
    #[must_use]
    pub fn pixels(&self) -> PixelPolicy {
        self.pixels
    }

    /// What the recipe does to an attribute instead of what the table says.
    #[must_use]
    pub fn override_of(&self, tag: Tag) -> Option<&Override> {
        self.overrides.get(&tag)
    }

    /// Options of which an override takes back a part: what they retain, it removes.
    pub(crate) fn narrowed(&self) -> BTreeSet<ProfileOption> {
        let taken = self
            .overrides
            .iter()
            .filter(|(_, one)| one.action != OverrideAction::Keep);
        taken
            .filter_map(|(tag, _)| self.option_for(Table::embedded().row(*tag)?))
            .filter(|(_, action)| *action == OptionAction::K)
            .map(|(option, _)| option)
            .collect()
    }

    /// How many attributes stay that the Basic Profile and the options would not keep.
    pub(crate) fn widened(&self) -> usize {
        let kept =
            |one: &Override| matches!(one.action, OverrideAction::Keep | OverrideAction::Clean);
        let is_beyond = |tag: Tag| {
            Table::embedded()
                .row(tag)
                .is_some_and(|row| self.option_for(row).is_none())
        };
        self.overrides
            .iter()
            .filter(|(tag, one)| kept(one) && is_beyond(**tag))
            .count()
    }

    /// The row that says a private attribute is safe, if the recipe retains such.
    pub(crate) fn safe_private(&self, creator: &str, tag: Tag) -> Option<&SafeRow> {
        if !self.has(ProfileOption::RetainSafePrivate) {
            return None;
        }
        self.private
            .iter()
            .find(|row| row.is_about(creator, tag))
            .or_else(|| SafePrivate::embedded().row(creator, tag))
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

/// VRs of private attributes that may be retained: numbers and short texts, which can be looked through. Bulk data
/// can hold an image or a document, and nothing here looks at those.
pub(crate) const SAFE_PRIVATE_VRS: [VR; 23] = [
    VR::AS,
    VR::AT,
    VR::CS,
    VR::DA,
    VR::DS,
    VR::DT,
    VR::FD,
    VR::FL,
    VR::IS,
    VR::LO,
    VR::LT,
    VR::SH,
    VR::SL,
    VR::SQ,
    VR::SS,
    VR::ST,
    VR::SV,
    VR::TM,
    VR::UI,
    VR::UL,
    VR::US,
    VR::UV,
    VR::UT,
];

#[cfg(test)]
mod tests {
    use super::{OverrideAction, ProfileOption, Recipe, RiskyKinds};
    use crate::table::{OptionAction, Table};
    use dicom_core::Tag;
    use dicom_dictionary_std::tags;

    #[test]
    fn the_default_recipe_is_what_its_file_says() {
        let recipe = Recipe::default();
        assert_eq!(recipe.name(), "default");
        assert_eq!(recipe.options().count(), 8);
        assert_eq!(recipe.pixels().risky_kinds, RiskyKinds::Review);
        let serial = recipe.override_of(tags::DEVICE_SERIAL_NUMBER).unwrap();
        assert_eq!(serial.action, OverrideAction::Basic);
        assert!(!serial.reason.is_empty());
        assert_eq!(
            recipe.narrowed().into_iter().collect::<Vec<_>>(),
            [ProfileOption::RetainDeviceIdentity]
        );
        assert_eq!(recipe.widened(), 0);
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
}
