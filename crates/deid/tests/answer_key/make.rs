//! Instances that hold all that the key names.

use arno_dicom::{Instance, PixelElement};
use bytes::Bytes;
use dicom_core::value::{C, DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Length, Tag, VR};
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use crate::key::Key;
use crate::people::Person;

/// A kind of instance: its name in the key, SOP class, modality and transfer syntax.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) class: &'static str,
    pub(crate) modality: &'static str,
    pub(crate) syntax: &'static str,
}

const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const IMPLICIT: &str = "1.2.840.10008.1.2";

const fn kind(name: &'static str, class: &'static str, modality: &'static str) -> Kind {
    Kind {
        name,
        class,
        modality,
        syntax: EXPLICIT,
    }
}

/// Sixteen kinds; MR and SR come in Implicit VR, which does not tell the representation of private elements.
pub(crate) const KINDS: [Kind; 16] = [
    kind("CT", "1.2.840.10008.5.1.4.1.1.2", "CT"),
    Kind {
        syntax: IMPLICIT,
        ..kind("MR", "1.2.840.10008.5.1.4.1.1.4", "MR")
    },
    kind("PT", "1.2.840.10008.5.1.4.1.1.128", "PT"),
    kind("DX", "1.2.840.10008.5.1.4.1.1.1.1", "DX"),
    kind("MG", "1.2.840.10008.5.1.4.1.1.1.2", "MG"),
    kind("NM", "1.2.840.10008.5.1.4.1.1.20", "NM"),
    kind("XA", "1.2.840.10008.5.1.4.1.1.12.1", "XA"),
    kind("RTSTRUCT", "1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT"),
    kind("RTDOSE", "1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE"),
    kind("SEG", "1.2.840.10008.5.1.4.1.1.66.4", "SEG"),
    Kind {
        syntax: IMPLICIT,
        ..kind("SR", "1.2.840.10008.5.1.4.1.1.88.33", "SR")
    },
    kind("PR", "1.2.840.10008.5.1.4.1.1.11.1", "PR"),
    kind("KO", "1.2.840.10008.5.1.4.1.1.88.59", "KO"),
    kind("ECT", "1.2.840.10008.5.1.4.1.1.2.1", "CT"),
    kind("EMR", "1.2.840.10008.5.1.4.1.1.4.1", "MR"),
    kind("WSI", "1.2.840.10008.5.1.4.1.1.77.1.6", "SM"),
];

impl Kind {
    /// A kind that the key has no rows of its own for.
    pub(crate) fn of_class(class: &'static str) -> Self {
        kind("CT", class, "US")
    }

    /// The UIDs of a person's study. Those of the images are the same in all instances that refer to them.
    pub(crate) fn uids(self, person: &Person) -> Vec<(&'static str, String)> {
        let root = format!(
            "1.3.6.1.4.1.5962.{}",
            1 + person.charset.len() * 31 + person.id.len()
        );
        vec![
            ("{study}", format!("{root}.1")),
            ("{series}", format!("{root}.2")),
            ("{image}", format!("{root}.3")),
            ("{frame}", format!("{root}.4")),
            ("{other}", format!("{root}.5")),
        ]
    }

    /// Its own SOP Instance UID; that of CT is the image that others refer to.
    pub(crate) fn own_uid(self, person: &Person) -> String {
        let uids = self.uids(person);
        match self.name {
            "CT" => uids[2].1.clone(),
            name => format!("{}.{}", uids[2].1, name.bytes().map(u32::from).sum::<u32>()),
        }
    }
}

/// An instance with everything that the key plants in its kind.
pub(crate) fn instance(key: &Key, person: &Person, kind: Kind) -> Instance {
    let uids = kind.uids(person);
    let mut header = InMemDicomObject::from_element_iter([
        element(Tag(0x0008, 0x0005), VR::CS, person.charset),
        element(Tag(0x0008, 0x0016), VR::UI, kind.class),
        element(Tag(0x0008, 0x0018), VR::UI, &kind.own_uid(person)),
        element(Tag(0x0008, 0x0060), VR::CS, kind.modality),
        element(Tag(0x0020, 0x000D), VR::UI, &uids[0].1),
        element(Tag(0x0020, 0x000E), VR::UI, &uids[1].1),
        element(Tag(0x0020, 0x0013), VR::IS, "7"),
    ]);
    for row in key.rows(kind.name) {
        let vr: VR = row.vr.parse().expect("a VR of the standard");
        let text = person.filled(&row.planted, &uids);
        plant(&mut header, &steps(&row.path), vr, &text);
    }
    Instance {
        transfer_syntax: kind.syntax.to_owned(),
        header,
        pixels: Some(pixels(kind)),
    }
}

/// A path as tags with the number of the item that is entered, from 0.
pub(crate) fn steps(path: &str) -> Vec<(Tag, Option<usize>)> {
    let step = |part: &str| {
        let (tag, item) = part.split_once('[').unwrap_or((part, ""));
        let (group, number) = tag.split_once(',').expect("gggg,eeee");
        let hex = |text| u16::from_str_radix(text, 16).expect("hexadecimal");
        let item = item.trim_end_matches(']').parse::<usize>().ok();
        (Tag(hex(group), hex(number)), item.map(|item| item - 1))
    };
    path.split('.').map(step).collect()
}

fn plant(set: &mut InMemDicomObject, steps: &[(Tag, Option<usize>)], vr: VR, text: &str) {
    let Some(((tag, item), rest)) = steps.split_first() else {
        return;
    };
    let Some(item) = item else {
        set.put(element(*tag, vr, text));
        return;
    };
    let sequence = set.take(*tag).map(InMemElement::into_value);
    let mut items: C<InMemDicomObject> = sequence
        .and_then(dicom_core::value::Value::into_items)
        .unwrap_or_default();
    while items.len() <= *item {
        items.push(InMemDicomObject::new_empty());
    }
    plant(&mut items[*item], rest, vr, text);
    set.put(sequence_of(*tag, items));
}

fn sequence_of(tag: Tag, items: C<InMemDicomObject>) -> InMemElement {
    DataElement::new(tag, VR::SQ, DataSetSequence::new(items, Length::UNDEFINED))
}

fn element(tag: Tag, vr: VR, text: &str) -> InMemElement {
    let value = match vr {
        VR::SQ => return sequence_of(tag, C::from_elem(InMemDicomObject::new_empty(), 1)),
        VR::ST | VR::LT | VR::UT => PrimitiveValue::Str(text.to_owned()),
        VR::UN => PrimitiveValue::U8(text.as_bytes().into()),
        VR::FL => PrimitiveValue::F32(C::from_elem(text.parse().expect("a number"), 1)),
        VR::FD => PrimitiveValue::F64(C::from_elem(text.parse().expect("a number"), 1)),
        _ => PrimitiveValue::Strs(text.split('\\').map(str::to_owned).collect()),
    };
    DataElement::new(tag, vr, value)
}

/// Four pixels that no header holds by chance.
fn pixels(kind: Kind) -> PixelElement {
    const VALUE: [u8; 8] = [0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x07, 0x18];
    let head: &[u8] = match kind.syntax {
        IMPLICIT => &[0xE0, 0x7F, 0x10, 0x00, 8, 0, 0, 0],
        _ => &[0xE0, 0x7F, 0x10, 0x00, b'O', b'W', 0, 0, 8, 0, 0, 0],
    };
    PixelElement {
        encoded: Bytes::from([head, &VALUE].concat()),
        value_offset: head.len(),
        encapsulated: false,
    }
}
