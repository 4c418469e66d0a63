//! Putting fragments together to messages (PS3.7 section 6.3, PS3.8 annex E). Pure: no I/O. A message is a command set
//! and, if that says so, a data set, all in one presentation context and not interleaved with others.

use bytes::Bytes;

use crate::budget::{Budget, Buffer, Share};
use crate::command::{Command, CommandError, DataSet};
use crate::limits::{MAX_ACTION_BYTES, MAX_COMMAND_BYTES, MAX_DROPPED_BYTES, MAX_IDENTIFIER_BYTES};
use crate::part10::ROOM_BEFORE;
use crate::pdu::{DataValue, FragmentPosition, MessagePart};

/// A whole message.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) context: u8,
    pub(crate) command: Command,
    pub(crate) data_set: Received,
}

/// What came as data set.
#[derive(Debug)]
pub(crate) enum Received {
    /// The command set announced none.
    Nothing,
    /// All of it, behind [`ROOM_BEFORE`] zeros if it is to be stored, and the share of the budget that it holds.
    Whole(Bytes, Share),
    /// It was too large, or there was no memory; it was read to its end.
    Dropped,
}

/// Why fragments are not a message; the association cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MessageError {
    #[error("a fragment of a {0:?} out of place")]
    OutOfPlace(MessagePart),
    #[error("a fragment in another presentation context than its message")]
    Interleaved,
    #[error("a command set of more than {MAX_COMMAND_BYTES} bytes")]
    CommandTooLong,
    #[error("a data set of more than {0} bytes")]
    DataSetTooLong(u64),
    #[error("not a command set")]
    Command(#[from] CommandError),
}

/// Collects fragments.
#[derive(Debug)]
pub(crate) struct Assembler {
    budget: Budget,
    max_instance_bytes: usize,
    /// Bytes of the instance before, with the room before it: the next is often as large.
    expected: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Between messages.
    Idle,
    /// Inside a command set.
    Command { context: u8, bytes: Vec<u8> },
    /// Inside a data set.
    DataSet {
        context: u8,
        command: Command,
        room: Room,
        /// Bytes that came, kept or not.
        length: u64,
        content: Content,
    },
}

/// How much of a data set is kept, and how much is read at all.
#[derive(Debug, Clone, Copy)]
struct Room {
    kept: usize,
    read: u64,
}

#[derive(Debug)]
enum Content {
    Kept(Buffer),
    Dropped,
}

impl Assembler {
    pub(crate) fn new(budget: Budget, max_instance_bytes: usize) -> Self {
        Self {
            budget,
            max_instance_bytes,
            expected: 0,
            state: State::Idle,
        }
    }

    /// Whether no message has begun.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Takes the next fragment; gives a message with its last one.
    pub(crate) fn push(&mut self, value: DataValue) -> Result<Option<Message>, MessageError> {
        let state = std::mem::replace(&mut self.state, State::Idle);
        match (value.part, state) {
            (MessagePart::Command, State::Idle) => {
                self.push_command(&value, value.context, Vec::new())
            }
            (MessagePart::Command, State::Command { context, bytes }) => {
                self.push_command(&value, context, bytes)
            }
            (
                MessagePart::DataSet,
                State::DataSet {
                    context,
                    command,
                    room,
                    length,
                    content,
                },
            ) => {
                same_context(&value, context)?;
                let length = length + value.bytes.len() as u64;
                if length > room.read {
                    return Err(MessageError::DataSetTooLong(room.read));
                }
                let content = content.extend(&value.bytes);
                let state = State::DataSet {
                    context,
                    command,
                    room,
                    length,
                    content,
                };
                Ok(self.finish(value.position, state))
            }
            (part, _) => Err(MessageError::OutOfPlace(part)),
        }
    }

    fn push_command(
        &mut self,
        value: &DataValue,
        context: u8,
        mut bytes: Vec<u8>,
    ) -> Result<Option<Message>, MessageError> {
        same_context(value, context)?;
        if bytes.len() + value.bytes.len() > MAX_COMMAND_BYTES {
            return Err(MessageError::CommandTooLong);
        }
        bytes.extend_from_slice(&value.bytes);
        if value.position == FragmentPosition::More {
            self.state = State::Command { context, bytes };
            return Ok(None);
        }
        let command = Command::read(&bytes)?;
        if command.data_set() == DataSet::Absent {
            return Ok(Some(Message {
                context,
                command,
                data_set: Received::Nothing,
            }));
        }
        let room = self.room(&command);
        let buffer = match command {
            Command::StoreRq(_) => {
                Buffer::with_room(&self.budget, room.kept, ROOM_BEFORE, self.expected)
            }
            _ => Buffer::new(&self.budget, room.kept),
        };
        self.state = State::DataSet {
            context,
            command,
            room,
            length: 0,
            content: Content::Kept(buffer),
        };
        Ok(None)
    }

    /// An instance that is too large may be followed by one that is not; an endless identifier is no mistake.
    fn room(&self, command: &Command) -> Room {
        let whole = |kept: usize| Room {
            kept,
            read: kept as u64,
        };
        match command {
            Command::FindRq(_) | Command::GetRq(_) | Command::MoveRq(_) => {
                whole(MAX_IDENTIFIER_BYTES)
            }
            Command::ActionRq(_) => whole(MAX_ACTION_BYTES),
            Command::StoreRq(_) => Room {
                kept: self.max_instance_bytes,
                read: MAX_DROPPED_BYTES,
            },
            _ => Room {
                kept: 0,
                read: MAX_DROPPED_BYTES,
            },
        }
    }

    fn finish(&mut self, position: FragmentPosition, state: State) -> Option<Message> {
        match (position, state) {
            (
                FragmentPosition::Last,
                State::DataSet {
                    context,
                    command,
                    content,
                    ..
                },
            ) => {
                let data_set = content.finish();
                if let (Command::StoreRq(_), Received::Whole(bytes, _)) = (&command, &data_set) {
                    self.expected = bytes.len();
                }
                Some(Message {
                    context,
                    command,
                    data_set,
                })
            }
            (_, state) => {
                self.state = state;
                None
            }
        }
    }
}

impl Content {
    /// Gives its memory back as soon as it does not fit.
    fn extend(self, more: &[u8]) -> Self {
        match self {
            Self::Kept(mut buffer) => match buffer.extend(more) {
                Ok(()) => Self::Kept(buffer),
                Err(_) => Self::Dropped,
            },
            Self::Dropped => Self::Dropped,
        }
    }

    fn finish(self) -> Received {
        match self {
            Self::Kept(buffer) => {
                let (bytes, share) = buffer.finish();
                Received::Whole(bytes, share)
            }
            Self::Dropped => Received::Dropped,
        }
    }
}

fn same_context(value: &DataValue, context: u8) -> Result<(), MessageError> {
    if value.context == context {
        Ok(())
    } else {
        Err(MessageError::Interleaved)
    }
}
