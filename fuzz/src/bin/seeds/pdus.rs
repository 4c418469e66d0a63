//! Streams of PDUs (PS3.8 section 9.3) and bare command sets (PS3.7 annex E), byte by byte: each PDU, each item that
//! is read, each command, each outcome.

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const VERIFICATION: &str = "1.2.840.10008.1.1";
const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";
const SYNTAXES: [&str; 2] = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"];
/// C-STORE, C-GET, C-FIND, C-MOVE, C-ECHO, N-EVENT-REPORT, N-ACTION, C-CANCEL, and N-SET, which nobody serves.
const COMMANDS: [u16; 9] = [
    0x0001, 0x0010, 0x0020, 0x0021, 0x0030, 0x0100, 0x0130, 0x0FFF, 0x0120,
];
const RESPONSE: u16 = 0x8000;

/// All of them.
pub(crate) fn streams() -> Vec<Vec<u8>> {
    let fixed = [
        pdu(3, &[0, 1, 1, 7]),
        pdu(3, &[0, 2, 3, 2]),
        pdu(5, &[0; 4]),
        pdu(6, &[0; 4]),
        pdu(7, &[0, 0, 2, 6]),
        pdu(7, &[0, 0, 0, 0]),
    ];
    let mut streams = vec![request(), acceptance()];
    streams.extend(COMMANDS.map(command_set));
    streams.extend(COMMANDS.map(|code| command_set(code | RESPONSE)));
    streams
        .extend(COMMANDS.map(|code| [data(3, &command_set(code)), data(2, b"data set")].concat()));
    streams.push(
        [
            request(),
            data(3, &command_set(COMMANDS[4])),
            pdu(5, &[0; 4]),
        ]
        .concat(),
    );
    streams.extend(fixed);
    streams
}

fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("seeds are small");
    [&[kind, 0][..], &length.to_be_bytes(), body].concat()
}

/// One presentation data value: 1 stands for a command, 2 for the last fragment.
fn data(control: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len() + 2).expect("seeds are small");
    pdu(
        4,
        &[&length.to_be_bytes()[..], &[1, control], bytes].concat(),
    )
}

fn item(code: u8, body: &[u8]) -> Vec<u8> {
    [&[code, 0][..], &length16(body), body].concat()
}

fn length16(body: &[u8]) -> [u8; 2] {
    u16::try_from(body.len())
        .expect("seeds are small")
        .to_be_bytes()
}

fn opening() -> Vec<u8> {
    let titles = b"ARNO            SENDER          ";
    [
        &[0, 1, 0, 0][..],
        titles,
        &[0; 32],
        &item(0x10, APPLICATION_CONTEXT.as_bytes()),
    ]
    .concat()
}

fn request() -> Vec<u8> {
    let context = |id: u8, class: &str| {
        let syntaxes = SYNTAXES
            .map(|syntax| item(0x40, syntax.as_bytes()))
            .concat();
        item(
            0x20,
            &[&[id, 0, 0, 0][..], &item(0x30, class.as_bytes()), &syntaxes].concat(),
        )
    };
    pdu(
        1,
        &[opening(), context(1, VERIFICATION), context(3, CT), user()].concat(),
    )
}

fn acceptance() -> Vec<u8> {
    let accepted = item(
        0x21,
        &[&[1, 0, 0, 0][..], &item(0x40, SYNTAXES[1].as_bytes())].concat(),
    );
    let refused: Vec<u8> = (1..=4)
        .flat_map(|reason| item(0x21, &[2 * reason + 1, 0, reason, 0]))
        .collect();
    pdu(2, &[opening(), accepted, refused, user()].concat())
}

/// Maximum length, implementation, operations window, role, version, extended negotiation, user identity.
fn user() -> Vec<u8> {
    let of_class = |bytes: &[u8]| [&length16(CT.as_bytes())[..], CT.as_bytes(), bytes].concat();
    let items = [
        item(0x51, &[0, 2, 0, 0]),
        item(0x52, b"1.2.3.4"),
        item(0x53, &[0, 1, 0, 1]),
        item(0x54, &of_class(&[1, 1])),
        item(0x55, b"STRANGER_1"),
        item(0x56, &of_class(&[1, 0, 1])),
        item(0x58, b"\x02\x01\x00\x04user\x00\x04word"),
    ];
    item(0x50, &items.concat())
}

/// Every element that some command has, so that each command finds its own.
fn command_set(code: u16) -> Vec<u8> {
    let uid = |uid: &str| [uid.as_bytes(), &[0][..uid.len() % 2]].concat();
    let word = |number: u16| number.to_le_bytes().to_vec();
    let elements = [
        (0x0002, uid(CT)),
        (0x0003, uid(CT)),
        (0x0100, word(code)),
        (0x0110, word(7)),
        (0x0120, word(7)),
        (0x0600, b"DEST".to_vec()),
        (0x0700, word(2)),
        (0x0800, word(1)),
        (0x0900, word(0xFF00)),
        (0x0902, b"comment ".to_vec()),
        (0x1000, uid("1.2.3.4.5")),
        (0x1001, uid("1.2.3.4.5")),
        (0x1002, word(1)),
        (0x1008, word(1)),
        (0x1020, word(3)),
        (0x1021, word(2)),
        (0x1022, word(1)),
        (0x1023, word(0)),
        (0x1030, b"MOVER ".to_vec()),
        (0x1031, word(9)),
    ];
    let body: Vec<u8> = elements
        .iter()
        .flat_map(|(number, value)| element(*number, value))
        .collect();
    let length = u32::try_from(body.len()).expect("seeds are small");
    [element(0x0000, &length.to_le_bytes()), body].concat()
}

fn element(number: u16, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).expect("seeds are small");
    [
        &[0, 0][..],
        &number.to_le_bytes(),
        &length.to_le_bytes(),
        value,
    ]
    .concat()
}
