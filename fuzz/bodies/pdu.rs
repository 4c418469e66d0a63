//! What every byte of a calling application goes through before a service sees it: PDUs one behind the other (PS3.8
//! section 9.3) and the command sets in them (PS3.7 section 6.3.1), read, written and read again. Shared by the fuzz
//! target and by the test that replays its corpus.
//!
//! Not here: associations and their states, which tests of `arno-dimse` drive over a stream.

use arno_dimse::command::{Command, CommandError, Status};
use arno_dimse::limits::{DEFAULT_MAX_PDU, PDU_HEADER_BYTES};
use arno_dimse::pdu::{MessagePart, Pdu, PduHeader};
use bytes::Bytes;

/// Takes a stream of PDUs or, since no PDU begins with zero and every command set does, a bare command set.
pub(crate) fn pdu(bytes: &[u8]) {
    if bytes.first() == Some(&0) {
        command(bytes);
        return;
    }
    let mut rest = bytes;
    while let Some((pdu, behind)) = next(rest) {
        if let Pdu::Data(values) = &pdu {
            let commands = values
                .iter()
                .filter(|value| value.part == MessagePart::Command);
            commands.for_each(|value| command(&value.bytes));
        }
        let written = pdu.write();
        let (again, end) = next(&written).expect("a written PDU is readable");
        assert_eq!(again, pdu);
        assert!(end.is_empty());
        rest = behind;
    }
}

/// The first PDU and what lies behind it.
fn next(bytes: &[u8]) -> Option<(Pdu, &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<PDU_HEADER_BYTES>()?;
    let header = PduHeader::read(*header, DEFAULT_MAX_PDU).ok()?;
    let (body, rest) = rest.split_at_checked(header.length as usize)?;
    let pdu = Pdu::read(header.kind, Bytes::copy_from_slice(body)).ok()?;
    Some((pdu, rest))
}

/// What a server answers must be readable too. A request that cannot be served keeps only what its refusal needs, and is
/// never sent.
fn command(bytes: &[u8]) {
    let Ok(command) = Command::read(bytes) else {
        return;
    };
    if let Some(refusal) = command.write_refusal(Status::PROCESSING_FAILURE) {
        let refusal = Command::read(&refusal);
        let unknown = matches!(refusal, Err(CommandError::UnknownResponse(_)));
        assert!(refusal.is_ok() || unknown, "a refusal is readable");
    }
    if matches!(command, Command::Unserved(_)) {
        return;
    }
    let written = command.write();
    let again = Command::read(&written).expect("a written command set is readable");
    assert_eq!(again, command);
    assert_eq!(again.write(), written);
}
