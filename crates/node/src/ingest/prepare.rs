//! One file on its way in, without any row being touched: read, check, de-identify, encode, describe.
//!
//! Everything here may run on many files at once. What a file says about itself is believed only after
//! `arno-dicom` has walked it; no value of it gets into a reason.

use std::{
    fs::File,
    io::{self, Read as _},
    panic::{AssertUnwindSafe, catch_unwind},
};

use arno_deid::{Recipe, Report, Secret, deidentify};
use arno_dicom::{
    ElementText, FrameLayout, Geometry, Instance, Outline, Summary, Written, check, listing,
    outlines, summarise,
};
use arno_domain::hex;
use arno_learning::reading::Reading;
use arno_protocol::node::ViewInstance;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{
    refusal::Refusal,
    walk::{Found, FoundKind},
};

/// Largest file that is read. The largest single DICOM objects (tomosynthesis, whole-slide levels) stay below it.
pub(super) const MAX_FILE_BYTES: u64 = 2 << 30;
/// Elements of a header that are listed for the preview.
pub(super) const MAX_LISTED_ELEMENTS: usize = 2000;

/// A file whose bytes are in memory.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Where it came from.
    pub(super) found: Found,
    /// SHA-256 of the bytes, hexadecimal.
    pub(super) sha256: String,
    /// The bytes.
    pub(super) bytes: Bytes,
}

/// What became of a file so far.
#[derive(Debug)]
pub(super) enum Prepared {
    /// An instance, ready to be kept.
    Instance(Box<PreparedInstance>),
    /// Readings under pseudonyms, and what is wrong with lines that are none.
    Readings(Vec<Reading>, Option<Refusal>),
}

/// A de-identified instance with all that rows will say of it.
#[derive(Debug)]
pub(super) struct PreparedInstance {
    /// The encoded instance.
    pub(super) written: Written,
    /// What was done to it.
    pub(super) report: Report,
    /// Its header after that.
    pub(super) after: Vec<ElementText>,
    /// Its facts after that.
    pub(super) summary: Summary,
    /// What the viewer needs.
    pub(super) view: ViewInstance,
    /// Where its frames lie, if the viewer can show them.
    pub(super) layout: Option<FrameLayout>,
    /// Where it lies in the patient.
    pub(super) geometry: Option<Geometry>,
    /// Contours, when it is a structure set.
    pub(super) outlines: Vec<Outline>,
}

/// Reads a file into memory, within the limit.
pub(super) fn read(found: &Found) -> Result<Source, Refusal> {
    if found.kind == FoundKind::ClosedFolder {
        return Err(Refusal::closed_folder());
    }
    if found.size > MAX_FILE_BYTES {
        return Err(Refusal::file_too_large(found.size, MAX_FILE_BYTES));
    }
    let bytes = read_bounded(found).map_err(|error| Refusal::unreadable(&error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Refusal::file_too_large(bytes.len() as u64, MAX_FILE_BYTES));
    }
    let sha256 = hex::encode(&Sha256::digest(&bytes));
    Ok(Source {
        found: found.clone(),
        sha256,
        bytes: bytes.into(),
    })
}

/// The file may have grown since it was listed.
fn read_bounded(found: &Found) -> io::Result<Vec<u8>> {
    let file = File::open(&found.path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(found.size).unwrap_or_default());
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Checks and de-identifies a file. A defect of this program that a file brings to light refuses that file alone.
pub(super) fn prepare(
    source: &Source,
    recipe: &Recipe,
    secret: &Secret,
) -> Result<Prepared, Refusal> {
    let attempt = AssertUnwindSafe(|| match source.found.kind {
        FoundKind::Readings => Ok(super::readings::prepare(&source.bytes, secret)),
        _ => prepare_instance(&source.bytes, recipe, secret)
            .map(|instance| Prepared::Instance(Box::new(instance))),
    });
    catch_unwind(attempt).unwrap_or_else(|_| Err(Refusal::defect()))
}

fn prepare_instance(
    bytes: &Bytes,
    recipe: &Recipe,
    secret: &Secret,
) -> Result<PreparedInstance, Refusal> {
    let instance = Instance::read(bytes.clone())?;
    check(&instance)?;
    let (kept, report) = deidentify(instance, recipe, secret)?;
    let kept = kept.as_ref();
    let summary = summarise(kept)?;
    let geometry = Geometry::of(&summary);
    let layout = FrameLayout::of(kept).ok();
    Ok(PreparedInstance {
        written: kept.write_with_pixel_offset(),
        report,
        after: listing::list(&kept.header, MAX_LISTED_ELEMENTS),
        view: view(&summary, layout.as_ref(), geometry.as_ref()),
        outlines: outlines::outlines(&kept.header),
        layout,
        geometry,
        summary,
    })
}

/// Frames are decoded before they are shown: colour comes as RGB, samples in 8 or 16 bits.
fn view(
    summary: &Summary,
    layout: Option<&FrameLayout>,
    geometry: Option<&Geometry>,
) -> ViewInstance {
    let samples_per_pixel = layout.map_or(1, |layout| layout.format.samples_per_pixel);
    let photometric = match samples_per_pixel {
        3 => "RGB".to_owned(),
        _ => summary.photometric.clone().unwrap_or_default(),
    };
    ViewInstance {
        instance_uid: summary.instance_uid.clone(),
        number: summary.instance_number.map(i64::from),
        // The distance of the patient's origin from the slice is the slice's position with the sign turned.
        position_mm: geometry.map(|geometry| -geometry.distance_mm([0.0; 3])),
        rows: summary.rows.map_or(0, u32::from),
        columns: summary.columns.map_or(0, u32::from),
        frames: layout.map_or(0, |layout| layout.count),
        bits_allocated: layout.map_or(0, |layout| {
            if layout.format.bits_allocated <= 8 {
                8
            } else {
                16
            }
        }),
        pixel_signed: layout.is_some_and(|layout| layout.format.signed),
        samples_per_pixel,
        photometric,
        rescale_slope: summary.rescale_slope.unwrap_or(1.0),
        rescale_intercept: summary.rescale_intercept.unwrap_or(0.0),
        window_center: summary.window_center,
        window_width: summary.window_width,
        pixel_spacing_mm: summary.pixel_spacing_mm,
    }
}
