//! What a node does with series that can show a face, and the recipe that follows from it.

use arno_deid::{Faces, Recipe};
use serde::{Deserialize, Serialize};

/// What becomes of heads in CT, MR and PET.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacePolicy {
    /// They wait for a person.
    #[default]
    Review,
    /// They wait until their series is complete; then the face is removed, and they come in. Where it is not surely found, they go on
    /// waiting, for a person.
    Deface,
    /// They come in.
    Keep,
}

impl FacePolicy {
    /// The built-in recipe with this policy.
    pub(crate) fn recipe(self) -> Recipe {
        let faces = match self {
            Self::Review => Faces::Review,
            Self::Deface => Faces::Deface,
            Self::Keep => Faces::Keep,
        };
        Recipe::embedded().with_faces(faces)
    }

    /// As it stands in `node.toml`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Deface => "deface",
            Self::Keep => "keep",
        }
    }
}
