//! What every Part 10 file of a stranger goes through (PS3.10 section 7): read, checked, summarised, laid out in frames,
//! listed, put into JSON, written and read again. Shared by the fuzz target and by the test that replays its corpus.
//!
//! Not here: decoding of frames, which a caged process does.

use arno_dicom::{
    Claimed, FrameLayout, Instance, check, directory, json, listing, outlines, planes, segments,
    summarise,
};

/// More elements than any page shows.
const LISTED: usize = 10_000;
/// Frames whose ranges are asked for: first, second, and one that cannot be.
const FRAMES: [u32; 3] = [0, 1, u32::MAX];

/// Panics if an instance that was accepted does not survive being written and read again.
pub(crate) fn file(bytes: &[u8]) {
    let Ok(instance) = Instance::read(bytes.to_vec().into()) else {
        return;
    };
    use_all(&instance);
    let written = instance.write();
    // An instance without any element writes a file that has only meta, which is none.
    if instance.header.iter().next().is_none() && instance.pixels.is_none() {
        return;
    }
    let again = Instance::read(written.clone().into()).expect("a written file is readable");
    assert_eq!(again.transfer_syntax, instance.transfer_syntax);
    assert_eq!(texts(&again), texts(&instance), "elements changed");
    assert_eq!(pixels(&again), pixels(&instance), "pixels changed");
    assert_eq!(again.write(), written, "the second copy differs");
}

/// Whatever reads the elements of an instance must come to an end without a panic.
fn use_all(instance: &Instance) {
    let checked = check(instance);
    if let Ok(layout) = FrameLayout::of(instance) {
        let length = pixels(instance).map_or(0, <[u8]>::len) as u64;
        let ranges = FRAMES
            .into_iter()
            .filter_map(|frame| layout.range(frame).ok());
        let inside = ranges.into_iter().all(|range| range.end <= length);
        assert!(
            checked.is_err() || inside,
            "a frame beyond the pixels of a checked instance"
        );
    }
    let _ = summarise(instance).map(|summary| FrameLayout::from_summary(&summary));
    let _ = outlines::outlines(&instance.header);
    let _ = planes::planes(&instance.header);
    let _ = segments::segmentation(&instance.header);
    let _ = Claimed::of(&instance.header);
    let _ = directory::referenced_files(&instance.header);
    metadata(instance);
}

/// Metadata must be JSON that our own reader of it understands, with the instance's address before every pointer.
fn metadata(instance: &Instance) {
    let metadata = json::metadata(instance);
    let attributes: json::Attributes =
        serde_json::from_slice(&metadata).expect("metadata is a JSON object");
    let _ = json::to_header(&attributes);
    let mut based = Vec::new();
    json::with_base(&metadata, "https://example.org", &mut based);
    let based: json::Attributes = serde_json::from_slice(&based).expect("it still is");
    for (tag, attribute) in &based {
        let Some(uri) = attribute.get("BulkDataURI").and_then(|uri| uri.as_str()) else {
            continue;
        };
        let path = uri
            .strip_prefix("https://example.org/bulkdata/")
            .expect("an address below the instance");
        assert!(
            json::bulk(instance, path).is_some(),
            "nothing at the pointer of {tag}"
        );
    }
}

fn texts(instance: &Instance) -> Vec<listing::ElementText> {
    let mut elements = listing::list(&instance.header, LISTED);
    for element in &mut elements {
        element.value = padded(&element.value);
    }
    elements
}

/// Values of odd length are illegal, read all the same, and padded when they are written (PS3.5 section 7.1.1).
fn padded(value: &str) -> String {
    let bytes = value
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix(" bytes>"));
    match bytes.and_then(|bytes| bytes.parse::<usize>().ok()) {
        Some(bytes) => format!("<{} bytes>", bytes.next_multiple_of(2)),
        None => value.to_owned(),
    }
}

/// The value: the element's header may be written in another form.
fn pixels(instance: &Instance) -> Option<&[u8]> {
    let pixels = instance.pixels.as_ref()?;
    Some(&pixels.encoded[pixels.value_offset..])
}
