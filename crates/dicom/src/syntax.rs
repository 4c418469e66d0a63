//! How a data set is encoded: what of the transfer syntax (PS3.5 section 10 and annex A) matters for
//! walking headers. Pixel compression is the business of [`crate::frames`].

use dicom_core::Tag;
use dicom_core::VR;
use dicom_dictionary_std::uids;
use dicom_encoding::TransferSyntaxIndex;
use dicom_encoding::transfer_syntax::Codec;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

/// Encoding of element headers and binary values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    ImplicitLittle,
    ExplicitLittle,
    ExplicitBig,
}

/// A transfer syntax, as far as the data set is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Syntax {
    pub(crate) encoding: Encoding,
    pub(crate) deflated: bool,
}

impl Encoding {
    pub(crate) fn is_big(self) -> bool {
        self == Self::ExplicitBig
    }

    pub(crate) fn is_explicit(self) -> bool {
        self != Self::ImplicitLittle
    }

    /// The uncompressed transfer syntax with this encoding.
    pub(crate) fn native_uid(self) -> &'static str {
        match self {
            Self::ImplicitLittle => uids::IMPLICIT_VR_LITTLE_ENDIAN,
            Self::ExplicitLittle => uids::EXPLICIT_VR_LITTLE_ENDIAN,
            Self::ExplicitBig => EXPLICIT_VR_BIG_ENDIAN,
        }
    }

    pub(crate) fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.is_big() {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }

    pub(crate) fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.is_big() {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }

    pub(crate) fn tag(self, bytes: [u8; 4]) -> Tag {
        let [a, b, c, d] = bytes;
        Tag(self.u16([a, b]), self.u16([c, d]))
    }
}

/// Explicit VR Big Endian, retired in 2006 but alive in archives; the dictionary marks it deprecated.
pub(crate) const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// The encoding behind a transfer syntax UID; `None` for private and unknown ones.
pub(crate) fn lookup(uid: &str) -> Option<Syntax> {
    let syntax = TransferSyntaxRegistry.get(uid)?;
    let encoding = match uid {
        uids::IMPLICIT_VR_LITTLE_ENDIAN => Encoding::ImplicitLittle,
        EXPLICIT_VR_BIG_ENDIAN => Encoding::ExplicitBig,
        _ => Encoding::ExplicitLittle,
    };
    Some(Syntax {
        encoding,
        deflated: matches!(syntax.codec(), Codec::Dataset(_)),
    })
}

/// Whether explicit VR headers give this VR a 16-bit length (PS3.5 table 7.1-2).
pub(crate) fn has_short_length(vr: VR) -> bool {
    matches!(
        vr,
        VR::AE
            | VR::AS
            | VR::AT
            | VR::CS
            | VR::DA
            | VR::DS
            | VR::DT
            | VR::FL
            | VR::FD
            | VR::IS
            | VR::LO
            | VR::LT
            | VR::PN
            | VR::SH
            | VR::SL
            | VR::SS
            | VR::ST
            | VR::TM
            | VR::UI
            | VR::UL
            | VR::US
    )
}

/// VRs whose values a backslash separates (PS3.5 section 6.4).
pub(crate) fn is_multi_valued_text(vr: VR) -> bool {
    matches!(
        vr,
        VR::AE
            | VR::AS
            | VR::CS
            | VR::DA
            | VR::DS
            | VR::DT
            | VR::IS
            | VR::LO
            | VR::PN
            | VR::SH
            | VR::TM
            | VR::UC
            | VR::UI
    )
}

/// Whether pixel data of this transfer syntax comes in fragments (PS3.5 A.4).
pub(crate) fn is_encapsulated(uid: &str) -> bool {
    TransferSyntaxRegistry
        .get(uid)
        .is_some_and(|syntax| syntax.is_encapsulated_pixel_data())
}
