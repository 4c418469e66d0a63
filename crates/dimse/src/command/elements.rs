//! A command set as a bounded list of elements, in the one encoding that command sets have (PS3.7 section 6.3.1).

use super::{CommandError, DataSet, NO_DATA_SET, Priority, element};
use crate::limits::MAX_COMMAND_ELEMENTS;
use crate::{AeTitle, Uid};

/// Group, element, 32-bit length.
const ELEMENT_HEADER: usize = 8;

/// Elements of a received command set, borrowed from it.
pub(super) struct Elements<'a>(Vec<(u16, &'a [u8])>);

impl<'a> Elements<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, CommandError> {
        let mut elements = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            if elements.len() == MAX_COMMAND_ELEMENTS {
                return Err(CommandError::TooMany);
            }
            let (number, value) = read_element(bytes, at)?;
            elements.push((number, value));
            at += ELEMENT_HEADER + value.len();
        }
        Ok(Self(elements))
    }

    pub(super) fn has(&self, number: u16) -> bool {
        self.find(number).is_ok()
    }

    pub(super) fn u16(&self, number: u16) -> Result<u16, CommandError> {
        let value = self.find(number)?;
        let value = value
            .try_into()
            .map_err(|_| CommandError::Element(number))?;
        Ok(u16::from_le_bytes(value))
    }

    pub(super) fn uid(&self, number: u16) -> Result<Uid, CommandError> {
        Uid::parse(self.find(number)?).map_err(|_| CommandError::Element(number))
    }

    pub(super) fn ae(&self, number: u16) -> Result<AeTitle, CommandError> {
        AeTitle::parse(self.find(number)?).map_err(|_| CommandError::Element(number))
    }

    pub(super) fn data_set(&self) -> Result<DataSet, CommandError> {
        let value = self.u16(element::DATA_SET_TYPE)?;
        Ok(if value == NO_DATA_SET {
            DataSet::Absent
        } else {
            DataSet::Follows
        })
    }

    /// Some senders leave it out; nobody acts on it.
    pub(super) fn priority(&self) -> Priority {
        match self.u16(element::PRIORITY) {
            Ok(1) => Priority::High,
            Ok(2) => Priority::Low,
            _ => Priority::Medium,
        }
    }

    fn find(&self, number: u16) -> Result<&'a [u8], CommandError> {
        let found = self.0.iter().find(|(known, _)| *known == number);
        found
            .map(|(_, value)| *value)
            .ok_or(CommandError::Element(number))
    }
}

fn read_element(bytes: &[u8], at: usize) -> Result<(u16, &[u8]), CommandError> {
    let short = CommandError::Short { at };
    let rest = bytes.get(at..).ok_or(short)?;
    let (header, rest) = rest.split_first_chunk::<ELEMENT_HEADER>().ok_or(short)?;
    let [group_low, group_high, low, high, length @ ..] = *header;
    if (group_low, group_high) != (0, 0) {
        return Err(CommandError::Group { at });
    }
    let length = u32::from_le_bytes(length) as usize;
    let value = rest.get(..length).ok_or(short)?;
    Ok((u16::from_le_bytes([low, high]), value))
}

/// Elements of a command set to send; they are sorted and the group length is put in front at the end.
#[derive(Default)]
pub(super) struct Writer(Vec<(u16, Vec<u8>)>);

impl Writer {
    pub(super) fn u16(&mut self, number: u16, value: u16) {
        self.0.push((number, value.to_le_bytes().to_vec()));
    }

    pub(super) fn optional_u16(&mut self, number: u16, value: Option<u16>) {
        if let Some(value) = value {
            self.u16(number, value);
        }
    }

    pub(super) fn uid(&mut self, number: u16, uid: &Uid) {
        self.0.push((number, even(uid.as_str(), 0)));
    }

    pub(super) fn optional_uid(&mut self, number: u16, uid: Option<&Uid>) {
        if let Some(uid) = uid {
            self.uid(number, uid);
        }
    }

    pub(super) fn ae(&mut self, number: u16, title: &AeTitle) {
        self.0.push((number, even(title.as_str(), b' ')));
    }

    pub(super) fn data_set(&mut self, data_set: DataSet) {
        let value = match data_set {
            DataSet::Absent => NO_DATA_SET,
            DataSet::Follows => 0,
        };
        self.u16(element::DATA_SET_TYPE, value);
    }

    pub(super) fn priority(&mut self, priority: Priority) {
        let value = match priority {
            Priority::Medium => 0,
            Priority::High => 1,
            Priority::Low => 2,
        };
        self.u16(element::PRIORITY, value);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.sort_by_key(|(number, _)| *number);
        let mut body = Vec::new();
        for (number, value) in &self.0 {
            write_element(&mut body, *number, value);
        }
        let mut bytes = Vec::new();
        write_element(&mut bytes, element::GROUP_LENGTH, &length(&body));
        bytes.append(&mut body);
        bytes
    }
}

fn write_element(out: &mut Vec<u8>, number: u16, value: &[u8]) {
    out.extend([0; 2]);
    out.extend(number.to_le_bytes());
    out.extend(length(value));
    out.extend_from_slice(value);
}

fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len())
        .expect("a command set is a few hundred bytes")
        .to_le_bytes()
}

fn even(text: &str, padding: u8) -> Vec<u8> {
    let mut value = text.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(padding);
    }
    value
}
