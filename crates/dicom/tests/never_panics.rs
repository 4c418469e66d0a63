//! Whatever bytes arrive, nothing here panics, and what is accepted can be written and read again.

mod support;

use arno_codecs::InProcess;
use arno_dicom::json::{Attributes, bulk, metadata, to_header};
use arno_dicom::query::{Key, Level, Query, Returned, level_attributes};
use arno_dicom::transcode::transcode;
use arno_dicom::{Instance, check, listing, outlines, summarise};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::{collection, sample};
use support::{CODINGS, Coding, file};

/// Everything that a stranger's instance goes through.
fn use_all(bytes: &[u8]) {
    let Ok(instance) = Instance::read(bytes.to_vec().into()) else {
        return;
    };
    let written = instance.write();
    let again = Instance::read(written.clone().into());
    // An instance without any element writes a file that has only meta.
    if instance.header.iter().count() + usize::from(instance.pixels.is_some()) > 0 {
        assert_eq!(again.expect("written files are readable").write(), written);
    }
    let _ = check(&instance);
    let _ = summarise(&instance).map(|summary| arno_dicom::FrameLayout::from_summary(&summary));
    for frame in [0, 1, u32::MAX] {
        let _ = instance.frame(frame);
    }
    let _ = listing::list(&instance.header, 1000);
    let _ = outlines::outlines(&instance.header);
    use_metadata(&instance);
    for target in [Coding::Implicit, Coding::Explicit] {
        let _ = transcode(&instance, target.uid(), &InProcess).map(|found| found.write());
    }
}

/// Whatever was read becomes JSON, whose pointers lead somewhere, and comes back as a header.
fn use_metadata(instance: &Instance) {
    let text = metadata(instance);
    let attributes: Attributes = serde_json::from_slice(&text).expect("JSON");
    for (name, attribute) in &attributes {
        if let Some(pointer) = attribute.get("BulkDataURI") {
            assert_eq!(pointer, &format!("bulkdata/{name}"));
            assert!(bulk(instance, name).is_some(), "{name}");
        }
    }
    to_header(&attributes).expect("a header");
    let query = Query {
        level: Level::Instance,
        keys: attributes
            .keys()
            .map(|name| Key {
                path: arno_dicom::query::parse_path(name).expect("a tag"),
                value: "*1-2*".to_owned(),
            })
            .collect(),
        fuzzy: true,
        returned: Returned::Default,
        limit: 1,
        offset: 0,
    };
    let _ = query.matches(&attributes);
    let _ = query.returned(&attributes);
    let _ = level_attributes(&instance.header, Level::Study);
}

/// A valid file of each kind to start from.
fn valid() -> impl Strategy<Value = Vec<u8>> {
    let mut files: Vec<Vec<u8>> = CODINGS.iter().map(|coding| coding.image()).collect();
    let explicit = Coding::Explicit;
    let icon = explicit.open_item(&explicit.fragments(&[0], &[b"icon"]));
    let nested = explicit.open_sequence(
        (0x0008, 0x1140),
        "SQ",
        &explicit.item(&explicit.image_header()),
    );
    let unknown = explicit.open_sequence(
        (0x0041, 0x1001),
        "UN",
        &Coding::Implicit.item(&Coding::Implicit.image_header()),
    );
    let icon = explicit.open_sequence((0x0088, 0x0200), "SQ", &icon);
    files.push(explicit.file(&[nested, explicit.image_header(), unknown, icon].concat()));
    for syntax in [
        "1.2.840.10008.1.2.5",
        "1.2.840.10008.1.2.4.50",
        "1.2.840.10008.1.2.4.70",
        "1.2.840.10008.1.2.8.1",
    ] {
        let fragment = if syntax.ends_with(".5") {
            rle()
        } else {
            JPEG.to_vec()
        };
        files.push(file(
            syntax,
            &[
                explicit.image_header(),
                explicit.fragments(&[0], &[&fragment]),
            ]
            .concat(),
        ));
    }
    sample::select(files)
}

/// Two segments of twelve bytes.
fn rle() -> Vec<u8> {
    let mut header = vec![2u32, 64, 66];
    header.resize(16, 0);
    [
        header
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect::<Vec<u8>>(),
        vec![245, 0, 245, 7],
    ]
    .concat()
}

/// A grey JPEG of 4 × 3 pixels.
const JPEG: &[u8] = include_bytes!("support/grey_4x3.jpg");

/// Changes of single bytes, of four bytes at once (lengths), and cuts.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let byte = (any::<sample::Index>(), any::<u8>()).prop_map(|(at, byte)| (at, vec![byte]));
    let length = prop_oneof![
        Just(u32::MAX),
        Just(u32::MAX - 1),
        Just(0),
        any::<u32>(),
        0..64u32
    ];
    let word =
        (any::<sample::Index>(), length).prop_map(|(at, word)| (at, word.to_le_bytes().to_vec()));
    let edits = collection::vec(prop_oneof![byte, word], 0..6);
    (valid(), edits, any::<Option<sample::Index>>()).prop_map(|(mut bytes, edits, cut)| {
        for (at, with) in edits {
            let at = at.index(bytes.len());
            bytes
                .iter_mut()
                .skip(at)
                .zip(with)
                .for_each(|(old, new)| *old = new);
        }
        let length = cut.map_or(bytes.len(), |cut| cut.index(bytes.len()));
        bytes.truncate(length);
        bytes
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes(bytes in collection::vec(any::<u8>(), 0..600)) {
        use_all(&bytes);
    }

    #[test]
    fn arbitrary_data_sets(coding in sample::select(&CODINGS[..]), bytes in collection::vec(any::<u8>(), 0..600)) {
        use_all(&coding.file(&bytes));
        use_all(&coding.file(&[coding.image_header(), bytes].concat()));
    }

    #[test]
    fn changed_files(bytes in mutated()) {
        use_all(&bytes);
    }
}

#[test]
fn the_files_to_start_from_are_valid() {
    for coding in CODINGS {
        assert!(Instance::read(coding.image().into()).is_ok());
    }
    let encode = |syntax, fragment: &[u8]| {
        let explicit = Coding::Explicit;
        let bytes = file(
            syntax,
            &[
                explicit.image_header(),
                explicit.fragments(&[0], &[fragment]),
            ]
            .concat(),
        );
        Instance::read(bytes.into()).expect("readable").frame(0)
    };
    assert_eq!(
        encode("1.2.840.10008.1.2.5", &rle())
            .expect("decodes")
            .bytes,
        [7, 0].repeat(12)
    );
    assert_eq!(
        encode("1.2.840.10008.1.2.4.50", JPEG)
            .expect("decodes")
            .bytes
            .len(),
        24
    );
}
