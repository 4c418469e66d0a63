//! The one way from an instance to a [`Deidentified`] one.

use arno_dicom::Instance;
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use crate::age_and_dates::age_between;
use crate::clean::Patient;
use crate::identifiers::{Identifiers, TooMany};
use crate::marks::{added, method_codes, put_marks, take_old_marks};
use crate::options::ProfileOption;
use crate::patient_key::PatientKey;
use crate::proof::PixelProof;
use crate::recipe::Recipe;
use crate::report::{Action, Change, Report};
use crate::review::{ReviewReason, review};
use crate::secret::Secret;
use crate::table::Table;
use crate::values::texts;
use crate::walk::Walk;

/// Proof that a thing was de-identified: only this crate makes one.
#[derive(Debug, Clone)]
pub struct Deidentified<T>(T);

impl<T> Deidentified<T> {
    /// The thing itself, without the proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> AsRef<T> for Deidentified<T> {
    fn as_ref(&self) -> &T {
        &self.0
    }
}

/// Why an instance was not de-identified. Nothing of it may be used then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeidError {
    /// The header alone cannot show that the instance is safe: for the quarantine, and a person.
    #[error("a person has to look at it: {why}")]
    NeedsReview {
        /// What is risky about it.
        why: ReviewReason,
    },
    /// Neither a patient id nor a study UID: nothing to make a pseudonym from.
    #[error("it names neither a patient id nor a study")]
    NoIdentity,
}

/// De-identifies an instance of which nobody looked at the pixels: [`deidentify_seen`] without a proof.
///
/// # Errors
/// [`DeidError::NeedsReview`] if the pixels may show who the patient is.
pub fn deidentify(
    instance: Instance,
    recipe: &Recipe,
    secret: &Secret,
) -> Result<(Deidentified<Instance>, Report), DeidError> {
    deidentify_seen(instance, recipe, secret, PixelProof::none())
}

/// De-identifies an instance by `recipe`: every element of the header by Table E.1-1 or the stricter rules for what
/// it does not list; pixels untouched. The same secret gives the same pseudonym, UIDs and dates every time. `proof` is
/// what whoever looked at these very pixels vouches for.
///
/// Without a patient id the study stands for the patient: nothing joins that should not.
///
/// # Errors
/// [`DeidError::NeedsReview`] if the pixels may show who the patient is and nobody looked.
pub fn deidentify_seen(
    instance: Instance,
    recipe: &Recipe,
    secret: &Secret,
    proof: PixelProof,
) -> Result<(Deidentified<Instance>, Report), DeidError> {
    let Instance {
        transfer_syntax,
        mut header,
        pixels,
    } = instance;
    if let Some(why) = review(&header, proof, recipe) {
        return Err(DeidError::NeedsReview { why });
    }
    take_old_marks(&mut header);
    let patient = patient(&header, recipe, secret)?;
    let age = derived_age(&header, recipe);
    let (mut header, mut changes) = Walk::new(recipe, secret, &patient).instance(header);
    changes.extend(put_identity(&mut header, &patient));
    changes.extend(put_age(&mut header, age));
    changes.extend(put_marks(&mut header, recipe, proof));
    let report = Report {
        recipe: recipe.name().to_owned(),
        edition: Table::embedded().edition().to_owned(),
        options: method_codes(recipe, proof)
            .iter()
            .map(|(code, _)| (*code).to_owned())
            .collect(),
        changes,
    };
    Ok((
        Deidentified(Instance {
            transfer_syntax,
            header,
            pixels,
        }),
        report,
    ))
}

/// The age at the study, where the source gives only the birth date, which goes: research asks for the one, and the
/// other identifies. Capped like any age.
fn derived_age(header: &InMemDicomObject, recipe: &Recipe) -> Option<String> {
    let is_wanted = recipe.has(ProfileOption::RetainPatientCharacteristics)
        && recipe.override_of(tags::PATIENT_AGE).is_none()
        && value(header, tags::PATIENT_AGE).is_none();
    if !is_wanted {
        return None;
    }
    age_between(
        &value(header, tags::PATIENT_BIRTH_DATE)?,
        &value(header, tags::STUDY_DATE)?,
    )
}

fn put_age(header: &mut InMemDicomObject, age: Option<String>) -> Option<Change> {
    header.put(DataElement::new(tags::PATIENT_AGE, VR::AS, age?));
    Some(added(
        tags::PATIENT_AGE,
        "PatientAge",
        VR::AS,
        Action::Derived,
        "in place of the birth date, in years, 90 and more as 90",
    ))
}

fn patient(
    header: &InMemDicomObject,
    recipe: &Recipe,
    secret: &Secret,
) -> Result<Patient, DeidError> {
    let identifiers =
        Identifiers::collect(header, recipe).map_err(|TooMany| DeidError::NeedsReview {
            why: ReviewReason::TooManyNames,
        })?;
    let id = value(header, tags::PATIENT_ID);
    let key = PatientKey::of(header).ok_or(DeidError::NoIdentity)?;
    Ok(Patient {
        id: id.unwrap_or_default(),
        pseudonym: key.pseudonym(secret),
        offset: secret.date_offset(&key.id, key.issuer.as_deref()),
        identifiers,
    })
}

/// Patient's Name and Patient ID are there in every output, also if the source had them empty or not at all.
fn put_identity(header: &mut InMemDicomObject, patient: &Patient) -> Vec<Change> {
    let mut changes = Vec::new();
    for (tag, name, vr) in [
        (tags::PATIENT_NAME, "PatientName", VR::PN),
        (tags::PATIENT_ID, "PatientID", VR::LO),
    ] {
        if value(header, tag).is_none() {
            header.put(DataElement::new(tag, vr, patient.pseudonym.as_str()));
            changes.push(added(
                tag,
                name,
                vr,
                Action::Pseudonymised,
                "no value in the source",
            ));
        }
    }
    changes
}

/// The text of an attribute, if it has any.
pub(crate) fn value(header: &InMemDicomObject, tag: Tag) -> Option<String> {
    let element = header.get(tag)?;
    let texts = texts(element.value().primitive()?, element.vr())?;
    Some(texts.join("\\")).filter(|text| !text.is_empty())
}
