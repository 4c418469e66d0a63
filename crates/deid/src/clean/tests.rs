//! Each action over each kind of value representation.

use super::{Outcome, Patient, clean, emptied};
use crate::age_and_dates::shift_date;
use crate::decide::{Decision, Fallback, Rule, Verb};
use crate::identifiers::Identifiers;
use crate::recipe::Recipe;
use crate::report::Action;
use crate::secret::Secret;
use crate::values::{Class, from_texts, texts};
use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

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
    VR::PN,
    VR::SH,
    VR::ST,
    VR::TM,
    VR::UC,
    VR::UI,
    VR::UR,
    VR::UT,
    VR::OB,
    VR::UN,
];
const KEEP: Verb = Verb::Keep(Fallback::Dummy);
const CLEAN: Verb = Verb::Clean(Fallback::Dummy);

fn secret() -> Secret {
    Secret::new([3; 32])
}

fn patient() -> Patient {
    let name = DataElement::new(tags::PATIENT_NAME, VR::PN, "Lindqvist^Gina");
    let header = InMemDicomObject::from_element_iter([name]);
    Patient {
        id: "4711".to_owned(),
        pseudonym: secret().pseudonym("4711", None),
        offset: secret().date_offset("4711", None),
        identifiers: Identifiers::collect(&header, &Recipe::default()).unwrap(),
    }
}

fn outcome(verb: Verb, vr: VR, value: impl Into<PrimitiveValue>) -> Outcome {
    let class = Class::of(Tag(0x0018, 0x0015), vr);
    let decision = Decision {
        verb,
        vr,
        class,
        rule: Rule::Said("test"),
        name: "Test",
    };
    clean(&decision, &value.into(), &patient(), &secret())
}

fn text_of(outcome: &Outcome, vr: VR) -> String {
    match outcome {
        Outcome::Changed(value, _) => texts(value, vr).unwrap().join("\\"),
        other => panic!("{other:?}"),
    }
}

/// The planted text as a value of the VR.
fn planted(vr: VR) -> PrimitiveValue {
    match vr {
        VR::OB | VR::UN => PrimitiveValue::U8(b"xx lindqvist xx".as_slice().into()),
        _ => from_texts(vec!["LINDQVIST".to_owned()], vr),
    }
}

#[test]
fn remove_and_empty_hold_for_every_vr() {
    for vr in TEXT_VRS {
        assert_eq!(outcome(Verb::Remove, vr, planted(vr)), Outcome::Gone);
        assert_eq!(outcome(Verb::Empty, vr, planted(vr)), emptied());
    }
}

#[test]
fn the_patients_name_stays_under_no_action_in_no_vr() {
    for vr in TEXT_VRS {
        for verb in [Verb::Dummy, Verb::MapUids, Verb::Pseudonym, KEEP, CLEAN] {
            let outcome = outcome(verb, vr, planted(vr));
            assert_ne!(outcome, Outcome::Same, "{vr:?} {verb:?}");
            if let Outcome::Changed(value, _) = outcome {
                assert!(
                    !patient().identifiers.are_in(&value.to_str()),
                    "{vr:?} {verb:?}"
                );
            }
        }
    }
}

#[test]
fn dummies_are_values_of_their_vr() {
    for vr in TEXT_VRS
        .into_iter()
        .filter(|vr| *vr != VR::UN && *vr != VR::PN)
    {
        let Outcome::Changed(dummy, _) = outcome(Verb::Dummy, vr, planted(vr)) else {
            panic!("{vr:?}")
        };
        let verb = Verb::Keep(Fallback::Remove);
        assert!(
            matches!(
                outcome(verb, vr, dummy),
                Outcome::Same | Outcome::Changed(_, Action::Dummied)
            ),
            "{vr:?}"
        );
    }
}

#[test]
fn sound_values_are_kept() {
    fn check(vr: VR, text: &str) {
        assert_eq!(outcome(KEEP, vr, text), Outcome::Same, "{vr:?} {text}");
    }
    check(VR::CS, "ORIGINAL\\PRIMARY\\AXIAL");
    check(VR::DS, "0.703125\\-1.5e-3");
    check(VR::IS, "512");
    check(VR::TM, "101112.123");
    check(VR::AS, "045Y");
    check(VR::UI, "1.2.840.10008.5.1.4.1.1.2");
    check(VR::LO, "SOMATOM Definition AS+");
    check(VR::DA, "20200101");
    check(VR::DT, "20200101101112+0100");
    assert_eq!(outcome(KEEP, VR::US, 512_u16), Outcome::Same);
    assert_eq!(outcome(KEEP, VR::DS, 1.5_f64), Outcome::Same);
}

#[test]
fn unsound_values_are_not_kept() {
    fn check(vr: VR, text: &str, expect: &str) {
        assert_eq!(
            text_of(&outcome(KEEP, vr, text), vr),
            expect,
            "{vr:?} {text}"
        );
    }
    check(VR::CS, "Head/Smith", "Head");
    check(VR::CS, "Smith", "REMOVED");
    check(VR::DS, "12 Smith", "0");
    check(VR::IS, "1\\Smith", "0");
    check(VR::TM, "Smith", "");
    check(VR::AS, "Smith", "");
    check(VR::AS, "101Y", "090Y");
    check(VR::LO, "serial 20240101", "REMOVED");
    check(VR::PN, "Smith", "REMOVED");
    check(VR::DA, "Smith", "");
    assert!(text_of(&outcome(KEEP, VR::UI, "1.2.Smith"), VR::UI).starts_with("2.25."));
}

#[test]
fn cleaning_shifts_dates_and_keeps_known_words() {
    fn check(vr: VR, text: &str, expect: &str) {
        assert_eq!(
            text_of(&outcome(CLEAN, vr, text), vr),
            expect,
            "{vr:?} {text}"
        );
    }
    check(VR::LT, "CT head of Gina Lindqvist", "CT head of");
    check(VR::LO, "CT\\Smith\\head", "CT\\\\head");
    check(VR::LO, "Smith", "REMOVED");
    check(VR::AE, "CT_HEAD", "REMOVED");
    check(VR::DA, "Smith", "");
    let moved = shift_date("20200101", patient().offset).unwrap();
    check(VR::DA, "20200101\\bad", &format!("{moved}\\"));
    check(VR::DT, "20200101101112", &format!("{moved}101112"));
    assert_eq!(outcome(CLEAN, VR::TM, "101112"), Outcome::Same);
    assert_eq!(
        outcome(CLEAN, VR::LO, "CT THORAX 1.25 mm lung kernel"),
        Outcome::Same
    );
}

#[test]
fn uids_are_mapped_but_for_those_of_the_standard() {
    let mapped = text_of(
        &outcome(Verb::MapUids, VR::UI, "1.2.3\\1.2.840.10008.1.2\\1.2.3\0"),
        VR::UI,
    );
    let one = secret().map_uid("1.2.3");
    assert_eq!(mapped, format!("{one}\\1.2.840.10008.1.2\\{one}"));
    let fake = "1.2.840.10008.5.1.4.20240101.4711.12345";
    assert!(text_of(&outcome(Verb::MapUids, VR::UI, fake), VR::UI).starts_with("2.25."));
}

#[test]
fn ids_become_pseudonyms() {
    let own = text_of(&outcome(Verb::Pseudonym, VR::LO, "4711 "), VR::LO);
    assert_eq!(own, patient().pseudonym.as_str());
    let other = text_of(&outcome(Verb::Pseudonym, VR::LO, "0815"), VR::LO);
    assert_eq!(other, secret().pseudonym("0815", None).as_str());
}

#[test]
fn empty_values_stay_empty() {
    for vr in TEXT_VRS
        .into_iter()
        .filter(|vr| *vr != VR::OB && *vr != VR::UN)
    {
        for verb in [
            Verb::Empty,
            Verb::Dummy,
            Verb::MapUids,
            Verb::Pseudonym,
            KEEP,
            CLEAN,
        ] {
            assert_eq!(
                outcome(verb, vr, PrimitiveValue::Empty),
                Outcome::Same,
                "{vr:?} {verb:?}"
            );
        }
    }
}

#[test]
fn a_name_that_was_read_as_numbers_is_found_in_either_order() {
    let check = |vr: VR, value: PrimitiveValue, expect: Outcome| {
        let verb = Verb::Keep(Fallback::Remove);
        assert_eq!(outcome(verb, vr, value), expect, "{vr:?}");
    };
    let words = |order: fn([u8; 2]) -> u16| -> Vec<u16> {
        let pairs = b"Lindqvis".chunks_exact(2);
        pairs.map(|pair| order([pair[0], pair[1]])).collect()
    };
    let (little, big) = (words(u16::from_le_bytes), words(u16::from_be_bytes));
    let tags = vec![Tag(little[0], little[1]), Tag(little[2], little[3])];
    check(VR::US, PrimitiveValue::U16(little.into()), Outcome::Gone);
    check(VR::US, PrimitiveValue::U16(big.into()), Outcome::Gone);
    check(VR::AT, PrimitiveValue::Tags(tags.into()), Outcome::Gone);
    check(
        VR::US,
        PrimitiveValue::U16(vec![512; 4].into()),
        Outcome::Same,
    );
}
