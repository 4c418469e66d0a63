//! Why each element of a header is treated as it is, for a person who compares before and after.
//!
//! Decides by place and representation alone, as the walk does, and changes nothing. What a value itself brings about
//! (a name found in it, a date that is none) is in the [`crate::Report`] of the de-identification.

use dicom_core::VR;
use dicom_core::value::Value;
use dicom_object::InMemDicomObject;

use crate::decide::{FreeText, Level, Scope, decide, decide_private};
use crate::private::Blocks;
use crate::recipe::Recipe;
use crate::report::{Why, WhySource};
use crate::walk::codes_of;

/// Why an element is treated as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Where, in the form of `arno_dicom::listing`.
    pub path: String,
    /// The rule.
    pub why: Why,
}

/// The rule for each element of `header` under `recipe`, in order, at most `most` of them.
#[must_use]
pub fn explain(header: &InMemDicomObject, recipe: &Recipe, most: usize) -> Vec<Explained> {
    let mut explained = Vec::new();
    data_set(header, recipe, Level::Instance, "", most, &mut explained);
    explained
}

fn data_set(
    header: &InMemDicomObject,
    recipe: &Recipe,
    level: Level,
    prefix: &str,
    most: usize,
    explained: &mut Vec<Explained>,
) {
    let scope = Scope {
        level,
        free_text: FreeText::Cleaned,
        codes: codes_of(header),
    };
    let blocks = Blocks::of(header, recipe);
    for element in header {
        if explained.len() == most {
            return;
        }
        let (tag, vr) = (element.header().tag, element.vr());
        let path = format!("{prefix}{tag}");
        let why = match blocks.row(tag) {
            Some(row) if vr == VR::UN => decide_private(row.vr, row, recipe).rule.into(),
            Some(row) => decide_private(vr, row, recipe).rule.into(),
            None if blocks.is_needed_creator(tag) => creator(),
            None => decide(tag, vr, scope, recipe).rule.into(),
        };
        explained.push(Explained {
            path: path.clone(),
            why,
        });
        if let Value::Sequence(sequence) = element.value() {
            for (i, item) in sequence.items().iter().enumerate() {
                let prefix = format!("{path}[{}].", i + 1);
                data_set(item, recipe, Level::Item, &prefix, most, explained);
            }
        }
    }
}

/// The name without which the private attributes of its block that stay could not be told.
fn creator() -> Why {
    Why {
        source: WhySource::SafePrivate,
        ..Why::said("names the creator of private attributes that stay")
    }
}

#[cfg(test)]
mod tests {
    use dicom_core::{DataElement, Tag, VR};
    use dicom_object::InMemDicomObject;

    use super::explain;
    use crate::recipe::Recipe;
    use crate::report::WhySource;

    #[test]
    fn a_creator_stays_for_what_it_names_and_for_nothing_else() {
        let text = |element, text: &str| {
            let vr = if element < 0x1000 { VR::LO } else { VR::SH };
            DataElement::new(Tag(0x0043, element), vr, text)
        };
        let header = InMemDicomObject::from_element_iter([
            text(0x0010, "GEMS_PARM_01"),
            text(0x0011, "SOMEBODY"),
            text(0x1027, "/1.0:1"),
            text(0x1101, "secret"),
        ]);
        let sources = explain(&header, Recipe::embedded(), 10);
        let sources: Vec<WhySource> = sources.into_iter().map(|one| one.why.source).collect();
        let (safe, table) = (WhySource::SafePrivate, WhySource::Table);
        assert_eq!(sources, [safe, table, safe, table]);
    }
}
