//! An instance as it will lie in a pack, with the proof that it may: de-identified, or as it came at a node that is marked
//! for that. There is no other way to make one.

use arno_deid::Deidentified;
use arno_dicom::{Instance, Written, inflated};
use arno_store::node::Form;
use bytes::Bytes;

use crate::standalone::{Keepable, Standalone};

/// Transfer Syntax UID (0002,0010) with its VR, as it stands in every file (PS3.10 section 7.1).
const TRANSFER_SYNTAX: &[u8] = b"\x02\x00\x10\x00UI";
/// Where the prefix stands in a Part 10 file.
const PREFIX_AT: usize = 128;
/// File meta information ends long before; what is longer is written anew.
const MAX_META_BYTES: usize = 4096;

/// An encoded instance that may be kept.
#[derive(Debug)]
pub(super) struct Kept {
    instance: Keepable<Instance>,
    bytes: Bytes,
    pixel_offset: Option<u64>,
    form: Form,
}

impl Kept {
    /// Encodes what was de-identified.
    pub(super) fn deidentified(instance: Deidentified<Instance>) -> Self {
        let written = instance.as_ref().write_with_pixel_offset();
        Self::of(Keepable::Deidentified(instance), written)
    }

    /// Keeps a plain Part 10 file byte by byte, a deflated one inflated; what has no file meta information is encoded.
    pub(super) fn as_received(standalone: &Standalone, instance: Instance, bytes: &Bytes) -> Self {
        if let Ok(Some(inflated)) = inflated(bytes)
            && let Ok(instance) = Instance::read(inflated.clone())
        {
            return Self {
                form: Form::Encoded,
                ..Self::as_received(standalone, instance, &inflated)
            };
        }
        if is_as_read(&instance, bytes) {
            return Self {
                pixel_offset: pixel_offset(&instance, bytes),
                bytes: bytes.clone(),
                form: Form::AsItCame,
                instance: Keepable::AsReceived(standalone.as_received(instance)),
            };
        }
        let written = instance.write_with_pixel_offset();
        Self::of(
            Keepable::AsReceived(standalone.as_received(instance)),
            written,
        )
    }

    fn of(instance: Keepable<Instance>, written: Written) -> Self {
        Self {
            instance,
            bytes: written.bytes.into(),
            pixel_offset: written.pixel_offset,
            form: Form::Encoded,
        }
    }

    /// The instance.
    pub(super) fn instance(&self) -> &Instance {
        self.instance.as_ref()
    }

    /// The Part 10 file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How it is to the file that it came in.
    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Where the pixel value starts in it.
    pub(super) fn pixel_offset(&self) -> Option<u64> {
        self.pixel_offset
    }
}

/// Whether the file says of itself what was read from it.
fn is_as_read(instance: &Instance, bytes: &[u8]) -> bool {
    let meta = bytes.get(PREFIX_AT..bytes.len().min(MAX_META_BYTES));
    let Some(meta) = meta.and_then(|meta| meta.strip_prefix(b"DICM")) else {
        return false;
    };
    let mut places = meta.windows(TRANSFER_SYNTAX.len());
    let Some(at) = places.position(|place| place == TRANSFER_SYNTAX) else {
        return false;
    };
    // Two bytes of length, then the UID, padded with NUL to an even length.
    let value = &meta[at + TRANSFER_SYNTAX.len()..];
    let Some((length, value)) = value.split_at_checked(2) else {
        return false;
    };
    let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
    value.get(..length).is_some_and(|uid| {
        uid.trim_ascii_end().strip_suffix(b"\0").unwrap_or(uid)
            == instance.transfer_syntax.as_bytes()
    })
}

/// The pixel element is a slice of the file itself; otherwise the file was inflated and is not kept as it came.
pub(super) fn pixel_offset(instance: &Instance, bytes: &Bytes) -> Option<u64> {
    let pixels = instance.pixels.as_ref()?;
    let element = (pixels.encoded.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)?;
    Some((element + pixels.value_offset) as u64)
}

#[cfg(test)]
mod tests {
    use arno_dicom::Instance;

    use super::is_as_read;

    fn file(transfer_syntax: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 128];
        file.extend(b"DICM\x02\x00\x10\x00UI");
        file.extend(u16::try_from(transfer_syntax.len()).unwrap().to_le_bytes());
        file.extend(transfer_syntax);
        file
    }

    #[test]
    fn only_what_says_what_was_read_is_kept_as_it_came() {
        let instance = Instance {
            transfer_syntax: "1.2.840.10008.1.2.1".into(),
            header: arno_dicom::Header::new_empty(),
            pixels: None,
        };
        let check = |bytes: &[u8], expect: bool| assert_eq!(is_as_read(&instance, bytes), expect);
        check(&file(b"1.2.840.10008.1.2.1\0"), true);
        check(&file(b"1.2.840.10008.1.2.1.99"), false);
        check(&file(b"1.2.840.10008.1.2\0"), false);
        check(&file(b"1.2.840.10008.1.2.1\0")[..140], false);
        check(b"", false);
        check(&[0; 600], false);
    }
}
