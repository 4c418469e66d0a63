//! Unique identifiers (PS3.5 section 9) and what the server makes of two kinds: storage SOP classes (PS3.4 annex B)
//! and transfer syntaxes (PS3.5 section 10, PS3.6 annex A). UIDs are not looked up beyond that.

use std::fmt;

/// Longest legal UID in characters (PS3.5 section 9.1).
const MAX_UID: usize = 64;

/// A UID: numbers with dots between them, 1 to 64 characters, hence safe as a file name. Leading zeros in a number are
/// illegal but common, and taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(Box<str>);

/// The text is not a UID; it is not repeated, since it may identify a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UID of numbers and dots, 1 to 64 characters")]
pub struct UidError;

impl Uid {
    /// One of our own constants, which are legal.
    pub(crate) fn known(text: &'static str) -> Self {
        Self(text.into())
    }

    /// Parses a UID as it stands in a PDU or command set: padding with NUL or spaces at the end is dropped.
    ///
    /// # Errors
    /// Anything but numbers with single dots between them, or more than 64 characters.
    pub fn parse(bytes: &[u8]) -> Result<Self, UidError> {
        let end = bytes
            .iter()
            .rposition(|byte| !matches!(byte, 0 | b' '))
            .map_or(0, |last| last + 1);
        let text = &bytes[..end];
        let component = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        let legal = end <= MAX_UID && text.split(|byte| *byte == b'.').all(component);
        match std::str::from_utf8(text) {
            Ok(text) if legal => Ok(Self(text.into())),
            _ => Err(UidError),
        }
    }

    /// The UID as text, without padding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Uid {
    type Err = UidError;

    fn from_str(text: &str) -> Result<Self, UidError> {
        Self::parse(text.as_bytes())
    }
}

/// SOP classes.
pub mod classes {
    use super::Uid;

    /// Verification, the class of C-ECHO (PS3.4 annex A).
    pub const VERIFICATION: &str = "1.2.840.10008.1.1";

    /// Storage Commitment Push Model (PS3.4 annex J).
    pub const STORAGE_COMMITMENT: &str = "1.2.840.10008.1.20.1";

    /// Its one, well-known instance (PS3.4 section J.3.5).
    pub const STORAGE_COMMITMENT_INSTANCE: &str = "1.2.840.10008.1.20.1.1";

    /// Patient Root Query/Retrieve Information Model, C-FIND (PS3.4 section C.6.1.3).
    pub const PATIENT_ROOT_FIND: &str = "1.2.840.10008.5.1.4.1.2.1.1";

    /// The same, C-MOVE.
    pub const PATIENT_ROOT_MOVE: &str = "1.2.840.10008.5.1.4.1.2.1.2";

    /// The same, C-GET.
    pub const PATIENT_ROOT_GET: &str = "1.2.840.10008.5.1.4.1.2.1.3";

    /// Study Root Query/Retrieve Information Model, C-FIND (PS3.4 section C.6.2.3).
    pub const STUDY_ROOT_FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";

    /// The same, C-MOVE.
    pub const STUDY_ROOT_MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";

    /// The same, C-GET.
    pub const STUDY_ROOT_GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";

    /// Below this root are the composite storage classes, present and future (PS3.4 table B.5-1).
    const STORAGE_ROOT: &str = "1.2.840.10008.5.1.4.1.1.";

    /// Root of all classes of the standard; what is outside is private.
    const STANDARD_ROOT: &str = "1.2.840.10008.";

    /// Storage classes elsewhere: delivery instructions and the non-patient objects of PS3.4 annex GG, retired too.
    const STORAGE_ELSEWHERE: &[&str] = &[
        "1.2.840.10008.5.1.1.27",
        "1.2.840.10008.5.1.1.29",
        "1.2.840.10008.5.1.1.30",
        "1.2.840.10008.5.1.4.34.1",
        "1.2.840.10008.5.1.4.34.7",
        "1.2.840.10008.5.1.4.34.10",
        "1.2.840.10008.5.1.4.38.1",
        "1.2.840.10008.5.1.4.39.1",
        "1.2.840.10008.5.1.4.43.1",
        "1.2.840.10008.5.1.4.44.1",
        "1.2.840.10008.5.1.4.45.1",
    ];

    /// Below the storage root, but queries and the like.
    const NOT_STORAGE: &[&str] = &[
        "1.2.840.10008.5.1.4.1.1.200.4",
        "1.2.840.10008.5.1.4.1.1.200.5",
        "1.2.840.10008.5.1.4.1.1.200.6",
        "1.2.840.10008.5.1.4.1.1.201.2",
        "1.2.840.10008.5.1.4.1.1.201.3",
        "1.2.840.10008.5.1.4.1.1.201.4",
        "1.2.840.10008.5.1.4.1.1.201.5",
        "1.2.840.10008.5.1.4.1.1.201.6",
    ];

    /// Whether the class is a storage class of the standard, including ones younger than this table.
    #[must_use]
    pub fn is_standard_storage(class: &Uid) -> bool {
        let class = class.as_str();
        STORAGE_ELSEWHERE.contains(&class)
            || (class.starts_with(STORAGE_ROOT) && !NOT_STORAGE.contains(&class))
    }

    /// Whether the class is a vendor's own. Of what service nobody can tell.
    #[must_use]
    pub fn is_private(class: &Uid) -> bool {
        !class.as_str().starts_with(STANDARD_ROOT)
    }
}

/// Transfer syntaxes.
pub mod transfer_syntaxes {
    use super::Uid;

    /// Implicit VR little endian, the one that everybody speaks.
    pub const IMPLICIT_VR_LE: &str = "1.2.840.10008.1.2";

    /// Explicit VR little endian.
    pub const EXPLICIT_VR_LE: &str = "1.2.840.10008.1.2.1";

    /// The root of those in the table; each entry is what follows it.
    const ROOT: &str = "1.2.840.10008.1.2";

    /// Those that hold a whole data set, retired ones included, since bytes are kept as they come. Absent: JPIP
    /// (.4.94, .4.95, .4.204, .4.205), whose pixels stay with the sender, SMPTE streams (.7) and MIME/XML (.6).
    const STORABLE: &[&str] = &[
        "", ".1", ".1.98", ".1.99", ".2", ".4.50", ".4.51", ".4.52", ".4.53", ".4.54", ".4.55",
        ".4.56", ".4.57", ".4.58", ".4.59", ".4.60", ".4.61", ".4.62", ".4.63", ".4.64", ".4.65",
        ".4.66", ".4.70", ".4.80", ".4.81", ".4.90", ".4.91", ".4.92", ".4.93", ".4.100",
        ".4.100.1", ".4.101", ".4.101.1", ".4.102", ".4.102.1", ".4.103", ".4.103.1", ".4.104",
        ".4.104.1", ".4.105", ".4.105.1", ".4.106", ".4.106.1", ".4.107", ".4.108", ".4.110",
        ".4.111", ".4.112", ".4.201", ".4.202", ".4.203", ".5", ".8.1",
    ];

    /// Whether it is explicit VR little endian.
    #[must_use]
    pub fn is_explicit_vr_le(syntax: &Uid) -> bool {
        syntax.as_str() == EXPLICIT_VR_LE
    }

    /// Whether it is one of the two plain ones, in which identifiers are written and pixels are not compressed.
    #[must_use]
    pub fn is_plain(syntax: &Uid) -> bool {
        [IMPLICIT_VR_LE, EXPLICIT_VR_LE].contains(&syntax.as_str())
    }

    /// Whether a data set in this transfer syntax can be kept as it is.
    #[must_use]
    pub fn is_storable(syntax: &Uid) -> bool {
        let rest = syntax.as_str().strip_prefix(ROOT);
        rest.is_some_and(|rest| STORABLE.contains(&rest))
    }
}

#[cfg(test)]
mod tests {
    use super::{Uid, UidError, classes, transfer_syntaxes};

    #[test]
    fn padding_is_dropped_and_other_characters_are_refused() {
        let check = |bytes: &[u8], expect: Option<&str>| {
            let found = Uid::parse(bytes).map(|uid| uid.to_string());
            assert_eq!(
                found,
                expect.map(str::to_owned).ok_or(UidError),
                "{bytes:?}"
            );
        };
        check(b"1.2.3", Some("1.2.3"));
        check(b"1.2.30\0", Some("1.2.30"));
        check(b"1.2.3 ", Some("1.2.3"));
        check(&[b'1'; 64], Some(&"1".repeat(64)));
        check(&[b'1'; 65], None);
        check(b"", None);
        check(b"\0", None);
        check(b"1.2.a", None);
        check(b"1.\x002", None);
        check(b"..", None);
        check(b"1..2", None);
        check(b"1.2.", None);
    }

    #[test]
    fn storage_classes_are_told_from_others() {
        let check = |uid: &str, standard: bool, private: bool| {
            let uid: Uid = uid.parse().unwrap();
            let found = (
                classes::is_standard_storage(&uid),
                classes::is_private(&uid),
            );
            assert_eq!(found, (standard, private), "{uid}");
        };
        check("1.2.840.10008.5.1.4.1.1.2", true, false);
        check("1.2.840.10008.5.1.4.34.7", true, false);
        check("1.2.840.10008.5.1.4.1.1.201.2", false, false);
        check("1.2.840.10008.5.1.4.1.2.1.1", false, false);
        check(classes::VERIFICATION, false, false);
        check("1.3.12.2.1107.5.9.1", false, true);
    }

    #[test]
    fn transfer_syntaxes_that_hold_the_pixels_are_taken() {
        let check = |uid: &str, expect: bool| {
            assert_eq!(
                transfer_syntaxes::is_storable(&uid.parse().unwrap()),
                expect,
                "{uid}"
            );
        };
        check("1.2.840.10008.1.2", true);
        check("1.2.840.10008.1.2.1", true);
        check("1.2.840.10008.1.2.4.202", true);
        check("1.2.840.10008.1.2.4.94", false);
        check("1.2.840.10008.1.20", false);
        check("1.2.3", false);
    }
}
