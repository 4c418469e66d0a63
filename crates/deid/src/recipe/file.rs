//! Recipes as TOML: read strictly, and every mistake named with its line and key.

use std::collections::{BTreeMap, BTreeSet};

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use serde::Deserialize;
use toml::Spanned;

use super::{
    Faces, Override, OverrideAction, PixelPolicy, ProfileOption, Recipe, RiskyKinds,
    SAFE_PRIVATE_VRS,
};
use crate::safe_private::SafeRow;

/// A recipe has some dozens of lines; more is a mistake or an attack.
const MAX_RECIPE_BYTES: usize = 256 << 10;
/// The name goes into every instance.
const MAX_NAME_CHARS: usize = 40;

/// What always happens to these is what keeps references whole and says what was done, so no recipe changes it.
const FIXED: [Tag; 10] = [
    tags::PATIENT_NAME,
    tags::PATIENT_ID,
    tags::SOP_CLASS_UID,
    tags::SOP_INSTANCE_UID,
    tags::STUDY_INSTANCE_UID,
    tags::SERIES_INSTANCE_UID,
    tags::PATIENT_IDENTITY_REMOVED,
    tags::DEIDENTIFICATION_METHOD,
    tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE,
    tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
];

/// Why a text is no recipe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// Not TOML, or not of the form of a recipe: the message of the TOML reader, which names line and key.
    #[error("{0}")]
    Form(String),
    /// Something in it cannot be honoured.
    #[error("line {line}, {key}: {problem}")]
    Value {
        /// Counted from one; 0 when the recipe did not come from a text.
        line: usize,
        /// Where in the recipe.
        key: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeFile {
    name: Spanned<String>,
    options: Spanned<Vec<Spanned<String>>>,
    pixels: PixelsFile,
    #[serde(default, rename = "override")]
    overrides: Vec<OverrideFile>,
    #[serde(default)]
    private: Vec<PrivateFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PixelsFile {
    risky_kinds: RiskyKindsFile,
    faces: FacesFile,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RiskyKindsFile {
    Review,
    Clean,
    Refuse,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum FacesFile {
    Review,
    Deface,
    Keep,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OverrideFile {
    attributes: Vec<Spanned<String>>,
    action: ActionFile,
    reason: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ActionFile {
    Basic,
    Remove,
    Empty,
    Dummy,
    Keep,
    Clean,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrivateFile {
    creator: Spanned<String>,
    group: Spanned<String>,
    element: Spanned<String>,
    vr: Spanned<String>,
    name: String,
    reason: Spanned<String>,
}

/// Line numbers of a text.
struct Lines<'a>(&'a str);

impl Lines<'_> {
    fn error<T>(&self, at: &Spanned<T>, key: &str, problem: impl Into<String>) -> RecipeError {
        RecipeError::Value {
            line: self.of(at),
            key: key.to_owned(),
            problem: problem.into(),
        }
    }

    fn of<T>(&self, at: &Spanned<T>) -> usize {
        let before = self.0.get(..at.span().start).unwrap_or_default();
        1 + before.matches('\n').count()
    }
}

pub(super) fn parse(text: &str) -> Result<Recipe, RecipeError> {
    if text.len() > MAX_RECIPE_BYTES {
        let problem = format!("a recipe has at most {MAX_RECIPE_BYTES} bytes");
        return Err(RecipeError::Form(problem));
    }
    let file: RecipeFile =
        toml::from_str(text).map_err(|error| RecipeError::Form(error.to_string()))?;
    let lines = Lines(text);
    Ok(Recipe {
        name: name(&file.name, &lines)?,
        options: options(&file.options, &lines)?,
        overrides: overrides(&file.overrides, &lines)?,
        private: file
            .private
            .iter()
            .map(|row| private(row, &lines))
            .collect::<Result<_, _>>()?,
        pixels: pixels(&file.pixels),
    })
}

/// Dates either stay or move. `line` is that of the options.
pub(super) fn check_options(
    options: &BTreeSet<ProfileOption>,
    line: usize,
) -> Result<(), RecipeError> {
    let both = options.contains(&ProfileOption::RetainFullDates)
        && options.contains(&ProfileOption::RetainModifiedDates);
    if !both {
        return Ok(());
    }
    Err(RecipeError::Value {
        line,
        key: "options".to_owned(),
        problem: "RetainFullDates and RetainModifiedDates exclude each other: name one".to_owned(),
    })
}

fn name(name: &Spanned<String>, lines: &Lines<'_>) -> Result<String, RecipeError> {
    let text = name.get_ref();
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.is_empty() || text.len() > MAX_NAME_CHARS || !text.bytes().all(legal) {
        let problem = format!(
            "a name has 1 to {MAX_NAME_CHARS} of a-z, 0-9 and -: it goes into every instance"
        );
        return Err(lines.error(name, "name", problem));
    }
    Ok(text.clone())
}

fn options(
    named: &Spanned<Vec<Spanned<String>>>,
    lines: &Lines<'_>,
) -> Result<BTreeSet<ProfileOption>, RecipeError> {
    let mut options = BTreeSet::new();
    for text in named.get_ref() {
        let option = ProfileOption::by_name(text.get_ref()).ok_or_else(|| {
            let known = ProfileOption::ALL.map(ProfileOption::name).join(", ");
            let problem = format!("{:?} is no option; there are {known}", text.get_ref());
            lines.error(text, "options", problem)
        })?;
        if !options.insert(option) {
            return Err(lines.error(text, "options", format!("{} is named twice", option.name())));
        }
    }
    check_options(&options, lines.of(named))?;
    Ok(options)
}

fn overrides(
    files: &[OverrideFile],
    lines: &Lines<'_>,
) -> Result<BTreeMap<Tag, Override>, RecipeError> {
    let mut overrides = BTreeMap::new();
    for file in files {
        let reason = reason(&file.reason, "override.reason", lines)?;
        for attribute in &file.attributes {
            let refuse = |problem: &str| lines.error(attribute, "override.attributes", problem);
            let tag = tag_of(attribute.get_ref()).ok_or_else(|| {
                refuse("no attribute of the data dictionary: name its keyword, or its tag as (gggg,eeee)")
            })?;
            if FIXED.contains(&tag) {
                return Err(refuse(
                    "what becomes of it is fixed: references and marks hang on it",
                ));
            }
            let one = Override {
                action: action(&file.action),
                reason: reason.clone(),
            };
            if overrides.insert(tag, one).is_some() {
                return Err(refuse("it is overridden twice"));
            }
        }
    }
    Ok(overrides)
}

fn reason(reason: &Spanned<String>, key: &str, lines: &Lines<'_>) -> Result<String, RecipeError> {
    match reason.get_ref().trim() {
        "" => Err(lines.error(reason, key, "say why: whoever signs for the data will ask")),
        text => Ok(text.to_owned()),
    }
}

/// A keyword, or a tag in the form of the standard. Private attributes are not overridden but listed as safe.
fn tag_of(text: &str) -> Option<Tag> {
    let by_tag = || {
        let (group, element) = text.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
        Some(Tag(hex(group, 4)?, hex(element, 4)?))
    };
    let entry = match by_tag() {
        Some(tag) => StandardDataDictionary.by_tag(tag),
        None => StandardDataDictionary.by_name(text),
    };
    entry
        .map(DataDictionaryEntry::tag)
        .filter(|tag| tag.group() % 2 == 0)
}

fn private(file: &PrivateFile, lines: &Lines<'_>) -> Result<SafeRow, RecipeError> {
    let creator = file.creator.get_ref().trim();
    if creator.is_empty() || creator.contains('\\') || creator.len() > 64 {
        let problem = "a private creator is one text of 1 to 64 characters";
        return Err(lines.error(&file.creator, "private.creator", problem));
    }
    let group = hex(file.group.get_ref(), 4).filter(|group| group % 2 == 1 && *group > 8);
    let group = group.ok_or_else(|| {
        lines.error(
            &file.group,
            "private.group",
            "a private group is odd: four hexadecimal digits such as \"0019\"",
        )
    })?;
    let element = hex(file.element.get_ref(), 2).ok_or_else(|| {
        let problem = "the last two hexadecimal digits, such as \"0C\"";
        lines.error(&file.element, "private.element", problem)
    })?;
    let vr = file.vr.get_ref().parse::<VR>().ok();
    let vr = vr.filter(|vr| SAFE_PRIVATE_VRS.contains(vr)).ok_or_else(|| {
        let problem = "not a representation that can be looked through: numbers and texts can, bulk data cannot";
        lines.error(&file.vr, "private.vr", problem)
    })?;
    reason(&file.reason, "private.reason", lines)?;
    Ok(SafeRow {
        creator: creator.to_owned(),
        group,
        element: element as u8,
        vr,
        name: file.name.clone(),
    })
}

fn hex(text: &str, digits: usize) -> Option<u16> {
    (text.len() == digits).then(|| u16::from_str_radix(text, 16).ok())?
}

fn action(action: &ActionFile) -> OverrideAction {
    match action {
        ActionFile::Basic => OverrideAction::Basic,
        ActionFile::Remove => OverrideAction::Remove,
        ActionFile::Empty => OverrideAction::Empty,
        ActionFile::Dummy => OverrideAction::Dummy,
        ActionFile::Keep => OverrideAction::Keep,
        ActionFile::Clean => OverrideAction::Clean,
    }
}

fn pixels(file: &PixelsFile) -> PixelPolicy {
    PixelPolicy {
        risky_kinds: match file.risky_kinds {
            RiskyKindsFile::Review => RiskyKinds::Review,
            RiskyKindsFile::Clean => RiskyKinds::Clean,
            RiskyKindsFile::Refuse => RiskyKinds::Refuse,
        },
        faces: match file.faces {
            FacesFile::Review => Faces::Review,
            FacesFile::Deface => Faces::Deface,
            FacesFile::Keep => Faces::Keep,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{RecipeError, parse};
    use crate::options::ProfileOption;
    use crate::recipe::{OverrideAction, Recipe};
    use dicom_core::Tag;
    use dicom_dictionary_std::tags;

    const HEAD: &str = "name = \"trial-1\"\noptions = [\"RetainSafePrivate\"]\n[pixels]\nrisky_kinds = \"clean\"\nfaces = \"deface\"\n";

    #[test]
    fn a_recipe_of_ones_own_is_read() {
        let text = format!(
            "{HEAD}[[override]]\nattributes = [\"StationName\", \"(0008,0080)\"]\naction = \"keep\"\nreason = \"r\"\n\
             [[private]]\ncreator = \"ACME\"\ngroup = \"0019\"\nelement = \"0c\"\nvr = \"IS\"\nname = \"B\"\nreason = \"r\"\n"
        );
        let recipe = parse(&text).unwrap();
        assert!(recipe.has(ProfileOption::RetainSafePrivate));
        let station = recipe.override_of(tags::STATION_NAME).unwrap();
        assert_eq!(station.action, OverrideAction::Keep);
        assert!(recipe.override_of(tags::INSTITUTION_NAME).is_some());
        assert!(recipe.safe_private("ACME", Tag(0x0019, 0x110C)).is_some());
        assert!(recipe.safe_private("ACME", Tag(0x0019, 0x110D)).is_none());
        assert_eq!(recipe.widened(), 2);
    }

    #[test]
    fn mistakes_are_named_with_line_and_key() {
        fn check(tail: &str, expect: &str) {
            let error = parse(&format!("{HEAD}{tail}")).unwrap_err().to_string();
            assert!(error.starts_with(expect), "{error}");
        }
        let one = |attribute: &str| {
            format!(
                "[[override]]\nattributes = [\"{attribute}\"]\naction = \"keep\"\nreason = \"r\"\n"
            )
        };
        check(
            &one("StatoinName"),
            "line 7, override.attributes: no attribute",
        );
        check(
            &one("PatientID"),
            "line 7, override.attributes: what becomes of it is fixed",
        );
        check(
            &one("(0019,100C)"),
            "line 7, override.attributes: no attribute",
        );
        check(
            &(one("StationName") + &one("StationName")),
            "line 11, override.attributes: it is overridden twice",
        );
        check(
            &one("StationName").replace("\"r\"", "\" \""),
            "line 9, override.reason: say why",
        );
        check(
            &one("StationName").replace("keep", "kepe"),
            "TOML parse error at line 8",
        );
        check("colour = 1\n", "TOML parse error at line 6");
        let private = "[[private]]\ncreator = \"ACME\"\ngroup = \"0018\"\nelement = \"0c\"\nvr = \"IS\"\nname = \"B\"\nreason = \"r\"\n";
        check(private, "line 8, private.group: a private group is odd");
        let bulk = private.replace("0018", "0019").replace("\"IS\"", "\"OB\"");
        check(&bulk, "line 10, private.vr: not a representation");
    }

    #[test]
    fn heads_are_checked_too() {
        fn check(from: &str, to: &str, expect: &str) {
            let error = parse(&HEAD.replace(from, to)).unwrap_err().to_string();
            assert!(error.starts_with(expect), "{error}");
        }
        check("trial-1", "Trial 1", "line 1, name: a name has");
        check(
            "RetainSafePrivate",
            "KeepAll",
            "line 2, options: \"KeepAll\" is no option",
        );
        check(
            "\"RetainSafePrivate\"",
            "\"RetainUids\", \"RetainUids\"",
            "line 2, options: RetainUids is named twice",
        );
        check(
            "\"RetainSafePrivate\"",
            "\"RetainFullDates\", \"RetainModifiedDates\"",
            "line 2, options: RetainFullDates and",
        );
        check("clean", "wash", "TOML parse error at line 4");
    }

    #[test]
    fn contradictions_are_refused_without_a_file_too() {
        use ProfileOption::{RetainFullDates, RetainModifiedDates, RetainUids};
        assert!(Recipe::new([RetainUids, RetainFullDates]).is_ok());
        let error = Recipe::new([RetainFullDates, RetainModifiedDates]).unwrap_err();
        assert!(matches!(error, RecipeError::Value { line: 0, .. }));
    }
}
