//! How a series was acquired, as its headers say: geometry, X-ray, MR, contrast, tracer (PS3.3 C.7.6, C.8). Read leniently; what is
//! absent, empty or impossible is not recorded, and nothing is guessed from descriptions.
//!
//! Enhanced objects keep most of it in functional groups (PS3.3 C.7.6.16): the shared ones and those of the first frame are looked at, for
//! diffusion weightings and phases those of all frames. Only headers are read, so that kept metadata serve as well as files.

use dicom_core::Tag;
use dicom_core::header::Header as HeaderElement;
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use crate::attributes::{items, number, numbers, text, vector, whole};
use crate::instance::Header;
use crate::planes::MAX_PLACED_FRAMES;

mod diffusion;
mod views;

/// What one header says of how its series was acquired, or several together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Acquisition {
    /// Manufacturer's Model Name (0008,1090).
    pub model: Option<String>,
    /// SOP Class UID (0008,0016).
    pub sop_class: Option<String>,
    /// Image Laterality (0020,0062), Frame Laterality (0020,9072) or Laterality (0020,0060): `L`, `R`, `U` or `B`.
    pub laterality: Option<String>,
    /// View Position (0018,5101), or the term for the code of a mammogram's view.
    pub view_position: Option<String>,
    /// Slice Thickness (0018,0050).
    pub slice_thickness_mm: Option<f64>,
    /// Spacing Between Slices (0018,0088), without its sign.
    pub slice_spacing_mm: Option<f64>,
    /// Pixel Spacing (0028,0030), the larger one.
    pub pixel_spacing_mm: Option<f64>,
    /// Rows (0028,0010).
    pub rows: Option<u32>,
    /// Columns (0028,0011).
    pub columns: Option<u32>,
    /// KVP (0018,0060).
    pub kvp: Option<f64>,
    /// X-Ray Tube Current (0018,1151), or that in mA (0018,9330).
    pub tube_current_ma: Option<f64>,
    /// Convolution Kernel (0018,1210).
    pub kernel: Option<String>,
    /// Whether a contrast agent is recorded; no where a header says that there was none.
    pub contrast: Option<bool>,
    /// Contrast/Bolus Agent (0018,0010), or the meaning of the first code in its sequence (0018,0012).
    pub contrast_agent: Option<String>,
    /// Magnetic Field Strength (0018,0087).
    pub field_strength_t: Option<f64>,
    /// Echo Time (0018,0081), Effective Echo Time (0018,9082).
    pub echo_time_ms: Option<f64>,
    /// Repetition Time (0018,0080).
    pub repetition_time_ms: Option<f64>,
    /// Inversion Time (0018,0082), the first of Inversion Times (0018,9079).
    pub inversion_time_ms: Option<f64>,
    /// Flip Angle (0018,1314).
    pub flip_angle_deg: Option<f64>,
    /// Diffusion b-value (0018,9087) or the private ones of three makers; the largest.
    pub b_value: Option<f64>,
    /// First and last Temporal Position Identifier (0020,0100) or Index (0020,9128), where there are several positions.
    pub phases: Option<(u32, u32)>,
    /// Radiopharmaceutical (0018,0031), or the meaning of its code.
    pub tracer: Option<String>,
    /// Radionuclide Total Dose (0018,1074).
    pub injected_activity_mbq: Option<f64>,
}

impl Acquisition {
    /// What a header says.
    #[must_use]
    pub fn of(header: &Header) -> Self {
        let agent = contrast_agent(header);
        Self {
            model: text(header, tags::MANUFACTURER_MODEL_NAME),
            sop_class: text(header, tags::SOP_CLASS_UID),
            laterality: laterality(header),
            view_position: text(header, tags::VIEW_POSITION).or_else(|| views::view(header)),
            slice_thickness_mm: measure(header, tags::SLICE_THICKNESS),
            slice_spacing_mm: slice_spacing(header),
            pixel_spacing_mm: pixel_spacing(header),
            rows: whole(header, tags::ROWS).filter(|rows| *rows > 0),
            columns: whole(header, tags::COLUMNS).filter(|columns| *columns > 0),
            kvp: at(header, tags::CTX_RAY_DETAILS_SEQUENCE, tags::KVP),
            tube_current_ma: at(
                header,
                tags::CT_EXPOSURE_SEQUENCE,
                tags::X_RAY_TUBE_CURRENT_INM_A,
            )
            .or_else(|| positive(number(header, tags::X_RAY_TUBE_CURRENT))),
            kernel: text(
                place(header, tags::CT_RECONSTRUCTION_SEQUENCE),
                tags::CONVOLUTION_KERNEL,
            ),
            contrast: agent.as_ref().map(|agent| !says_none(agent)),
            contrast_agent: agent.filter(|agent| !says_none(agent)),
            field_strength_t: positive(number(header, tags::MAGNETIC_FIELD_STRENGTH)).map(tesla),
            echo_time_ms: at(header, tags::MR_ECHO_SEQUENCE, tags::EFFECTIVE_ECHO_TIME)
                .or_else(|| positive(number(header, tags::ECHO_TIME))),
            repetition_time_ms: timing(header, tags::REPETITION_TIME),
            inversion_time_ms: at(header, tags::MR_MODIFIER_SEQUENCE, tags::INVERSION_TIMES)
                .or_else(|| positive(number(header, tags::INVERSION_TIME))),
            flip_angle_deg: timing(header, tags::FLIP_ANGLE),
            b_value: diffusion::largest_b_value(header),
            phases: phases(header),
            tracer: tracer(header),
            injected_activity_mbq: injected_activity(header),
        }
    }

    /// Adds what another header of the same series says: the first value stands, the largest diffusion weighting, all phases. Says
    /// whether anything was new.
    pub fn add(&mut self, other: &Self) -> bool {
        let mut is_new = false;
        if self.b_value.is_some() && other.b_value > self.b_value {
            self.b_value = other.b_value;
            is_new = true;
        }
        if let (Some((first, last)), Some((from, to))) = (self.phases, other.phases) {
            let both = (first.min(from), last.max(to));
            is_new |= both != (first, last);
            self.phases = Some(both);
        }
        // An agent that one header names was given, whatever others say.
        if self.contrast == Some(false) && other.contrast == Some(true) {
            self.contrast = Some(true);
            is_new = true;
        }
        is_new |= fill(&mut self.model, &other.model);
        is_new |= fill(&mut self.sop_class, &other.sop_class);
        is_new |= fill(&mut self.laterality, &other.laterality);
        is_new |= fill(&mut self.view_position, &other.view_position);
        is_new |= fill(&mut self.slice_thickness_mm, &other.slice_thickness_mm);
        is_new |= fill(&mut self.slice_spacing_mm, &other.slice_spacing_mm);
        is_new |= fill(&mut self.pixel_spacing_mm, &other.pixel_spacing_mm);
        is_new |= fill(&mut self.rows, &other.rows);
        is_new |= fill(&mut self.columns, &other.columns);
        is_new |= fill(&mut self.kvp, &other.kvp);
        is_new |= fill(&mut self.tube_current_ma, &other.tube_current_ma);
        is_new |= fill(&mut self.kernel, &other.kernel);
        is_new |= fill(&mut self.contrast, &other.contrast);
        is_new |= fill(&mut self.contrast_agent, &other.contrast_agent);
        is_new |= fill(&mut self.field_strength_t, &other.field_strength_t);
        is_new |= fill(&mut self.echo_time_ms, &other.echo_time_ms);
        is_new |= fill(&mut self.repetition_time_ms, &other.repetition_time_ms);
        is_new |= fill(&mut self.inversion_time_ms, &other.inversion_time_ms);
        is_new |= fill(&mut self.flip_angle_deg, &other.flip_angle_deg);
        is_new |= fill(&mut self.b_value, &other.b_value);
        is_new |= fill(&mut self.phases, &other.phases);
        is_new |= fill(&mut self.tracer, &other.tracer);
        is_new |= fill(
            &mut self.injected_activity_mbq,
            &other.injected_activity_mbq,
        );
        is_new
    }

    /// Which phase of several the series is; none where it holds more than one.
    #[must_use]
    pub fn phase(&self) -> Option<u32> {
        let (first, last) = self.phases?;
        (first == last).then_some(first)
    }
}

/// Whether there was nothing, and is something now.
fn fill<T: Clone>(known: &mut Option<T>, more: &Option<T>) -> bool {
    let is_new = known.is_none() && more.is_some();
    if is_new {
        known.clone_from(more);
    }
    is_new
}

/// The data set that holds a functional group's attributes: the group's item among the shared ones or those of the first frame; the
/// header itself where there are no groups.
fn place(header: &Header, group: Tag) -> &Header {
    let groups = [
        items(header, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first(),
        items(header, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).first(),
    ];
    let found = groups
        .into_iter()
        .flatten()
        .find_map(|groups| items(groups, group).first());
    found.unwrap_or(header)
}

fn positive(number: Option<f64>) -> Option<f64> {
    number.filter(|number| *number > 0.0)
}

fn at(header: &Header, group: Tag, tag: Tag) -> Option<f64> {
    positive(number(place(header, group), tag))
}

fn measure(header: &Header, tag: Tag) -> Option<f64> {
    at(header, tags::PIXEL_MEASURES_SEQUENCE, tag)
}

fn timing(header: &Header, tag: Tag) -> Option<f64> {
    at(header, tags::MR_TIMING_AND_RELATED_PARAMETERS_SEQUENCE, tag)
}

/// Nuclear medicine uses the sign for a direction (PS3.3 C.8.4.15).
fn slice_spacing(header: &Header) -> Option<f64> {
    let place = place(header, tags::PIXEL_MEASURES_SEQUENCE);
    positive(number(place, tags::SPACING_BETWEEN_SLICES).map(f64::abs))
}

fn pixel_spacing(header: &Header) -> Option<f64> {
    let [rows, columns]: [f64; 2] = vector(
        place(header, tags::PIXEL_MEASURES_SEQUENCE),
        tags::PIXEL_SPACING,
    )?;
    (rows > 0.0 && columns > 0.0).then(|| rows.max(columns))
}

/// No scanner of people has ten tesla more than the strongest of 11.7; older ones of GE write gauss.
const GAUSS_FROM: f64 = 100.0;
const GAUSS_PER_TESLA: f64 = 10_000.0;

fn tesla(strength: f64) -> f64 {
    if strength < GAUSS_FROM {
        strength
    } else {
        strength / GAUSS_PER_TESLA
    }
}

fn contrast_agent(header: &Header) -> Option<String> {
    let code = items(header, tags::CONTRAST_BOLUS_AGENT_SEQUENCE).first();
    let named = text(header, tags::CONTRAST_BOLUS_AGENT);
    named.or_else(|| text(code?, tags::CODE_MEANING))
}

/// What scanners write where no agent was given.
fn says_none(agent: &str) -> bool {
    [
        "none",
        "no",
        "n",
        "without",
        "no contrast",
        "no contrast agent",
    ]
    .iter()
    .any(|none| agent.trim_end_matches('.').eq_ignore_ascii_case(none))
}

fn laterality(header: &Header) -> Option<String> {
    let frame = place(header, tags::FRAME_ANATOMY_SEQUENCE);
    let sides = [
        text(header, tags::IMAGE_LATERALITY),
        text(frame, tags::FRAME_LATERALITY),
        text(header, tags::LATERALITY),
    ];
    let mut sides = sides.into_iter().flatten();
    sides.find(|side| matches!(side.as_str(), "L" | "R" | "U" | "B"))
}

/// A position among several: where there is only one, or the header does not say how many, it is no phase.
fn phases(header: &Header) -> Option<(u32, u32)> {
    let frames = items(header, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    let indices = frames.iter().take(MAX_PLACED_FRAMES).filter_map(|frame| {
        let content = items(frame, tags::FRAME_CONTENT_SEQUENCE).first()?;
        whole::<u32>(content, tags::TEMPORAL_POSITION_INDEX)
    });
    let range = indices.fold(None, |range: Option<(u32, u32)>, index| {
        let (first, last) = range.unwrap_or((index, index));
        Some((first.min(index), last.max(index)))
    });
    if range.is_some_and(|(_, last)| last > 1) {
        return range;
    }
    let several = whole::<u32>(header, tags::NUMBER_OF_TEMPORAL_POSITIONS)? > 1;
    let position = whole(header, tags::TEMPORAL_POSITION_IDENTIFIER).filter(|at| *at > 0)?;
    several.then_some((position, position))
}

fn radiopharmaceutical(header: &Header) -> Option<&Header> {
    items(header, tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE).first()
}

fn tracer(header: &Header) -> Option<String> {
    let given = radiopharmaceutical(header)?;
    let code = items(given, tags::RADIOPHARMACEUTICAL_CODE_SEQUENCE).first();
    text(given, tags::RADIOPHARMACEUTICAL).or_else(|| text(code?, tags::CODE_MEANING))
}

/// Becquerel in a megabecquerel.
const BQ: f64 = 1e6;
/// Less than any PET is done with: the unit is not the one that the standard asks for, and which it is is not recorded.
const LEAST_PET_BQ: f64 = 1e5;

/// In becquerel for PET (PS3.3 C.8.9.2), in megabecquerel for nuclear medicine (PS3.3 C.8.4.10).
fn injected_activity(header: &Header) -> Option<f64> {
    let dose = positive(number(
        radiopharmaceutical(header)?,
        tags::RADIONUCLIDE_TOTAL_DOSE,
    ))?;
    match text(header, tags::MODALITY)?.as_str() {
        "PT" => (dose >= LEAST_PET_BQ).then_some(dose / BQ),
        "NM" => Some(dose),
        _ => None,
    }
}

/// The first value of a private element of numbers that are kept as such.
fn private_number(header: &Header, group: u16, creator: &str, element: u16) -> Option<f64> {
    // Blocks are reserved by (gggg,0010) to (gggg,00FF) (PS3.5 section 7.8). Few headers have any, so that elements are looked
    // through once instead of asking for each.
    let owners = header.iter().map(HeaderElement::tag);
    let mut owners =
        owners.filter(|tag| tag.group() == group && (0x10..=0xff).contains(&tag.element()));
    let owner = owners.find(|tag| text(header, *tag).is_some_and(|owner| owner == creator))?;
    let block = owner.element();
    let tag = Tag(group, block << 8 | element);
    let is_bytes = header
        .get(tag)
        .is_some_and(|element| matches!(element.vr().to_string(), "UN" | "OB" | "OW"));
    (!is_bytes).then(|| numbers(header, tag)?.first().copied())?
}
