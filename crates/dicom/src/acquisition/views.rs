//! Views of mammograms, which are codes (PS3.16 CID 4014), as the defined terms of View Position.

use dicom_dictionary_std::tags;

use crate::attributes::{items, text};
use crate::instance::Header;

/// SNOMED CT, the SNOMED RT code that older files have, and the term.
const VIEWS: [(&str, &str, &str); 6] = [
    ("399162004", "R-10242", "CC"),
    ("399368009", "R-10226", "MLO"),
    ("399260004", "R-10224", "ML"),
    ("399352003", "R-10228", "LM"),
    ("399099002", "R-10230", "LMO"),
    ("399196006", "R-10244", "FB"),
];

/// The term of View Code Sequence (0054,0220).
pub(super) fn view(header: &Header) -> Option<String> {
    let code = items(header, tags::VIEW_CODE_SEQUENCE).first()?;
    let code = text(code, tags::CODE_VALUE)?;
    let known = VIEWS.iter().find(|(ct, rt, _)| code == *ct || code == *rt);
    known.map(|(.., term)| (*term).to_owned())
}
