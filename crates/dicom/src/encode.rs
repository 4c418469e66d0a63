//! A dicom-rs data set to bytes (PS3.5 section 7): sequences and items with undefined length, text in the data
//! set's character set, even lengths. Writing cannot fail: what an encoding cannot hold is written as the
//! standard says to (`UN` for long values of short VRs) or as `?`.

use dicom_core::header::Header as _;
use dicom_core::value::{PixelFragmentSequence, PrimitiveValue, Value};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_encoding::encode::BasicEncode;
use dicom_encoding::encode::basic::{BigEndianBasicEncoder, LittleEndianBasicEncoder};
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use crate::element::{ITEM, ITEM_END, SEQUENCE_END, UNDEFINED};
use crate::header::charset_of;
use crate::syntax::{Encoding, has_short_length};
use crate::text::Charset;

/// Appends the encoded data set.
pub(crate) fn write_data_set(out: &mut Vec<u8>, data_set: &InMemDicomObject, encoding: Encoding) {
    Encoder { out, encoding }.data_set(data_set, &Charset::latin());
}

/// The bytes of a value in little endian; text in UTF-8, not padded.
pub(crate) fn little_endian(value: &PrimitiveValue) -> Vec<u8> {
    match value {
        PrimitiveValue::Str(text) => text.as_bytes().to_vec(),
        PrimitiveValue::Strs(texts) => texts.join("\\").into_bytes(),
        PrimitiveValue::U8(bytes) => bytes.to_vec(),
        numbers => binary(numbers, false),
    }
}

/// Fragments as items, offset table first, with their delimiter.
pub(crate) fn encoded_fragments(pixels: &PixelFragmentSequence<Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    let encoding = Encoding::ExplicitLittle;
    let mut encoder = Encoder {
        out: &mut out,
        encoding,
    };
    encoder.fragments(pixels);
    out
}

/// Appends the header of an element; a length that a short field cannot hold is cut.
pub(crate) fn write_element_header(
    out: &mut Vec<u8>,
    tag: Tag,
    vr: VR,
    length: u32,
    encoding: Encoding,
) {
    Encoder { out, encoding }.element_header(tag, vr, length);
}

struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    encoding: Encoding,
}

impl Encoder<'_> {
    /// The character set of a data set holds for all of its elements, also those before (0008,0005).
    fn data_set(&mut self, data_set: &InMemDicomObject, inherited: &Charset) {
        let own = data_set.get(tags::SPECIFIC_CHARACTER_SET);
        let own = own.and_then(|element| element.value().primitive().map(charset_of));
        let charset = own.as_ref().unwrap_or(inherited);
        for element in data_set {
            if element.tag() == tags::SPECIFIC_CHARACTER_SET
                && let Some(term) = own.as_ref().and_then(Charset::rewritten_as)
            {
                self.primitive(element.tag(), VR::CS, &term.into(), charset);
            } else {
                self.element(element, charset);
            }
        }
    }

    fn element(&mut self, element: &InMemElement, charset: &Charset) {
        let tag = element.tag();
        match element.value() {
            Value::Primitive(PrimitiveValue::Empty) => self.element_header(tag, element.vr(), 0),
            Value::Primitive(value) => self.primitive(tag, element.vr(), value, charset),
            Value::Sequence(sequence) => {
                self.element_header(tag, VR::SQ, UNDEFINED);
                for item in sequence.items() {
                    self.item_header(ITEM, UNDEFINED);
                    self.data_set(item, charset);
                    self.item_header(ITEM_END, 0);
                }
                self.item_header(SEQUENCE_END, 0);
            }
            Value::PixelSequence(pixels) => self.pixel_sequence(tag, pixels),
        }
    }

    fn primitive(&mut self, tag: Tag, vr: VR, value: &PrimitiveValue, charset: &Charset) {
        let mut bytes = self.value_bytes(vr, value, charset);
        if bytes.len() % 2 == 1 {
            bytes.push(padding(vr));
        }
        let fits = !self.encoding.is_explicit()
            || !has_short_length(vr)
            || bytes.len() <= usize::from(u16::MAX);
        self.element_header(
            tag,
            if fits { vr } else { VR::UN },
            u32::try_from(bytes.len()).unwrap_or(UNDEFINED - 1),
        );
        self.out.extend_from_slice(&bytes);
    }

    fn value_bytes(&self, vr: VR, value: &PrimitiveValue, charset: &Charset) -> Vec<u8> {
        match value {
            PrimitiveValue::Str(text) => charset.encode(text, vr),
            PrimitiveValue::Strs(texts) => charset.encode(&texts.join("\\"), vr),
            numbers if matches!(vr, VR::DS | VR::IS) => numbers.to_str().as_bytes().to_vec(),
            numbers => binary(numbers, self.encoding.is_big()),
        }
    }

    fn pixel_sequence(&mut self, tag: Tag, pixels: &PixelFragmentSequence<Vec<u8>>) {
        self.element_header(tag, VR::OB, UNDEFINED);
        self.fragments(pixels);
    }

    fn fragments(&mut self, pixels: &PixelFragmentSequence<Vec<u8>>) {
        let table = PrimitiveValue::U32(pixels.offset_table().into());
        self.item(&binary(&table, self.encoding.is_big()));
        for fragment in pixels.fragments() {
            self.item(fragment);
        }
        self.item_header(SEQUENCE_END, 0);
    }

    fn item(&mut self, bytes: &[u8]) {
        let odd = bytes.len() % 2;
        self.item_header(
            ITEM,
            u32::try_from(bytes.len() + odd).unwrap_or(UNDEFINED - 1),
        );
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(&[0][..odd]);
    }

    fn element_header(&mut self, tag: Tag, vr: VR, length: u32) {
        self.tag(tag);
        if !self.encoding.is_explicit() {
            return self.u32(length);
        }
        self.out.extend_from_slice(&vr.to_bytes());
        if has_short_length(vr) {
            self.u16(u16::try_from(length).unwrap_or(u16::MAX));
        } else {
            self.u16(0);
            self.u32(length);
        }
    }

    fn item_header(&mut self, tag: Tag, length: u32) {
        self.tag(tag);
        self.u32(length);
    }

    fn tag(&mut self, tag: Tag) {
        self.u16(tag.group());
        self.u16(tag.element());
    }

    fn u16(&mut self, number: u16) {
        let bytes = if self.encoding.is_big() {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        };
        self.out.extend_from_slice(&bytes);
    }

    fn u32(&mut self, number: u32) {
        let bytes = if self.encoding.is_big() {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        };
        self.out.extend_from_slice(&bytes);
    }
}

fn binary(value: &PrimitiveValue, big: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.calculate_byte_len());
    let written = if big {
        BigEndianBasicEncoder.encode_primitive(&mut bytes, value)
    } else {
        LittleEndianBasicEncoder.encode_primitive(&mut bytes, value)
    };
    written.expect("writing to a Vec cannot fail");
    bytes
}

/// The byte that makes a value even (PS3.5 section 6.2): zero for UIDs and binary, a space for other text.
fn padding(vr: VR) -> u8 {
    match vr {
        VR::UI | VR::OB | VR::UN => 0,
        _ => b' ',
    }
}
