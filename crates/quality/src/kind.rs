//! What kind of series it is, from its header, with the evidence (PS3.3 C.8.2, C.8.3, C.8.9; scanner makers' habits where the
//! standard leaves it open). What the acquisition says goes before what people wrote into a description.
//!
//! Not here: pixels. Where the header does not tell, the kind is unknown.

mod ct;
mod mr;
mod nuclear;

use serde::{Deserialize, Serialize};

use crate::attributes::Attributes;

/// Image Type (0008,0008).
const IMAGE_TYPE: &str = "00080008";
/// Series Description (0008,103E), Protocol Name (0018,1030), Sequence Name (0018,0024).
const TEXTS: [&str; 3] = ["0008103E", "00181030", "00180024"];

/// A kind of series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// MR, weighted by T1.
    T1,
    /// The same after contrast.
    T1Contrast,
    /// MR, weighted by T2.
    T2,
    /// T2 with fluid suppressed.
    Flair,
    /// MR, weighted by proton density.
    ProtonDensity,
    /// MR, weighted by susceptibility or T2*.
    Susceptibility,
    /// MR, weighted by diffusion.
    Diffusion,
    /// Apparent diffusion coefficient, computed.
    Adc,
    /// A phase of a dynamic contrast series.
    DynamicContrast,
    /// A scout, topogram or localizer of any modality.
    Localizer,
    /// CT without contrast, as far as the header says.
    CtNative,
    /// CT after contrast.
    CtContrast,
    /// PET, corrected for attenuation.
    PetCorrected,
    /// PET, not corrected for attenuation.
    PetUncorrected,
    /// A computed picture: subtraction, projection, screen.
    Derived,
    /// Mammography in two dimensions.
    Mammogram,
    /// Breast tomosynthesis.
    Tomosynthesis,
    /// Ultrasound.
    Ultrasound,
    /// Radiograph.
    Radiograph,
    /// Whole-slide image.
    Slide,
    /// Segmentation.
    Segmentation,
    /// Structure set.
    StructureSet,
    /// Report or other document.
    Document,
    /// Not told by the header.
    Unknown,
}

/// A kind and what speaks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognised {
    /// The kind.
    pub kind: Kind,
    /// Finer words, such as `arterial` or `sharp kernel`.
    pub details: Vec<String>,
    /// Elements that speak for it, such as `EchoTime is 98 ms`. Never a text that people wrote.
    pub evidence: Vec<String>,
}

impl Recognised {
    pub(crate) fn of(kind: Kind, evidence: &[&str]) -> Self {
        Self {
            kind,
            details: Vec::new(),
            evidence: evidence.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    fn unknown() -> Self {
        Self::of(Kind::Unknown, &[])
    }
}

/// What an instance says of the kind of its series.
#[must_use]
pub fn recognise(attributes: &Attributes) -> Recognised {
    let hints = Hints::of(attributes);
    match hints.modality.as_str() {
        "CT" => ct::recognise(attributes, &hints),
        "MR" => mr::recognise(attributes, &hints),
        "PT" | "NM" => nuclear::recognise(attributes, &hints),
        "MG" => match attributes.text("00080016").as_deref() {
            Some("1.2.840.10008.5.1.4.1.1.13.1.3") => {
                Recognised::of(Kind::Tomosynthesis, &["SOP class of tomosynthesis"])
            }
            _ => Recognised::of(Kind::Mammogram, &["modality MG"]),
        },
        "US" | "IVUS" => Recognised::of(Kind::Ultrasound, &["modality US"]),
        "CR" | "DX" | "RG" | "XA" | "RF" => {
            Recognised::of(Kind::Radiograph, &["modality of radiographs"])
        }
        "SM" => Recognised::of(Kind::Slide, &["modality SM"]),
        "SEG" => Recognised::of(Kind::Segmentation, &["modality SEG"]),
        "RTSTRUCT" => Recognised::of(Kind::StructureSet, &["modality RTSTRUCT"]),
        "SR" | "DOC" | "KO" | "PR" => Recognised::of(Kind::Document, &["modality of documents"]),
        _ => Recognised::unknown(),
    }
}

/// Words that several recognisers look at.
pub(crate) struct Hints {
    pub(crate) modality: String,
    /// Values of Image Type.
    pub(crate) image_type: Vec<String>,
    /// Words of descriptions, in capital letters.
    words: Vec<String>,
}

impl Hints {
    fn of(attributes: &Attributes) -> Self {
        let texts = TEXTS.iter().filter_map(|tag| attributes.word(tag));
        let words = texts.flat_map(|text| {
            text.split(|char: char| !char.is_alphanumeric() && char != '*' && char != '+')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        Self {
            modality: attributes.word("00080060").unwrap_or_default(),
            image_type: attributes
                .texts(IMAGE_TYPE)
                .iter()
                .map(|text| text.to_uppercase())
                .collect(),
            words: words.filter(|word| !word.is_empty()).collect(),
        }
    }

    /// Whether Image Type has one of these values.
    pub(crate) fn is_type(&self, values: &[&str]) -> bool {
        self.image_type
            .iter()
            .any(|value| values.contains(&value.as_str()))
    }

    /// Whether a description has one of these words.
    pub(crate) fn says(&self, words: &[&str]) -> bool {
        self.words.iter().any(|word| words.contains(&word.as_str()))
    }

    /// Whether a word of a description begins so.
    pub(crate) fn says_beginning(&self, beginnings: &[&str]) -> bool {
        let mut words = self.words.iter();
        words.any(|word| {
            beginnings
                .iter()
                .any(|beginning| word.starts_with(beginning))
        })
    }
}

#[cfg(test)]
mod tests;
