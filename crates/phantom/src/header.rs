//! What the instances of one visit have in common: patient, study, series, equipment (PS3.3 C.7), the marks that say
//! *phantom*, and planted identifying texts in the places where real exports have them.

use chrono::Days;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use crate::data::{SeriesRecord, Sex};
use crate::element::Elements;
use crate::identity::Identity;
use crate::site::SiteSpec;
use crate::stable;

/// Marks study, series and image descriptions.
pub(crate) const MARK: &str = "ARNO PHANTOM";
/// Other Patient IDs (0010,1000), retired and still in most exports.
const OTHER_PATIENT_IDS: Tag = Tag(0x0010, 0x1000);
/// A private block as vendors leave it, with a name in it (PS3.5 7.8).
const PRIVATE_CREATOR: Tag = Tag(0x0019, 0x0010);
const PRIVATE_NAME: Tag = Tag(0x0019, 0x1010);

/// One invented person at one site, for the images of one real series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit<'a> {
    pub(crate) site: &'a SiteSpec,
    pub(crate) seed: u64,
    pub(crate) person: &'a Identity,
    pub(crate) series: &'a SeriesRecord,
}

/// What tells an instance from the others of its visit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind<'a> {
    pub(crate) class_uid: &'a str,
    pub(crate) instance_uid: &'a str,
    pub(crate) series_uid: &'a str,
    pub(crate) series_number: u32,
    pub(crate) modality: &'a str,
    pub(crate) description: &'a str,
}

impl Visit<'_> {
    /// A UID of this visit that the seed and `name` determine.
    pub(crate) fn uid(&self, name: &str) -> String {
        stable::uid(self.seed, &[name, self.site.key, &self.series.series])
    }

    pub(crate) fn frame_of_reference(&self) -> String {
        self.uid("frame of reference")
    }

    /// Time of the visit in DICOM TM, `seconds` after its beginning.
    pub(crate) fn time(&self, seconds: u32) -> String {
        let (hour, minute, second) = self.person.study_time;
        let since_midnight = hour * 3600 + minute * 60 + second + seconds;
        format!(
            "{:02}{:02}{:02}",
            since_midnight / 3600,
            since_midnight / 60 % 60,
            since_midnight % 60
        )
    }

    /// The elements that every instance has.
    pub(crate) fn common(&self, kind: Kind) -> Elements {
        let mut elements = Elements::default();
        self.sop_and_patient(kind, &mut elements);
        self.study_and_series(kind, &mut elements);
        self.equipment(&mut elements);
        self.planted(&mut elements);
        elements
    }

    fn sop_and_patient(&self, kind: Kind, elements: &mut Elements) {
        let person = self.person;
        elements
            .text(tags::SPECIFIC_CHARACTER_SET, VR::CS, person.charset)
            .text(tags::SOP_CLASS_UID, VR::UI, kind.class_uid)
            .text(tags::SOP_INSTANCE_UID, VR::UI, kind.instance_uid)
            .date(tags::INSTANCE_CREATION_DATE, person.study)
            .text(tags::INSTANCE_CREATION_TIME, VR::TM, self.time(120))
            .text(tags::PATIENT_NAME, VR::PN, &person.name)
            .text(tags::PATIENT_ID, VR::LO, &person.hospital_number)
            .date(tags::PATIENT_BIRTH_DATE, person.birth)
            .text(
                tags::PATIENT_SEX,
                VR::CS,
                match person.sex {
                    Sex::F => "F",
                    Sex::M => "M",
                },
            )
            .text(
                tags::PATIENT_AGE,
                VR::AS,
                format!("{:03}Y", person.age_years),
            )
            .text(tags::QUALITY_CONTROL_SUBJECT, VR::CS, "YES");
    }

    fn study_and_series(&self, kind: Kind, elements: &mut Elements) {
        let person = self.person;
        elements
            .text(tags::STUDY_INSTANCE_UID, VR::UI, &self.series.study)
            .date(tags::STUDY_DATE, person.study)
            .text(tags::STUDY_TIME, VR::TM, self.time(0))
            .text(tags::STUDY_ID, VR::SH, &person.accession[1..])
            .text(tags::STUDY_DESCRIPTION, VR::LO, format!("{MARK} CT thorax"))
            .text(tags::ACCESSION_NUMBER, VR::SH, &person.accession)
            .text(
                tags::REFERRING_PHYSICIAN_NAME,
                VR::PN,
                &person.referring_physician,
            )
            .text(tags::SERIES_INSTANCE_UID, VR::UI, kind.series_uid)
            .text(tags::SERIES_NUMBER, VR::IS, kind.series_number.to_string())
            .date(tags::SERIES_DATE, person.study)
            .text(tags::SERIES_TIME, VR::TM, self.time(60))
            .text(tags::MODALITY, VR::CS, kind.modality)
            .text(tags::SERIES_DESCRIPTION, VR::LO, kind.description)
            .text(tags::OPERATORS_NAME, VR::PN, &person.operator);
    }

    fn equipment(&self, elements: &mut Elements) {
        let (site, number) = (self.site, self.site.key.len());
        elements
            .text(tags::MANUFACTURER, VR::LO, &self.series.manufacturer)
            .text(
                tags::MANUFACTURER_MODEL_NAME,
                VR::LO,
                self.series.model.clone().unwrap_or_default(),
            )
            .text(tags::INSTITUTION_NAME, VR::LO, site.name)
            .text(
                tags::INSTITUTION_ADDRESS,
                VR::ST,
                format!("{}, {}", site.city, site.country),
            )
            .text(tags::INSTITUTIONAL_DEPARTMENT_NAME, VR::LO, "Radiology")
            .text(
                tags::STATION_NAME,
                VR::SH,
                format!("{}CT{number:02}", site.key.to_ascii_uppercase()),
            )
            .text(
                tags::DEVICE_SERIAL_NUMBER,
                VR::LO,
                format!("SN-{}-00{number}", site.key),
            );
    }

    /// What must not get past de-identification.
    fn planted(&self, elements: &mut Elements) {
        let person = self.person;
        let ordered = person
            .study
            .checked_sub_days(Days::new(6))
            .unwrap_or(person.study);
        elements
            .text(OTHER_PATIENT_IDS, VR::LO, &person.other_number)
            .text(tags::PATIENT_ADDRESS, VR::LO, &person.address)
            .text(tags::PATIENT_TELEPHONE_NUMBERS, VR::SH, &person.phone)
            .text(tags::ADDITIONAL_PATIENT_HISTORY, VR::LT, &person.history)
            .text(tags::PATIENT_COMMENTS, VR::LT, &person.comment)
            .text(
                tags::IMAGE_COMMENTS,
                VR::LT,
                format!(
                    "{MARK}: computed, not a patient. {}, {}",
                    person.spoken_name(),
                    ordered.format("%d.%m.%Y")
                ),
            )
            .text(PRIVATE_CREATOR, VR::LO, "ARNO PLANTED 01")
            .text(PRIVATE_NAME, VR::LO, person.spoken_name());
    }
}
