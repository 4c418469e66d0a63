//! Where devices write the patient's name: rules as data, `rules/devices.toml`.
//!
//! Not here: whether a rule is enough. It is not: a person or a detector looks too.

use std::sync::LazyLock;

use arno_dicom::Header;
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::Deserialize;

use crate::region::Region;

const EMBEDDED_TOML: &str = include_str!("../rules/devices.toml");

/// Parsed once; immutable.
static EMBEDDED: LazyLock<DeviceRules> = LazyLock::new(|| {
    DeviceRules::parse(EMBEDDED_TOML).expect("the embedded rules are tested to parse")
});

/// Regions that a header may declare: a screen holds a few.
const MAX_ULTRASOUND_REGIONS: usize = 64;

/// Rules about devices.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceRules {
    #[serde(default, rename = "rule")]
    rules: Vec<DeviceRule>,
}

/// Where devices of one kind write.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceRule {
    /// For people.
    pub name: String,
    /// How it is known.
    pub fact: String,
    modality: String,
    manufacturer: Option<String>,
    model: Option<String>,
    rows: Option<u16>,
    columns: Option<u16>,
    #[serde(default)]
    regions: Vec<[u32; 4]>,
    #[serde(default)]
    outside_ultrasound_regions: bool,
}

/// Why a text is no list of rules.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It is no TOML, or has other keys.
    #[error("it is no list of device rules")]
    Form(#[from] toml::de::Error),
    /// A rule that makes nothing black.
    #[error("rule `{0}` has neither `regions` nor `outside_ultrasound_regions`")]
    Idle(String),
    /// Pixel coordinates mean nothing without the size of the frame.
    #[error(
        "rule `{0}` has `regions` but not both `rows` and `columns`, or a region outside of them"
    )]
    Size(String),
}

/// What the rules that are built in make black in frames of such a header, in all frames.
#[must_use]
pub fn device_regions(header: &Header) -> Vec<Region> {
    EMBEDDED.regions(header)
}

impl DeviceRules {
    /// Reads rules.
    ///
    /// # Errors
    /// [`RulesError`] names the rule.
    pub fn parse(toml: &str) -> Result<Self, RulesError> {
        let rules: Self = toml::from_str(toml)?;
        rules.rules.iter().try_for_each(DeviceRule::checked)?;
        Ok(rules)
    }

    /// The rules that match a header.
    pub fn matching<'a>(&'a self, header: &'a Header) -> impl Iterator<Item = &'a DeviceRule> {
        self.rules.iter().filter(|rule| rule.matches(header))
    }

    /// What the matching rules make black, in all frames.
    #[must_use]
    pub fn regions(&self, header: &Header) -> Vec<Region> {
        let regions = self.matching(header).flat_map(|rule| rule.regions(header));
        regions.collect()
    }
}

impl DeviceRule {
    fn checked(&self) -> Result<(), RulesError> {
        if self.regions.is_empty() && !self.outside_ultrasound_regions {
            return Err(RulesError::Idle(self.name.clone()));
        }
        let size = self.rows.zip(self.columns);
        let is_inside = |[x, y, width, height]: &[u32; 4]| {
            size.is_some_and(|(rows, columns)| {
                Region::everywhere(*x, *y, *width, *height)
                    .clipped(rows, columns)
                    .is_some()
            })
        };
        match self.regions.iter().all(is_inside) {
            true => Ok(()),
            false => Err(RulesError::Size(self.name.clone())),
        }
    }

    fn matches(&self, header: &Header) -> bool {
        let is_part = |wanted: &Option<String>, tag| {
            let wanted = wanted.as_deref().map(str::to_ascii_lowercase);
            wanted.is_none_or(|wanted| text(header, tag).to_ascii_lowercase().contains(&wanted))
        };
        let is_size = |wanted: Option<u16>, tag| {
            wanted.is_none_or(|wanted| number(header, tag) == Some(u32::from(wanted)))
        };
        text(header, tags::MODALITY).eq_ignore_ascii_case(&self.modality)
            && is_part(&self.manufacturer, tags::MANUFACTURER)
            && is_part(&self.model, tags::MANUFACTURER_MODEL_NAME)
            && is_size(self.rows, tags::ROWS)
            && is_size(self.columns, tags::COLUMNS)
    }

    fn regions(&self, header: &Header) -> Vec<Region> {
        let fixed = self.regions.iter();
        let mut regions: Vec<Region> = fixed
            .map(|[x, y, width, height]| Region::everywhere(*x, *y, *width, *height))
            .collect();
        if self.outside_ultrasound_regions {
            regions.extend(outside(header).unwrap_or_default());
        }
        regions
    }
}

/// The frame without the box round all ultrasound regions, as up to four bands. What lies between two regions stays.
fn outside(header: &Header) -> Option<Vec<Region>> {
    let (rows, columns) = (number(header, tags::ROWS)?, number(header, tags::COLUMNS)?);
    let items = header
        .get(tags::SEQUENCE_OF_ULTRASOUND_REGIONS)?
        .items()?
        .iter()
        .take(MAX_ULTRASOUND_REGIONS);
    let corners = items.map(|item| {
        let at = |tag| number(item, tag);
        Some([
            at(tags::REGION_LOCATION_MIN_X0)?,
            at(tags::REGION_LOCATION_MIN_Y0)?,
            at(tags::REGION_LOCATION_MAX_X1)?,
            at(tags::REGION_LOCATION_MAX_Y1)?,
        ])
    });
    let corners: Vec<[u32; 4]> = corners.collect::<Option<_>>()?;
    let left = corners.iter().map(|c| c[0]).min()?;
    let top = corners.iter().map(|c| c[1]).min()?;
    let right = corners.iter().map(|c| c[2]).max()?.saturating_add(1);
    let bottom = corners.iter().map(|c| c[3]).max()?.saturating_add(1);
    let is_sound = left < right && top < bottom && right <= columns && bottom <= rows;
    let bands = [
        [0, 0, columns, top],
        [0, bottom, columns, rows - bottom.min(rows)],
        [0, top, left, bottom.saturating_sub(top)],
        [
            right,
            top,
            columns - right.min(columns),
            bottom.saturating_sub(top),
        ],
    ];
    let bands = bands
        .into_iter()
        .filter(|[.., width, height]| *width > 0 && *height > 0);
    is_sound.then(|| {
        bands
            .map(|[x, y, w, h]| Region::everywhere(x, y, w, h))
            .collect()
    })
}

fn text(header: &Header, tag: Tag) -> String {
    let text = header.get(tag).and_then(|element| element.to_str().ok());
    let text = text.unwrap_or_default();
    text.trim_matches(|c: char| c == '\0' || c.is_whitespace())
        .to_owned()
}

fn number(header: &Header, tag: Tag) -> Option<u32> {
    header.get(tag)?.to_int().ok()
}

#[cfg(test)]
mod tests {
    use arno_dicom::Header;
    use dicom_core::value::{DataSetSequence, PrimitiveValue};
    use dicom_core::{DataElement, Length, VR};
    use dicom_dictionary_std::tags;

    use super::{DeviceRules, EMBEDDED, RulesError, device_regions};
    use crate::region::Region;

    fn header(modality: &str, manufacturer: &str, model: &str, size: (u16, u16)) -> Header {
        let us = |value: u16| PrimitiveValue::from(value);
        Header::from_element_iter([
            DataElement::new(tags::MODALITY, VR::CS, modality),
            DataElement::new(tags::MANUFACTURER, VR::LO, manufacturer),
            DataElement::new(tags::MANUFACTURER_MODEL_NAME, VR::LO, model),
            DataElement::new(tags::ROWS, VR::US, us(size.0)),
            DataElement::new(tags::COLUMNS, VR::US, us(size.1)),
        ])
    }

    fn with_region(mut header: Header, corners: [u32; 4]) -> Header {
        let names = [
            tags::REGION_LOCATION_MIN_X0,
            tags::REGION_LOCATION_MIN_Y0,
            tags::REGION_LOCATION_MAX_X1,
            tags::REGION_LOCATION_MAX_Y1,
        ];
        let item = Header::from_element_iter(
            names
                .into_iter()
                .zip(corners)
                .map(|(tag, value)| DataElement::new(tag, VR::UL, PrimitiveValue::from(value))),
        );
        header.put(DataElement::new(
            tags::SEQUENCE_OF_ULTRASOUND_REGIONS,
            VR::SQ,
            DataSetSequence::new(vec![item], Length::UNDEFINED),
        ));
        header
    }

    #[test]
    fn rules_match_by_all_that_they_name() {
        let check = |header: Header, expect: &[&str]| {
            let names: Vec<_> = EMBEDDED
                .matching(&header)
                .map(|r| r.name.as_str())
                .collect();
            assert_eq!(names, expect);
        };
        let any = "ultrasound-outside-regions";
        let philips = "Philips Medical Systems";
        check(
            header("US", philips, "EPIQ 5G", (768, 1024)),
            &[any, "philips-epiq-banner"],
        );
        check(
            header("us ", "SIEMENS", "S2000", (768, 1024)),
            &[any, "siemens-s2000-banner"],
        );
        check(header("US", philips, "EPIQ 5G", (600, 800)), &[any]);
        check(header("US", philips, "iE33", (768, 1024)), &[any]);
        check(header("CT", philips, "EPIQ 5G", (768, 1024)), &[]);
        check(Header::new_empty(), &[]);
    }

    #[test]
    fn what_is_outside_of_ultrasound_regions_is_made_black() {
        let check = |corners: [u32; 4], expect: &[[u32; 4]]| {
            let header = with_region(header("US", "any", "any", (100, 200)), corners);
            let expect: Vec<_> = expect
                .iter()
                .map(|[x, y, w, h]| Region::everywhere(*x, *y, *w, *h))
                .collect();
            assert_eq!(device_regions(&header), expect, "{corners:?}");
        };
        check(
            [10, 20, 189, 89],
            &[
                [0, 0, 200, 20],
                [0, 90, 200, 10],
                [0, 20, 10, 70],
                [190, 20, 10, 70],
            ],
        );
        check([0, 20, 199, 99], &[[0, 0, 200, 20]]);
        check([0, 0, 199, 99], &[]);
        // What contradicts the frame says nothing.
        check([0, 20, 200, 99], &[]);
        check([50, 20, 40, 99], &[]);
        check([0, 20, u32::MAX, u32::MAX], &[]);
    }

    #[test]
    fn a_rule_that_cannot_be_right_is_refused() {
        let rule = |rest: &str| {
            DeviceRules::parse(&format!(
                "[[rule]]\nname = \"n\"\nfact = \"f\"\nmodality = \"US\"\n{rest}"
            ))
        };
        assert!(matches!(rule(""), Err(RulesError::Idle(_))));
        let region = "regions = [[0, 0, 10, 10]]";
        assert!(matches!(rule(region), Err(RulesError::Size(_))));
        let outside = "rows = 5\ncolumns = 5\nregions = [[5, 0, 1, 1]]";
        assert!(matches!(rule(outside), Err(RulesError::Size(_))));
        assert!(matches!(rule("colour = 1"), Err(RulesError::Form(_))));
        assert!(rule(&format!("rows = 20\ncolumns = 20\n{region}")).is_ok());
    }
}
