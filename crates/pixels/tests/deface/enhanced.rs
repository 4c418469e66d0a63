//! The slices of a head as frames of one enhanced instance: what they share once, and for each frame where it lies.

use arno_dicom::{Header, Instance, PixelElement};
use dicom_core::value::{DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Length, Tag, VR};
use dicom_dictionary_std::{tags, uids};

/// Where the type of a frame is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameTypes {
    /// Once, for all.
    Shared,
    /// For each frame.
    PerFrame,
}

/// What all frames have in common.
const SHARED: [(Tag, &[Tag]); 3] = [
    (tags::PIXEL_MEASURES_SEQUENCE, &[tags::PIXEL_SPACING]),
    (
        tags::PLANE_ORIENTATION_SEQUENCE,
        &[tags::IMAGE_ORIENTATION_PATIENT],
    ),
    (
        tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
        &[tags::RESCALE_INTERCEPT, tags::RESCALE_SLOPE],
    ),
];

/// One instance of all slices.
pub(crate) fn enhanced(slices: &[Instance], types: FrameTypes) -> Instance {
    let mut header = slices[0].header.clone();
    let is_ct = text(&header, tags::MODALITY) == "CT";
    let (class, frame_type) = match is_ct {
        true => (
            uids::ENHANCED_CT_IMAGE_STORAGE,
            tags::CT_IMAGE_FRAME_TYPE_SEQUENCE,
        ),
        false => (
            uids::ENHANCED_MR_IMAGE_STORAGE,
            tags::MR_IMAGE_FRAME_TYPE_SEQUENCE,
        ),
    };
    let kind = item(&header, tags::IMAGE_TYPE, tags::FRAME_TYPE);
    let mut shared = Header::new_empty();
    for (group, attributes) in SHARED {
        let present = attributes
            .iter()
            .filter_map(|tag| header.take_element(*tag).ok());
        let present: Vec<_> = present.collect();
        put(&mut shared, group, vec![Header::from_element_iter(present)]);
    }
    let frame = |slice: &Instance| {
        let place = slice.header.get(tags::IMAGE_POSITION_PATIENT);
        let place = Header::from_element_iter([place.expect("a place").clone()]);
        let mut frame = Header::new_empty();
        put(&mut frame, tags::PLANE_POSITION_SEQUENCE, vec![place]);
        if types == FrameTypes::PerFrame {
            put(&mut frame, frame_type, vec![kind.clone()]);
        }
        frame
    };
    let frames: Vec<Header> = slices.iter().map(frame).collect();
    if types == FrameTypes::Shared {
        put(&mut shared, frame_type, vec![kind]);
    }
    header.remove_element(tags::IMAGE_POSITION_PATIENT);
    header.put(DataElement::new(tags::SOP_CLASS_UID, VR::UI, class));
    let count = slices.len().to_string();
    header.put(DataElement::new(
        tags::NUMBER_OF_FRAMES,
        VR::IS,
        count.as_str(),
    ));
    put(
        &mut header,
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        vec![shared],
    );
    put(
        &mut header,
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        frames,
    );
    Instance {
        transfer_syntax: slices[0].transfer_syntax.clone(),
        header,
        pixels: Some(pixels(slices)),
    }
}

fn pixels(slices: &[Instance]) -> PixelElement {
    let values = slices
        .iter()
        .map(|slice| slice.pixels.as_ref().expect("pixels").value());
    let value = values.collect::<Vec<_>>().concat();
    let (group, element) = (0x7FE0_u16.to_le_bytes(), 0x0010_u16.to_le_bytes());
    let length = u32::try_from(value.len()).expect("short").to_le_bytes();
    PixelElement {
        encoded: [&group[..], &element, b"OW\0\0", &length, &value]
            .concat()
            .into(),
        value_offset: 12,
        encapsulated: false,
    }
}

fn item(header: &Header, from: Tag, to: Tag) -> Header {
    let value = PrimitiveValue::from(text(header, from));
    Header::from_element_iter([DataElement::new(to, VR::CS, value)])
}

fn text(header: &Header, tag: Tag) -> String {
    let element = header.get(tag).expect("there");
    element.to_multi_str().expect("text").join("\\")
}

fn put(header: &mut Header, tag: Tag, items: Vec<Header>) {
    let items = DataSetSequence::new(items, Length::UNDEFINED);
    header.put(DataElement::new(tag, VR::SQ, items));
}
