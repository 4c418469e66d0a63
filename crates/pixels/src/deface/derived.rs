//! Says of an instance that its pixels are no longer the scanner's: first value of Image Type (0008,0008, PS3.3 C.7.6.1.1.2), and
//! of Frame Type (0008,9007) of the frames of a multi-frame one (PS3.3 C.8.16.1).

use arno_dicom::Header;
use arno_dicom::planes::FunctionalGroups;
use dicom_core::value::{DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Length, Tag, VR};
use dicom_dictionary_std::tags;

const DERIVED: &str = "DERIVED";
/// Of an instance with frames of both kinds.
const MIXED: &str = "MIXED";

/// The functional groups that hold the type of a frame.
const FRAME_TYPES: [Tag; 2] = [
    tags::CT_IMAGE_FRAME_TYPE_SEQUENCE,
    tags::MR_IMAGE_FRAME_TYPE_SEQUENCE,
];

/// Marks the instance, and of its frames those that were changed; a type that all frames share holds for all.
pub(super) fn mark_as_derived(header: &mut Header, is_changed: &[bool]) {
    change_items(
        header,
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        |_, group| {
            mark_frame(group);
        },
    );
    let per_frame = tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE;
    change_items(header, per_frame, |at, group| {
        if is_changed.get(at) == Some(&true) {
            mark_frame(group);
        }
    });
    let is_mixed = frame_types(header).iter().any(|kind| kind != DERIVED);
    put_first(
        header,
        tags::IMAGE_TYPE,
        if is_mixed { MIXED } else { DERIVED },
    );
}

fn mark_frame(group: &mut Header) {
    for tag in FRAME_TYPES {
        change_items(group, tag, |_, item| {
            put_first(item, tags::FRAME_TYPE, DERIVED)
        });
    }
}

/// First value of the type of each frame that has one.
fn frame_types(header: &Header) -> Vec<String> {
    let groups = FunctionalGroups::of(header);
    let of_frame = |frame| {
        let item = FRAME_TYPES
            .into_iter()
            .find_map(|tag| groups.group(frame, tag));
        let values = values(item?, tags::FRAME_TYPE)?;
        values.into_iter().next()
    };
    groups.frames.iter().filter_map(of_frame).collect()
}

/// Changes the items of a sequence where they are; nothing where there is none.
fn change_items(header: &mut Header, tag: Tag, mut change: impl FnMut(usize, &mut Header)) {
    let Ok(element) = header.take_element(tag) else {
        return;
    };
    let vr = element.vr();
    let Some(mut items) = element.into_value().into_items() else {
        return;
    };
    for (at, item) in items.iter_mut().enumerate() {
        change(at, item);
    }
    header.put(DataElement::new(
        tag,
        vr,
        DataSetSequence::new(items, Length::UNDEFINED),
    ));
}

/// Puts another first value; nothing where there is none.
fn put_first(header: &mut Header, tag: Tag, first: &str) {
    let Some(values) = values(header, tag) else {
        return;
    };
    let others = values.into_iter().skip(1);
    let values: Vec<String> = std::iter::once(first.to_owned()).chain(others).collect();
    header.put(DataElement::new(
        tag,
        VR::CS,
        PrimitiveValue::Strs(values.into()),
    ));
}

/// The values of a code. Those set by a program may still be joined.
fn values(header: &Header, tag: Tag) -> Option<Vec<String>> {
    let values = header.get(tag)?.to_multi_str().ok()?.join("\\");
    Some(values.split('\\').map(str::to_owned).collect())
}
