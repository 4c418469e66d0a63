//! Reading PDUs (PS3.8 section 9.3). Every length is checked against what holds it, every list against its limit;
//! items that the standard does not know are skipped, as it asks (PS3.8 section 9.3.1).

use bytes::Bytes;

use super::{
    ABORTS, Abort, AssociateAc, AssociateRq, ContextOutcome, ContextResult, DataValue,
    ExtendedNegotiation, FragmentPosition, MessagePart, Pdu, PduError, PduHeader, PduKind,
    ProposedContext, REJECTS, Reject, RoleSelection, RoleSupport, UserInformation, item,
};
use crate::ae::AE_FIELD;
use crate::cursor::{Cursor, Short};
use crate::limits::{
    MAX_ASSOCIATE_BYTES, MAX_CONTEXTS, MAX_TRANSFER_SYNTAXES, MAX_USER_ITEMS, MAX_VALUES_PER_PDU,
    PDU_HEADER_BYTES,
};
use crate::{AeTitle, Uid};

/// The fixed length of A-ASSOCIATE-RJ, A-RELEASE and A-ABORT.
const SHORT_PDU: u32 = 4;
/// Reserved bytes after the AE titles.
const RESERVED: usize = 32;

impl From<Short> for PduError {
    fn from(short: Short) -> Self {
        Self::Short { at: short.at }
    }
}

impl PduHeader {
    /// Reads a header. `max_data` is the longest P-DATA-TF that was announced.
    ///
    /// # Errors
    /// A type that does not exist, or a length over the limit for its type.
    pub fn read(bytes: [u8; PDU_HEADER_BYTES], max_data: u32) -> Result<Self, PduError> {
        let [code, _, length @ ..] = bytes;
        let length = u32::from_be_bytes(length);
        let kind = PduKind::from_code(code).ok_or(PduError::UnknownType(code))?;
        let limit = match kind {
            PduKind::AssociateRq | PduKind::AssociateAc => MAX_ASSOCIATE_BYTES,
            PduKind::Data => max_data,
            _ => SHORT_PDU,
        };
        if length > limit {
            return Err(PduError::TooLong {
                kind,
                length,
                limit,
            });
        }
        Ok(Self { kind, length })
    }
}

impl Pdu {
    /// Reads what follows a header. Fragments share the memory of `body`.
    ///
    /// # Errors
    /// Bytes that are not such a PDU, with the position.
    pub fn read(kind: PduKind, body: Bytes) -> Result<Self, PduError> {
        let mut cursor = Cursor::new(body, PDU_HEADER_BYTES);
        match kind {
            PduKind::AssociateRq => read_request(cursor).map(Self::AssociateRq),
            PduKind::AssociateAc => read_accept(cursor).map(Self::AssociateAc),
            PduKind::AssociateRj => read_reject(&mut cursor).map(Self::AssociateRj),
            PduKind::Data => read_values(cursor).map(Self::Data),
            PduKind::ReleaseRq => Ok(cursor.take(SHORT_PDU as usize).map(|_| Self::ReleaseRq)?),
            PduKind::ReleaseRp => Ok(cursor.take(SHORT_PDU as usize).map(|_| Self::ReleaseRp)?),
            PduKind::Abort => read_abort(&mut cursor).map(Self::Abort),
        }
    }
}

fn read_values(mut cursor: Cursor) -> Result<Vec<DataValue>, PduError> {
    let mut values = Vec::new();
    while !cursor.is_empty() {
        limit(values.len(), MAX_VALUES_PER_PDU, "presentation data values")?;
        let at = cursor.at();
        let length = cursor.u32()? as usize;
        let mut value = cursor.window(length)?;
        let context = value.u8()?;
        if context % 2 == 0 {
            return invalid("presentation context id", at + 4);
        }
        let control = value.u8()?;
        values.push(DataValue {
            context,
            part: if control & 1 == 1 {
                MessagePart::Command
            } else {
                MessagePart::DataSet
            },
            position: if control & 2 == 2 {
                FragmentPosition::Last
            } else {
                FragmentPosition::More
            },
            bytes: value.rest(),
        });
    }
    if values.is_empty() {
        return Err(PduError::Missing("a presentation data value"));
    }
    Ok(values)
}

fn read_reject(cursor: &mut Cursor) -> Result<Reject, PduError> {
    cursor.u8()?;
    let codes = [cursor.u8()?, cursor.u8()?, cursor.u8()?];
    let known = REJECTS.iter().find(|(_, known)| *known == codes);
    let [result, source, reason] = codes;
    Ok(known.map_or(
        Reject::Other {
            result,
            source,
            reason,
        },
        |(reject, _)| *reject,
    ))
}

fn read_abort(cursor: &mut Cursor) -> Result<Abort, PduError> {
    cursor.u16()?;
    let codes = [cursor.u8()?, cursor.u8()?];
    let known = ABORTS.iter().find(|(_, known)| *known == codes);
    let [source, reason] = codes;
    Ok(known.map_or(Abort::Other { source, reason }, |(abort, _)| *abort))
}

/// The fields before the variable items, the same in request and acceptance.
struct Opening {
    protocol_version: u16,
    called_ae: AeTitle,
    calling_ae: AeTitle,
}

fn read_opening(cursor: &mut Cursor) -> Result<Opening, PduError> {
    let protocol_version = cursor.u16()?;
    cursor.u16()?;
    let called_ae = read_ae(cursor, "Called-AE-title")?;
    let calling_ae = read_ae(cursor, "Calling-AE-title")?;
    cursor.take(RESERVED)?;
    Ok(Opening {
        protocol_version,
        called_ae,
        calling_ae,
    })
}

fn read_request(mut cursor: Cursor) -> Result<AssociateRq, PduError> {
    let opening = read_opening(&mut cursor)?;
    let mut application_context = None;
    let mut contexts: Vec<ProposedContext> = Vec::new();
    let mut user = None;
    while !cursor.is_empty() {
        let Item { code, at, mut body } = read_item(&mut cursor)?;
        match code {
            item::APPLICATION_CONTEXT => {
                application_context = Some(read_uid(body, "Application-context-name")?)
            }
            item::PROPOSED_CONTEXT => {
                limit(contexts.len(), MAX_CONTEXTS, "presentation contexts")?;
                let context = read_proposal(&mut body)?;
                if contexts.iter().any(|known| known.id == context.id) {
                    return invalid("presentation context id", at);
                }
                contexts.push(context);
            }
            item::USER_INFORMATION => user = Some(read_user(body)?),
            _ => {}
        }
    }
    if contexts.is_empty() {
        return Err(PduError::Missing("a presentation context"));
    }
    Ok(AssociateRq {
        protocol_version: opening.protocol_version,
        called_ae: opening.called_ae,
        calling_ae: opening.calling_ae,
        application_context: application_context.ok_or(PduError::Missing("application context"))?,
        contexts,
        user: user.ok_or(PduError::Missing("user information"))?,
    })
}

fn read_accept(mut cursor: Cursor) -> Result<AssociateAc, PduError> {
    let opening = read_opening(&mut cursor)?;
    let mut contexts = Vec::new();
    let mut user = None;
    while !cursor.is_empty() {
        let Item { code, mut body, .. } = read_item(&mut cursor)?;
        match code {
            item::CONTEXT_RESULT => {
                limit(contexts.len(), MAX_CONTEXTS, "presentation contexts")?;
                contexts.push(read_result(&mut body)?);
            }
            item::USER_INFORMATION => user = Some(read_user(body)?),
            _ => {}
        }
    }
    Ok(AssociateAc {
        called_ae: opening.called_ae,
        calling_ae: opening.calling_ae,
        contexts,
        user: user.ok_or(PduError::Missing("user information"))?,
    })
}

fn read_context_id(body: &mut Cursor) -> Result<u8, PduError> {
    let at = body.at();
    let id = body.u8()?;
    if id % 2 == 0 {
        return invalid("presentation context id", at);
    }
    body.u8()?;
    Ok(id)
}

fn read_proposal(body: &mut Cursor) -> Result<ProposedContext, PduError> {
    let id = read_context_id(body)?;
    body.u16()?;
    let mut abstract_syntax = None;
    let mut transfer_syntaxes = Vec::new();
    while !body.is_empty() {
        let item = read_item(body)?;
        match item.code {
            item::ABSTRACT_SYNTAX => {
                abstract_syntax = Some(read_uid(item.body, "Abstract-syntax-name")?)
            }
            item::TRANSFER_SYNTAX => {
                limit(
                    transfer_syntaxes.len(),
                    MAX_TRANSFER_SYNTAXES,
                    "transfer syntaxes",
                )?;
                transfer_syntaxes.push(read_uid(item.body, "Transfer-syntax-name")?);
            }
            _ => {}
        }
    }
    if transfer_syntaxes.is_empty() {
        return Err(PduError::Missing("a transfer syntax"));
    }
    Ok(ProposedContext {
        id,
        abstract_syntax: abstract_syntax.ok_or(PduError::Missing("an abstract syntax"))?,
        transfer_syntaxes,
    })
}

fn read_result(body: &mut Cursor) -> Result<ContextResult, PduError> {
    let id = read_context_id(body)?;
    let at = body.at();
    let code = body.u8()?;
    body.u8()?;
    let outcome = match code {
        0 => ContextOutcome::Accepted(read_accepted_syntax(body)?),
        1 => ContextOutcome::UserRejection,
        2 => ContextOutcome::NoReason,
        3 => ContextOutcome::AbstractSyntaxNotSupported,
        4 => ContextOutcome::TransferSyntaxesNotSupported,
        _ => return invalid("Result/Reason", at),
    };
    Ok(ContextResult { id, outcome })
}

fn read_accepted_syntax(body: &mut Cursor) -> Result<Uid, PduError> {
    let item = read_item(body)?;
    if item.code != item::TRANSFER_SYNTAX {
        return invalid("transfer syntax item", item.at);
    }
    read_uid(item.body, "Transfer-syntax-name")
}

fn read_user(mut cursor: Cursor) -> Result<UserInformation, PduError> {
    let mut user = UserInformation {
        max_pdu: 0,
        implementation_class: None,
        implementation_version: None,
        roles: Vec::new(),
        extended: Vec::new(),
    };
    let mut items = 0;
    while !cursor.is_empty() {
        limit(items, MAX_USER_ITEMS, "user information sub-items")?;
        items += 1;
        let Item { code, mut body, .. } = read_item(&mut cursor)?;
        match code {
            item::MAX_LENGTH => user.max_pdu = body.u32()?,
            // Wrong in some senders and of no consequence, so an invalid one is as good as none.
            item::IMPLEMENTATION_CLASS => user.implementation_class = Uid::parse(&body.rest()).ok(),
            item::IMPLEMENTATION_VERSION => {
                user.implementation_version = read_version(&body.rest())
            }
            item::ROLE_SELECTION => user.roles.push(read_role(&mut body)?),
            item::EXTENDED_NEGOTIATION => user.extended.push(read_extended(body)?),
            _ => {}
        }
    }
    Ok(user)
}

/// A version name has the form of an AE title: up to 16 printable characters.
fn read_version(bytes: &[u8]) -> Option<Box<str>> {
    let name = AeTitle::parse(bytes).ok()?;
    Some(name.as_str().into())
}

fn read_role(body: &mut Cursor) -> Result<RoleSelection, PduError> {
    let length = usize::from(body.u16()?);
    let sop_class = read_uid(body.window(length)?, "SOP-class-uid")?;
    let scu = read_support(body.u8()?);
    let scp = read_support(body.u8()?);
    Ok(RoleSelection {
        sop_class,
        scu,
        scp,
    })
}

fn read_extended(mut body: Cursor) -> Result<ExtendedNegotiation, PduError> {
    let length = usize::from(body.u16()?);
    let sop_class = read_uid(body.window(length)?, "SOP-class-uid")?;
    Ok(ExtendedNegotiation {
        sop_class,
        information: body.rest(),
    })
}

fn read_support(byte: u8) -> RoleSupport {
    if byte == 0 {
        RoleSupport::No
    } else {
        RoleSupport::Yes
    }
}

/// A variable item: type, reserved, 16-bit length, body.
struct Item {
    code: u8,
    at: usize,
    body: Cursor,
}

fn read_item(cursor: &mut Cursor) -> Result<Item, PduError> {
    let at = cursor.at();
    let code = cursor.u8()?;
    cursor.u8()?;
    let length = usize::from(cursor.u16()?);
    let body = cursor.window(length)?;
    Ok(Item { code, at, body })
}

fn read_uid(body: Cursor, field: &'static str) -> Result<Uid, PduError> {
    let at = body.at();
    Uid::parse(&body.rest()).map_err(|_| PduError::Invalid { field, at })
}

fn read_ae(cursor: &mut Cursor, field: &'static str) -> Result<AeTitle, PduError> {
    let at = cursor.at();
    AeTitle::parse(&cursor.take(AE_FIELD)?).map_err(|_| PduError::Invalid { field, at })
}

fn limit(count: usize, limit: usize, items: &'static str) -> Result<(), PduError> {
    if count < limit {
        Ok(())
    } else {
        Err(PduError::TooMany { items, limit })
    }
}

fn invalid<T>(field: &'static str, at: usize) -> Result<T, PduError> {
    Err(PduError::Invalid { field, at })
}
