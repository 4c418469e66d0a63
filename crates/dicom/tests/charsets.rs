//! Text in every character set of PS3.3 C.12.1.1.2: read as Unicode, written so that it reads the same again. Examples with
//! escape sequences are those of PS3.5 annexes H to K.

mod support;

use arno_dicom::{Header, Instance, dataset};
use dicom_core::Tag;
use support::Coding;

const NAME: Tag = Tag(0x0010, 0x0010);
const CHARSET: Tag = Tag(0x0008, 0x0005);
const EXPLICIT: Coding = Coding::Explicit;

fn text(header: &Header, tag: Tag) -> String {
    header
        .get(tag)
        .expect("present")
        .to_str()
        .expect("text")
        .into_owned()
}

fn file(charset: &str, tag: (u16, u16), vr: &str, value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(b' ');
    }
    let data_set = [
        EXPLICIT.text((0x0008, 0x0005), "CS", charset),
        EXPLICIT.text((0x0008, 0x0018), "UI", "1.2.3"),
        EXPLICIT.element(tag, vr, &value),
    ];
    EXPLICIT.file(&data_set.concat())
}

/// Reads a name, and reads it again after writing. The charset that is written is the file's or UTF-8.
fn check(charset: &str, bytes: &[u8], expect: &str, written: &str) {
    let first =
        Instance::read(file(charset, (0x0010, 0x0010), "PN", bytes).into()).expect("readable");
    let second = Instance::read(first.write().into()).expect("readable");
    for instance in [&first, &second] {
        assert_eq!(text(&instance.header, NAME).trim_end(), expect, "{charset}");
        assert_eq!(
            text(&instance.header, CHARSET).trim_end(),
            written,
            "{charset}"
        );
    }
}

/// A set that stays what it is.
fn check_kept(charset: &str, bytes: &[u8], expect: &str) {
    check(charset, bytes, expect, charset);
}

/// Sets with code extensions become UTF-8.
fn check_extended(charset: &str, bytes: &[u8], expect: &str) {
    check(charset, bytes, expect, "ISO_IR 192");
}

#[test]
fn single_byte_sets() {
    check_kept("ISO_IR 100", b"Buc^J\xE9r\xF4me", "Buc^Jérôme");
    check_kept("ISO_IR 101", b"Wa\xB3\xEAsa", "Wałęsa");
    check_kept("ISO_IR 109", b"\xA6a\xBCo", "Ĥaĵo");
    check_kept("ISO_IR 110", b"\xB9\xBA\xBF", "šēŋ");
    check_kept("ISO_IR 144", b"\xBB\xEEkceM\xD1ypg", "ЛюkceMбypg");
    check_kept(
        "ISO_IR 126",
        b"\xC4\xE9\xEF\xED\xF5\xF3\xE9\xEF\xF2",
        "Διονυσιος",
    );
    check_kept(
        "ISO_IR 127",
        b"\xE2\xC8\xC7\xE6\xEA^\xE4\xE6\xD2\xC7\xD1",
        "قباني^لنزار",
    );
    check_kept(
        "ISO_IR 138",
        b"\xF9\xF8\xE5\xEF^\xE3\xE1\xE5\xF8\xE4",
        "שרון^דבורה",
    );
    check_kept("ISO_IR 166", b"\xB9\xD2\xC1", "นาม");
    check_kept("ISO_IR 13", b"\xD4\xCF\xC0\xDE^\xC0\xDB\xB3", "ﾔﾏﾀﾞ^ﾀﾛｳ");
    check_extended("ISO_IR 148", b"\xC7avu\xFEo\xF0lu^I\xFD", "Çavuşoğlu^Iı");
    check_extended("ISO_IR 203", b"\xBCuvre \xA4", "Œuvre €");
}

#[test]
fn many_byte_sets_that_stand_alone() {
    check_kept(
        "ISO_IR 192",
        "Wang^XiaoDong=王^小東=".as_bytes(),
        "Wang^XiaoDong=王^小東=",
    );
    check_kept("GB18030", b"Wang=\xCD\xF5^\xD0\xA1\xB6\xAB", "Wang=王^小东");
    check_kept("GBK", b"\xCD\xF5^\xD0\xA1\xB6\xAB", "王^小东");
    // The second byte of 乗 in GBK is a backslash, and no separator of values.
    check_kept("GBK", b"\x81\\^a", "乗^a");
    check(
        "ISO_IR 192\\ISO 2022 IR 87",
        "山".as_bytes(),
        "山",
        "ISO_IR 192\\ISO 2022 IR 87",
    );
}

#[test]
fn japanese_with_code_extensions() {
    check_extended(
        "\\ISO 2022 IR 87",
        b"Yamada^Tarou=\x1B$B;3ED\x1B(B^\x1B$BB@O:\x1B(B=\x1B$B$d$^$@\x1B(B^\x1B$B$?$m$&\x1B(B",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
    );
    check_extended(
        "ISO 2022 IR 13\\ISO 2022 IR 87",
        b"\xD4\xCF\xC0\xDE^\xC0\xDB\xB3=\x1B$B;3ED\x1B(J^\x1B$BB@O:\x1B(J=\x1B$B$d$^$@\x1B(J^\x1B$B$?$m$&\x1B(J",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    );
    check_extended("\\ISO 2022 IR 159", b"a^\x1B$(D0!\x1B(B", "a^丂");
}

#[test]
fn korean_and_chinese_with_code_extensions() {
    check_extended(
        "\\ISO 2022 IR 149",
        b"Hong^Gildong=\x1B$)C\xFB\xF3^\x1B$)C\xD1\xCE\xD4\xD7=\x1B$)C\xC8\xAB^\x1B$)C\xB1\xE6\xB5\xBF",
        "Hong^Gildong=洪^吉洞=홍^길동",
    );
    check_extended(
        "\\ISO 2022 IR 58",
        b"Zhang^XiaoDong=\x1B$)A\xD5\xC5^\x1B$)A\xD0\xA1\xB6\xAB=",
        "Zhang^XiaoDong=张^小东=",
    );
}

#[test]
fn several_european_sets_in_one_text() {
    check_extended(
        "ISO 2022 IR 6\\ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 126",
        b"\x1B-A\xE9^\x1B-L\xBB\xEE^\x1B-F\xC4\xE9",
        "é^Лю^Δι",
    );
    // After a delimiter the first set is in force again.
    check_extended(
        "ISO 2022 IR 100\\ISO 2022 IR 144",
        b"\x1B-L\xBB^\xE9",
        "Л^é",
    );
}

#[test]
fn sloppy_terms_are_understood() {
    check("ISO-IR 100", b"\xE9", "é", "ISO-IR 100");
    check("ISO_2022_IR_100", b"\xE9", "é", "ISO_IR 192");
}

#[test]
fn names_end_sets_and_other_texts_do_not() {
    let bytes = b"\x1B-L\xBB^\xBB\r\n\xBB";
    let read = |vr, tag: (u16, u16)| {
        let file = file("ISO 2022 IR 100\\ISO 2022 IR 144", tag, vr, bytes);
        let instance = Instance::read(file.into()).unwrap();
        text(&instance.header, Tag(tag.0, tag.1))
            .trim_end()
            .to_owned()
    };
    assert_eq!(read("LT", (0x0010, 0x4000)), "Л^Л\r\n»");
    assert_eq!(read("PN", (0x0010, 0x0010)), "Л^»\r\n»");
}

#[test]
fn items_read_with_the_set_of_their_data_set_or_their_own() {
    let outer = b"\x1B$B;3ED\x1B(B";
    let name = |bytes: &[u8]| EXPLICIT.element((0x0010, 0x0010), "PN", bytes);
    let own = [
        EXPLICIT.text((0x0008, 0x0005), "CS", "ISO_IR 100"),
        name(b"\xE9 "),
    ]
    .concat();
    let items = [EXPLICIT.item(&name(outer)), EXPLICIT.item(&own)].concat();
    let data_set = [
        EXPLICIT.text((0x0008, 0x0005), "CS", "\\ISO 2022 IR 87"),
        EXPLICIT.sequence((0x0008, 0x1115), &items),
    ];
    let instance = Instance::read(EXPLICIT.file(&data_set.concat()).into()).unwrap();
    let again = Instance::read(instance.write().into()).unwrap();
    for instance in [instance, again] {
        let items = instance
            .header
            .get(Tag(0x0008, 0x1115))
            .unwrap()
            .items()
            .unwrap();
        assert_eq!(text(&items[0], NAME), "山田");
        assert_eq!(text(&items[1], NAME).trim_end(), "é");
    }
}

#[test]
fn broken_text_keeps_its_values_and_ends() {
    for charset in [
        "\\ISO 2022 IR 87",
        "\\ISO 2022 IR 149",
        "ISO 2022 IR 13\\ISO 2022 IR 159",
    ] {
        for bytes in [
            &b"a\x1B$B\x21\x1B(B\\b"[..],
            b"a\x1B\\b",
            b"a\x1B$)C\xFF\xFF\\b",
            b"a\xFF\\b\x1B",
            b"a\x1B$B\xFF\xFE\x1B(B\\b",
        ] {
            let file = file(charset, (0x0008, 0x1090), "LO", bytes);
            let instance = Instance::read(file.into()).unwrap();
            let found = text(&instance.header, Tag(0x0008, 0x1090));
            assert_eq!(found.split('\\').count(), 2, "{charset} {bytes:?} {found}");
        }
    }
}

#[test]
fn identifiers_without_file_meta_are_read_and_written() {
    for coding in support::CODINGS {
        let data_set = [
            coding.text((0x0008, 0x0005), "CS", "ISO_IR 192"),
            coding.text((0x0008, 0x0052), "CS", "STUDY"),
            coding.text((0x0010, 0x0010), "PN", "Mü*"),
        ]
        .concat();
        let header = dataset::read_data_set(data_set.clone().into(), coding.uid()).unwrap();
        assert_eq!(text(&header, NAME), "Mü*");
        assert_eq!(
            dataset::write_data_set(&header, coding.uid()).unwrap(),
            data_set
        );
    }
    let header = Header::new_empty();
    assert_eq!(
        dataset::write_data_set(&header, "1.2.840.10008.1.2"),
        Ok(Vec::new())
    );
    assert!(dataset::write_data_set(&header, "1.2.3").is_err());
    assert!(dataset::read_data_set(vec![1].into(), "1.2.3").is_err());
    assert!(dataset::read_data_set(vec![1].into(), "1.2.840.10008.1.2").is_err());
    let deflated = "1.2.840.10008.1.2.1.99";
    let header = Header::from_element_iter([dicom_core::DataElement::new(
        NAME,
        dicom_core::VR::PN,
        dicom_core::value::PrimitiveValue::from("Doe"),
    )]);
    let bytes = dataset::write_data_set(&header, deflated).unwrap();
    assert_eq!(
        text(
            &dataset::read_data_set(bytes.into(), deflated).unwrap(),
            NAME
        )
        .trim_end(),
        "Doe"
    );
}

/// Found by fuzzing: elements out of order, so that text comes before the character set or is sorted before it.
#[test]
fn the_charset_of_a_data_set_holds_for_elements_before_it() {
    let charset = EXPLICIT.text((0x0008, 0x0005), "CS", "GB18030");
    for tag in [(0x0007, 0x0016), (0x0010, 0x0010)] {
        for in_order in [true, false] {
            let name = EXPLICIT.element(tag, "LO", &[0xCD, 0xF5, 0xD0, 0xA1]);
            let mut elements = [charset.clone(), name];
            if !in_order {
                elements.reverse();
            }
            let first = Instance::read(EXPLICIT.file(&elements.concat()).into()).expect("readable");
            let second = Instance::read(first.write().into()).expect("readable");
            for instance in [&first, &second] {
                assert_eq!(text(&instance.header, Tag(tag.0, tag.1)), "王小");
            }
        }
    }
}
