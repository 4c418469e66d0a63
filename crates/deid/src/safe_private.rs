//! PS3.15 Table E.3.10-1 as data: private attributes that are thought to be safe, by private creator.
//!
//! The standard calls its table a sample that no vendor guarantees. So a listed attribute is not kept blindly: its
//! value goes through the same tests as a standard attribute of its representation, and bulk data does not stay.

use std::collections::HashMap;
use std::sync::LazyLock;

use dicom_core::{Tag, VR};
use serde::Deserialize;

const TABLE_JSON: &str = include_str!("../tables/ps3.15_table_e3.10-1.json");

/// Parsed once; immutable.
static TABLE: LazyLock<SafePrivate> = LazyLock::new(|| {
    SafePrivate::parse(TABLE_JSON).expect("the embedded table is tested to parse")
});

/// The whole of Table E.3.10-1.
#[derive(Debug)]
pub struct SafePrivate {
    edition: String,
    rows: Vec<SafeRow>,
    by_place: HashMap<(u16, u8), Vec<usize>>,
}

/// One private attribute that may be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeRow {
    /// The private creator of its block, exactly.
    pub creator: String,
    /// Its odd group.
    pub group: u16,
    /// The last two digits of its element; the first two are the block's.
    pub element: u8,
    /// Its value representation.
    pub vr: VR,
    /// What it means.
    pub name: String,
}

impl SafeRow {
    /// Whether it is about an element of a block of that creator.
    pub(crate) fn is_about(&self, creator: &str, tag: Tag) -> bool {
        self.group == tag.group()
            && u16::from(self.element) == tag.element() & 0xFF
            && self.creator == creator
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
    /// By creator, because it is long and the same for many.
    rows: Vec<CreatorFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreatorFile {
    creator: String,
    /// "gggg,xxee", VR, VM, meaning.
    attributes: Vec<(String, String, String, String)>,
}

impl SafePrivate {
    /// The table that is built in.
    #[must_use]
    pub fn embedded() -> &'static Self {
        &TABLE
    }

    /// The edition of the standard.
    #[must_use]
    pub fn edition(&self) -> &str {
        &self.edition
    }

    /// All rows, in the order of the file.
    #[must_use]
    pub fn rows(&self) -> &[SafeRow] {
        &self.rows
    }

    /// The row about an element of a block of that creator.
    #[must_use]
    pub fn row(&self, creator: &str, tag: Tag) -> Option<&SafeRow> {
        let [_, element] = tag.element().to_be_bytes();
        let places = self.by_place.get(&(tag.group(), element))?;
        places
            .iter()
            .map(|at| &self.rows[*at])
            .find(|row| row.creator == creator)
    }

    fn parse(json: &str) -> Result<Self, String> {
        let file: TableFile = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let mut rows = Vec::new();
        for CreatorFile {
            creator,
            attributes,
        } in file.rows
        {
            for (tag, vr, _, name) in attributes {
                rows.push(row(&creator, &tag, &vr, name).ok_or(tag)?);
            }
        }
        let mut by_place: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            by_place
                .entry((row.group, row.element))
                .or_default()
                .push(at);
        }
        Ok(Self {
            edition: file.edition,
            rows,
            by_place,
        })
    }
}

fn row(creator: &str, tag: &str, vr: &str, name: String) -> Option<SafeRow> {
    let (group, element) = tag.split_once(",xx")?;
    Some(SafeRow {
        creator: creator.to_owned(),
        group: u16::from_str_radix(group, 16).ok()?,
        element: u8::from_str_radix(element, 16).ok()?,
        vr: vr.parse().ok()?,
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::SafePrivate;
    use dicom_core::{Tag, VR};

    #[test]
    fn attributes_are_found_by_creator_whatever_their_block() {
        fn check(creator: &str, tag: Tag, expect: Option<VR>) {
            let row = SafePrivate::embedded().row(creator, tag);
            assert_eq!(row.map(|row| row.vr), expect, "{creator} {tag}");
        }
        check(
            "Philips PET Private Group",
            Tag(0x7053, 0x1000),
            Some(VR::DS),
        );
        check(
            "Philips PET Private Group",
            Tag(0x7053, 0x2309),
            Some(VR::DS),
        );
        check("GEMS_PARM_01", Tag(0x0043, 0x1027), Some(VR::SH));
        check("SIEMENS MR HEADER", Tag(0x0019, 0x100C), Some(VR::IS));
        check("gems_parm_01", Tag(0x0043, 0x1027), None);
        check("SIEMENS MR HEADER", Tag(0x0043, 0x1027), None);
        check("ACME", Tag(0x0019, 0x100C), None);
    }

    #[test]
    fn every_row_is_of_a_private_group_and_no_two_are_about_the_same() {
        let rows = SafePrivate::embedded().rows();
        let places: std::collections::BTreeSet<_> = rows
            .iter()
            .map(|row| (&row.creator, row.group, row.element))
            .collect();
        assert_eq!(places.len(), rows.len());
        assert!(rows.iter().all(|row| row.group % 2 == 1 && row.group > 8));
    }
}
