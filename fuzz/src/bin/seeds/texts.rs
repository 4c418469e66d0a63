//! Multipart bodies, query strings and headers of DICOMweb, and identifiers of C-FIND: one of each form.

use crate::support::Coding;

/// What a query string, a list or a header can say; the first byte tells which it is (`bodies/query_string.rs`).
const TEXTS: [&str; 26] = [
    "1PatientName=M*ller&fuzzymatching=true&limit=10&offset=5",
    "1StudyDate=20240101-20241231&StudyTime=1000-1200.5",
    "1StudyDate=-20241231&StudyTime=10-",
    "1StudyInstanceUID=1.2.3,1.2.4&includefield=all",
    "1StudyInstanceUID=1.2.3%5C1.2.4&includefield=00081030&includefield=PatientAge",
    "1ModalitiesInStudy=CT&00100020=HOSP-??",
    "1StudyDescription=*a*a*a*a*a*a*a*b",
    "1PatientName=%E5%B1%B1%E7%94%B0*",
    "1PatientID=%22%22&PatientAge=",
    "0PatientBirthDate=19600101",
    "2RequestAttributesSequence.ScheduledProcedureStepID=Step&Modality=CT",
    "200400275.00400007=S*p",
    "3SOPInstanceUID=1.2.3.4.5&NumberOfStudyRelatedInstances=12&InstanceNumber=3",
    "3limit=100000&offset=0&includefield=00400275.00400007",
    "rwindow=40,400,linear&viewport=256,256&quality=90",
    "rviewport=256,256,10,20,-30,40&window=-600.5,1500,sigmoid",
    "rannotation=patient&iccprofile=srgb",
    "f1,2,10",
    "amultipart/related; type=\"application/dicom\"; transfer-syntax=*",
    "amultipart/related;type=application/octet-stream;q=0.5, image/jpeg;q=0.1, */*;q=0",
    "aapplication/dicom+json, application/json;q=0.9",
    "aimage/jls;transfer-syntax=1.2.840.10008.1.2.4.80",
    "bbytes=0-99",
    "bbytes=-100,500-",
    "bbytes=990-2000",
    "b\"abc\", W/\"def\", *",
];

pub(crate) fn texts() -> Vec<Vec<u8>> {
    TEXTS.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The size of the pieces, the media type, the body (`bodies/multipart.rs`).
pub(crate) fn bodies() -> Vec<Vec<u8>> {
    const TYPE: &str = "multipart/related; type=\"application/dicom\"; boundary=seed\n";
    const QUOTED: &str = "multipart/related;boundary=\"a b\";start=x\n";
    let texts = [
        (
            255,
            format!(
                "{TYPE}--seed\r\nContent-Type: application/dicom\r\n\r\none\r\n--seed\r\n\r\ntwo\r\n--seed--\r\n"
            ),
        ),
        (
            0,
            format!(
                "{TYPE}preamble\r\n--seed\r\nContent-Type: a/b\r\nContent-Location: x\r\n\r\n\r\n-\r\n--see\r\n--seed--epilogue"
            ),
        ),
        (
            6,
            format!("{QUOTED}--a b  \r\nA: b;\r\n folded\r\n\r\n--a b\r\n\r\n\r\n--a b--"),
        ),
        (2, format!("{TYPE}--seed--")),
        (9, format!("{TYPE}--seed\r\nno colon\r\n\r\nx\r\n--seed--")),
        (30, format!("{TYPE}--seed\r\n\r\ncut")),
        (
            100,
            format!("{TYPE}--seed\r\n\r\n{}\r\n--seed--", "long ".repeat(250)),
        ),
        (
            40,
            format!("{TYPE}{}--seed--", "--seed\r\n\r\n.\r\n".repeat(10)),
        ),
    ];
    texts
        .iter()
        .map(|(piece, text)| [&[*piece], text.as_bytes()].concat())
        .collect()
}

/// The transfer syntax, the data set (`bodies/identifier.rs`).
pub(crate) fn identifiers() -> Vec<Vec<u8>> {
    let codings = [Coding::Implicit, Coding::Explicit, Coding::Big];
    let of = |(syntax, coding): (u8, Coding)| {
        let texts = |texts: &[((u16, u16), &str, &str)]| {
            texts
                .iter()
                .flat_map(|(tag, vr, text)| coding.text(*tag, vr, text))
                .collect::<Vec<u8>>()
        };
        let study = texts(&[
            ((0x0008, 0x0005), "CS", "ISO_IR 192"),
            ((0x0008, 0x0020), "DA", "20200101-20201231"),
            ((0x0008, 0x0030), "TM", "1000-"),
            ((0x0008, 0x0052), "CS", "STUDY"),
            ((0x0008, 0x0061), "CS", "CT\\MR"),
            ((0x0010, 0x0010), "PN", "M*ll?r^J"),
            ((0x0010, 0x0020), "LO", ""),
            ((0x0020, 0x000D), "UI", "1.2.3\\1.2.4"),
        ]);
        let step = coding.item(&texts(&[((0x0040, 0x0007), "LO", "Step*")]));
        let image = texts(&[
            ((0x0008, 0x0018), "UI", "1.2.3.4.5"),
            ((0x0008, 0x0052), "CS", "IMAGE"),
            ((0x0020, 0x0013), "IS", "7"),
        ]);
        let sequence = [
            texts(&[((0x0008, 0x0052), "CS", "SERIES")]),
            coding.sequence((0x0040, 0x0275), &step),
        ]
        .concat();
        [study, image, sequence, coding.image_header()]
            .map(|data_set| [vec![syntax], data_set].concat())
    };
    (0..).zip(codings).flat_map(of).collect()
}
