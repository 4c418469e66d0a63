//! Headers as DICOM JSON and back (PS3.18 annex F), value by value, and the pointers to what is left out.

mod support;

use arno_dicom::json::{
    Attributes, JsonError, MAX_INLINE_BYTES, bulk, metadata, to_header, with_base,
};
use arno_dicom::{Header, Instance};
use dicom_core::value::{DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Length, Tag, VR};
use serde_json::{Value, json};
use support::{CODINGS, Coding};

const ANY: Tag = Tag(0x0040, 0x1001);

fn instance(header: Header) -> Instance {
    Instance {
        transfer_syntax: "1.2.840.10008.1.2.1".to_owned(),
        header,
        pixels: None,
    }
}

fn parsed(instance: &Instance) -> Value {
    serde_json::from_slice(&metadata(instance)).expect("JSON")
}

fn strings(values: &[&str]) -> PrimitiveValue {
    PrimitiveValue::Strs(values.iter().map(|text| (*text).to_owned()).collect())
}

/// The attribute that a value becomes, and that it comes back as the same attribute.
fn check(vr: VR, value: PrimitiveValue, expect: Value) {
    let header = Header::from_element_iter([DataElement::new(ANY, vr, value)]);
    let found = parsed(&instance(header));
    assert_eq!(found["00401001"], expect);
    let Value::Object(attributes) = found else {
        panic!("an object")
    };
    let back = to_header(&attributes).expect("a header");
    assert_eq!(parsed(&instance(back))["00401001"], expect);
}

#[test]
fn text_keeps_its_values_without_padding() {
    check(VR::LO, "one".into(), json!({"vr": "LO", "Value": ["one"]}));
    check(
        VR::LO,
        strings(&[" a ", "", "b\0"]),
        json!({"vr": "LO", "Value": ["a", null, "b"]}),
    );
    check(
        VR::CS,
        "A\\B".into(),
        json!({"vr": "CS", "Value": ["A", "B"]}),
    );
    check(
        VR::LT,
        PrimitiveValue::Str("  a\\b\r\n\"q\"\u{1} ".into()),
        json!({"vr": "LT", "Value": ["  a\\b\r\n\"q\"\u{1}"]}),
    );
    check(
        VR::SH,
        "é 山 \u{1F600}".into(),
        json!({"vr": "SH", "Value": ["é 山 \u{1F600}"]}),
    );
    check(
        VR::UI,
        "1.2.3\0".into(),
        json!({"vr": "UI", "Value": ["1.2.3"]}),
    );
    check(VR::SH, PrimitiveValue::Empty, json!({"vr": "SH"}));
    check(VR::SH, strings(&["  "]), json!({"vr": "SH"}));
}

#[test]
fn names_come_in_groups() {
    check(
        VR::PN,
        "Yamada^Tarou=山田^太郎=やまだ^たろう".into(),
        json!({"vr": "PN", "Value": [{
            "Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"
        }]}),
    );
    check(
        VR::PN,
        strings(&["A^B ", "=山"]),
        json!({"vr": "PN", "Value": [{"Alphabetic": "A^B"}, {"Ideographic": "山"}]}),
    );
}

#[test]
fn numbers_in_text_are_numbers_where_they_are_some() {
    fn check_text(vr: VR, text: &str, expect: Value) {
        let header = Header::from_element_iter([DataElement::new(ANY, vr, strings(&[text]))]);
        assert_eq!(
            parsed(&instance(header))["00401001"]["Value"][0],
            expect,
            "{text}"
        );
    }
    check_text(VR::IS, " 42 ", json!(42));
    check_text(VR::IS, "+42", json!(42));
    check_text(VR::IS, "-007", json!(-7));
    check_text(VR::IS, "a lot", json!("a lot"));
    check_text(VR::DS, "1.50", json!(1.5));
    check_text(VR::DS, ".5", json!(0.5));
    check_text(VR::DS, "5.", json!(5.0));
    check_text(VR::DS, "1e3", json!(1000.0));
    check_text(VR::DS, "-1.25E-2 ", json!(-0.0125));
    check_text(VR::DS, "1e999", json!("1e999"));
    check_text(VR::DS, &"9".repeat(400), json!("9".repeat(400)));
    check_text(VR::DS, "NaN", json!("NaN"));
    check_text(VR::DS, "-", json!("-"));
}

#[test]
fn copied_numbers_keep_their_digits() {
    let header = Header::from_element_iter([DataElement::new(ANY, VR::DS, strings(&["1.500"]))]);
    let text = String::from_utf8(metadata(&instance(header))).unwrap();
    assert_eq!(text, r#"{"00401001":{"vr":"DS","Value":[1.500]}}"#);
}

#[test]
fn binary_numbers_are_numbers_and_what_json_lacks_is_text() {
    check(
        VR::US,
        65535_u16.into(),
        json!({"vr": "US", "Value": [65535]}),
    );
    check(VR::SS, (-3_i16).into(), json!({"vr": "SS", "Value": [-3]}));
    check(
        VR::UL,
        u32::MAX.into(),
        json!({"vr": "UL", "Value": [u32::MAX]}),
    );
    check(
        VR::SL,
        i32::MIN.into(),
        json!({"vr": "SL", "Value": [i32::MIN]}),
    );
    check(
        VR::SV,
        (1_i64 << 53).into(),
        json!({"vr": "SV", "Value": [1_i64 << 53]}),
    );
    check(
        VR::UV,
        u64::MAX.into(),
        json!({"vr": "UV", "Value": [u64::MAX.to_string()]}),
    );
    check(VR::FL, 0.1_f32.into(), json!({"vr": "FL", "Value": [0.1]}));
    check(
        VR::FD,
        1e300_f64.into(),
        json!({"vr": "FD", "Value": [1e300]}),
    );
    check(
        VR::FD,
        PrimitiveValue::F64(
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY]
                .as_slice()
                .into(),
        ),
        json!({"vr": "FD", "Value": ["NaN", "Infinity", "-Infinity"]}),
    );
    check(
        VR::AT,
        PrimitiveValue::Tags([Tag(0x0018, 0x00AB)].as_slice().into()),
        json!({"vr": "AT", "Value": ["001800AB"]}),
    );
}

#[test]
fn short_binary_values_are_inline_in_little_endian() {
    check(
        VR::OW,
        PrimitiveValue::U16([1, 2].as_slice().into()),
        json!({"vr": "OW", "InlineBinary": "AQACAA=="}),
    );
    check(
        VR::UN,
        PrimitiveValue::U8(b"abc".as_slice().into()),
        json!({"vr": "UN", "InlineBinary": "YWJj"}),
    );
}

#[test]
fn sequences_nest_and_may_be_empty() {
    let inner = Header::from_element_iter([DataElement::new(ANY, VR::LO, strings(&["x"]))]);
    let items = DataSetSequence::new(vec![inner, Header::new_empty()], Length::UNDEFINED);
    let none = DataSetSequence::new(Vec::new(), Length::UNDEFINED);
    let header = Header::from_element_iter([
        DataElement::new(Tag(0x0008, 0x1115), VR::SQ, items),
        DataElement::new(Tag(0x0008, 0x1140), VR::SQ, none),
    ]);
    let found = parsed(&instance(header));
    assert_eq!(
        found,
        json!({
            "00081115": {"vr": "SQ", "Value": [{"00401001": {"vr": "LO", "Value": ["x"]}}, {}]},
            "00081140": {"vr": "SQ"}
        })
    );
    let back = to_header(found.as_object().unwrap()).unwrap();
    assert_eq!(parsed(&instance(back)), found);
}

/// A header with a long value at the top and in an item, and pixels.
fn with_long_values(coding: Coding) -> Instance {
    let long: Vec<u8> = (0..2 + MAX_INLINE_BYTES / 2)
        .flat_map(|n| coding.u16(u16::try_from(n).expect("small")))
        .collect();
    let item = coding.item(&coding.element((0x0042, 0x1001), "OW", &long));
    let data_set = [
        coding.image_header(),
        coding.element((0x0028, 0x1201), "OW", &long),
        coding.sequence((0x0041, 0x1001), &item),
        coding.pixels(),
    ]
    .concat();
    Instance::read(coding.file(&data_set).into()).expect("readable")
}

#[test]
fn long_values_and_pixels_are_pointed_at_and_found_in_little_endian() {
    let long: Vec<u8> = (0..2 + MAX_INLINE_BYTES / 2)
        .flat_map(|n| u16::try_from(n).unwrap().to_le_bytes())
        .collect();
    let pixels: Vec<u8> = (0..12_u16).flat_map(u16::to_le_bytes).collect();
    for coding in [Coding::Explicit, Coding::Big] {
        let instance = with_long_values(coding);
        let found = parsed(&instance);
        let uri = |attribute: &Value| attribute["BulkDataURI"].as_str().unwrap().to_owned();
        assert_eq!(uri(&found["00281201"]), "bulkdata/00281201");
        assert_eq!(uri(&found["7FE00010"]), "bulkdata/7FE00010");
        assert_eq!(found["7FE00010"]["vr"], "OW");
        let inner = &found["00411001"]["Value"][0]["00421001"];
        assert_eq!(uri(inner), "bulkdata/00411001/1/00421001");
        assert_eq!(bulk(&instance, "00281201").unwrap(), long, "{coding:?}");
        assert_eq!(bulk(&instance, "00411001/1/00421001").unwrap(), long);
        assert_eq!(bulk(&instance, "7FE00010").unwrap(), pixels, "{coding:?}");
    }
}

#[test]
fn fragments_are_given_as_they_are() {
    let data_set = [
        Coding::Explicit.image_header(),
        Coding::Explicit.fragments(&[0], &[b"abcd"]),
    ]
    .concat();
    let file = support::file("1.2.840.10008.1.2.5", &data_set);
    let instance = Instance::read(file.into()).unwrap();
    assert_eq!(parsed(&instance)["7FE00010"]["vr"], "OB");
    let value = bulk(&instance, "7FE00010").unwrap();
    assert_eq!(&value[..8], b"\xFE\xFF\x00\xE0\x04\x00\x00\x00");
    assert!(value.ends_with(b"\xFE\xFF\xDD\xE0\0\0\0\0"));
}

#[test]
fn paths_that_lead_nowhere_find_nothing() {
    let instance = with_long_values(Coding::Explicit);
    let deep = "00411001/1/".repeat(10_000) + "00421001";
    for path in [
        "",
        "/",
        "0028120",
        "002812011",
        "0028120é",
        "00411001",
        "00411001/0/00421001",
        "00411001/2/00421001",
        "00411001/1",
        "00411001/1/",
        "00411001/-1/00421001",
        "00411001/1/00421001/1",
        "00281201/1/00421001",
        "+0281201",
        &deep,
    ] {
        assert_eq!(bulk(&instance, path), None, "{path:.40}");
    }
}

#[test]
fn the_instance_url_goes_before_pointers_and_nowhere_else() {
    let mut instance = with_long_values(Coding::Explicit);
    let evil = "\"BulkDataURI\":\"bulkdata/00000000\"";
    instance.header.put(DataElement::new(
        ANY,
        VR::LO,
        PrimitiveValue::Str(evil.into()),
    ));
    let mut out = b"[".to_vec();
    with_base(&metadata(&instance), "http://a/instances/1", &mut out);
    out.push(b']');
    let found: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(
        found[0]["7FE00010"]["BulkDataURI"],
        "http://a/instances/1/bulkdata/7FE00010"
    );
    assert_eq!(found[0]["00401001"]["Value"][0], evil);
    let count = String::from_utf8(out).unwrap().matches("http://a").count();
    assert_eq!(count, 3);
}

#[test]
fn whole_files_read_alike_in_every_encoding() {
    let all: Vec<Value> = CODINGS
        .iter()
        .map(|coding| parsed(&Instance::read(coding.image().into()).unwrap()))
        .collect();
    assert_eq!(all[0], all[1]);
    assert_eq!(all[1], all[2]);
    let names: Vec<&String> = all[0].as_object().unwrap().keys().collect();
    assert!(names.is_sorted());
    assert!(
        names
            .iter()
            .all(|name| !name.starts_with("0002") && !name.ends_with("0000"))
    );
}

#[test]
fn foreign_text_makes_headers_utf_8() {
    let attributes = |text: &str| -> Attributes {
        let value = json!({"00401001": {"vr": "LO", "Value": [text]}});
        value.as_object().unwrap().clone()
    };
    let charset = |text| {
        let header = to_header(&attributes(text)).unwrap();
        header
            .get(Tag(0x0008, 0x0005))
            .map(|e| e.to_str().unwrap().into_owned())
    };
    assert_eq!(charset("plain"), None);
    assert_eq!(charset("Müller"), Some("ISO_IR 192".to_owned()));
}

#[test]
fn attributes_that_are_none_are_refused_by_their_place() {
    fn refused(attributes: &Value, expect: &JsonError) {
        assert_eq!(
            to_header(attributes.as_object().unwrap()).as_ref(),
            Err(expect)
        );
    }
    refused(&json!({"PatientID": {"vr": "LO"}}), &JsonError::Name);
    refused(&json!({"00401001": {}}), &JsonError::Vr(ANY));
    refused(&json!({"00401001": {"vr": "XX"}}), &JsonError::Vr(ANY));
    refused(&json!({"00401001": 7}), &JsonError::Vr(ANY));
    for (vr, value) in [
        ("US", json!([70000])),
        ("US", json!(["a"])),
        ("LO", json!("text")),
        ("LO", json!([[]])),
        ("SQ", json!([1])),
        ("OB", json!([1])),
        ("LT", json!(["a", "b"])),
    ] {
        refused(
            &json!({"00401001": {"vr": vr, "Value": value}}),
            &JsonError::Value(ANY),
        );
    }
    refused(
        &json!({"00401001": {"vr": "OB", "InlineBinary": "?"}}),
        &JsonError::Value(ANY),
    );
    let mut deep = json!({});
    for _ in 0..100 {
        deep = json!({"00401001": {"vr": "SQ", "Value": [deep]}});
    }
    refused(&deep, &JsonError::TooDeep(ANY));
    let pointer = json!({"00401001": {"vr": "OB", "BulkDataURI": "x"}});
    let header = to_header(pointer.as_object().unwrap()).unwrap();
    assert_eq!(header.iter().count(), 0);
}
