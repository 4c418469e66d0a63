//! Small steps to fill and encode a DICOM data set: texts, numbers, items; Explicit VR Little Endian, Part 10 (PS3.10).

use chrono::NaiveDate;
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

use crate::error::PhantomError;

const EXPLICIT_VR_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

/// A data set in the making.
#[derive(Debug, Clone)]
pub(crate) struct Elements(InMemDicomObject);

impl Default for Elements {
    fn default() -> Self {
        Self(InMemDicomObject::new_empty())
    }
}

impl Elements {
    /// Sets a text; several values are parted by `\`.
    pub(crate) fn text(&mut self, tag: Tag, vr: VR, value: impl Into<String>) -> &mut Self {
        self.0.put(DataElement::new(
            tag,
            vr,
            PrimitiveValue::from(value.into()),
        ));
        self
    }

    /// Sets a decimal string.
    pub(crate) fn decimal(&mut self, tag: Tag, values: &[f64]) -> &mut Self {
        self.text(tag, VR::DS, decimals(values.iter().copied()))
    }

    pub(crate) fn date(&mut self, tag: Tag, date: NaiveDate) -> &mut Self {
        self.text(tag, VR::DA, date.format("%Y%m%d").to_string())
    }

    pub(crate) fn number(&mut self, tag: Tag, value: u16) -> &mut Self {
        self.0
            .put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
        self
    }

    pub(crate) fn items(&mut self, tag: Tag, items: Vec<Self>) -> &mut Self {
        let items: Vec<InMemDicomObject> = items.into_iter().map(|item| item.0).collect();
        self.0
            .put(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
        self
    }

    /// Sets native pixel data (7FE0,0010).
    pub(crate) fn pixels(&mut self, vr: VR, bytes: Vec<u8>) -> &mut Self {
        self.0.put(DataElement::new(
            Tag(0x7FE0, 0x0010),
            vr,
            PrimitiveValue::U8(bytes.into()),
        ));
        self
    }

    /// The bytes of a Part 10 file of this instance.
    pub(crate) fn encode(
        self,
        class_uid: &str,
        instance_uid: &str,
    ) -> Result<Vec<u8>, PhantomError> {
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(EXPLICIT_VR_LITTLE_ENDIAN)
            .media_storage_sop_class_uid(class_uid)
            .media_storage_sop_instance_uid(instance_uid);
        let file = self
            .0
            .with_meta(meta)
            .map_err(|e| PhantomError::Encode(Box::new(e)))?;
        let mut bytes = Vec::new();
        file.write_all(&mut bytes)
            .map_err(|e| PhantomError::Encode(Box::new(e)))?;
        Ok(bytes)
    }
}

/// Numbers as a DS (at most 16 characters each), to a nanometre, parted by `\`.
pub(crate) fn decimals(values: impl Iterator<Item = f64>) -> String {
    values.map(decimal).collect::<Vec<_>>().join("\\")
}

fn decimal(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::decimals;

    #[test]
    fn decimals_are_short() {
        let check =
            |values: &[f64], expect: &str| assert_eq!(decimals(values.iter().copied()), expect);
        check(&[1.25, -0.0, 100.0], r"1.25\0\100");
        check(&[-0.0000001, 0.7031250012, -1530.5], r"0\0.703125\-1530.5");
    }
}
