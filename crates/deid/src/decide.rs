//! Which rule holds for an element: its place in Table E.1-1, or, where the table is silent, its kind of value.
//!
//! Decides by tag, VR and place only; values are looked at in `clean`.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, DataDictionaryEntryRef};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};

use crate::options::ProfileOption;
use crate::recipe::{Dates, Override, OverrideAction, Recipe, SAFE_PRIVATE_VRS};
use crate::safe_private::SafeRow;
use crate::table::{BasicAction, OptionAction, Pattern, Row, Table};
use crate::technical::{is_code_text, is_technical, names_a_class};
use crate::values::{Class, judged_vr};

/// What to do with one element, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decision<'r> {
    pub(crate) verb: Verb,
    /// The VR by which the value is judged.
    pub(crate) vr: VR,
    pub(crate) class: Class,
    pub(crate) rule: Rule<'r>,
    /// Keyword of the dictionary, or what a private attribute means.
    pub(crate) name: &'r str,
}

/// What a rule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Remove,
    Empty,
    Dummy,
    MapUids,
    Pseudonym,
    /// Keep what has the form of its VR and holds no value of the patient; else the fallback.
    Keep(Fallback),
    /// Keep a harmless version of the value; where none is left, the fallback.
    Clean(Fallback),
}

/// What becomes of a value of which nothing may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fallback {
    Remove,
    Empty,
    Dummy,
}

/// The rule behind a decision, for the report.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule<'r> {
    /// A row of Table E.1-1, and the option that changes it.
    Table(&'static Row, Option<(ProfileOption, OptionAction)>),
    /// The recipe, instead of a row if there is one.
    Recipe(&'r Override, Option<&'static Row>),
    /// A row of Table E.3.10-1, or one that the recipe adds to it.
    SafePrivate(&'r SafeRow),
    /// A rule of this crate, which is stricter than the standard.
    Said(&'static str),
}

/// Where in the data set an element stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) level: Level,
    pub(crate) free_text: FreeText,
    pub(crate) codes: Codes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Instance,
    Item,
}

/// What unlisted free text becomes: inside a sequence that the table wants as a dummy, a dummy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FreeText {
    Cleaned,
    Dummied,
}

/// Whether the code in this item is of a public coding scheme, and so cannot name anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codes {
    Public,
    Local,
}

const PRIVATE: &str = "Private";
const CONTRADICTS: &str = "value representation contradicts the dictionary";
const UNKNOWN: &str = "Unknown";

pub(crate) fn decide<'r>(tag: Tag, file_vr: VR, scope: Scope, recipe: &'r Recipe) -> Decision<'r> {
    let entry = StandardDataDictionary.by_tag(tag);
    let name = name_of(tag, entry);
    let vr = entry.and_then(|entry| judged_vr(tag, file_vr, entry.vr()));
    let class = Class::of(tag, vr.unwrap_or(file_vr));
    let (verb, rule) = structural(tag, scope)
        .or_else(|| overridden(tag, recipe))
        .or_else(|| listed(tag, recipe))
        .filter(|(verb, _)| *verb == Verb::Remove || vr.is_some())
        .or_else(|| unfit(entry.is_some(), vr.is_some()))
        .unwrap_or_else(|| unlisted(tag, class, scope, recipe));
    Decision {
        verb,
        vr: vr.unwrap_or(file_vr),
        class,
        rule,
        name,
    }
}

/// What becomes of a private attribute that the recipe retains as safe. Its value is looked at as any other is. `vr` is
/// the file's, or that of the row if the file did not know it and the bytes fit.
pub(crate) fn decide_private<'r>(vr: VR, row: &'r SafeRow, recipe: &'r Recipe) -> Decision<'r> {
    const BULK: &str = "private bulk data: nothing here can look through it";
    let class = Class::of(Tag(row.group, 0), row.vr);
    let (verb, rule) = if !SAFE_PRIVATE_VRS.contains(&row.vr) {
        (Verb::Remove, Rule::Said(BULK))
    } else if vr != row.vr {
        (Verb::Remove, Rule::Said(CONTRADICTS))
    } else {
        (safe_verb(row.vr, class, recipe), Rule::SafePrivate(row))
    };
    Decision {
        verb,
        vr: row.vr,
        class,
        rule,
        name: &row.name,
    }
}

/// Short texts are names of sequences, coils and kernels; long ones are prose.
fn safe_verb(vr: VR, class: Class, recipe: &Recipe) -> Verb {
    match class {
        Class::FreeText if matches!(vr, VR::LO | VR::SH) => Verb::Keep(Fallback::Remove),
        Class::FreeText | Class::Sequence => Verb::Clean(Fallback::Remove),
        Class::Date | Class::DateTime | Class::Time => date_verb(recipe),
        Class::Uid if recipe.has(ProfileOption::RetainUids) => Verb::Keep(Fallback::Remove),
        Class::Uid => Verb::MapUids,
        Class::Age if !recipe.has(ProfileOption::RetainPatientCharacteristics) => Verb::Empty,
        _ => Verb::Keep(Fallback::Remove),
    }
}

fn name_of(tag: Tag, entry: Option<&'static DataDictionaryEntryRef<'static>>) -> &'static str {
    match entry {
        _ if tag.group() % 2 == 1 => PRIVATE,
        Some(entry) => entry.alias,
        None => UNKNOWN,
    }
}

/// What stands outside the table because of what it is. None of these groups belongs into a stored instance.
fn structural(tag: Tag, scope: Scope) -> Option<(Verb, Rule<'static>)> {
    const PIXEL_GROUP: u16 = 0x7FE0;
    const EXTENDED_OFFSETS: [Tag; 2] = [
        tags::EXTENDED_OFFSET_TABLE,
        tags::EXTENDED_OFFSET_TABLE_LENGTHS,
    ];
    match (tag, scope.level) {
        (tags::PATIENT_NAME | tags::PATIENT_ID, Level::Instance)
        | (tags::PATIENT_ID, Level::Item) => Some((Verb::Pseudonym, table_rule(tag))),
        (Tag(group, _), _) if group % 2 == 1 => Some((Verb::Remove, table_rule(tag))),
        (Tag(0x0000..=0x0007 | 0xFFFE, _) | Tag(_, 0x0000), _) => {
            Some((Verb::Remove, Rule::Said("not part of an instance")))
        }
        (tag, Level::Instance) if EXTENDED_OFFSETS.contains(&tag) => None,
        (Tag(PIXEL_GROUP, _), _) => Some((
            Verb::Remove,
            Rule::Said("pixel data outside the pixel element"),
        )),
        _ => None,
    }
}

fn table_rule(tag: Tag) -> Rule<'static> {
    Table::embedded()
        .row(tag)
        .map_or(Rule::Said("identity"), |row| Rule::Table(row, None))
}

/// What the recipe does instead of what the table asks.
fn overridden(tag: Tag, recipe: &Recipe) -> Option<(Verb, Rule<'_>)> {
    let one = recipe.override_of(tag)?;
    let row = Table::embedded().row(tag);
    let basic = row.map(|row| row.basic.resolve());
    let otherwise = basic.map_or(Fallback::Remove, fallback);
    let verb = match one.action {
        OverrideAction::Basic => basic_verb(basic?),
        OverrideAction::Remove => Verb::Remove,
        OverrideAction::Empty => Verb::Empty,
        OverrideAction::Dummy => Verb::Dummy,
        OverrideAction::Keep => Verb::Keep(otherwise),
        OverrideAction::Clean => Verb::Clean(otherwise),
    };
    Some((verb, Rule::Recipe(one, row)))
}

/// What Table E.1-1 asks under the recipe.
fn listed(tag: Tag, recipe: &Recipe) -> Option<(Verb, Rule<'static>)> {
    let row = Table::embedded().row(tag)?;
    let option = recipe.option_for(row);
    let verb = match option {
        // Bitmaps over the image are never cleaned but removed, which the option allows: they would have to be read.
        Some((ProfileOption::CleanGraphics, _)) if !matches!(row.tag, Pattern::Single(_)) => {
            basic_verb(row.basic.resolve())
        }
        None => basic_verb(row.basic.resolve()),
        Some((_, OptionAction::K)) => Verb::Keep(fallback(row.basic.resolve())),
        Some((_, OptionAction::C)) => Verb::Clean(fallback(row.basic.resolve())),
    };
    Some((verb, Rule::Table(row, option)))
}

fn basic_verb(action: BasicAction) -> Verb {
    match action {
        BasicAction::Remove => Verb::Remove,
        BasicAction::Empty => Verb::Empty,
        BasicAction::Dummy => Verb::Dummy,
        BasicAction::MapUids => Verb::MapUids,
    }
}

fn fallback(action: BasicAction) -> Fallback {
    match action {
        BasicAction::Remove => Fallback::Remove,
        BasicAction::Empty => Fallback::Empty,
        BasicAction::Dummy | BasicAction::MapUids => Fallback::Dummy,
    }
}

fn unfit(is_known: bool, vr_fits: bool) -> Option<(Verb, Rule<'static>)> {
    let why = match (is_known, vr_fits) {
        (false, _) => "not in the dictionary",
        (true, false) => CONTRADICTS,
        (true, true) => return None,
    };
    Some((Verb::Remove, Rule::Said(why)))
}

/// Attributes that the standard keeps. Stricter than it: whatever a person could have typed is cleaned. The fallback
/// is a dummy, because the attribute's type is unknown and a dummy is valid for all of them.
fn unlisted(tag: Tag, class: Class, scope: Scope, recipe: &Recipe) -> (Verb, Rule<'static>) {
    let verb = match class {
        Class::FreeText | Class::Link if is_code_text(tag) => code_verb(scope),
        Class::FreeText if is_technical(tag) => Verb::Keep(Fallback::Dummy),
        Class::FreeText | Class::Title if scope.free_text == FreeText::Dummied => Verb::Dummy,
        Class::FreeText | Class::Title => Verb::Clean(Fallback::Dummy),
        Class::Name => Verb::Dummy,
        Class::Link | Class::Opaque => Verb::Remove,
        Class::Code => Verb::Keep(Fallback::Dummy),
        Class::Date | Class::DateTime | Class::Time | Class::TimeZone => date_verb(recipe),
        Class::Age if !recipe.has(ProfileOption::RetainPatientCharacteristics) => Verb::Empty,
        Class::Age | Class::Decimal | Class::Number => Verb::Keep(Fallback::Empty),
        Class::Uid if names_a_class(tag) || recipe.has(ProfileOption::RetainUids) => {
            Verb::Keep(Fallback::Dummy)
        }
        Class::Uid => Verb::MapUids,
        Class::Bytes => Verb::Keep(Fallback::Remove),
        Class::Sequence => Verb::Clean(Fallback::Empty),
    };
    (verb, Rule::Said(unlisted_reason(class)))
}

fn code_verb(scope: Scope) -> Verb {
    match scope.codes {
        Codes::Public => Verb::Keep(Fallback::Dummy),
        Codes::Local => Verb::Clean(Fallback::Dummy),
    }
}

fn date_verb(recipe: &Recipe) -> Verb {
    match recipe.dates() {
        Dates::Dropped => Verb::Empty,
        Dates::Shifted => Verb::Clean(Fallback::Empty),
        Dates::Kept => Verb::Keep(Fallback::Empty),
    }
}

fn unlisted_reason(class: Class) -> &'static str {
    match class {
        Class::FreeText => "free text, not listed",
        Class::Name => "person name, not listed",
        Class::Title => "application title, not listed",
        Class::Link => "link, not listed",
        Class::Date | Class::DateTime | Class::Time | Class::TimeZone => "date or time, not listed",
        Class::Uid => "UID, not listed",
        Class::Opaque => "unknown value representation",
        Class::Code | Class::Age | Class::Decimal => {
            "not listed: stays if it has the form of its representation"
        }
        Class::Number | Class::Bytes | Class::Sequence => "not listed",
    }
}

#[cfg(test)]
mod tests {
    use super::{Codes, Fallback, FreeText, Level, Scope, Verb, decide};
    use crate::recipe::Recipe;
    use crate::report::Why;
    use dicom_core::{Tag, VR};
    use dicom_dictionary_std::tags;

    const TOP: Scope = Scope {
        level: Level::Instance,
        free_text: FreeText::Cleaned,
        codes: Codes::Local,
    };

    fn check(tag: Tag, vr: VR, expect: Verb) {
        assert_eq!(
            decide(tag, vr, TOP, &Recipe::default()).verb,
            expect,
            "{tag} {vr:?}"
        );
    }

    #[test]
    fn the_table_decides_under_the_default_recipe() {
        check(tags::PATIENT_NAME, VR::PN, Verb::Pseudonym);
        check(tags::PATIENT_BIRTH_DATE, VR::DA, Verb::Empty);
        check(tags::PATIENT_SEX, VR::CS, Verb::Keep(Fallback::Empty));
        check(tags::PATIENT_AGE, VR::AS, Verb::Keep(Fallback::Remove));
        check(tags::STUDY_DATE, VR::DA, Verb::Clean(Fallback::Empty));
        check(
            tags::STUDY_DESCRIPTION,
            VR::LO,
            Verb::Clean(Fallback::Remove),
        );
        check(tags::PROTOCOL_NAME, VR::LO, Verb::Clean(Fallback::Dummy));
        check(tags::INSTITUTION_NAME, VR::LO, Verb::Dummy);
        check(tags::SOP_INSTANCE_UID, VR::UI, Verb::MapUids);
        check(tags::REFERENCED_IMAGE_SEQUENCE, VR::SQ, Verb::MapUids);
        check(
            tags::REQUEST_ATTRIBUTES_SEQUENCE,
            VR::SQ,
            Verb::Clean(Fallback::Remove),
        );
        check(Tag(0x6000, 0x3000), VR::OW, Verb::Remove);
        check(Tag(0x6000, 0x0010), VR::US, Verb::Remove);
        check(Tag(0x5000, 0x3000), VR::OW, Verb::Remove);
        check(Tag(0x0009, 0x0010), VR::LO, Verb::Remove);
        check(Tag(0x0009, 0x1001), VR::SQ, Verb::Remove);
    }

    #[test]
    fn what_the_table_does_not_list_is_judged_by_its_kind() {
        check(tags::MANUFACTURER, VR::LO, Verb::Keep(Fallback::Dummy));
        check(tags::SEGMENT_LABEL, VR::LO, Verb::Clean(Fallback::Dummy));
        check(tags::MODALITY, VR::CS, Verb::Keep(Fallback::Dummy));
        check(tags::SLICE_THICKNESS, VR::DS, Verb::Keep(Fallback::Empty));
        check(tags::SOP_CLASS_UID, VR::UI, Verb::Keep(Fallback::Dummy));
        check(tags::RETRIEVE_URL, VR::UR, Verb::Remove);
        check(tags::ROWS, VR::US, Verb::Keep(Fallback::Empty));
        check(tags::ROWS, VR::LO, Verb::Remove);
        check(tags::SERIES_NUMBER, VR::UN, Verb::Remove);
        check(Tag(0x0008, 0xFFF0), VR::LO, Verb::Remove);
        check(Tag(0x0008, 0x0000), VR::UL, Verb::Remove);
        check(Tag(0x0002, 0x0016), VR::AE, Verb::Remove);
        check(tags::PIXEL_DATA, VR::OW, Verb::Remove);
        check(
            tags::EXTENDED_OFFSET_TABLE,
            VR::OV,
            Verb::Keep(Fallback::Remove),
        );
    }

    #[test]
    fn without_options_the_basic_profile_holds() {
        let basic = Recipe::new([]).unwrap();
        let check =
            |tag, vr, expect| assert_eq!(decide(tag, vr, TOP, &basic).verb, expect, "{tag}");
        check(tags::STUDY_DATE, VR::DA, Verb::Empty);
        check(tags::CONTENT_DATE, VR::DA, Verb::Dummy);
        check(tags::PATIENT_SEX, VR::CS, Verb::Empty);
        check(tags::PATIENT_WEIGHT, VR::DS, Verb::Remove);
        check(tags::SERIES_DESCRIPTION, VR::LO, Verb::Remove);
    }

    #[test]
    fn rules_read_like_the_standard() {
        fn check(tag: Tag, rule: &str, option: Option<&str>) {
            let why = Why::from(decide(tag, VR::LO, TOP, Recipe::embedded()).rule);
            assert_eq!((why.rule.as_str(), why.option.as_deref()), (rule, option));
        }
        check(tags::INSTITUTION_NAME, "Table E.1-1: X/Z/D", None);
        check(
            tags::SERIES_DESCRIPTION,
            "Table E.1-1: X",
            Some("113105 Clean Descriptors Option: C"),
        );
        check(tags::SEGMENT_LABEL, "free text, not listed", None);
        check(tags::DEVICE_SERIAL_NUMBER, "Table E.1-1: X/Z/D", None);
    }
}
