//! Writing PDUs (PS3.8 section 9.3). What is written comes from our own types, whose parts are bounded; nothing that a
//! stranger sent is written back without having been parsed.

use super::{
    ABORTS, APPLICATION_CONTEXT, Abort, AssociateAc, AssociateRq, ContextOutcome, DataValue,
    ExtendedNegotiation, FragmentPosition, MessagePart, Pdu, PduKind, REJECTS, Reject,
    RoleSelection, RoleSupport, UserInformation, item,
};
use crate::AeTitle;
use crate::limits::PDU_HEADER_BYTES;

/// Header of a presentation data value: length, context id, control.
pub(crate) const VALUE_HEADER: usize = 6;

/// Protocol version 1, the only one.
const VERSION: u16 = 1;

impl Pdu {
    /// The PDU as bytes, header included.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut body = Vec::new();
        self.write_body(&mut body);
        let mut bytes = vec![self.kind().code(), 0];
        bytes.extend(length32(body.len()));
        bytes.append(&mut body);
        bytes
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> PduKind {
        match self {
            Self::AssociateRq(_) => PduKind::AssociateRq,
            Self::AssociateAc(_) => PduKind::AssociateAc,
            Self::AssociateRj(_) => PduKind::AssociateRj,
            Self::Data(_) => PduKind::Data,
            Self::ReleaseRq => PduKind::ReleaseRq,
            Self::ReleaseRp => PduKind::ReleaseRp,
            Self::Abort(_) => PduKind::Abort,
        }
    }

    fn write_body(&self, out: &mut Vec<u8>) {
        match self {
            Self::AssociateRq(request) => write_request(out, request),
            Self::AssociateAc(accept) => write_accept(out, accept),
            Self::AssociateRj(reject) => {
                out.push(0);
                out.extend(reject.codes());
            }
            Self::Data(values) => values.iter().for_each(|value| write_value(out, value)),
            Self::ReleaseRq | Self::ReleaseRp => out.extend([0; 4]),
            Self::Abort(abort) => {
                out.extend([0; 2]);
                out.extend(abort.codes());
            }
        }
    }
}

impl Reject {
    /// Result, source and reason.
    #[must_use]
    pub fn codes(self) -> [u8; 3] {
        if let Self::Other {
            result,
            source,
            reason,
        } = self
        {
            return [result, source, reason];
        }
        let known = REJECTS.iter().find(|(reject, _)| *reject == self);
        known.map_or([1, 1, 1], |(_, codes)| *codes)
    }
}

impl Abort {
    /// Source and reason.
    #[must_use]
    pub fn codes(self) -> [u8; 2] {
        if let Self::Other { source, reason } = self {
            return [source, reason];
        }
        let known = ABORTS.iter().find(|(abort, _)| *abort == self);
        known.map_or([0, 0], |(_, codes)| *codes)
    }
}

/// What goes before a fragment that is alone in its P-DATA-TF, so that the fragment itself need not be copied.
pub(crate) fn data_header(
    context: u8,
    part: MessagePart,
    position: FragmentPosition,
    length: usize,
) -> [u8; PDU_HEADER_BYTES + VALUE_HEADER] {
    let mut bytes = [0; PDU_HEADER_BYTES + VALUE_HEADER];
    let (pdu, value) = bytes.split_at_mut(PDU_HEADER_BYTES);
    pdu[0] = PduKind::Data.code();
    pdu[2..].copy_from_slice(&length32(VALUE_HEADER + length));
    value.copy_from_slice(&value_header(context, part, position, length));
    bytes
}

fn value_header(
    context: u8,
    part: MessagePart,
    position: FragmentPosition,
    length: usize,
) -> [u8; VALUE_HEADER] {
    let part = match part {
        MessagePart::Command => 1,
        MessagePart::DataSet => 0,
    };
    let position = match position {
        FragmentPosition::Last => 2,
        FragmentPosition::More => 0,
    };
    let [a, b, c, d] = length32(length + 2);
    [a, b, c, d, context, part | position]
}

fn write_value(out: &mut Vec<u8>, value: &DataValue) {
    out.extend(value_header(
        value.context,
        value.part,
        value.position,
        value.bytes.len(),
    ));
    out.extend_from_slice(&value.bytes);
}

fn write_opening(out: &mut Vec<u8>, version: u16, called: &AeTitle, calling: &AeTitle) {
    out.extend(version.to_be_bytes());
    out.extend([0; 2]);
    out.extend(called.padded());
    out.extend(calling.padded());
    out.extend([0; 32]);
}

fn write_request(out: &mut Vec<u8>, request: &AssociateRq) {
    write_opening(
        out,
        request.protocol_version,
        &request.called_ae,
        &request.calling_ae,
    );
    write_item(
        out,
        item::APPLICATION_CONTEXT,
        request.application_context.as_str().as_bytes(),
    );
    for context in &request.contexts {
        let mut body = vec![context.id, 0, 0, 0];
        write_item(
            &mut body,
            item::ABSTRACT_SYNTAX,
            context.abstract_syntax.as_str().as_bytes(),
        );
        for syntax in &context.transfer_syntaxes {
            write_item(&mut body, item::TRANSFER_SYNTAX, syntax.as_str().as_bytes());
        }
        write_item(out, item::PROPOSED_CONTEXT, &body);
    }
    write_user(out, &request.user);
}

fn write_accept(out: &mut Vec<u8>, accept: &AssociateAc) {
    write_opening(out, VERSION, &accept.called_ae, &accept.calling_ae);
    write_item(
        out,
        item::APPLICATION_CONTEXT,
        APPLICATION_CONTEXT.as_bytes(),
    );
    for context in &accept.contexts {
        let (code, syntax) = outcome(&context.outcome);
        let mut body = vec![context.id, 0, code, 0];
        write_item(&mut body, item::TRANSFER_SYNTAX, syntax.as_bytes());
        write_item(out, item::CONTEXT_RESULT, &body);
    }
    write_user(out, &accept.user);
}

/// A rejection carries a transfer syntax that is not significant; some peers choke when there is none.
fn outcome(outcome: &ContextOutcome) -> (u8, &str) {
    const NOT_SIGNIFICANT: &str = "1.2.840.10008.1.2";
    match outcome {
        ContextOutcome::Accepted(syntax) => (0, syntax.as_str()),
        ContextOutcome::UserRejection => (1, NOT_SIGNIFICANT),
        ContextOutcome::NoReason => (2, NOT_SIGNIFICANT),
        ContextOutcome::AbstractSyntaxNotSupported => (3, NOT_SIGNIFICANT),
        ContextOutcome::TransferSyntaxesNotSupported => (4, NOT_SIGNIFICANT),
    }
}

fn write_user(out: &mut Vec<u8>, user: &UserInformation) {
    let mut body = Vec::new();
    write_item(&mut body, item::MAX_LENGTH, &user.max_pdu.to_be_bytes());
    if let Some(class) = &user.implementation_class {
        write_item(
            &mut body,
            item::IMPLEMENTATION_CLASS,
            class.as_str().as_bytes(),
        );
    }
    for role in &user.roles {
        write_role(&mut body, role);
    }
    for extended in &user.extended {
        write_extended(&mut body, extended);
    }
    if let Some(version) = &user.implementation_version {
        write_item(&mut body, item::IMPLEMENTATION_VERSION, version.as_bytes());
    }
    write_item(out, item::USER_INFORMATION, &body);
}

fn write_role(out: &mut Vec<u8>, role: &RoleSelection) {
    let support = |support| u8::from(support == RoleSupport::Yes);
    let class = role.sop_class.as_str().as_bytes();
    let mut body = length16(class.len()).to_vec();
    body.extend_from_slice(class);
    body.extend([support(role.scu), support(role.scp)]);
    write_item(out, item::ROLE_SELECTION, &body);
}

fn write_extended(out: &mut Vec<u8>, extended: &ExtendedNegotiation) {
    let class = extended.sop_class.as_str().as_bytes();
    let mut body = length16(class.len()).to_vec();
    body.extend_from_slice(class);
    body.extend_from_slice(&extended.information);
    write_item(out, item::EXTENDED_NEGOTIATION, &body);
}

fn write_item(out: &mut Vec<u8>, code: u8, body: &[u8]) {
    out.extend([code, 0]);
    out.extend(length16(body.len()));
    out.extend_from_slice(body);
}

fn length16(length: usize) -> [u8; 2] {
    u16::try_from(length)
        .expect("our items hold a few bounded UIDs")
        .to_be_bytes()
}

fn length32(length: usize) -> [u8; 4] {
    u32::try_from(length)
        .expect("our PDUs are bounded by the peer's limit")
        .to_be_bytes()
}
