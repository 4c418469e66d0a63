//! What a detector says it has read in a frame, and whether it is text at all.
//!
//! Detectors see a letter in every vertebra: what they read there is one character long. A line of text is longer, or says
//! what the header says too.

use std::collections::BTreeSet;

use arno_dicom::Header;
use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::looked::Weight;
use crate::region::Region;

/// Less sure than this, a reading counts for nothing by itself.
const LEAST_CONFIDENCE: f32 = 0.5;

/// Letters and digits without which a reading is no text: one is what bones and vessels look like.
const LEAST_CHARACTERS: usize = 2;

/// So many characters, read so surely, are text wherever they stand.
const CLEAR_CHARACTERS: usize = 4;
const CLEAR_CONFIDENCE: f32 = 0.8;

/// Characters are taller than wide, and gaps between words count: a short reading that is wider than this many heights a character is
/// of something else, such as an edge of bone that is there in every slice.
const WIDEST_CHARACTER: f32 = 1.5;

/// Shorter parts of values are in any text.
const LEAST_KNOWN_CHARACTERS: usize = 3;

/// Characters of which one may be misread.
const CHARACTERS_A_MISTAKE: usize = 5;

/// Values that a header may hold of each attribute, and characters of one that are compared.
const MAX_KNOWN: usize = 256;
const MAX_COMPARED: usize = 128;

/// Attributes that devices write into pictures.
const WRITTEN: [Tag; 15] = [
    tags::PATIENT_NAME,
    tags::PATIENT_ID,
    tags::OTHER_PATIENT_NAMES,
    tags::PATIENT_BIRTH_DATE,
    tags::ACCESSION_NUMBER,
    tags::STUDY_ID,
    tags::STUDY_DATE,
    tags::SERIES_DATE,
    tags::CONTENT_DATE,
    tags::INSTITUTION_NAME,
    tags::INSTITUTIONAL_DEPARTMENT_NAME,
    tags::STATION_NAME,
    tags::REFERRING_PHYSICIAN_NAME,
    tags::PERFORMING_PHYSICIAN_NAME,
    tags::OPERATORS_NAME,
];

/// Something that a detector has read.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundText {
    /// Where, in one frame.
    pub region: Region,
    /// What it reads there.
    pub text: String,
    /// How sure it is of the characters, 0 to 1.
    pub confidence: f32,
}

/// The words and numbers of a header that identify, in the form in which they are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known(BTreeSet<String>);

impl Known {
    /// Takes them from a header.
    #[must_use]
    pub fn of(header: &Header) -> Self {
        let mut known = BTreeSet::new();
        for tag in WRITTEN {
            let Some(element) = header.get(tag) else {
                continue;
            };
            let text = element.to_str().unwrap_or_default();
            let is_date = element.vr() == dicom_core::VR::DA;
            let parts = text.split(|c: char| !c.is_alphanumeric());
            for part in parts.take(MAX_KNOWN) {
                known.insert(plain(part));
                if is_date && part.len() == 8 && part.is_ascii() {
                    known.extend(as_written(part));
                }
            }
            known.insert(plain(&text));
        }
        known.retain(|value| value.chars().count() >= LEAST_KNOWN_CHARACTERS);
        Self(known)
    }

    /// Whether a reading holds one of them, a misread character in five left aside.
    fn is_in(&self, plain: &str) -> bool {
        self.0.iter().any(|value| holds(plain, value))
    }
}

/// A date in the orders in which devices write it.
fn as_written(date: &str) -> [String; 3] {
    let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
    [
        plain(&format!("{day}{month}{year}")),
        plain(&format!("{month}{day}{year}")),
        plain(&format!("{day}{month}{}", &year[2..])),
    ]
}

impl FoundText {
    /// What a reading says by itself and against the header.
    pub(crate) fn weight(&self, known: &Known) -> Weight {
        let plain = plain(&self.text);
        let characters = plain.chars().count();
        if known.is_in(&plain) {
            return Weight::Clear;
        }
        if characters < LEAST_CHARACTERS || self.confidence < LEAST_CONFIDENCE {
            return Weight::Noise;
        }
        match characters >= CLEAR_CHARACTERS && self.confidence >= CLEAR_CONFIDENCE {
            true => Weight::Clear,
            false if self.is_shaped_like_text() => Weight::Weak,
            false => Weight::Noise,
        }
    }

    /// Whether so many characters can be as wide as that.
    fn is_shaped_like_text(&self) -> bool {
        #[allow(
            clippy::cast_precision_loss,
            reason = "pixels of a picture and characters of a line"
        )]
        let (width, height, characters) = (
            self.region.width as f32,
            self.region.height as f32,
            self.text.chars().count() as f32,
        );
        width <= height * characters * WIDEST_CHARACTER
    }
}

/// Letters and digits alone, in one case, and characters that look alike as one.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    let same = letters.flat_map(char::to_uppercase).map(|c| match c {
        'O' | 'Q' => '0',
        'I' | 'L' | '|' => '1',
        'S' => '5',
        'B' => '8',
        'Z' => '2',
        other => other,
    });
    same.take(MAX_COMPARED).collect()
}

/// Whether some part of `text` is `value`, but for one character in [`CHARACTERS_A_MISTAKE`].
fn holds(text: &str, value: &str) -> bool {
    let (text, value): (Vec<char>, Vec<char>) = (text.chars().collect(), value.chars().collect());
    let allowed = value.len() / CHARACTERS_A_MISTAKE;
    // Edits that turn the value into the part of the text that ends at each place (Sellers 1980).
    let mut edits: Vec<usize> = vec![0; text.len() + 1];
    for (row, wanted) in value.iter().enumerate() {
        let mut diagonal = edits[0];
        edits[0] = row + 1;
        for (column, character) in text.iter().enumerate() {
            let replaced = diagonal + usize::from(wanted != character);
            diagonal = edits[column + 1];
            edits[column + 1] = replaced.min(edits[column] + 1).min(diagonal + 1);
        }
    }
    edits
        .into_iter()
        .min()
        .is_some_and(|least| least <= allowed)
}

#[cfg(test)]
mod tests {
    use arno_dicom::Header;
    use dicom_core::{DataElement, VR};
    use dicom_dictionary_std::tags;

    use super::{FoundText, Known};
    use crate::{Region, Weight};

    fn known() -> Known {
        Known::of(&Header::from_element_iter([
            DataElement::new(tags::PATIENT_NAME, VR::PN, "Muster^Anna Bo"),
            DataElement::new(tags::PATIENT_ID, VR::LO, "MRN018464078"),
            DataElement::new(tags::PATIENT_BIRTH_DATE, VR::DA, "19490720"),
        ]))
    }

    #[test]
    fn what_is_text_and_what_is_not() {
        let check = |text: &str, confidence: f32, expect: Weight| {
            let found = FoundText {
                region: Region::everywhere(0, 0, 9, 9),
                text: text.to_owned(),
                confidence,
            };
            assert_eq!(found.weight(&known()), expect, "{text}");
        };
        let edge_of_bone = FoundText {
            region: Region::everywhere(188, 107, 17, 5),
            text: "40".to_owned(),
            confidence: 0.53,
        };
        assert_eq!(edge_of_bone.weight(&known()), Weight::Noise);
        check("O", 0.99, Weight::Noise);
        check("-8-", 0.99, Weight::Noise);
        check("", 0.0, Weight::Noise);
        check("WL40", 0.3, Weight::Noise);
        check("5cm", 0.9, Weight::Weak);
        check("General Hospital", 0.6, Weight::Weak);
        check("General Hospital", 0.95, Weight::Clear);
        // What the header says counts however unsure the reading is, and misread.
        check("MU5TER.", 0.2, Weight::Clear);
        check("1D:MRN0l8464O78", 0.3, Weight::Clear);
        check("MRN018464178", 0.3, Weight::Clear);
        check("born 20.07.1949", 0.3, Weight::Clear);
        check("07/20/1949", 0.3, Weight::Clear);
        check("ANNA", 0.1, Weight::Clear);
        check("MRN99", 0.3, Weight::Noise);
        // A part of two characters is no proof.
        check("Bo", 0.3, Weight::Noise);
    }
}
