//! What whoever looked at the pixels vouches for, so that the header can say it (PS3.15 E.3.1, E.3.2).
//!
//! Nothing here looks at pixels. Without a proof no code of the two pixel options is given, and kinds that often
//! carry text are refused.

/// What is known of the pixels of one instance, all its frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PixelProof {
    /// Of text that is burned in.
    pub text: TextProof,
    /// Of faces.
    pub faces: FaceProof,
}

/// What is known of text that is burned into the pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TextProof {
    /// Nobody looked.
    #[default]
    NotLookedFor,
    /// A detector looked at every frame and found none.
    NoneFound,
    /// What was found is overwritten in every frame.
    Removed,
    /// A person looked at the frames and let them pass.
    SeenByPerson,
}

/// What is known of faces that could be recognised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FaceProof {
    /// Nobody looked.
    #[default]
    NotLookedFor,
    /// By geometry and body part the series shows no face.
    NoneShown,
    /// The face is removed from the pixels.
    Removed,
    /// A person looked, and it stays.
    KeptByPerson,
}

impl PixelProof {
    /// Nobody looked at the pixels.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether the Clean Pixel Data Option was carried out.
    pub(crate) fn is_text_dealt_with(self) -> bool {
        self.text != TextProof::NotLookedFor
    }

    /// Whether the Clean Recognizable Visual Features Option was carried out.
    pub(crate) fn are_faces_dealt_with(self) -> bool {
        matches!(self.faces, FaceProof::NoneShown | FaceProof::Removed)
    }

    /// What is to be said of faces, for (0012,0063): at most 64 characters.
    pub(crate) fn faces_in_words(self) -> Option<&'static str> {
        match self.faces {
            FaceProof::NotLookedFor | FaceProof::NoneShown => None,
            FaceProof::Removed => Some("Faces: removed by planes at the root of the nose"),
            FaceProof::KeptByPerson => Some("Faces: seen by a person, and kept"),
        }
    }

    /// In words, for (0012,0063): at most 64 characters.
    pub(crate) fn in_words(self) -> &'static str {
        match self.text {
            TextProof::NotLookedFor => "Pixels: not looked at",
            TextProof::NoneFound => "Pixels: no text found",
            TextProof::Removed => "Pixels: text removed",
            TextProof::SeenByPerson => "Pixels: seen by a person",
        }
    }
}
