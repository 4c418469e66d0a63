//! Terms of the standard that name nobody, whoever the patient is: a Mrs Head may have her head examined.
//!
//! Only whole values of coded text (CS) are compared, where the standard says what may stand there. The same words in free text
//! are dropped as any other name is (`vocabulary`).

/// Terms that say how a report is built (PS3.3 C.17.3): they stay even where a name field is filled with "Enter text".
const STRUCTURE_TERMS: [&str; 24] = [
    "CODE",
    "COMPOSITE",
    "CONTAINER",
    "CONTAINS",
    "CONTINUOUS",
    "DATE",
    "DATETIME",
    "HAS ACQ CONTEXT",
    "HAS CONCEPT MOD",
    "HAS OBS CONTEXT",
    "HAS PROPERTIES",
    "IMAGE",
    "INFERRED FROM",
    "NUM",
    "PNAME",
    "SCOORD",
    "SCOORD3D",
    "SELECTED FROM",
    "SEPARATE",
    "TABLE",
    "TCOORD",
    "TEXT",
    "TIME",
    "UIDREF",
];

/// The attribute whose terms [`BODY_PARTS`] are.
const BODY_PART_EXAMINED: &str = "BodyPartExamined";

/// Defined Terms of Body Part Examined (0018,0015), PS3.16 annex L, the commoner ones. A dummy in their place would say that the part may
/// be a paired one, and then an instance without Laterality (0020,0060), type 2C, is not valid any more.
const BODY_PARTS: [&str; 118] = [
    "ABDOMEN",
    "ABDOMENPELVIS",
    "ADRENAL",
    "ANKLE",
    "AORTA",
    "ARM",
    "AXILLA",
    "BACK",
    "BILEDUCT",
    "BLADDER",
    "BRAIN",
    "BREAST",
    "BRONCHUS",
    "BUTTOCK",
    "CALCANEUS",
    "CALF",
    "CAROTID",
    "CEREBELLUM",
    "CERVIX",
    "CHEEK",
    "CHEST",
    "CHESTABDOMEN",
    "CHESTABDPELVIS",
    "CIRCLEOFWILLIS",
    "CLAVICLE",
    "COCCYX",
    "COLON",
    "CORNEA",
    "CORONARYARTERY",
    "CSPINE",
    "CTSPINE",
    "DUODENUM",
    "EAR",
    "ELBOW",
    "ESOPHAGUS",
    "EXTREMITY",
    "EYE",
    "EYELID",
    "FACE",
    "FEMUR",
    "FIBULA",
    "FINGER",
    "FOOT",
    "GALLBLADDER",
    "HAND",
    "HEAD",
    "HEADNECK",
    "HEART",
    "HIP",
    "HUMERUS",
    "IAC",
    "ILEUM",
    "ILIUM",
    "JAW",
    "JEJUNUM",
    "KIDNEY",
    "KNEE",
    "LARYNX",
    "LEG",
    "LIVER",
    "LSPINE",
    "LSSPINE",
    "LUNG",
    "MAXILLA",
    "MEDIASTINUM",
    "MOUTH",
    "NECK",
    "NECKCHEST",
    "NECKCHESTABDOMEN",
    "NECKCHESTABDPELV",
    "NOSE",
    "ORBIT",
    "OVARY",
    "PANCREAS",
    "PAROTID",
    "PATELLA",
    "PELVIS",
    "PENIS",
    "PHARYNX",
    "PROSTATE",
    "RADIUS",
    "RADIUSULNA",
    "RECTUM",
    "RIB",
    "SCALP",
    "SCAPULA",
    "SCLERA",
    "SCROTUM",
    "SHOULDER",
    "SKULL",
    "SPINE",
    "SPLEEN",
    "SSPINE",
    "STERNUM",
    "STOMACH",
    "SUBMANDIBULAR",
    "TESTIS",
    "THIGH",
    "THUMB",
    "THYMUS",
    "THYROID",
    "TIBIA",
    "TIBIAFIBULA",
    "TLSPINE",
    "TMJ",
    "TOE",
    "TONGUE",
    "TRACHEA",
    "TSPINE",
    "ULNA",
    "URETER",
    "URETHRA",
    "UTERUS",
    "VAGINA",
    "VULVA",
    "WHOLEBODY",
    "WRIST",
    "ZYGOMA",
];

/// Whether a value of the attribute `name` is a term of the standard that says nothing about a person.
pub(crate) fn names_nobody(name: &str, text: &str) -> bool {
    STRUCTURE_TERMS.contains(&text)
        || name == BODY_PART_EXAMINED && BODY_PARTS.binary_search(&text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{BODY_PARTS, names_nobody};

    #[test]
    fn a_term_counts_where_the_standard_has_it_and_as_a_whole() {
        fn check(name: &str, text: &str, expect: bool) {
            assert_eq!(names_nobody(name, text), expect, "{name} {text}");
        }
        assert!(BODY_PARTS.is_sorted());
        check("BodyPartExamined", "HEAD", true);
        check("BodyPartExamined", "ZYGOMA", true);
        check("BodyPartExamined", "HEAD ANN", false);
        check("BodyPartExamined", "LINDQVIST", false);
        check("ScanOptions", "HEAD", false);
        check("ValueType", "TEXT", true);
    }
}
