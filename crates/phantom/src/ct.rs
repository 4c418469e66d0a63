//! The CT images of one phantom series (CT Image IOD, PS3.3 A.3).
//!
//! Where the public record is silent (tube voltage, kernel), the element is left out or empty: nothing is made up
//! about the scanner.

use dicom_core::VR;
use dicom_dictionary_std::tags;

use crate::canvas::SIZE;
use crate::element::Elements;
use crate::error::PhantomError;
use crate::header::{Kind, MARK, Visit};
use crate::thorax::{INTERCEPT, Thorax};
use crate::window::Window;

/// CT Image Storage.
pub(crate) const CT_IMAGE: &str = "1.2.840.10008.5.1.4.1.1.2";
const SERIES_NUMBER: u32 = 3;

/// Encodes the images of a series one by one.
pub(crate) struct CtSeries<'a> {
    visit: Visit<'a>,
    window: &'a Window,
    thorax: Thorax,
    template: Elements,
}

impl<'a> CtSeries<'a> {
    pub(crate) fn new(visit: Visit<'a>, window: &'a Window) -> Self {
        let description = format!(
            "{MARK} CT thorax {} mm lung",
            visit.series.slice_thickness_mm
        );
        let kind = Kind {
            class_uid: CT_IMAGE,
            // Set per image.
            instance_uid: "",
            series_uid: &visit.series.series,
            series_number: SERIES_NUMBER,
            modality: "CT",
            description: &description,
        };
        let mut template = visit.common(kind);
        acquisition(&visit, &mut template);
        geometry(&visit, &mut template);
        pixel_format(&mut template);
        Self {
            visit,
            window,
            thorax: Thorax::new(visit.seed, visit.series, window),
            template,
        }
    }

    /// SOP Instance UID of the image of slice `index`.
    pub(crate) fn instance_uid(visit: &Visit, index: usize) -> String {
        visit.uid(&format!("CT image {index}"))
    }

    /// The Part 10 file of slice `index`.
    pub(crate) fn encode(&self, index: usize) -> Result<Vec<u8>, PhantomError> {
        let uid = Self::instance_uid(&self.visit, index);
        let z = self.window.positions[index];
        let corner = (0.5 - SIZE as f64 / 2.0) * 2.0 * self.visit.series.pixel_spacing_mm;
        let mut image = self.template.clone();
        image
            .text(tags::SOP_INSTANCE_UID, VR::UI, &uid)
            .text(tags::INSTANCE_NUMBER, VR::IS, (index + 1).to_string())
            .decimal(tags::IMAGE_POSITION_PATIENT, &[corner, corner, z])
            .decimal(tags::SLICE_LOCATION, &[z])
            .pixels(VR::OW, self.thorax.slice(index));
        image.encode(CT_IMAGE, &uid)
    }
}

fn acquisition(visit: &Visit, elements: &mut Elements) {
    elements
        .text(tags::IMAGE_TYPE, VR::CS, "DERIVED\\PRIMARY\\AXIAL")
        .text(
            tags::DERIVATION_DESCRIPTION,
            VR::ST,
            "Computed phantom round real nodule outlines; no patient was scanned",
        )
        .text(tags::QUALITY_CONTROL_IMAGE, VR::CS, "YES")
        .text(tags::BURNED_IN_ANNOTATION, VR::CS, "NO")
        .text(tags::BODY_PART_EXAMINED, VR::CS, "CHEST")
        .text(tags::PROTOCOL_NAME, VR::LO, format!("{MARK} thorax"))
        .text(tags::ACQUISITION_NUMBER, VR::IS, "1")
        .date(tags::ACQUISITION_DATE, visit.person.study)
        .text(tags::ACQUISITION_TIME, VR::TM, visit.time(60))
        .date(tags::CONTENT_DATE, visit.person.study)
        .text(tags::CONTENT_TIME, VR::TM, visit.time(90))
        .text(tags::KVP, VR::DS, "")
        .text(tags::PATIENT_POSITION, VR::CS, "HFS");
    if visit.series.contrast {
        elements.text(tags::CONTRAST_BOLUS_AGENT, VR::LO, "IV contrast");
    }
}

fn geometry(visit: &Visit, elements: &mut Elements) {
    let spacing = 2.0 * visit.series.pixel_spacing_mm;
    elements
        .text(
            tags::FRAME_OF_REFERENCE_UID,
            VR::UI,
            visit.frame_of_reference(),
        )
        .text(tags::POSITION_REFERENCE_INDICATOR, VR::LO, "")
        .decimal(
            tags::IMAGE_ORIENTATION_PATIENT,
            &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        )
        .decimal(tags::PIXEL_SPACING, &[spacing, spacing])
        .decimal(tags::SLICE_THICKNESS, &[visit.series.slice_thickness_mm])
        .decimal(
            tags::SPACING_BETWEEN_SLICES,
            &[visit.series.slice_spacing_mm],
        );
}

fn pixel_format(elements: &mut Elements) {
    elements
        .number(tags::SAMPLES_PER_PIXEL, 1)
        .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")
        .number(tags::ROWS, SIZE as u16)
        .number(tags::COLUMNS, SIZE as u16)
        .number(tags::BITS_ALLOCATED, 16)
        .number(tags::BITS_STORED, 12)
        .number(tags::HIGH_BIT, 11)
        .number(tags::PIXEL_REPRESENTATION, 0)
        .decimal(tags::RESCALE_INTERCEPT, &[f64::from(INTERCEPT)])
        .decimal(tags::RESCALE_SLOPE, &[1.0])
        .text(tags::RESCALE_TYPE, VR::LO, "HU")
        .decimal(tags::WINDOW_CENTER, &[-600.0, 40.0])
        .decimal(tags::WINDOW_WIDTH, &[1500.0, 400.0])
        .text(
            tags::WINDOW_CENTER_WIDTH_EXPLANATION,
            VR::LO,
            "LUNG\\SOFT TISSUE",
        );
}
