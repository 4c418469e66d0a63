//! What is read, written and read again stays the same, in every encoding and for the odd files of the real world.

mod support;

use std::io::Write as _;

use arno_dicom::{Instance, Written, check, summarise};
use dicom_core::{Tag, VR};
use support::{CODINGS, Coding, file};

const EXPLICIT: Coding = Coding::Explicit;

fn read(bytes: &[u8]) -> Instance {
    Instance::read(bytes.to_vec().into()).expect("readable")
}

fn text(instance: &Instance, tag: Tag) -> String {
    instance
        .header
        .get(tag)
        .expect("present")
        .to_str()
        .expect("text")
        .into_owned()
}

/// Reads, writes, reads and writes: both written forms agree, and so do pixels.
fn check_round_trip(bytes: &[u8]) -> Instance {
    let first = read(bytes);
    let Written {
        bytes: written,
        pixel_offset,
    } = first.write_with_pixel_offset();
    let second = read(&written);
    assert_eq!(second.write(), written);
    let mut streamed = Vec::new();
    second.write_to(&mut streamed).expect("memory takes it");
    assert_eq!(streamed, written);
    assert_eq!(second.transfer_syntax, first.transfer_syntax);
    assert_eq!(first.pixels.is_some(), pixel_offset.is_some());
    if let (Some(pixels), Some(offset)) = (&first.pixels, pixel_offset) {
        assert!(written.ends_with(&pixels.encoded));
        let value = &pixels.encoded[pixels.value_offset..];
        assert_eq!(&written[usize::try_from(offset).expect("fits")..], value);
    }
    first
}

#[test]
fn images_survive_in_every_encoding() {
    for coding in CODINGS {
        let instance = check_round_trip(&coding.image());
        assert_eq!(instance.transfer_syntax, coding.uid());
        assert_eq!(text(&instance, Tag(0x0010, 0x0010)), "Doe^Jane");
        assert_eq!(check(&instance), Ok(()));
        let frame = instance.frame(0).unwrap();
        let expected: Vec<u8> = (0..12u16).flat_map(u16::to_le_bytes).collect();
        assert_eq!(
            (frame.rows, frame.columns, frame.bytes),
            (3, 4, expected),
            "{coding:?}"
        );
    }
}

#[test]
fn written_files_carry_preamble_prefix_and_fresh_meta() {
    let written = read(&EXPLICIT.image()).write();
    assert_eq!(&written[128..132], b"DICM");
    let meta = String::from_utf8_lossy(&written[132..400]).into_owned();
    for expected in [
        "1.2.840.10008.5.1.4.1.1.2\0",
        "1.2.3.4.5\0",
        "1.2.840.10008.1.2.1\0",
        "2.25.",
        "ARNO_0_1",
    ] {
        assert!(meta.contains(expected), "{expected}");
    }
    let length = u32::from_le_bytes(written[140..144].try_into().unwrap()) as usize;
    assert_eq!(&written[144 + length..][..8], b"\x08\0\x16\0UI\x1a\0");
}

#[test]
fn pixels_are_the_slice_they_arrived_in() {
    let bytes = bytes::Bytes::from(EXPLICIT.image());
    let instance = Instance::read(bytes.clone()).unwrap();
    let pixels = instance.pixels.unwrap().encoded;
    assert!(bytes.as_ptr_range().contains(&pixels.as_ptr()));
}

#[test]
fn sequences_of_both_length_kinds_nest_in_every_encoding() {
    for coding in CODINGS {
        let leaf = coding.text((0x0008, 0x1155), "UI", "1.2.9");
        let inner = coding.open_sequence((0x0008, 0x1199), "SQ", &coding.item(&leaf));
        let items = [coding.open_item(&inner), coding.item(b"")].concat();
        let outer = coding.sequence((0x0008, 0x1115), &items);
        let instance =
            check_round_trip(&coding.file(&[outer, coding.image_header().split_off(34)].concat()));
        let items = instance
            .header
            .get(Tag(0x0008, 0x1115))
            .unwrap()
            .items()
            .unwrap();
        assert_eq!(items.len(), 2);
        let found =
            items[0].get(Tag(0x0008, 0x1199)).unwrap().items().unwrap()[0].get(Tag(0x0008, 0x1155));
        assert_eq!(found.unwrap().to_str().unwrap(), "1.2.9", "{coding:?}");
    }
}

#[test]
fn unknown_vr_values_that_are_no_sequence_after_all_stay_bytes() {
    // Explicit VR inside, where PS3.5 section 6.2.2 asks for implicit; text; and an inner one that is broken.
    let explicit = EXPLICIT.item(&EXPLICIT.text((0x0010, 0x0010), "PN", "Doe^Jane"));
    let broken = EXPLICIT.element((0x0040, 0x0275), "UN", b"no sequence ");
    let inner = Coding::Implicit.item(&Coding::Implicit.text((0x0010, 0x0020), "LO", "7"));
    for value in [
        &explicit[..],
        b"some text!",
        &[inner, explicit.clone()].concat(),
    ] {
        let element = EXPLICIT.element((0x0040, 0x0275), "UN", value);
        let instance =
            check_round_trip(&EXPLICIT.file(&[EXPLICIT.image_header(), element].concat()));
        let found = instance.header.get(Tag(0x0040, 0x0275)).unwrap();
        assert_eq!(found.vr(), VR::UN);
        assert_eq!(found.to_bytes().unwrap(), value);
        assert_eq!(text(&instance, Tag(0x0010, 0x0020)), "HOSP-77");
    }
    let outer = EXPLICIT.sequence((0x0008, 0x1115), &EXPLICIT.item(&broken));
    let instance =
        check_round_trip(&EXPLICIT.file(&[outer, EXPLICIT.image_header().split_off(34)].concat()));
    let item = &instance
        .header
        .get(Tag(0x0008, 0x1115))
        .unwrap()
        .items()
        .unwrap()[0];
    assert_eq!(item.get(Tag(0x0040, 0x0275)).unwrap().vr(), VR::UN);
}

#[test]
fn headers_that_contradict_their_transfer_syntax_are_read_and_written_right() {
    let implicit = Coding::Implicit;
    let fragments = EXPLICIT.fragments(&[0], &[b"abcd"]);
    // The same fragments after an implicit header.
    let pixels = [&fragments[..4], &fragments[8..]].concat();
    let bytes = file(
        "1.2.840.10008.1.2.5",
        &[implicit.image_header(), pixels].concat(),
    );
    let instance = check_round_trip(&bytes);
    assert_eq!(instance.transfer_syntax, "1.2.840.10008.1.2.5");
    assert_eq!(instance.pixels.as_ref().unwrap().encoded, fragments);
    assert_eq!(text(&instance, Tag(0x0010, 0x0010)), "Doe^Jane");
}

#[test]
fn after_file_meta_without_a_transfer_syntax_the_first_element_tells() {
    let other = |coding: Coding| coding.text((0x0010, 0x0010), "PN", "Doe^Jane");
    for coding in [Coding::Implicit, EXPLICIT] {
        let version = EXPLICIT.element((0x0002, 0x0001), "OB", &[0, 1]);
        let bytes = [&[0; 128], &b"DICM"[..], &version, &other(coding)].concat();
        assert_eq!(read(&bytes).transfer_syntax, coding.uid());
        assert!(
            Instance::read(other(coding).into()).is_err(),
            "no meta, no group 0008"
        );
    }
}

#[test]
fn unknown_vr_sequences_are_opened() {
    let secret = Coding::Implicit.text((0x0010, 0x0010), "PN", "Doe^Jane");
    let item = Coding::Implicit.item(&secret);
    let undefined = EXPLICIT.open_sequence((0x0040, 0x0275), "UN", &item);
    let defined = EXPLICIT.element((0x0040, 0x0275), "UN", &item);
    let private = EXPLICIT.open_sequence((0x0041, 0x1001), "UN", &item);
    for (encoded, tag) in [
        (undefined, Tag(0x0040, 0x0275)),
        (defined, Tag(0x0040, 0x0275)),
        (private, Tag(0x0041, 0x1001)),
    ] {
        let instance =
            check_round_trip(&EXPLICIT.file(&[EXPLICIT.image_header(), encoded].concat()));
        let item = &instance
            .header
            .get(tag)
            .unwrap()
            .items()
            .expect("a sequence")[0];
        assert_eq!(
            item.get(Tag(0x0010, 0x0010)).unwrap().to_str().unwrap(),
            "Doe^Jane"
        );
        assert_eq!(item.get(Tag(0x0010, 0x0010)).unwrap().vr(), VR::PN);
    }
}

#[test]
fn known_attributes_marked_unknown_get_their_vr_and_private_ones_stay() {
    let name = EXPLICIT.element((0x0010, 0x0010), "UN", b"Doe^Jane");
    let private = EXPLICIT.element((0x0011, 0x1001), "UN", b"abcd");
    let instance = check_round_trip(&EXPLICIT.file(&[name, private].concat()));
    assert_eq!(
        instance.header.get(Tag(0x0010, 0x0010)).unwrap().vr(),
        VR::PN
    );
    assert_eq!(
        instance.header.get(Tag(0x0011, 0x1001)).unwrap().vr(),
        VR::UN
    );
}

#[test]
fn bare_data_sets_are_recognised() {
    for coding in CODINGS {
        let bare = [coding.image_header(), coding.pixels()].concat();
        assert_eq!(check_round_trip(&bare).transfer_syntax, coding.uid());
    }
    let without_preamble = EXPLICIT.image().split_off(132);
    assert_eq!(
        check_round_trip(&without_preamble).transfer_syntax,
        EXPLICIT.uid()
    );
}

#[test]
fn the_data_set_decides_between_explicit_and_implicit() {
    for (declared, actual) in [(EXPLICIT, Coding::Implicit), (Coding::Implicit, EXPLICIT)] {
        let instance = check_round_trip(&file(
            declared.uid(),
            &[actual.image_header(), actual.pixels()].concat(),
        ));
        assert_eq!(instance.transfer_syntax, actual.uid());
    }
}

#[test]
fn deflated_files_become_explicit_little_endian() {
    let data_set = [EXPLICIT.image_header(), EXPLICIT.pixels()].concat();
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&data_set).unwrap();
    let instance = check_round_trip(&file("1.2.840.10008.1.2.1.99", &encoder.finish().unwrap()));
    assert_eq!(instance.transfer_syntax, EXPLICIT.uid());
    assert_eq!(instance.frame(0).unwrap().bytes.len(), 24);
}

#[test]
fn group_lengths_padding_and_what_follows_pixels_are_dropped() {
    let group_length = EXPLICIT.element((0x0008, 0x0000), "UL", &[9, 9, 0, 0]);
    let after = EXPLICIT.text((0x0010, 0x0010), "PN", "Late^Name");
    let signature = EXPLICIT.sequence((0xFFFA, 0xFFFA), b"");
    let parts = [
        group_length,
        EXPLICIT.image_header(),
        EXPLICIT.pixels(),
        after,
        signature,
        vec![0xFF; 3],
    ];
    let instance = check_round_trip(&EXPLICIT.file(&parts.concat()));
    assert_eq!(text(&instance, Tag(0x0010, 0x0010)), "Doe^Jane");
    assert!(instance.header.get(Tag(0x0008, 0x0000)).is_none());
    assert!(instance.header.get(Tag(0xFFFA, 0xFFFA)).is_none());

    let padded = EXPLICIT.file(&[EXPLICIT.image_header(), vec![0; 500]].concat());
    assert!(check_round_trip(&padded).pixels.is_none());
}

#[test]
fn odd_lengths_are_read_in_place_and_written_even() {
    let odd = [
        EXPLICIT.element((0x0008, 0x0060), "CS", b"MRX"),
        EXPLICIT.element((0x0009, 0x1001), "OB", &[1, 2, 3]),
        EXPLICIT.element((0x0009, 0x1002), "US", &[1, 0, 2]),
        EXPLICIT.text((0x0010, 0x0010), "PN", "Doe^Jane"),
    ];
    let instance = check_round_trip(&EXPLICIT.file(&odd.concat()));
    assert_eq!(text(&instance, Tag(0x0008, 0x0060)), "MRX");
    assert_eq!(text(&instance, Tag(0x0010, 0x0010)), "Doe^Jane");
    assert_eq!(
        instance
            .header
            .get(Tag(0x0009, 0x1001))
            .unwrap()
            .to_bytes()
            .unwrap()[..],
        [1, 2, 3]
    );
}

#[test]
fn text_keeps_its_character_set() {
    let cases: [(&str, &[u8], &str); 5] = [
        ("ISO_IR 100", b"M\xFCller", "Müller"),
        ("ISO_IR 192", "Müller^Żółć".as_bytes(), "Müller^Żółć"),
        ("ISO_IR 144", b"\xB8\xD2\xD0\xDD\xDE\xD2", "Иванов"),
        // Latin-1 under a UTF-8 label, as many gateways write it.
        ("ISO_IR 192", b"M\xFCller", "Müller"),
        // The second byte of this character is a backslash.
        ("GB18030", b"\x90\x5Cab", "怽ab"),
    ];
    for (set, encoded, expected) in cases {
        let set = EXPLICIT.text((0x0008, 0x0005), "CS", set);
        let name = EXPLICIT.element((0x0010, 0x0010), "PN", encoded);
        let instance = check_round_trip(&EXPLICIT.file(&[set, name].concat()));
        assert_eq!(text(&instance, Tag(0x0010, 0x0010)).trim_end(), expected);
    }
}

#[test]
fn what_a_character_set_lacks_is_written_as_a_question_mark() {
    let mut instance = read(&EXPLICIT.image());
    instance
        .header
        .put_str(Tag(0x0010, 0x0010), VR::PN, "Żółć^Ann");
    assert_eq!(
        text(&read(&instance.write()), Tag(0x0010, 0x0010)),
        "?\u{f3}??^Ann"
    );
}

#[test]
fn values_too_long_for_their_vr_are_written_as_unknown() {
    let long = "x".repeat(70_000);
    let mut instance = read(&EXPLICIT.image());
    instance
        .header
        .put_str(Tag(0x0010, 0x4000), VR::LT, long.as_str());
    let written = instance.write();
    assert!(written.windows(6).any(|window| window == b"\x10\0\0\x40UN"));
    assert_eq!(text(&read(&written), Tag(0x0010, 0x4000)), long);
}

#[test]
fn encapsulated_pixels_and_icons_survive() {
    let icon = [
        EXPLICIT.number((0x0028, 0x0010), 2),
        EXPLICIT.fragments(&[0], &[b"icon"]),
    ]
    .concat();
    let icon = EXPLICIT.open_sequence((0x0088, 0x0200), "SQ", &EXPLICIT.open_item(&icon));
    let data_set = [
        EXPLICIT.image_header(),
        icon,
        EXPLICIT.fragments(&[], &[b"frag", b"ment"]),
    ]
    .concat();
    let instance = check_round_trip(&file("1.2.840.10008.1.2.4.90", &data_set));
    assert!(instance.pixels.unwrap().encapsulated);
    let icon = &instance
        .header
        .get(Tag(0x0088, 0x0200))
        .unwrap()
        .items()
        .unwrap()[0];
    assert_eq!(
        icon.get(Tag(0x7FE0, 0x0010)).unwrap().fragments().unwrap(),
        [b"icon".to_vec()]
    );
}

#[test]
fn signedness_reaches_values_without_vr() {
    let coding = Coding::Implicit;
    let padding = coding.element((0x0028, 0x0120), "SS", &(-2000i16).to_le_bytes());
    let mut header = coding.image_header();
    let last = header.len() - 2;
    header[last] = 1;
    let instance = check_round_trip(&coding.file(&[header, padding].concat()));
    assert_eq!(
        instance
            .header
            .get(Tag(0x0028, 0x0120))
            .unwrap()
            .to_int::<i32>()
            .unwrap(),
        -2000
    );
    assert_eq!(summarise(&instance).unwrap().pixel_signed, Some(true));
}
