//! Bytes of one value field to a `PrimitiveValue` (PS3.5 section 6.2). Numbers in text stay text; a
//! tail shorter than one unit is dropped.

use dicom_core::value::{C, PrimitiveValue};
use dicom_core::{Tag, VR};

use crate::text::Charset;

/// Reads a value of the given VR. Never fails: the VR decides the shape, the bytes only fill it.
pub(crate) fn read_value(bytes: &[u8], vr: VR, big: bool, charset: &Charset) -> PrimitiveValue {
    if bytes.is_empty() {
        return PrimitiveValue::Empty;
    }
    match vr {
        VR::UN | VR::OB | VR::SQ => PrimitiveValue::U8(bytes.into()),
        VR::US | VR::OW => {
            PrimitiveValue::U16(units(bytes, big, u16::from_be_bytes, u16::from_le_bytes))
        }
        VR::SS => PrimitiveValue::I16(units(bytes, big, i16::from_be_bytes, i16::from_le_bytes)),
        VR::UL | VR::OL => {
            PrimitiveValue::U32(units(bytes, big, u32::from_be_bytes, u32::from_le_bytes))
        }
        VR::SL => PrimitiveValue::I32(units(bytes, big, i32::from_be_bytes, i32::from_le_bytes)),
        VR::UV | VR::OV => {
            PrimitiveValue::U64(units(bytes, big, u64::from_be_bytes, u64::from_le_bytes))
        }
        VR::SV => PrimitiveValue::I64(units(bytes, big, i64::from_be_bytes, i64::from_le_bytes)),
        VR::FL | VR::OF => {
            PrimitiveValue::F32(units(bytes, big, f32::from_be_bytes, f32::from_le_bytes))
        }
        VR::FD | VR::OD => {
            PrimitiveValue::F64(units(bytes, big, f64::from_be_bytes, f64::from_le_bytes))
        }
        VR::AT => PrimitiveValue::Tags(tags(bytes, big)),
        VR::UT | VR::ST | VR::UR | VR::LT => PrimitiveValue::Str(charset.decode(bytes, vr)),
        _ => PrimitiveValue::Strs(
            charset
                .decode(bytes, vr)
                .split('\\')
                .map(str::to_owned)
                .collect(),
        ),
    }
}

fn units<const N: usize, T>(
    bytes: &[u8],
    big: bool,
    from_be: fn([u8; N]) -> T,
    from_le: fn([u8; N]) -> T,
) -> C<T> {
    let convert = if big { from_be } else { from_le };
    bytes
        .as_chunks::<N>()
        .0
        .iter()
        .map(|unit| convert(*unit))
        .collect()
}

fn tags(bytes: &[u8], big: bool) -> C<Tag> {
    let halves = units(bytes, big, u16::from_be_bytes, u16::from_le_bytes);
    halves
        .as_chunks::<2>()
        .0
        .iter()
        .map(|[group, element]| Tag(*group, *element))
        .collect()
}
