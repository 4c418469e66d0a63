//! One file on its way in, without any row being touched: read, check, de-identify, encode, describe.
//!
//! Everything here may run on many files at once. What a file says about itself is believed only after
//! `arno-dicom` has walked it; no value of it gets into a reason.

use std::{
    fs::File,
    io::{self, Read as _},
    panic::{AssertUnwindSafe, catch_unwind},
};

use arno_codecs::Decoder;
use arno_deid::{
    DeidError, PatientKey, PixelProof, Recipe, Report, deidentify_seen, is_worth_a_look,
    reason_to_review,
};
use arno_dicom::{
    Acquisition, Annotation, CheckError, Claimed, FrameLayout, Geometry, Instance, Outline,
    Summary, check, json, outlines,
    query::{Level, level_attributes},
    summarise,
    summary::stated_sex,
};
use arno_domain::hex;
use arno_learning::reading::Reading;
use arno_protocol::node::ViewInstance;
use arno_quality::{look::pixel_print, person::sex};
use sha2::{Digest as _, Sha256};

use super::{
    archive::Archive,
    item::{Origin, Source},
    kept::Kept,
    refusal::Refusal,
    seen::{for_text_finder, not_carried_out, refusal},
    walk::{Found, FoundKind},
};
use crate::{secret::Keyring, standalone::Handling};

/// Largest file that is read. The largest single DICOM objects (tomosynthesis, whole-slide levels) stay below it.
pub(super) const MAX_FILE_BYTES: u64 = 2 << 30;
/// Elements of a header that are listed for the preview.
pub(super) const MAX_LISTED_ELEMENTS: usize = 2000;

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
    /// The encoded instance, with the proof that it may be kept.
    pub(super) kept: Kept,
    /// What was done to it, if anything was.
    pub(super) report: Option<Report>,
    /// Its facts after that.
    pub(super) facts: Facts,
    /// All attributes of its header as DICOM JSON.
    pub(super) metadata: Vec<u8>,
    /// Whose it was before, if it was de-identified.
    pub(super) patient: Option<PatientKey>,
}

/// What rows say of an instance.
#[derive(Debug)]
pub(super) struct Facts {
    /// Identifiers, and what searches ask.
    pub(super) summary: Summary,
    /// What the viewer needs.
    pub(super) view: ViewInstance,
    /// Where its frames lie, if the viewer can show them.
    pub(super) layout: Option<FrameLayout>,
    /// Where it lies in the patient.
    pub(super) geometry: Option<Geometry>,
    /// Contours, when it is a structure set.
    pub(super) outlines: Vec<Outline>,
    /// What its row keeps of its attributes.
    pub(super) attributes_json: String,
    /// By which the same pixels elsewhere are looked for.
    pub(super) pixel_print: Option<String>,
    /// How it was acquired.
    pub(super) acquisition: Acquisition,
    /// What it annotates, if it is an annotation.
    pub(super) annotation: Option<Annotation>,
}

impl Facts {
    /// The facts of an instance as it is kept.
    pub(super) fn of(instance: &Instance) -> Result<Self, CheckError> {
        let mut summary = summarise(instance)?;
        summary.sex = summary.sex.or_else(|| corrected_sex(instance));
        let pixels = instance.pixels.as_ref();
        let geometry = Geometry::of(&summary);
        let layout = FrameLayout::of(instance).ok();
        Ok(Self {
            view: view(&summary, layout.as_ref(), geometry.as_ref()),
            outlines: outlines::outlines(&instance.header),
            attributes_json: attributes_json(instance, Level::Instance),
            pixel_print: pixels.and_then(|pixels| pixel_print(pixels.value())),
            acquisition: Acquisition::of(&instance.header),
            annotation: Annotation::of(&instance.header),
            layout,
            geometry,
            summary,
        })
    }
}

/// Another word for a sex counts as that sex, and its series has a finding that says so; the element keeps its value.
fn corrected_sex(instance: &Instance) -> Option<String> {
    let stated = stated_sex(&instance.header)?;
    Some(sex(&stated).value()?.to_owned())
}

/// Reads a file into memory, within the limit. `archive` is the one that it lies in, if it does.
pub(super) fn read(found: &Found, archive: Option<&mut Archive>) -> Result<Source, Refusal> {
    if let Some(refusal) = &found.refusal {
        return Err(refusal.clone());
    }
    if found.size > MAX_FILE_BYTES {
        return Err(Refusal::file_too_large(found.size, MAX_FILE_BYTES));
    }
    let bytes = match (found.entry, archive) {
        (Some(entry), Some(archive)) => archive.read(entry, MAX_FILE_BYTES)?,
        _ => read_bounded(found).map_err(|error| Refusal::unreadable(&error))?,
    };
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Refusal::file_too_large(bytes.len() as u64, MAX_FILE_BYTES));
    }
    let sha256 = hex::encode(&Sha256::digest(&bytes));
    Ok(Source {
        name: found.name.clone(),
        kind: found.kind,
        sha256,
        bytes: bytes.into(),
        unread_digest: Some(found.path_digest()),
        // What lies in an archive stays there as well.
        origin: Origin::File,
        seen: None,
    })
}

/// The file may have grown since it was listed.
fn read_bounded(found: &Found) -> io::Result<Vec<u8>> {
    let file = File::open(&found.path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(found.size).unwrap_or_default());
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What preparing needs beside the file.
pub(super) struct Means<'a> {
    /// How this node handles what comes in.
    pub(super) handling: &'a Handling,
    /// What is done to it.
    pub(super) recipe: &'a Recipe,
    /// The secrets that pseudonyms are made with.
    pub(super) keyring: &'a Keyring,
    /// Where frames are decoded.
    pub(super) decoder: &'a dyn Decoder,
    /// Who looks for text in pixels.
    pub(super) looks: Looks,
}

/// Who looks for text in pixels before an instance comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looks {
    /// A text finder, at all that is worth it.
    Finder,
    /// A person, at what its header gives reason to.
    Person,
}

/// What preparing a file came to.
#[derive(Debug)]
pub(super) struct Attempt {
    /// What it claims to be.
    pub(super) sent: Option<Claimed>,
    /// What can be kept, or why nothing can.
    pub(super) outcome: Result<Prepared, Refusal>,
}

/// Checks a file and does with it what the node does. A defect of this program that a file brings to light refuses that
/// file alone.
pub(super) fn prepare(source: &Source, means: &Means<'_>) -> Attempt {
    let attempt = AssertUnwindSafe(|| match source.kind {
        FoundKind::Readings => Attempt {
            sent: None,
            outcome: Ok(super::readings::prepare(&source.bytes, means.keyring)),
        },
        _ => prepare_instance(source, means),
    });
    catch_unwind(attempt).unwrap_or_else(|_| Attempt {
        sent: None,
        outcome: Err(Refusal::defect()),
    })
}

/// What an instance claims to be, if it can be read.
pub(super) fn claimed(source: &Source) -> Option<Claimed> {
    let read = AssertUnwindSafe(|| Instance::read(source.bytes.clone()).ok());
    let instance = (source.kind == FoundKind::Instance).then(|| catch_unwind(read).ok())???;
    Some(Claimed::of(&instance.header))
}

fn prepare_instance(source: &Source, means: &Means<'_>) -> Attempt {
    let bytes = &source.bytes;
    let instance = match Instance::read(bytes.clone()) {
        Ok(instance) => instance,
        Err(error) => {
            return Attempt {
                sent: None,
                outcome: Err(error.into()),
            };
        }
    };
    let sent = Some(Claimed::of(&instance.header));
    let outcome = check(&instance)
        .map_err(Refusal::from)
        .and_then(|()| match means.handling {
            Handling::Deidentify => deidentified(instance, source, means),
            Handling::Keep(standalone) => {
                describe(Kept::as_received(standalone, instance, bytes), None)
            }
        })
        .map(|instance| Prepared::Instance(Box::new(instance)));
    Attempt { sent, outcome }
}

fn deidentified(
    instance: Instance,
    source: &Source,
    means: &Means<'_>,
) -> Result<PreparedInstance, Refusal> {
    let patient = PatientKey::of(&instance.header).ok_or(DeidError::NoIdentity)?;
    let secret = means.keyring.of_patient(&patient);
    let (bytes, recipe) = (&source.bytes, means.recipe);
    let (instance, proof) = match &source.seen {
        None if means.looks == Looks::Finder
            && is_worth_a_look(&instance.header)
            && reason_to_review(&instance.header, recipe).is_none() =>
        {
            return Err(for_text_finder(bytes, secret));
        }
        None => (instance, PixelProof::none()),
        Some(seen) => seen
            .carry_out(instance, means.decoder)
            .map_err(|error| not_carried_out(&error, seen, bytes, recipe, secret))?,
    };
    let (instance, report) = deidentify_seen(instance, recipe, secret, proof)
        .map_err(|error| refusal(error, source.seen.as_ref(), bytes, secret))?;
    Ok(PreparedInstance {
        patient: Some(patient),
        ..describe(Kept::deidentified(instance), Some(report))?
    })
}

fn describe(kept: Kept, report: Option<Report>) -> Result<PreparedInstance, Refusal> {
    let instance = kept.instance();
    Ok(PreparedInstance {
        facts: Facts::of(instance)?,
        metadata: json::metadata(instance),
        patient: None,
        kept,
        report,
    })
}

/// What a row of that level keeps of a header, as a DICOM JSON object.
pub(super) fn attributes_json(instance: &Instance, level: Level) -> String {
    serde_json::Value::Object(level_attributes(&instance.header, level)).to_string()
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
