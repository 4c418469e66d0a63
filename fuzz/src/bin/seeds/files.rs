//! Part 10 files: each encoding, each form of a sequence, each kind of pixel data, each kind of object that is looked
//! into, and each VR.

use std::io::Write as _;

use crate::support::{CODINGS, Coding, file};

const EXPLICIT: Coding = Coding::Explicit;
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
/// RLE, JPEG baseline, extended, lossless, JPEG-LS, JPEG 2000, HTJ2K, deflated frames, a syntax that nobody knows.
const ENCAPSULATED: [&str; 9] = [
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.8.1",
    "1.2.840.10008.1.2.4.999",
];
/// A value of each VR, as its characters or bytes.
const VALUES: [(&str, &[u8]); 31] = [
    ("AE", b"ARNO"),
    ("AS", b"042Y"),
    ("AT", &[0x10, 0, 0x20, 0]),
    ("CS", b"ORIGINAL\\PRIMARY\\AXIAL"),
    ("DA", b"20240229"),
    ("DS", b"-1.5\\2e-3\\0"),
    ("DT", b"20240229120000.5+0100 "),
    ("FD", &[0, 0, 0, 0, 0, 0, 0xF8, 0x3F]),
    ("FL", &[0, 0, 0xC0, 0x3F]),
    ("IS", b"12\\-7 "),
    ("LO", b"long string "),
    ("LT", b"text\r\n with lines"),
    ("OB", &[1, 2, 3, 4]),
    ("OF", &[0, 0, 0xC0, 0x3F]),
    ("OW", &[1, 2, 3, 4]),
    ("PN", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
    ("SH", b"short "),
    ("SL", &[0xFF, 0xFF, 0xFF, 0xFF]),
    ("SS", &[0xFE, 0xFF]),
    ("ST", b"\xc4rzte "),
    ("TM", b"235959.999999 "),
    ("UC", b"unlimited "),
    ("UI", b"1.2.840.10008.1.1\0"),
    ("UL", &[1, 0, 0, 0]),
    ("UN", &[1, 2, 3, 4]),
    ("UR", b"https://example.org/a "),
    ("US", &[7, 0]),
    ("UT", b"unlimited text"),
    ("DS", b"1\\2\\3\\4\\5\\6"),
    ("LO", b""),
    ("CS", b"ISO_IR 192"),
];

/// All of them.
pub(crate) fn files() -> Vec<Vec<u8>> {
    let mut files: Vec<Vec<u8>> = CODINGS.iter().map(|coding| coding.image()).collect();
    files.extend(CODINGS.iter().map(|coding| nested(*coding)));
    files.extend(CODINGS.iter().map(|coding| every_vr(*coding)));
    files.extend(CODINGS.iter().map(|coding| structure_set(*coding)));
    files.extend(ENCAPSULATED.map(encapsulated));
    files.extend([
        named("ISO_IR 100"),
        named("ISO_IR 192"),
        named("\\ISO 2022 IR 87"),
        named("GB18030"),
    ]);
    files.extend([
        deflated(),
        segmentation(),
        without_meta(),
        icon(),
        unknown_sequence(),
        floats(),
        multi_frame(),
    ]);
    files
}

fn nested(coding: Coding) -> Vec<u8> {
    let inner = coding.sequence(
        (0x0040, 0xA168),
        &coding.item(&coding.text((0x0008, 0x0100), "SH", "CODE")),
    );
    let open = coding.open_sequence((0x0040, 0xA730), "SQ", &coding.open_item(&inner));
    let empty = coding.sequence((0x0008, 0x1115), &[]);
    coding.file(&[coding.image_header(), empty, open, coding.pixels()].concat())
}

fn every_vr(coding: Coding) -> Vec<u8> {
    let owner = coding.text((0x0099, 0x0010), "LO", "ARNO SEEDS");
    let elements = VALUES
        .iter()
        .zip(0x1000..)
        .flat_map(|((vr, value), element)| coding.element((0x0099, element), vr, value));
    coding.file(&[coding.image_header(), owner, elements.collect()].concat())
}

fn named(charset: &str) -> Vec<u8> {
    let charset = EXPLICIT.text((0x0008, 0x0005), "CS", charset);
    let name = EXPLICIT.element(
        (0x0010, 0x0010),
        "PN",
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
    );
    EXPLICIT.file(&[charset, EXPLICIT.image_header()[..90].to_vec(), name].concat())
}

fn encapsulated(syntax: &str) -> Vec<u8> {
    let frames = EXPLICIT.text((0x0028, 0x0008), "IS", "2");
    let pixels = EXPLICIT.fragments(&[0, 12], &[b"frag", b"ment"]);
    file(syntax, &[EXPLICIT.image_header(), frames, pixels].concat())
}

fn deflated() -> Vec<u8> {
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    let data_set = [EXPLICIT.image_header(), EXPLICIT.pixels()].concat();
    encoder.write_all(&data_set).expect("written to memory");
    file(DEFLATED, &encoder.finish().expect("written to memory"))
}

fn without_meta() -> Vec<u8> {
    [Coding::Implicit.image_header(), Coding::Implicit.pixels()].concat()
}

fn icon() -> Vec<u8> {
    let icon = EXPLICIT.open_item(&EXPLICIT.fragments(&[0], &[b"icon"]));
    EXPLICIT.file(
        &[
            EXPLICIT.image_header(),
            EXPLICIT.open_sequence((0x0088, 0x0200), "SQ", &icon),
        ]
        .concat(),
    )
}

fn unknown_sequence() -> Vec<u8> {
    let item = Coding::Implicit.item(&Coding::Implicit.image_header());
    EXPLICIT.file(
        &[
            EXPLICIT.image_header(),
            EXPLICIT.open_sequence((0x0041, 0x1001), "UN", &item),
        ]
        .concat(),
    )
}

fn floats() -> Vec<u8> {
    let pixels = EXPLICIT.element((0x7FE0, 0x0008), "OF", &[0; 48]);
    EXPLICIT.file(&[EXPLICIT.image_header(), pixels].concat())
}

fn multi_frame() -> Vec<u8> {
    let frames = EXPLICIT.text((0x0028, 0x0008), "IS", "3");
    let pixels = EXPLICIT.element((0x7FE0, 0x0010), "OW", &[1; 72]);
    EXPLICIT.file(&[EXPLICIT.image_header(), frames, pixels].concat())
}

fn structure_set(coding: Coding) -> Vec<u8> {
    let roi = [
        coding.text((0x3006, 0x0022), "IS", "1"),
        coding.text((0x3006, 0x0026), "LO", "GTV"),
    ]
    .concat();
    let image = coding.item(&coding.text((0x0008, 0x1155), "UI", "1.2.3.4.5"));
    let contour = [
        coding.sequence((0x3006, 0x0016), &image),
        coding.text((0x3006, 0x0042), "CS", "CLOSED_PLANAR"),
        coding.text((0x3006, 0x0050), "DS", "0\\0\\0\\1\\0\\0\\1\\1\\0"),
    ];
    let contours = [
        coding.text((0x3006, 0x002A), "IS", "255\\0\\0"),
        coding.sequence((0x3006, 0x0040), &coding.item(&contour.concat())),
        coding.text((0x3006, 0x0084), "IS", "1"),
    ];
    let data_set = [
        coding.image_header(),
        coding.sequence((0x3006, 0x0020), &coding.item(&roi)),
        coding.sequence((0x3006, 0x0039), &coding.item(&contours.concat())),
    ];
    coding.file(&data_set.concat())
}

fn segmentation() -> Vec<u8> {
    let at = |tag, vr, text: &str| EXPLICIT.text(tag, vr, text);
    let one = |tag, items: &[u8]| EXPLICIT.sequence(tag, &EXPLICIT.item(items));
    let segment = [
        EXPLICIT.number((0x0062, 0x0004), 1),
        at((0x0062, 0x0005), "LO", "Liver"),
    ]
    .concat();
    let position = one((0x0020, 0x9113), &at((0x0020, 0x0032), "DS", "0\\0\\1.5"));
    let identified = one((0x0062, 0x000A), &EXPLICIT.number((0x0062, 0x000B), 1));
    let measures = one((0x0028, 0x9110), &at((0x0028, 0x0030), "DS", "0.5\\0.5"));
    let orientation = one(
        (0x0020, 0x9116),
        &at((0x0020, 0x0037), "DS", "1\\0\\0\\0\\1\\0"),
    );
    let data_set = [
        EXPLICIT.image_header(),
        at((0x0062, 0x0001), "CS", "BINARY"),
        one((0x0062, 0x0002), &segment),
        one((0x5200, 0x9229), &[orientation, measures].concat()),
        one((0x5200, 0x9230), &[position, identified].concat()),
        EXPLICIT.pixels(),
    ];
    EXPLICIT.file(&data_set.concat())
}
