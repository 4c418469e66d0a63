//! Rendering, against values that the standard's formulas give by hand.

use arno_dicom::Frame;

use super::{Look, Lut, Picture, RenderError, encode_jpeg, encode_png, render};
use crate::rendered::{Rendering, Shape, Window};

const PLAIN: Look = Look {
    slope: 1.0,
    intercept: 0.0,
    modality_lut: None,
    window: None,
    voi_lut: None,
    inverted: false,
    bits_stored: 16,
};

fn words(values: &[i16]) -> Frame {
    Frame {
        rows: 1,
        columns: u16::try_from(values.len()).unwrap(),
        samples_per_pixel: 1,
        bytes_per_sample: 2,
        signed: true,
        float: false,
        bytes: values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
    }
}

fn window(center: f64, width: f64, shape: Shape) -> Option<Window> {
    Some(Window {
        center,
        width,
        shape,
    })
}

fn shades(values: &[i16], look: &Look, query: &str) -> Vec<u8> {
    let rendering = Rendering::parse(query).unwrap();
    render(&words(values), look, &rendering).unwrap().bytes
}

#[test]
fn windows_follow_the_formulas_of_the_standard() {
    let check = |query: &str, values: &[i16], expect: &[u8]| {
        assert_eq!(shades(values, &PLAIN, query), expect, "{query}");
    };
    // PS3.3 C.11.2.1.2.1: width 100 around 50 is black up to 0 and white from 99 on.
    check(
        "window=50,100,LINEAR",
        &[-5, 0, 50, 99, 120],
        &[0, 0, 129, 255, 255],
    );
    check(
        "window=50,100,LINEAR_EXACT",
        &[-5, 0, 50, 100, 120],
        &[0, 0, 128, 255, 255],
    );
    check("window=0,100,SIGMOID", &[-1000, 0, 1000], &[0, 128, 255]);
    check("window=10,1,LINEAR", &[9, 10], &[0, 255]);
    // Without a window, the values themselves say where black and white are.
    check("", &[-100, 0, 100], &[0, 128, 255]);
    check("", &[7, 7], &[128, 128]);
}

#[test]
fn the_header_is_heard_unless_the_request_says_otherwise() {
    let look = Look {
        slope: 2.0,
        intercept: -100.0,
        window: window(0.0, 100.0, Shape::LinearExact),
        ..PLAIN
    };
    assert_eq!(shades(&[25, 50, 75], &look, ""), [0, 128, 255]);
    assert_eq!(
        shades(&[0, 50, 100], &look, "window=0,200,LINEAR_EXACT"),
        [0, 128, 255]
    );
    let inverted = Look {
        inverted: true,
        ..look
    };
    assert_eq!(shades(&[25, 50, 75], &inverted, ""), [255, 128, 0]);
}

#[test]
fn lookup_tables_are_applied() {
    let lut = Lut {
        first: 10,
        bits: 8,
        entries: vec![0, 51, 255],
    };
    let voi = Look {
        voi_lut: Some(lut.clone()),
        ..PLAIN
    };
    assert_eq!(
        shades(&[-5, 10, 11, 12, 99], &voi, ""),
        [0, 0, 51, 255, 255]
    );
    let modality = Look {
        modality_lut: Some(lut),
        ..PLAIN
    };
    assert_eq!(
        shades(&[10, 11, 12], &modality, "window=127.5,255,LINEAR_EXACT"),
        [0, 51, 255]
    );
}

#[test]
fn other_samples_become_shades_too() {
    let bytes = Frame {
        bytes_per_sample: 1,
        signed: false,
        columns: 3,
        bytes: vec![0, 128, 255],
        ..words(&[])
    };
    assert_eq!(
        render(&bytes, &PLAIN, &Rendering::default()).unwrap().bytes,
        [0, 128, 255]
    );
    let floats = [-1.0_f32, 0.0, f32::NAN, 1.0]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let floats = Frame {
        bytes_per_sample: 4,
        float: true,
        columns: 4,
        bytes: floats,
        ..words(&[])
    };
    assert_eq!(
        render(&floats, &PLAIN, &Rendering::default())
            .unwrap()
            .bytes,
        [0, 128, 0, 255]
    );
    let colour = Frame {
        bytes_per_sample: 2,
        samples_per_pixel: 3,
        columns: 1,
        bytes: vec![0, 1, 0, 128, 255, 255],
        ..words(&[])
    };
    assert_eq!(
        render(&colour, &PLAIN, &Rendering::default())
            .unwrap()
            .bytes,
        [1, 128, 255]
    );
    let four = Frame {
        samples_per_pixel: 4,
        ..colour
    };
    assert_eq!(
        render(&four, &PLAIN, &Rendering::default()),
        Err(RenderError::Samples { samples: 4 })
    );
}

fn square() -> Frame {
    Frame {
        rows: 2,
        columns: 4,
        bytes_per_sample: 1,
        signed: false,
        bytes: vec![0, 85, 170, 255, 0, 85, 170, 255],
        ..words(&[])
    }
}

#[test]
fn viewports_cut_fit_and_mirror() {
    let check = |query: &str, expect: Option<(u32, u32, &[u8])>| {
        let found = render(&square(), &PLAIN, &Rendering::parse(query).unwrap()).ok();
        let found = found.map(|picture| (picture.width, picture.height, picture.bytes));
        let expect = expect.map(|(width, height, bytes)| (width, height, bytes.to_vec()));
        assert_eq!(found, expect, "{query}");
    };
    check(
        "viewport=4,2",
        Some((4, 2, &[0, 85, 170, 255, 0, 85, 170, 255])),
    );
    check(
        "viewport=4,100",
        Some((4, 2, &[0, 85, 170, 255, 0, 85, 170, 255])),
    );
    check(
        "viewport=4,2,0,0,-4,2",
        Some((4, 2, &[255, 170, 85, 0, 255, 170, 85, 0])),
    );
    check("viewport=2,2,1,0,2,2", Some((2, 2, &[85, 170, 85, 170])));
    // At the edge of a region, the neighbours outside of it count.
    check("viewport=2,2,3,1,9,9", Some((2, 2, &[234, 255, 234, 255])));
    check("viewport=2,2,4,0,2,2", None);
    check("viewport=2,2,99,0,2,2", None);
}

#[test]
fn shrinking_averages() {
    let frame = Frame {
        rows: 64,
        columns: 64,
        bytes_per_sample: 1,
        signed: false,
        bytes: (0..64 * 64)
            .map(|at| if at % 2 == 0 { 0 } else { 255 })
            .collect(),
        ..words(&[])
    };
    let picture = render(&frame, &PLAIN, &Rendering::parse("viewport=8,8").unwrap()).unwrap();
    assert_eq!((picture.width, picture.height), (8, 8));
    assert!(
        picture
            .bytes
            .iter()
            .all(|shade| (120..=135).contains(shade)),
        "{:?}",
        picture.bytes
    );
}

#[test]
fn pictures_are_what_decoders_read() {
    for channels in [1, 3] {
        let bytes: Vec<u8> = (0..16 * 8 * channels)
            .map(|at| u8::try_from(at % 256).unwrap())
            .collect();
        let picture = Picture {
            width: 16,
            height: 8,
            channels,
            bytes,
        };
        let png = encode_png(&picture).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&png))
            .read_info()
            .unwrap();
        let mut read = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut read).unwrap();
        assert_eq!(read, picture.bytes);
        let jpeg = encode_jpeg(&picture, 90).unwrap();
        assert_eq!(
            (&jpeg[..3], &jpeg[jpeg.len() - 2..]),
            (&[0xFF, 0xD8, 0xFF][..], &[0xFF, 0xD9][..])
        );
    }
    let empty = Picture {
        width: 0,
        height: 0,
        channels: 1,
        bytes: Vec::new(),
    };
    assert!(encode_png(&empty).is_err() && encode_jpeg(&empty, 90).is_err());
}
