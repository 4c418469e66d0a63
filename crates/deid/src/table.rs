//! PS3.15 Table E.1-1 as data: which attribute, which action, which options change it.
//!
//! The rows stand in `tables/ps3.15_table_e1-1.json` and, those that a later edition added, in
//! `tables/ps3.15_table_e1-1_2026c.json`, each with edition and source. Nothing is decided here but how a compound action
//! ("X/Z/D") is read when the type of the attribute in its IOD is not known.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use dicom_core::Tag;
use serde::Deserialize;

use crate::options::ProfileOption;

const TABLE_JSON: &str = include_str!("../tables/ps3.15_table_e1-1.json");
/// Rows without options: the source names basic actions only, so that no option keeps what these rows remove.
const LATER_ROWS_JSON: &str = include_str!("../tables/ps3.15_table_e1-1_2026c.json");

/// Parsed once; immutable, so sharing it is not state.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::with_later_rows().expect("the embedded tables are tested to parse"));

/// The whole of Table E.1-1, indexed by tag.
#[derive(Debug)]
pub struct Table {
    edition: String,
    rows: Vec<Row>,
    by_tag: HashMap<Tag, usize>,
    curve: Option<usize>,
    overlay: Option<usize>,
    private: Option<usize>,
}

/// One attribute, or one family of attributes, of Table E.1-1.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Which tags the row is about.
    pub tag: Pattern,
    /// The attribute's name in the standard.
    pub name: String,
    /// The action of the Basic Profile.
    pub basic: Basic,
    /// What each option does instead.
    #[serde(default)]
    pub options: BTreeMap<ProfileOption, OptionAction>,
}

/// The tags of a row: one, or a repeating family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Pattern {
    /// One tag.
    Single(Tag),
    /// Every element of the curve groups 50xx (PS3.5 section 7.6).
    Curve,
    /// One element of the overlay groups 60xx.
    Overlay(u16),
    /// Every element of an odd group.
    Private,
}

/// Action codes of the Basic Profile (PS3.15 Table E.1-1a): X remove, Z empty, D dummy, U map the UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Basic {
    /// Remove.
    X,
    /// Replace by an empty value, or by a dummy.
    Z,
    /// Replace by a dummy.
    D,
    /// Replace the UID consistently.
    U,
    /// X unless the attribute is type 2 (then Z).
    #[serde(rename = "X/Z")]
    XZ,
    /// X unless the attribute is type 1 (then D).
    #[serde(rename = "X/D")]
    XD,
    /// X unless type 2 (Z) or type 1 (D).
    #[serde(rename = "X/Z/D")]
    XZD,
    /// Z unless the attribute is type 1 (then D).
    #[serde(rename = "Z/D")]
    ZD,
    /// X unless type 2 (Z) or the sequence is needed (then its UIDs are mapped).
    #[serde(rename = "X/Z/U*")]
    XZU,
}

/// What an option makes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum OptionAction {
    /// Keep; a sequence is kept with its items cleaned.
    K,
    /// Clean: a value of similar meaning without identity.
    C,
}

/// A compound action resolved to one that can be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BasicAction {
    Remove,
    Empty,
    Dummy,
    MapUids,
}

impl Basic {
    /// Resolves without knowing the attribute's type in its IOD: the *strongest* alternative is taken, because a
    /// dummy is valid for types 1, 2 and 3, an empty value for types 2 and 3, and none of them carries identity.
    pub(crate) fn resolve(self) -> BasicAction {
        match self {
            Self::X => BasicAction::Remove,
            Self::Z | Self::XZ => BasicAction::Empty,
            Self::D | Self::XD | Self::XZD | Self::ZD => BasicAction::Dummy,
            Self::U | Self::XZU => BasicAction::MapUids,
        }
    }

    /// The action as the standard writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X => "X",
            Self::Z => "Z",
            Self::D => "D",
            Self::U => "U",
            Self::XZ => "X/Z",
            Self::XD => "X/D",
            Self::XZD => "X/Z/D",
            Self::ZD => "Z/D",
            Self::XZU => "X/Z/U*",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    edition: String,
    #[serde(rename = "standard")]
    _standard: String,
    #[serde(rename = "source")]
    _source: String,
    rows: Vec<Row>,
}

impl Table {
    /// The table that is built in.
    #[must_use]
    pub fn embedded() -> &'static Self {
        &TABLE
    }

    fn with_later_rows() -> Result<Self, serde_json::Error> {
        let (mut table, later) = (Self::parse(TABLE_JSON)?, Self::parse(LATER_ROWS_JSON)?);
        table.edition = format!("{} with rows of {}", table.edition, later.edition);
        table.rows.extend(later.rows);
        table.index();
        Ok(table)
    }

    /// Reads a table file (the form of `tables/ps3.15_table_e1-1.json`).
    ///
    /// # Errors
    /// What serde says of a row that is not of that form.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        let file: TableFile = serde_json::from_str(json)?;
        let mut table = Self {
            edition: file.edition,
            rows: file.rows,
            by_tag: HashMap::new(),
            curve: None,
            overlay: None,
            private: None,
        };
        table.index();
        Ok(table)
    }

    /// The edition of the standard, such as "2024e", and those that rows were added from.
    #[must_use]
    pub fn edition(&self) -> &str {
        &self.edition
    }

    /// All rows, in the order of the standard.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row about `tag`, if the table lists it. Every overlay element answers with the row of Overlay Data:
    /// the rest of an overlay group describes a bitmap that is no longer there.
    #[must_use]
    pub fn row(&self, tag: Tag) -> Option<&Row> {
        let index = match tag.group() {
            group if group % 2 == 1 => self.private,
            0x5000..=0x50FF => self.curve,
            0x6000..=0x60FF => self.overlay,
            _ => self.by_tag.get(&tag).copied(),
        };
        self.rows.get(index?)
    }

    fn index(&mut self) {
        const OVERLAY_DATA: u16 = 0x3000;
        for (i, row) in self.rows.iter().enumerate() {
            match row.tag {
                Pattern::Single(tag) => drop(self.by_tag.insert(tag, i)),
                Pattern::Curve => self.curve = Some(i),
                Pattern::Overlay(OVERLAY_DATA) => self.overlay = Some(i),
                Pattern::Overlay(_) => {}
                Pattern::Private => self.private = Some(i),
            }
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bad = || format!("{text:?} is not a tag of Table E.1-1");
        match text.as_str() {
            "private" => Ok(Self::Private),
            "50xxxxxx" => Ok(Self::Curve),
            other => match other.strip_prefix("60xx") {
                Some(element) => hex(element).map(Self::Overlay).ok_or_else(bad),
                None => single(other).ok_or_else(bad),
            },
        }
    }
}

fn single(text: &str) -> Option<Pattern> {
    let (group, element) = text.split_at_checked(4)?;
    Some(Pattern::Single(Tag(hex(group)?, hex(element)?)))
}

fn hex(four: &str) -> Option<u16> {
    (four.len() == 4).then(|| u16::from_str_radix(four, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::{Basic, OptionAction, Pattern, Table};
    use crate::options::ProfileOption;
    use dicom_core::Tag;
    use dicom_core::dictionary::DataDictionary;
    use dicom_dictionary_std::StandardDataDictionary;

    /// Rows of the two source files, counted there.
    const SOURCE_ROWS: usize = 621 + 35;

    #[test]
    fn every_source_row_is_parsed_and_found() {
        let table = Table::embedded();
        assert_eq!(table.rows().len(), SOURCE_ROWS);
        assert_eq!(table.edition(), "2024e with rows of 2026c");
        for row in table.rows() {
            if let Pattern::Single(tag) = row.tag {
                assert_eq!(table.row(tag).unwrap().name, row.name);
            }
        }
        // All rows but for Curve Data, two overlay rows and the private row.
        assert_eq!(table.by_tag.len(), SOURCE_ROWS - 4);
    }

    #[test]
    fn actions_are_those_of_the_standard() {
        fn check(tag: Tag, basic: Basic, options: &[(ProfileOption, OptionAction)]) {
            let row = Table::embedded().row(tag).unwrap();
            assert_eq!(row.basic, basic, "{}", row.name);
            assert_eq!(
                row.options,
                options.iter().copied().collect(),
                "{}",
                row.name
            );
        }
        use OptionAction::{C, K};
        let dates = [
            (ProfileOption::RetainFullDates, K),
            (ProfileOption::RetainModifiedDates, C),
        ];
        check(Tag(0x0010, 0x0010), Basic::Z, &[]);
        check(Tag(0x0010, 0x0020), Basic::ZD, &[]);
        check(Tag(0x0008, 0x0020), Basic::Z, &dates);
        check(
            Tag(0x0008, 0x0018),
            Basic::U,
            &[(ProfileOption::RetainUids, K)],
        );
        check(
            Tag(0x0008, 0x103E),
            Basic::X,
            &[(ProfileOption::CleanDescriptors, C)],
        );
        check(
            Tag(0x0010, 0x1010),
            Basic::X,
            &[(ProfileOption::RetainPatientCharacteristics, K)],
        );
        check(
            Tag(0x5002, 0x1234),
            Basic::X,
            &[(ProfileOption::CleanGraphics, C)],
        );
        check(
            Tag(0x6004, 0x0010),
            Basic::X,
            &[(ProfileOption::CleanGraphics, C)],
        );
        check(
            Tag(0x0099, 0x1001),
            Basic::X,
            &[(ProfileOption::RetainSafePrivate, C)],
        );
    }

    #[test]
    fn the_dictionary_knows_nearly_every_listed_attribute() {
        let unknown = Table::embedded()
            .rows()
            .iter()
            .filter(|row| matches!(row.tag, Pattern::Single(tag) if StandardDataDictionary.by_tag(tag).is_none()))
            .count();
        // Unknown attributes are removed whatever the table says, so this only bounds what is lost needlessly.
        assert!(
            unknown <= 3,
            "{unknown} listed attributes are not in the dictionary"
        );
    }

    #[test]
    fn a_wrong_table_is_refused() {
        fn check(json: &str) {
            assert!(Table::parse(json).is_err(), "{json}");
        }
        let head = r#""edition":"x","standard":"x","source":"x""#;
        check("{}");
        check(&format!(
            r#"{{{head},"rows":[{{"tag":"0010","name":"n","basic":"X"}}]}}"#
        ));
        check(&format!(
            r#"{{{head},"rows":[{{"tag":"00100010","name":"n","basic":"Q"}}]}}"#
        ));
        check(&format!(
            r#"{{{head},"rows":[{{"tag":"0010é010","name":"n","basic":"X"}}]}}"#
        ));
        assert!(Table::parse(&format!(r#"{{{head},"rows":[]}}"#)).is_ok());
    }
}
