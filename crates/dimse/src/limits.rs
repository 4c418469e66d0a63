//! Every limit on what strangers send, with its reason. What depends on the machine is in
//! [`ServerConfig`](crate::scp::ServerConfig).

/// Bytes of a PDU header: type, reserved, 32-bit length (PS3.8 section 9.3).
pub const PDU_HEADER_BYTES: usize = 6;

/// Longest A-ASSOCIATE PDU: 128 contexts with 30 transfer syntaxes of 26 bytes are 120 kB; twice that is generous.
pub const MAX_ASSOCIATE_BYTES: u32 = 256 * 1024;

/// Presentation contexts in one association: the odd numbers below 256 (PS3.8 section 9.3.2.2).
pub const MAX_CONTEXTS: usize = 128;

/// Transfer syntaxes in one presentation context: the standard lists about 60, the rest is room for private ones.
pub const MAX_TRANSFER_SYNTAXES: usize = 128;

/// Sub-items in the user information item: role selection and extended negotiation come once per context.
pub const MAX_USER_ITEMS: usize = 3 * MAX_CONTEXTS;

/// Presentation data values in one P-DATA-TF. Senders put in one or two; each costs us about 50 bytes.
pub const MAX_VALUES_PER_PDU: usize = 256;

/// Largest P-DATA-TF we announce by default: the most that dcmtk sends, so a CT slice takes four or five.
pub const DEFAULT_MAX_PDU: u32 = 128 * 1024;

/// Smallest P-DATA-TF length that can be configured, as in dcmtk.
pub const MIN_MAX_PDU: u32 = 4 * 1024;

/// Largest P-DATA-TF length that can be configured: more gains nothing and is held per association.
pub const MAX_MAX_PDU: u32 = 1024 * 1024;

/// What we assume that a peer takes when it announces no limit or a smaller one than a command set needs.
pub const MIN_PEER_PDU: u32 = 1024;

/// Longest command set. C-STORE's is about 250 bytes; lists of attribute tags can be longer.
pub const MAX_COMMAND_BYTES: usize = 16 * 1024;

/// Elements in one command set: PS3.7 annex E knows 40, retired ones included.
pub const MAX_COMMAND_ELEMENTS: usize = 64;

/// What we put into one P-DATA-TF at most, also to a peer that sets no limit: the header is 12 bytes of these.
pub const MAX_SENT_PDU: u32 = 256 * 1024;

/// Longest identifier of a query or retrieval: 10,000 UIDs of 64 characters, and room for what else is asked.
pub const MAX_IDENTIFIER_BYTES: usize = 1024 * 1024;

/// Longest list of instances to commit to: 100,000 of 160 bytes each.
pub const MAX_ACTION_BYTES: usize = 16 * 1024 * 1024;

/// An instance that is too large to keep is read to its end, but not without end: 2^36 bytes are ten minutes of gigabit
/// Ethernet, and sixteen times what a data set with defined lengths can hold.
pub const MAX_DROPPED_BYTES: u64 = 1 << 36;

/// C-CANCEL requests during one operation: one is enough, a few are a nervous user.
pub const MAX_CANCELS: usize = 16;

/// Query answers that wait for the peer, and are then sent together. A handler that is further ahead waits.
pub const MAX_ROWS_AHEAD: usize = 64;

/// Failed instances that the last answer to a retrieval names: as many UIDs as fit into a value with a 16-bit length.
pub const MAX_FAILED_LISTED: usize = 1000;

/// Storage commitments of one association whose report is not answered yet.
pub const MAX_COMMITMENTS: usize = 16;

/// Associations that are over, whose storage commitment reports are still to be delivered.
pub const MAX_DELIVERIES: usize = 64;

/// Connections that are not an association yet or no more: they do not count against the association limit, so that
/// strangers cannot use it up. More are closed at once. Each can hold [`MAX_ASSOCIATE_BYTES`] for the ARTIM time.
pub const MAX_PENDING: usize = 64;

/// Bytes that are read and dropped from a peer after our last PDU, so that it can still read that one.
pub const MAX_LINGER_BYTES: usize = 1024 * 1024;
