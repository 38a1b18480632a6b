//! The fixed basic block of ISO 28560-3 (Danish model): what HF library tags hold in their first 32 or 34 bytes.
//!
//! Byte 0: version and usage nibbles; 1: part number; 2: parts in the item; 3 to 18: item identifier; 19 and 20: CRC, least
//! significant byte first; 21 and 22: country; from 23: ISIL of the owner without the country. Texts are padded with NUL.

use super::UidDecoder;
use crate::uid::Uid;

/// A basic block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iso28560Block {
    /// Version of the block, 4 bits; 1 today.
    pub version: u8,
    /// Type of usage, 4 bits; 1 is an item for circulation.
    pub usage: u8,
    /// Number of this part, from 1.
    pub part: u8,
    /// Parts in the item.
    pub parts: u8,
    /// Primary item identifier, up to 16 bytes.
    pub item: String,
    /// Country of the owner, ISO 3166-1, two letters; may be empty.
    pub country: String,
    /// ISIL of the owner without the country, up to 11 bytes.
    pub isil: String,
}

/// Why bytes are no basic block, or values do not fit one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Too short or too long.
    #[error("block of {0} bytes, allowed are 32 and 34")]
    Length(usize),
    /// The check sum does not fit: another model, or a bad read.
    #[error("block has CRC {found:04x}, its content makes {expected:04x}")]
    Crc {
        /// As stored.
        found: u16,
        /// As computed.
        expected: u16,
    },
    /// A text that is not UTF-8 or too long.
    #[error("{field}: found {found:?}, allowed are up to {most} bytes of text")]
    Text {
        /// Name of the field.
        field: &'static str,
        /// What was found.
        found: String,
        /// Bytes that fit.
        most: usize,
    },
    /// Version or usage beyond 4 bits.
    #[error("{field}: found {found}, allowed are 0 to 15")]
    Nibble {
        /// Name of the field.
        field: &'static str,
        /// What was found.
        found: u8,
    },
}

const LENGTH: usize = 34;
const SHORT: usize = 32;
const CRC_AT: usize = 19;

/// CRC-16/CCITT, polynomial 0x1021, start 0xFFFF, not reflected.
pub fn crc16(bytes: impl IntoIterator<Item = u8>) -> u16 {
    bytes.into_iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |c, _| if c & 0x8000 != 0 { c << 1 ^ 0x1021 } else { c << 1 })
    })
}

/// The CRC of a block: over its first 32 bytes with the CRC taken out and zeros appended, so that a longer block
/// has the same one.
fn block_crc(bytes: &[u8]) -> u16 {
    crc16(bytes[..CRC_AT].iter().chain(&bytes[CRC_AT + 2..SHORT]).copied().chain([0, 0]))
}

impl Iso28560Block {
    /// Takes a block apart and checks its CRC.
    pub fn decode(bytes: &[u8]) -> Result<Self, BlockError> {
        if bytes.len() != SHORT && bytes.len() != LENGTH {
            return Err(BlockError::Length(bytes.len()));
        }
        let found = u16::from_le_bytes([bytes[CRC_AT], bytes[CRC_AT + 1]]);
        let expected = block_crc(bytes);
        if found != expected {
            return Err(BlockError::Crc { found, expected });
        }
        Ok(Self {
            version: bytes[0] >> 4,
            usage: bytes[0] & 0x0F,
            part: bytes[1],
            parts: bytes[2],
            item: text("item", &bytes[3..CRC_AT])?,
            country: text("country", &bytes[21..23])?,
            isil: text("isil", &bytes[23..])?,
        })
    }

    /// Puts a block together: 32 bytes, or 34 where the ISIL needs them.
    pub fn encode(&self) -> Result<Vec<u8>, BlockError> {
        for (field, found) in [("version", self.version), ("usage", self.usage)] {
            if found > 15 {
                return Err(BlockError::Nibble { field, found });
            }
        }
        let length = if self.isil.len() > SHORT - 23 { LENGTH } else { SHORT };
        let mut bytes = vec![0; length];
        bytes[0] = self.version << 4 | self.usage;
        bytes[1] = self.part;
        bytes[2] = self.parts;
        for (field, value, at, most) in
            [("item", &self.item, 3, 16), ("country", &self.country, 21, 2), ("isil", &self.isil, 23, 11)]
        {
            if value.len() > most || value.contains('\0') {
                return Err(BlockError::Text { field, found: value.clone(), most });
            }
            bytes[at..at + value.len()].copy_from_slice(value.as_bytes());
        }
        let crc = block_crc(&bytes).to_le_bytes();
        bytes[CRC_AT..CRC_AT + 2].copy_from_slice(&crc);
        Ok(bytes)
    }
}

fn text(field: &'static str, bytes: &[u8]) -> Result<String, BlockError> {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    let bad = |_| BlockError::Text {
        field,
        found: String::from_utf8_lossy(&bytes[..end]).into_owned(),
        most: bytes.len(),
    };
    String::from_utf8(bytes[..end].to_vec()).map_err(bad)
}

/// The item identifier of a block that a reader hands over in place of a tag identifier.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BlockDecoder;

impl UidDecoder for BlockDecoder {
    fn name(&self) -> &str {
        "iso28560_3"
    }

    fn barcode(&self, uid: &Uid) -> Option<String> {
        Iso28560Block::decode(uid.as_bytes()).ok().map(|b| b.item).filter(|i| !i.is_empty())
    }
}
