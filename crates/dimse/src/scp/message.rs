//! Putting fragments together to messages (PS3.7 section 6.3, PS3.8 annex E). Pure: no I/O. A message is a command set
//! and, if that says so, a data set, all in one presentation context and not interleaved with others.

use bytes::Bytes;

use super::budget::{Budget, Buffer, Share};
use crate::command::{Command, CommandError, DataSet};
use crate::limits::MAX_COMMAND_BYTES;
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
    /// All of it, and the share of the budget that it holds.
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
    #[error("not a command set")]
    Command(#[from] CommandError),
}

/// Collects fragments.
#[derive(Debug)]
pub(crate) struct Assembler {
    budget: Budget,
    max_instance_bytes: usize,
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
        content: Content,
    },
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
                    content,
                },
            ) => self.push_data(&value, context, command, content),
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
        let content = match command {
            // Only C-STORE has a use for its data set so far; the others are refused.
            Command::StoreRq(_) => {
                Content::Kept(Buffer::new(&self.budget, self.max_instance_bytes))
            }
            _ => Content::Dropped,
        };
        self.state = State::DataSet {
            context,
            command,
            content,
        };
        Ok(None)
    }

    fn push_data(
        &mut self,
        value: &DataValue,
        context: u8,
        command: Command,
        content: Content,
    ) -> Result<Option<Message>, MessageError> {
        same_context(value, context)?;
        let content = content.extend(&value.bytes);
        if value.position == FragmentPosition::More {
            self.state = State::DataSet {
                context,
                command,
                content,
            };
            return Ok(None);
        }
        let data_set = content.finish();
        Ok(Some(Message {
            context,
            command,
            data_set,
        }))
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
