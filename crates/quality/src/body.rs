//! The part of the body and its side as codes of SNOMED CT, with the source value beside (PS3.16 CID 4, CID 244, annex L).
//!
//! A table of names as scanners write them; what is not in it keeps its source value and has no code.

use serde::{Deserialize, Serialize};

use crate::attributes::Attributes;

/// Body Part Examined (0018,0015).
const BODY_PART: &str = "00180015";
/// Anatomic Region Sequence (0008,2218) and, in its item, Code Value (0008,0100) and Code Meaning (0008,0104).
const ANATOMIC_REGION: &str = "00082218";
const CODE_VALUE: &str = "00080100";
const CODE_MEANING: &str = "00080104";
const CODING_SCHEME: &str = "00080102";
/// Laterality (0020,0060), Image Laterality (0020,0062), Frame Laterality (0020,9072).
const LATERALITIES: [&str; 3] = ["00200060", "00200062", "00209072"];

/// A part of the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodySite {
    /// As the header names it.
    pub source: String,
    /// What the name stands for, if the table knows it.
    pub code: Option<SnomedCode>,
    /// The side, where the part is paired.
    pub laterality: Option<Paired>,
}

/// A code of SNOMED CT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnomedCode {
    /// Such as `39607008`.
    pub value: String,
    /// Such as `Lung`.
    pub meaning: String,
}

/// The side of a paired organ. In SNOMED CT: left 7771000, right 24028007, both 51440002.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paired {
    /// Left.
    Left,
    /// Right.
    Right,
    /// Both sides.
    Both,
    /// Not said.
    Unknown,
    /// Said twice, differently.
    Contradicting,
}

impl Paired {
    /// The side's code.
    #[must_use]
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::Left => Some("7771000"),
            Self::Right => Some("24028007"),
            Self::Both => Some("51440002"),
            Self::Unknown | Self::Contradicting => None,
        }
    }
}

/// One part: its code, its meaning, whether the side must be known when it alone is shown, and the names for it.
struct Part(&'static str, &'static str, Sides, &'static [&'static str]);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sides {
    /// There is one, or both are shown at once.
    One,
    /// One side is usually shown alone.
    Two,
}
use Sides::{One, Two};

const PARTS: &[Part] = &[
    Part(
        "51185008",
        "Chest",
        One,
        &["CHEST", "THORAX", "THX", "TORAX", "BRUST", "POUMON"],
    ),
    Part(
        "39607008",
        "Lung",
        One,
        &["LUNG", "LUNGS", "LUNGE", "PULMON"],
    ),
    Part("72410000", "Mediastinum", One, &["MEDIASTINUM"]),
    Part(
        "80891009",
        "Heart",
        One,
        &["HEART", "CARDIAC", "HERZ", "CORONARY"],
    ),
    Part("818981001", "Abdomen", One, &["ABDOMEN", "ABD", "BAUCH"]),
    Part(
        "818982008",
        "Abdomen and pelvis",
        One,
        &["ABDOMENPELVIS", "ABDPELV", "ABDOMENANDPELVIS"],
    ),
    Part(
        "416550000",
        "Chest and abdomen",
        One,
        &["CHESTABDOMEN", "THORAXABDOMEN", "CHESTANDABDOMEN"],
    ),
    Part(
        "416775004",
        "Chest, abdomen and pelvis",
        One,
        &[
            "CHESTABDPELVIS",
            "CHESTABDOMENPELVIS",
            "CAP",
            "TAP",
            "THORAXABDOMENPELVIS",
            "CHESTABDPELV",
        ],
    ),
    Part("12921003", "Pelvis", One, &["PELVIS", "BECKEN", "PELVI"]),
    Part("12738006", "Brain", One, &["BRAIN", "CEREBRUM", "HIRN"]),
    Part("69536005", "Head", One, &["HEAD", "KOPF", "SCHAEDEL"]),
    Part("89546000", "Skull", One, &["SKULL", "CRANIUM"]),
    Part(
        "774007",
        "Head and neck",
        One,
        &["HEADNECK", "HEADANDNECK", "HNECK"],
    ),
    Part("45048000", "Neck", One, &["NECK", "HALS"]),
    Part("69748006", "Thyroid", One, &["THYROID"]),
    Part("76752008", "Breast", Two, &["BREAST", "MAMMA", "MAMMO"]),
    Part("10200004", "Liver", One, &["LIVER", "LEBER"]),
    Part("78961009", "Spleen", One, &["SPLEEN"]),
    Part("15776009", "Pancreas", One, &["PANCREAS", "PANKREAS"]),
    Part(
        "64033007",
        "Kidney",
        One,
        &["KIDNEY", "KIDNEYS", "RENAL", "NIERE"],
    ),
    Part(
        "23451007",
        "Adrenal gland",
        One,
        &["ADRENAL", "ADRENALGLAND"],
    ),
    Part("69695003", "Stomach", One, &["STOMACH"]),
    Part("32849002", "Esophagus", One, &["ESOPHAGUS", "OESOPHAGUS"]),
    Part(
        "71854001",
        "Colon",
        One,
        &["COLON", "COLORECTAL", "COLONOSCOPY"],
    ),
    Part("34402009", "Rectum", One, &["RECTUM"]),
    Part("89837001", "Bladder", One, &["BLADDER"]),
    Part("41216001", "Prostate", One, &["PROSTATE", "PROSTATA"]),
    Part("40689003", "Testis", Two, &["TESTIS"]),
    Part("35039007", "Uterus", One, &["UTERUS"]),
    Part("71252005", "Cervix", One, &["CERVIX"]),
    Part("15497006", "Ovary", One, &["OVARY", "OVARIES"]),
    Part(
        "421060004",
        "Spine",
        One,
        &["SPINE", "WSPINE", "WIRBELSAEULE"],
    ),
    Part("122494005", "Cervical spine", One, &["CSPINE", "HWS"]),
    Part("122495006", "Thoracic spine", One, &["TSPINE", "BWS"]),
    Part("122496007", "Lumbar spine", One, &["LSPINE", "LWS"]),
    Part(
        "38266002",
        "Entire body",
        One,
        &[
            "WHOLEBODY",
            "WB",
            "BODY",
            "EYESTOTHIGHS",
            "SKULLBASETOTHIGH",
        ],
    ),
    Part("66019005", "Extremity", Two, &["EXTREMITY"]),
    Part(
        "53120007",
        "Upper limb",
        Two,
        &["ARM", "UPPERLIMB", "UPPEREXTREMITY"],
    ),
    Part(
        "61685007",
        "Lower limb",
        Two,
        &["LEG", "LOWERLIMB", "LOWEREXTREMITY"],
    ),
    Part("16982005", "Shoulder", Two, &["SHOULDER"]),
    Part("85562004", "Hand", Two, &["HAND"]),
    Part("29836001", "Hip", Two, &["HIP", "HIPS"]),
    Part("72696002", "Knee", Two, &["KNEE"]),
    Part("56459004", "Foot", Two, &["FOOT"]),
];

/// The part that an instance says it shows; its own code where it has one, else the table's.
#[must_use]
pub fn body_site(attributes: &Attributes) -> Option<BodySite> {
    let region = attributes.items(ANATOMIC_REGION).into_iter().next();
    let coded = region.as_ref().and_then(own_code);
    let named = attributes.text(BODY_PART);
    let source = named.or_else(|| region.as_ref()?.text(CODE_MEANING))?;
    let part = part_of(&source).or_else(|| {
        let code = coded.as_ref()?;
        PARTS.iter().find(|part| part.0 == code.value)
    });
    let code = coded.or_else(|| {
        part.map(|part| SnomedCode {
            value: part.0.to_owned(),
            meaning: part.1.to_owned(),
        })
    });
    let is_two = part.is_some_and(|part| part.2 == Two);
    // A breast MR shows both sides, and rarely says so.
    let both_shown = matches!(
        attributes.word("00080060").as_deref(),
        Some("MR" | "CT" | "PT")
    );
    let laterality = laterality(attributes);
    let laterality =
        (is_two && !(both_shown && laterality == Paired::Unknown)).then_some(laterality);
    Some(BodySite {
        source,
        code,
        laterality,
    })
}

/// Only SNOMED CT's own numbers; its older codes (`T-28000`) are left to the name.
fn own_code(region: &Attributes) -> Option<SnomedCode> {
    let value = region.text(CODE_VALUE)?;
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let is_snomed = region.word(CODING_SCHEME).as_deref() == Some("SCT");
    (is_number && is_snomed).then(|| SnomedCode {
        meaning: region.text(CODE_MEANING).unwrap_or_default(),
        value,
    })
}

fn part_of(source: &str) -> Option<&'static Part> {
    let name: String = source
        .chars()
        .filter(|char| char.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect();
    let name = name.trim_end_matches("CONTRAST");
    PARTS.iter().find(|part| part.3.contains(&name))
}

fn laterality(attributes: &Attributes) -> Paired {
    let side = |tag: &&str| match attributes.word(tag)?.as_str() {
        "L" | "LEFT" => Some(Paired::Left),
        "R" | "RIGHT" => Some(Paired::Right),
        "B" | "BOTH" | "BILATERAL" => Some(Paired::Both),
        _ => None,
    };
    let sides: Vec<Paired> = LATERALITIES.iter().filter_map(side).collect();
    match sides.as_slice() {
        [] => Paired::Unknown,
        [first, others @ ..] if others.iter().all(|other| other == first) => *first,
        _ => Paired::Contradicting,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Paired, body_site};
    use crate::attributes::tests::attributes;

    #[test]
    fn names_become_codes_and_stay_beside_them() {
        fn check(name: &str, expect: Option<&str>) {
            let site = body_site(&attributes(&[("00180015", json!(name))])).unwrap();
            assert_eq!(
                site.code.map(|code| code.value).as_deref(),
                expect,
                "{name}"
            );
            assert_eq!(site.source, name);
        }
        check("CHEST", Some("51185008"));
        check("Thorax", Some("51185008"));
        check("HEAD-NECK", Some("774007"));
        check("Chest_Abd_Pelvis", Some("416775004"));
        check("TRUNK", None);
        assert_eq!(body_site(&attributes(&[])), None);
    }

    #[test]
    fn a_paired_organ_has_a_side_or_lacks_one() {
        fn check(side: &[(&str, serde_json::Value)], modality: &str, expect: Option<Paired>) {
            let mut pairs = vec![("00180015", json!("BREAST")), ("00080060", json!(modality))];
            pairs.extend_from_slice(side);
            assert_eq!(body_site(&attributes(&pairs)).unwrap().laterality, expect);
        }
        check(&[], "MG", Some(Paired::Unknown));
        check(&[], "MR", None);
        check(&[("00200062", json!("L"))], "MG", Some(Paired::Left));
        check(
            &[("00200062", json!("L")), ("00200060", json!("R"))],
            "MG",
            Some(Paired::Contradicting),
        );
    }

    #[test]
    fn a_code_of_its_own_goes_first() {
        let region = json!({
            "00080100": { "Value": ["41216001"] },
            "00080102": { "Value": ["SCT"] },
            "00080104": { "Value": ["Prostate"] },
        });
        let site = body_site(&attributes(&[
            ("00180015", json!("PELVIS")),
            ("00082218", region),
        ]));
        let site = site.unwrap();
        assert_eq!(site.code.unwrap().value, "41216001");
        assert_eq!(site.source, "PELVIS");
    }
}
