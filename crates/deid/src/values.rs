//! Value representations (PS3.5 section 6.2) sorted by what de-identification has to do with them.

use dicom_core::dictionary::VirtualVr;
use dicom_core::value::PrimitiveValue;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

/// What kind of value an element holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// LO, SH, ST, LT, UT, UC: anything a person can type.
    FreeText,
    /// PN.
    Name,
    /// CS: a word out of a defined list, if the writer kept to it.
    Code,
    /// AE: the title of an application, named after places and people.
    Title,
    /// UR.
    Link,
    Date,
    DateTime,
    Time,
    /// (0008,0201), a time zone in an SH.
    TimeZone,
    Age,
    /// DS, IS: numbers written as text.
    Decimal,
    Uid,
    /// Binary numbers and tags: no room for text.
    Number,
    /// OB and the other bulk values.
    Bytes,
    /// UN: nobody knows.
    Opaque,
    Sequence,
}

impl Class {
    pub(crate) fn of(tag: Tag, vr: VR) -> Self {
        match vr {
            VR::SH if tag == tags::TIMEZONE_OFFSET_FROM_UTC => Self::TimeZone,
            VR::LO | VR::SH | VR::ST | VR::LT | VR::UT | VR::UC => Self::FreeText,
            VR::PN => Self::Name,
            VR::CS => Self::Code,
            VR::AE => Self::Title,
            VR::UR => Self::Link,
            VR::DA => Self::Date,
            VR::DT => Self::DateTime,
            VR::TM => Self::Time,
            VR::AS => Self::Age,
            VR::DS | VR::IS => Self::Decimal,
            VR::UI => Self::Uid,
            VR::AT | VR::FL | VR::FD | VR::SL | VR::SS | VR::SV | VR::UL | VR::US | VR::UV => {
                Self::Number
            }
            VR::OB | VR::OW | VR::OF | VR::OD | VR::OL | VR::OV => Self::Bytes,
            VR::SQ => Self::Sequence,
            _ => Self::Opaque,
        }
    }

    /// Whether the value is written as text.
    fn is_text(self) -> bool {
        !matches!(
            self,
            Self::Number | Self::Bytes | Self::Opaque | Self::Sequence
        )
    }
}

/// The VR by which an element is judged, or nothing when the file's VR contradicts the dictionary's: a comment sent
/// as OB must not pass as bulk data. Text in the wrong text VR is judged by the dictionary, but a name stays a name.
pub(crate) fn judged_vr(tag: Tag, file: VR, dictionary: VirtualVr) -> Option<VR> {
    let file_class = Class::of(tag, file);
    let Some(expected) = dictionary.exact() else {
        return matches!(file_class, Class::Number | Class::Bytes).then_some(file);
    };
    let class = Class::of(tag, expected);
    if class == file_class || file_class == Class::Name && class.is_text() {
        return Some(file);
    }
    (file_class.is_text() && class.is_text()).then_some(expected)
}

/// The values of a text element, trimmed of padding; nothing for binary values.
pub(crate) fn texts(value: &PrimitiveValue, vr: VR) -> Option<Vec<String>> {
    let trimmed = |text: &str| text.trim_matches(PADDING).to_owned();
    match value {
        PrimitiveValue::Empty => Some(Vec::new()),
        PrimitiveValue::Str(text) if is_single(vr) => Some(vec![trimmed(text)]),
        PrimitiveValue::Str(text) => Some(text.split('\\').map(trimmed).collect()),
        PrimitiveValue::Strs(texts) => Some(texts.iter().map(|text| trimmed(text)).collect()),
        PrimitiveValue::Date(dates) => Some(dates.iter().map(|date| date.to_encoded()).collect()),
        PrimitiveValue::Time(times) => Some(times.iter().map(|time| time.to_encoded()).collect()),
        PrimitiveValue::DateTime(times) => {
            Some(times.iter().map(|time| time.to_encoded()).collect())
        }
        _ => None,
    }
}

/// A text value; without any text, an empty one.
pub(crate) fn from_texts(texts: Vec<String>, vr: VR) -> PrimitiveValue {
    if texts.iter().all(String::is_empty) {
        PrimitiveValue::Empty
    } else if is_single(vr) {
        PrimitiveValue::Str(texts.join("\\"))
    } else {
        PrimitiveValue::Strs(texts.into())
    }
}

/// Blanks and the NUL that pads UIDs (PS3.5 6.2).
const PADDING: [char; 2] = [' ', '\0'];

/// VRs in which a backslash is text.
fn is_single(vr: VR) -> bool {
    matches!(vr, VR::ST | VR::LT | VR::UT | VR::UR)
}

/// What stands for a removed text: legal in every text VR, and plain to a reader.
pub(crate) const DUMMY_TEXT: &str = "REMOVED";

/// A value of the VR that says nothing; a date, time or number that is legal and plainly invented.
pub(crate) fn dummy(vr: VR) -> PrimitiveValue {
    match vr {
        VR::DA => "19000101".into(),
        VR::DT => "19000101000000".into(),
        VR::TM => "000000".into(),
        VR::AS => "000Y".into(),
        VR::DS | VR::IS => "0".into(),
        VR::UR => PrimitiveValue::Str("urn:removed".into()),
        VR::AT => PrimitiveValue::Tags([Tag(0, 0)].as_slice().into()),
        VR::FL | VR::OF => 0_f32.into(),
        VR::FD | VR::OD => 0_f64.into(),
        VR::SL => 0_i32.into(),
        VR::SS => 0_i16.into(),
        VR::SV => 0_i64.into(),
        VR::UL | VR::OL => 0_u32.into(),
        VR::US | VR::OW => 0_u16.into(),
        VR::UV | VR::OV => 0_u64.into(),
        VR::SQ => PrimitiveValue::Empty,
        VR::OB | VR::UN => PrimitiveValue::U8([0_u8, 0].as_slice().into()),
        _ => from_texts(vec![DUMMY_TEXT.to_owned()], vr),
    }
}

#[cfg(test)]
mod tests {
    use super::{judged_vr, texts};
    use dicom_core::dictionary::VirtualVr;
    use dicom_core::value::PrimitiveValue;
    use dicom_core::{Tag, VR};

    #[test]
    fn a_vr_that_contradicts_the_dictionary_is_not_believed() {
        fn check(file: VR, dictionary: VirtualVr, expect: Option<VR>) {
            assert_eq!(
                judged_vr(Tag(0x0018, 0x0015), file, dictionary),
                expect,
                "{file:?} {dictionary:?}"
            );
        }
        let exact = VirtualVr::Exact;
        check(VR::LO, exact(VR::LO), Some(VR::LO));
        check(VR::SH, exact(VR::LO), Some(VR::SH));
        check(VR::CS, exact(VR::LO), Some(VR::LO));
        check(VR::LO, exact(VR::CS), Some(VR::CS));
        check(VR::PN, exact(VR::CS), Some(VR::PN));
        check(VR::LO, exact(VR::PN), Some(VR::PN));
        check(VR::SS, exact(VR::US), Some(VR::SS));
        check(VR::OB, exact(VR::LT), None);
        check(VR::UN, exact(VR::LO), None);
        check(VR::LO, exact(VR::US), None);
        check(VR::LT, exact(VR::OB), None);
        check(VR::SS, VirtualVr::Xs, Some(VR::SS));
        check(VR::OW, VirtualVr::Ox, Some(VR::OW));
        check(VR::LO, VirtualVr::Xs, None);
    }

    #[test]
    fn padding_is_trimmed_and_values_are_split() {
        fn check(value: PrimitiveValue, vr: VR, expect: &[&str]) {
            assert_eq!(texts(&value, vr).unwrap(), expect);
        }
        check("A\\B ".into(), VR::LO, &["A", "B"]);
        check(PrimitiveValue::Str("A\\B ".into()), VR::LT, &["A\\B"]);
        check("1.2.3\0".into(), VR::UI, &["1.2.3"]);
        check(PrimitiveValue::Empty, VR::LO, &[]);
        assert_eq!(texts(&PrimitiveValue::from(1_u16), VR::US), None);
    }
}
