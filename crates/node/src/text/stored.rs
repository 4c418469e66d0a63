//! What looks and decisions are kept as: JSON with a version. Places and weights, never what was read.

use arno_pixels::{Frames, Looked, Reading, Region, Weight};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Of both forms. What has another was written by another build, and is looked at by a person.
const VERSION: u32 = 1;

/// What came of looking at an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    /// All frames were looked at.
    Seen(Looked),
    /// Nobody could look, for this reason.
    Unseen(String),
    /// No picture can be made of it, and its header alone gives no reason to hold it: as without a text finder.
    ByHeader,
}

/// What was decided of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// It comes in as it is.
    Clean,
    /// It comes in with these regions black.
    Black(Vec<Region>),
    /// It waits for a person, who begins with these regions.
    Waits(Vec<Region>),
}

impl Look {
    pub(super) fn to_json(&self) -> String {
        let stored = match self {
            Self::Seen(looked) => StoredLook::Seen(seen(looked)),
            Self::Unseen(why) => StoredLook::Unseen { why: why.clone() },
            Self::ByHeader => StoredLook::ByHeader,
        };
        to_json(stored)
    }

    /// A look that cannot be read is none.
    pub(super) fn from_json(text: &str) -> Self {
        match from_json(text) {
            Some(StoredLook::Seen(seen)) => Self::Seen(looked(seen)),
            Some(StoredLook::Unseen { why }) => Self::Unseen(why),
            Some(StoredLook::ByHeader) => Self::ByHeader,
            None => Self::Unseen("what was seen of it cannot be read any more".to_owned()),
        }
    }
}

impl Decision {
    pub(super) fn to_json(&self) -> String {
        let boxes = |regions: &[Region]| regions.iter().map(StoredBox::of).collect();
        to_json(match self {
            Self::Clean => StoredDecision::Clean,
            Self::Black(regions) => StoredDecision::Black {
                boxes: boxes(regions),
            },
            Self::Waits(regions) => StoredDecision::Waits {
                boxes: boxes(regions),
            },
        })
    }

    pub(super) fn from_json(text: &str) -> Option<Self> {
        let regions = |boxes: Vec<StoredBox>| boxes.into_iter().map(StoredBox::region).collect();
        Some(match from_json(text)? {
            StoredDecision::Clean => Self::Clean,
            StoredDecision::Black { boxes } => Self::Black(regions(boxes)),
            StoredDecision::Waits { boxes } => Self::Waits(regions(boxes)),
        })
    }

    /// What is black, or would be.
    pub(super) fn regions(&self) -> &[Region] {
        match self {
            Self::Clean => &[],
            Self::Black(regions) | Self::Waits(regions) => regions,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    #[serde(flatten)]
    value: T,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum StoredLook {
    Seen(StoredSeen),
    Unseen { why: String },
    ByHeader,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum StoredDecision {
    Clean,
    Black { boxes: Vec<StoredBox> },
    Waits { boxes: Vec<StoredBox> },
}

#[derive(Serialize, Deserialize)]
struct StoredSeen {
    rows: u16,
    columns: u16,
    frames: u32,
    is_declared: bool,
    device: Vec<StoredBox>,
    readings: Vec<(StoredBox, StoredWeight)>,
}

/// Frame (none: all), column, row, width, height.
#[derive(Serialize, Deserialize)]
struct StoredBox(Option<u32>, u32, u32, u32, u32);

#[derive(Serialize, Deserialize)]
enum StoredWeight {
    #[serde(rename = "n")]
    Noise,
    #[serde(rename = "w")]
    Weak,
    #[serde(rename = "c")]
    Clear,
}

impl StoredBox {
    fn of(region: &Region) -> Self {
        let frame = match region.frames {
            Frames::All => None,
            Frames::One(frame) => Some(frame),
        };
        Self(frame, region.x, region.y, region.width, region.height)
    }

    fn region(self) -> Region {
        let Self(frame, x, y, width, height) = self;
        Region {
            frames: frame.map_or(Frames::All, Frames::One),
            x,
            y,
            width,
            height,
        }
    }
}

fn seen(looked: &Looked) -> StoredSeen {
    let reading = |reading: &Reading| {
        let weight = match reading.weight {
            Weight::Noise => StoredWeight::Noise,
            Weight::Weak => StoredWeight::Weak,
            Weight::Clear => StoredWeight::Clear,
        };
        (StoredBox::of(&reading.region), weight)
    };
    StoredSeen {
        rows: looked.rows,
        columns: looked.columns,
        frames: looked.frames,
        is_declared: looked.is_declared,
        device: looked.device.iter().map(StoredBox::of).collect(),
        readings: looked.readings.iter().map(reading).collect(),
    }
}

fn looked(seen: StoredSeen) -> Looked {
    let reading = |(region, weight): (StoredBox, StoredWeight)| Reading {
        region: region.region(),
        weight: match weight {
            StoredWeight::Noise => Weight::Noise,
            StoredWeight::Weak => Weight::Weak,
            StoredWeight::Clear => Weight::Clear,
        },
    };
    Looked {
        rows: seen.rows,
        columns: seen.columns,
        frames: seen.frames,
        is_declared: seen.is_declared,
        device: seen.device.into_iter().map(StoredBox::region).collect(),
        readings: seen.readings.into_iter().map(reading).collect(),
    }
}

fn to_json<T: Serialize>(value: T) -> String {
    let versioned = Versioned {
        version: VERSION,
        value,
    };
    // Numbers, lists and words: there is nothing that JSON cannot say. An empty text is read as none.
    serde_json::to_string(&versioned).unwrap_or_default()
}

fn from_json<T: DeserializeOwned>(text: &str) -> Option<T> {
    let versioned: Versioned<T> = serde_json::from_str(text).ok()?;
    (versioned.version == VERSION).then_some(versioned.value)
}

#[cfg(test)]
mod tests {
    use arno_pixels::{Frames, Looked, Reading, Region, Weight};

    use super::{Decision, Look};

    fn region(frames: Frames) -> Region {
        Region {
            frames,
            ..Region::everywhere(1, 2, 30, 4)
        }
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let reading = |frame, weight| Reading {
            region: region(Frames::One(frame)),
            weight,
        };
        let seen = Look::Seen(Looked {
            rows: 480,
            columns: 640,
            frames: 3,
            readings: vec![
                reading(0, Weight::Noise),
                reading(1, Weight::Weak),
                reading(2, Weight::Clear),
            ],
            device: vec![region(Frames::All)],
            is_declared: true,
        });
        for look in [seen, Look::Unseen("why".to_owned()), Look::ByHeader] {
            assert_eq!(Look::from_json(&look.to_json()), look);
        }
        let regions = vec![region(Frames::All), region(Frames::One(7))];
        for decision in [
            Decision::Clean,
            Decision::Black(regions.clone()),
            Decision::Waits(regions),
        ] {
            assert_eq!(Decision::from_json(&decision.to_json()), Some(decision));
        }
    }

    #[test]
    fn what_another_build_wrote_is_for_a_person() {
        let later = Look::ByHeader.to_json().replace(":1", ":2");
        assert!(matches!(Look::from_json(&later), Look::Unseen(_)));
        assert_eq!(Decision::from_json("{}"), None);
    }
}
