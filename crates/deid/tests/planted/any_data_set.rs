//! Data sets that are made up: attributes out of the whole dictionary, in the dictionary's VR or in another, private blocks that are
//! known and unknown, sequences within sequences, and in each element something of the patient.

use std::sync::LazyLock;

use arno_deid::{DeidError, Recipe, Secret, deidentify};
use arno_dicom::Instance;
use bytes::Bytes;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use dicom_object::InMemDicomObject;
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assume, prop_oneof, proptest};

use crate::person::{Person, person};
use crate::{EXPLICIT_LITTLE, IMPLICIT_LITTLE, holds, of_person, places, sequence, text};

/// Groups of a stored instance that the standard defines attributes in, but for pixels, overlays and curves.
const GROUPS: [u16; 28] = [
    0x0008, 0x0010, 0x0012, 0x0014, 0x0016, 0x0018, 0x0020, 0x0022, 0x0024, 0x0028, 0x0032, 0x0034,
    0x0038, 0x003A, 0x0040, 0x0042, 0x0044, 0x0046, 0x0048, 0x0050, 0x0054, 0x0062, 0x0068, 0x0070,
    0x0088, 0x300A, 0x3006, 0x4010,
];

/// VRs that have room for text.
const TEXT_VRS: [VR; 19] = [
    VR::AE,
    VR::AS,
    VR::CS,
    VR::DA,
    VR::DS,
    VR::DT,
    VR::IS,
    VR::LO,
    VR::LT,
    VR::OB,
    VR::PN,
    VR::SH,
    VR::ST,
    VR::TM,
    VR::UC,
    VR::UI,
    VR::UN,
    VR::UR,
    VR::UT,
];

/// Makers of private blocks: of Table E.3.10-1, and one that nobody knows.
const CREATORS: [&str; 6] = [
    "GEMS_ACQU_01",
    "GEMS_PARM_01",
    "Philips Imaging DD 001",
    "Philips PET Private Group",
    "SIEMENS MR HEADER",
    "PRIVATE",
];

/// Every attribute of these groups with its VR.
static ATTRIBUTES: LazyLock<Vec<(Tag, VR)>> = LazyLock::new(|| {
    let tags = GROUPS
        .iter()
        .flat_map(|group| (1..=u16::MAX).map(|element| Tag(*group, element)));
    let known = tags.filter_map(|tag| {
        let vr = StandardDataDictionary.by_tag(tag)?.vr().exact()?;
        // Another character set would be another text, which the reader decides.
        (tag != tags::SPECIFIC_CHARACTER_SET).then_some((tag, vr))
    });
    known.collect()
});

/// A part of a data set. Numbers choose among what there is.
#[derive(Debug, Clone)]
enum Part {
    /// An attribute in its own VR if it has room for text, else in another; which of the planted texts.
    Element(usize, usize, usize),
    /// An attribute in a VR that is not its own.
    WrongVr(usize, usize, usize),
    /// An element of a private block: creator, group, element, VR, text.
    Private(usize, u16, u8, usize, usize),
    Sequence(usize, Vec<Vec<Part>>),
}

fn part() -> impl Strategy<Value = Part> {
    let number = || 0..1_usize << 20;
    let leaf = prop_oneof![
        6 => (number(), number(), number()).prop_map(|(tag, vr, text)| Part::Element(tag, vr, text)),
        2 => (number(), number(), number()).prop_map(|(tag, vr, text)| Part::WrongVr(tag, vr, text)),
        2 => (number(), 0..40_u16, any::<u8>(), number(), number())
            .prop_map(|(creator, group, at, vr, text)| Part::Private(creator, group, at, vr, text)),
    ];
    leaf.prop_recursive(4, 120, 10, move |inner| {
        let items = prop::collection::vec(prop::collection::vec(inner, 1..10), 1..3);
        (number(), items).prop_map(|(tag, items)| Part::Sequence(tag, items))
    })
}

fn pick<T: Copy>(from: &[T], number: usize) -> T {
    from[number % from.len()]
}

/// The data set of these parts, with `planted` in its elements.
fn data_set(parts: &[Part], planted: &[String]) -> InMemDicomObject {
    static SEQUENCES: LazyLock<Vec<Tag>> = LazyLock::new(|| {
        let sequences = ATTRIBUTES.iter().filter(|(_, vr)| *vr == VR::SQ);
        sequences.map(|(tag, _)| *tag).collect()
    });
    static ELEMENTS: LazyLock<Vec<(Tag, VR)>> = LazyLock::new(|| {
        let elements = ATTRIBUTES.iter().filter(|(_, vr)| *vr != VR::SQ);
        elements.copied().collect()
    });
    let mut set = InMemDicomObject::new_empty();
    for part in parts {
        let value = |number: &usize| &planted[*number % planted.len()];
        match part {
            Part::Element(tag, vr, chosen) => {
                let (tag, own) = pick(&ELEMENTS, *tag);
                let vr = if TEXT_VRS.contains(&own) {
                    own
                } else {
                    pick(&TEXT_VRS, *vr)
                };
                set.put(text(tag, vr, value(chosen)));
            }
            Part::WrongVr(tag, vr, chosen) => {
                set.put(text(
                    pick(&ELEMENTS, *tag).0,
                    pick(&TEXT_VRS, *vr),
                    value(chosen),
                ));
            }
            Part::Private(creator, group, at, vr, chosen) => {
                let group = 0x0009 + 2 * group;
                set.put(text(Tag(group, 0x0010), VR::LO, pick(&CREATORS, *creator)));
                let tag = Tag(group, 0x1000 + u16::from(*at));
                set.put(text(tag, pick(&TEXT_VRS, *vr), value(chosen)));
            }
            Part::Sequence(tag, items) => {
                let items = items.iter().map(|parts| data_set(parts, planted));
                set.put(sequence(pick(&SEQUENCES, *tag), items.collect()));
            }
        }
    }
    set
}

/// What is planted: values alone, values among words that may stay, and the whole name.
fn planted_of(person: &Person) -> Vec<String> {
    let values = person.values().into_iter().map(str::to_owned);
    values
        .chain(person.sentences())
        .chain([person.name()])
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_planted_value_is_in_the_result_of_any_data_set(
        person in person(),
        parts in prop::collection::vec(part(), 1..60),
        syntax in prop::sample::select(vec![EXPLICIT_LITTLE, IMPLICIT_LITTLE]),
    ) {
        let set = data_set(&parts, &planted_of(&person));
        let file = of_person(set, &person, syntax).write();
        let read = Instance::read(Bytes::from(file));
        // A number that is no number may be refused by the reader: nothing comes of it.
        prop_assume!(read.is_ok());
        let done = deidentify(read.unwrap(), Recipe::embedded(), &Secret::new([5; 32]));
        prop_assume!(!matches!(done, Err(DeidError::NeedsReview { .. })));
        let (done, report) = done.unwrap();
        let bytes = done.as_ref().write();
        let report = serde_json::to_string(&report).unwrap();
        for value in person.values().iter().flat_map(|value| value.split('^')).filter(|value| value.chars().count() >= 2) {
            assert!(!holds(&bytes, value), "{value} is in the result: {:?}", places(&bytes, value));
            assert!(!report.contains(value), "{value} is in the report");
        }
    }
}

#[test]
fn attributes_come_out_of_the_whole_dictionary() {
    assert!(ATTRIBUTES.len() > 3000, "{}", ATTRIBUTES.len());
}
