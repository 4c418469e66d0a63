//! What a node does with series that can show a face, and the recipe that follows from it.

use arno_deid::{Faces, Recipe};
use serde::{Deserialize, Serialize};

/// What becomes of heads in CT, MR and PET. Removing a face is not among it: nothing here can.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacePolicy {
    /// They wait for a person.
    #[default]
    Review,
    /// They come in.
    Keep,
}

impl FacePolicy {
    /// The built-in recipe with this policy.
    pub(crate) fn recipe(self) -> Recipe {
        let faces = match self {
            Self::Review => Faces::Review,
            Self::Keep => Faces::Keep,
        };
        Recipe::embedded().with_faces(faces)
    }

    /// As it stands in `node.toml`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Keep => "keep",
        }
    }
}
