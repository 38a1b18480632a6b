//! CDR, the bytes of ROS 2 messages: XCDR version 1 with the four-byte encapsulation header.
//!
//! Written little endian; read in either byte order. Alignment counts from the end of the header, and a value of
//! `n` bytes stands at a multiple of `n`, up to 8. Every length is held against the bytes that are left before
//! anything is allocated, so that damaged bytes give an error and never a large allocation.

mod wire;

pub use wire::Wire;

/// Bytes of the encapsulation header.
pub const HEADER: [u8; 4] = [0, 1, 0, 0];

/// Most bytes that may follow the last field: writers pad a message to a multiple of four.
const MAX_PADDING: usize = 3;

/// What is wrong with a message's bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CdrProblem {
    /// The message ends too early.
    #[error("needs {needed} bytes, {left} are left")]
    Short {
        /// Bytes that the value takes.
        needed: usize,
        /// Bytes that there are.
        left: usize,
    },
    /// The four bytes at the start name no encoding that is known here.
    #[error("encapsulation {0:02x?}, expected [00, 00] (CDR, big endian) or [00, 01] (CDR, little endian)")]
    Encapsulation([u8; 2]),
    /// A sequence announces more elements than the rest of the message can hold.
    #[error("sequence of {count} elements of at least {element_bytes} bytes each, {left} bytes are left")]
    Sequence {
        /// Announced elements.
        count: usize,
        /// Least bytes of one.
        element_bytes: usize,
        /// Bytes that there are.
        left: usize,
    },
    /// A text without its closing zero byte.
    #[error("text ends with the byte {0:#04x}, expected 0x00")]
    Unterminated(u8),
    /// A text that is no UTF-8.
    #[error("text is not UTF-8 from its byte {0} on")]
    Utf8(usize),
    /// A truth value other than 0 and 1.
    #[error("truth value {0}, expected 0 or 1")]
    Bool(u8),
    /// More bytes than the type has.
    #[error("{0} bytes are left over, expected at most 3 of padding")]
    LeftOver(usize),
    /// No such type.
    #[error("the message type is not known here")]
    UnknownType,
}

/// Why bytes are no message of a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{type_name}{}{field}, offset {offset}: {problem}", if field.is_empty() { "" } else { ": field " })]
pub struct CdrError {
    /// The message's type.
    pub type_name: String,
    /// Path of the field, `header.stamp.sec`; empty when it is about the message as a whole.
    pub field: String,
    /// Where in the bytes, from 0, the header included.
    pub offset: usize,
    /// What is wrong there.
    pub problem: CdrProblem,
}

impl CdrError {
    fn new(offset: usize, problem: CdrProblem) -> Self {
        Self { type_name: String::new(), field: String::new(), offset, problem }
    }

    pub(crate) fn unknown_type(type_name: &str) -> Self {
        Self { type_name: type_name.into(), ..Self::new(0, CdrProblem::UnknownType) }
    }

    /// Puts the field's name before the path, and the type that has it in the place of the inner one.
    pub(crate) fn within(mut self, type_name: &str, field: &str) -> Self {
        let link = if self.field.is_empty() || self.field.starts_with('[') { "" } else { "." };
        self.field = format!("{field}{link}{}", self.field);
        type_name.clone_into(&mut self.type_name);
        self
    }

    fn element(mut self, index: usize) -> Self {
        let link = if self.field.is_empty() || self.field.starts_with('[') { "" } else { "." };
        self.field = format!("[{index}]{link}{}", self.field);
        self
    }
}

/// Writes values after each other, aligned, little endian.
#[derive(Debug)]
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// Pads to a multiple of `size`, counted from the end of the header.
    fn align(&mut self, size: usize) {
        let body = self.bytes.len() - HEADER.len();
        self.bytes.resize(HEADER.len() + body.next_multiple_of(size), 0);
    }

    /// A length as the wire has it. One beyond `u32` is written as the greatest, which every reader refuses.
    fn length(&mut self, length: usize) {
        u32::try_from(length).unwrap_or(u32::MAX).encode(self);
    }
}

/// Reads values after each other.
#[derive(Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    big_endian: bool,
}

impl<'a> Decoder<'a> {
    /// Reads the header.
    fn new(bytes: &'a [u8]) -> Result<Self, CdrError> {
        let short = CdrProblem::Short { needed: HEADER.len(), left: bytes.len() };
        let big_endian = match bytes {
            [] | [_] | [_, _] | [_, _, _] => return Err(CdrError::new(0, short)),
            [0, 0, ..] => true,
            [0, 1, ..] => false,
            [a, b, ..] => return Err(CdrError::new(0, CdrProblem::Encapsulation([*a, *b]))),
        };
        Ok(Self { bytes, at: HEADER.len(), big_endian })
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn fail(&self, problem: CdrProblem) -> CdrError {
        CdrError::new(self.at, problem)
    }

    fn align(&mut self, size: usize) -> Result<(), CdrError> {
        let body = self.at - HEADER.len();
        self.take(body.next_multiple_of(size) - body).map(drop)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], CdrError> {
        match self.bytes.get(self.at..).and_then(|rest| rest.get(..count)) {
            Some(taken) => {
                self.at += count;
                Ok(taken)
            }
            None => Err(self.fail(CdrProblem::Short { needed: count, left: self.left() })),
        }
    }

    /// A sequence's length, which the bytes that are left can hold.
    fn length(&mut self, element_bytes: usize) -> Result<usize, CdrError> {
        let count = u32::decode(self)? as usize;
        let before = self.at - u32::MIN_BYTES;
        let left = self.left();
        if count.checked_mul(element_bytes).is_none_or(|bytes| bytes > left) {
            return Err(CdrError::new(before, CdrProblem::Sequence { count, element_bytes, left }));
        }
        Ok(count)
    }
}

/// A message's bytes, header included.
pub(crate) fn to_bytes<T: Wire>(message: &T) -> Vec<u8> {
    let mut encoder = Encoder { bytes: HEADER.to_vec() };
    message.encode(&mut encoder);
    encoder.bytes
}

/// A message from its bytes, header included.
pub(crate) fn from_bytes<T: Wire>(type_name: &str, bytes: &[u8]) -> Result<T, CdrError> {
    let read = || {
        let mut decoder = Decoder::new(bytes)?;
        let message = T::decode(&mut decoder)?;
        if decoder.left() > MAX_PADDING {
            return Err(decoder.fail(CdrProblem::LeftOver(decoder.left())));
        }
        Ok(message)
    };
    read().map_err(|mut e: CdrError| {
        type_name.clone_into(&mut e.type_name);
        e
    })
}
