//! Private blocks of a data set (PS3.5 section 7.8): who reserved which elements, and which of them stay.

use std::collections::{BTreeMap, BTreeSet};

use dicom_core::value::PrimitiveValue;
use dicom_core::{Tag, VR};
use dicom_object::InMemDicomObject;

use crate::recipe::Recipe;
use crate::safe_private::SafeRow;
use crate::values::texts;

/// The private blocks of one data set; those of its items are their own.
#[derive(Debug, Default)]
pub(crate) struct Blocks<'r> {
    safe: BTreeMap<Tag, &'r SafeRow>,
    creators: BTreeSet<Tag>,
}

impl<'r> Blocks<'r> {
    /// Looks up every private element under the creator of its block.
    pub(crate) fn of(data_set: &InMemDicomObject, recipe: &'r Recipe) -> Self {
        let mut blocks = Self::default();
        for tag in data_set.tags().filter(|tag| tag.group() % 2 == 1) {
            let Some(block) = block_of(tag) else {
                continue;
            };
            let row = creator(data_set, block).and_then(|name| recipe.safe_private(&name, tag));
            if let Some(row) = row {
                blocks.safe.insert(tag, row);
                blocks.creators.insert(block);
            }
        }
        blocks
    }

    /// The row that says that this element may stay.
    pub(crate) fn row(&self, tag: Tag) -> Option<&'r SafeRow> {
        self.safe.get(&tag).copied()
    }

    /// Whether this element names the creator of a block of which something may stay.
    pub(crate) fn is_needed_creator(&self, tag: Tag) -> bool {
        self.creators.contains(&tag)
    }
}

/// Where the creator of an element's block is named: (gggg,0010) for (gggg,1000) to (gggg,10FF).
fn block_of(tag: Tag) -> Option<Tag> {
    let [block, _] = tag.element().to_be_bytes();
    (block >= 0x10).then(|| Tag(tag.group(), u16::from(block)))
}

fn creator(data_set: &InMemDicomObject, block: Tag) -> Option<String> {
    let element = data_set.get(block)?;
    let name = match element.value().primitive()? {
        PrimitiveValue::U8(bytes) => text_of(bytes)?.trim_matches([' ', '\0']).to_owned(),
        value => texts(value, VR::LO)?.join("\\"),
    };
    Some(name)
}

/// A value that came as UN, because Implicit VR does not tell the representation of private elements, read as what the
/// table says it is: little endian, text in the default repertoire. Nothing where the bytes do not fit.
pub(crate) fn reread(value: &PrimitiveValue, vr: VR) -> Option<PrimitiveValue> {
    let PrimitiveValue::U8(bytes) = value else {
        return Some(value.clone());
    };
    numbers(bytes, vr).or_else(|| {
        let text = text_of(bytes)?;
        is_text(vr).then(|| PrimitiveValue::Strs(text.split('\\').map(str::to_owned).collect()))
    })
}

fn numbers(bytes: &[u8], vr: VR) -> Option<PrimitiveValue> {
    Some(match vr {
        VR::US => PrimitiveValue::U16(units(bytes, u16::from_le_bytes)?),
        VR::SS => PrimitiveValue::I16(units(bytes, i16::from_le_bytes)?),
        VR::UL => PrimitiveValue::U32(units(bytes, u32::from_le_bytes)?),
        VR::SL => PrimitiveValue::I32(units(bytes, i32::from_le_bytes)?),
        VR::UV => PrimitiveValue::U64(units(bytes, u64::from_le_bytes)?),
        VR::SV => PrimitiveValue::I64(units(bytes, i64::from_le_bytes)?),
        VR::FL => PrimitiveValue::F32(units(bytes, f32::from_le_bytes)?),
        VR::FD => PrimitiveValue::F64(units(bytes, f64::from_le_bytes)?),
        _ => return None,
    })
}

fn units<const N: usize, T>(
    bytes: &[u8],
    read: fn([u8; N]) -> T,
) -> Option<dicom_core::value::C<T>> {
    let (units, rest) = bytes.as_chunks::<N>();
    rest.is_empty()
        .then(|| units.iter().map(|unit| read(*unit)).collect())
}

fn is_text(vr: VR) -> bool {
    matches!(
        vr,
        VR::AS | VR::CS | VR::DA | VR::DS | VR::DT | VR::IS | VR::LO | VR::SH | VR::TM | VR::UI
    )
}

fn text_of(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::{Blocks, reread};
    use crate::recipe::Recipe;
    use dicom_core::value::PrimitiveValue;
    use dicom_core::{DataElement, Tag, VR};
    use dicom_object::InMemDicomObject;

    #[test]
    fn an_element_is_judged_by_the_creator_of_its_own_block() {
        let data_set = InMemDicomObject::from_element_iter([
            DataElement::new(Tag(0x0043, 0x0010), VR::LO, "GEMS_PARM_01"),
            DataElement::new(Tag(0x0043, 0x0011), VR::LO, "ACME"),
            DataElement::new(Tag(0x0043, 0x1027), VR::SH, "0.9:1"),
            DataElement::new(Tag(0x0043, 0x1127), VR::SH, "0.9:1"),
            DataElement::new(Tag(0x0043, 0x1227), VR::SH, "0.9:1"),
        ]);
        let blocks = Blocks::of(&data_set, Recipe::embedded());
        let kept: Vec<u16> = [0x1027, 0x1127, 0x1227]
            .into_iter()
            .filter(|element| blocks.row(Tag(0x0043, *element)).is_some())
            .collect();
        assert_eq!(kept, [0x1027]);
        assert!(blocks.is_needed_creator(Tag(0x0043, 0x0010)));
        assert!(!blocks.is_needed_creator(Tag(0x0043, 0x0011)));
    }

    #[test]
    fn unknown_values_are_read_as_the_table_says() {
        fn check(bytes: &[u8], vr: VR, expect: Option<PrimitiveValue>) {
            assert_eq!(
                reread(&PrimitiveValue::U8(bytes.into()), vr),
                expect,
                "{vr:?}"
            );
        }
        check(b"1.5", VR::DS, Some("1.5".into()));
        check(&[1, 0], VR::US, Some(1_u16.into()));
        check(&[1, 0, 2], VR::US, None);
        check(b"\xFF\xFE", VR::LO, None);
        check(b"text", VR::OB, None);
    }
}
