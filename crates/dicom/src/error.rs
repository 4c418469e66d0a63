//! Why encoded bytes are refused. Every text names a place (byte offset, tag) and never quotes a value of
//! the data set: values are patient data. Offsets count from the start of the file, or of the inflated data
//! set when the transfer syntax is deflated (PS3.5 A.5).

use dicom_core::Tag;

/// Why bytes were not accepted as a DICOM instance. The text never quotes a value of the data set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Not DICOM at all: skip the file.
    #[error("not a DICOM file: {0}")]
    NotDicom(NotDicom),
    /// The file ends before what it declares: ask the sender again.
    #[error(
        "truncated: {tag} at byte {offset} declares {declared} bytes but only {available} follow"
    )]
    Truncated {
        /// Where the element starts, in bytes.
        offset: u64,
        /// The element that does not fit.
        tag: Tag,
        /// Bytes declared or, where undefined, needed for the next header or delimiter.
        declared: u64,
        /// Bytes left in the file.
        available: u64,
    },
    /// More nesting than any real object has: hostile or broken.
    #[error("nested too deep: {tag} at byte {offset} opens level {level}, the limit is {limit}", level = limit + 1)]
    TooDeep {
        /// Where the sequence starts, in bytes.
        offset: u64,
        /// The sequence that goes too deep.
        tag: Tag,
        /// Levels of nesting allowed.
        limit: usize,
    },
    /// Within the file's size, but beyond a limit of this reader.
    #[error("too large: {tag} at byte {offset} exceeds the limit of {limit} {what}")]
    TooLarge {
        /// Where the element starts, in bytes.
        offset: u64,
        /// The element at which the limit was reached.
        tag: Tag,
        /// What is limited.
        what: Limited,
        /// The limit.
        limit: u64,
    },
    /// A legal file in an encoding that cannot be read here: convert it first.
    #[error("transfer syntax {uid} is not supported")]
    UnsupportedTransferSyntax {
        /// The UID of the file meta information, or `(illegal UID)`.
        uid: String,
    },
    /// The encoding breaks PS3.5 section 7 at a known place.
    #[error("malformed: {problem} at byte {offset}, {tag}")]
    Malformed {
        /// Where the element or item starts, in bytes.
        offset: u64,
        /// The element or item concerned.
        tag: Tag,
        /// What is wrong.
        problem: Problem,
    },
    /// The deflated data set (PS3.5 A.5) does not inflate.
    #[error("the deflated data set is damaged")]
    DamagedDeflate,
    /// The deflated data set grows beyond the limit.
    #[error("the deflated data set inflates to more than {limit} bytes")]
    InflatesTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
}

/// Why bytes do not even look like DICOM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotDicom {
    /// No bytes.
    #[error("empty")]
    Empty,
    /// Printable text.
    #[error("plain text")]
    Text,
    /// Neither the `DICM` prefix nor a data set that starts with group 0008.
    #[error("no DICM prefix and no data set")]
    NoSignature,
    /// The `DICM` prefix and nothing that follows.
    #[error("nothing after the DICM prefix")]
    NoDataSet,
}

/// What a [`ReadError::TooLarge`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Limited {
    /// Bytes of one value other than pixel data.
    #[error("bytes in one value")]
    ValueBytes,
    /// Bytes of all elements before pixel data.
    #[error("bytes of header")]
    HeaderBytes,
    /// Elements and items.
    #[error("elements and items")]
    Elements,
    /// Items of all sequences.
    #[error("items")]
    Items,
    /// Values in all multi-valued text elements.
    #[error("text values")]
    TextValues,
}

/// What breaks the encoding rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The two bytes after the tag are no value representation.
    #[error("no value representation")]
    NoVr,
    /// A declared length goes beyond the enclosing item or sequence.
    #[error("longer than the item or sequence that holds it")]
    OverrunsParent,
    /// Undefined length where only a defined one is legal.
    #[error("undefined length where none is allowed")]
    UndefinedLength,
    /// Something other than an item inside a sequence.
    #[error("something other than an item in a sequence")]
    NotAnItem,
    /// An item or delimiter outside a sequence.
    #[error("an item or delimiter outside a sequence")]
    StrayDelimiter,
    /// A command or file meta element inside the data set.
    #[error("a command or file meta element in the data set")]
    ForeignGroup,
    /// The file meta information has no Transfer Syntax UID (0002,0010) of at most 64 characters.
    #[error("no usable transfer syntax")]
    NoTransferSyntax,
}
