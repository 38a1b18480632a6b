//! Barcodes written into the EPC bank as they are: ASCII, decimal digits in nibbles, or one binary number.

use super::UidDecoder;
use crate::uid::Uid;

/// A barcode in ASCII, padded with NUL, space or 0xFF on either side.
#[derive(Debug, Clone, Default)]
pub struct AsciiBarcode {
    /// Number of characters; `None` takes any number from 4.
    pub length: Option<usize>,
    /// What the barcode must begin with; stays part of it.
    pub prefix: String,
}

/// Shorter texts in an EPC are chance: 4 printable bytes happen once in 50 tags, and no library has so few books.
const FEWEST: usize = 4;

impl UidDecoder for AsciiBarcode {
    fn name(&self) -> &str {
        "ascii"
    }

    fn barcode(&self, uid: &Uid) -> Option<String> {
        let is_padding = |b: &u8| matches!(b, 0 | b' ' | 0xFF);
        let bytes = uid.as_bytes();
        let start = bytes.iter().position(|b| !is_padding(b))?;
        let end = bytes.iter().rposition(|b| !is_padding(b))? + 1;
        let inner = &bytes[start..end];
        let fits = self.length.map_or(inner.len() >= FEWEST, |n| inner.len() == n);
        let text = std::str::from_utf8(inner).ok()?;
        (fits && inner.iter().all(u8::is_ascii_graphic) && text.starts_with(&self.prefix))
            .then(|| text.into())
    }
}

/// Decimal digits, one a nibble (BCD): the hex form of the EPC reads as the barcode.
#[derive(Debug, Clone, Default)]
pub struct DigitNibbles {
    /// Number of digits; more digits before them must be zeros. `None` strips leading zeros.
    pub digits: Option<usize>,
}

impl UidDecoder for DigitNibbles {
    fn name(&self) -> &str {
        "digits"
    }

    fn barcode(&self, uid: &Uid) -> Option<String> {
        // F behind the digits is padding, as in ISO 15962 and ITU digit strings.
        let hex = uid.to_string();
        let digits = hex.trim_end_matches('F');
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        padded(digits, self.digits)
    }
}

/// The whole EPC as one binary number, up to 128 bits.
#[derive(Debug, Clone, Default)]
pub struct DecimalInteger {
    /// Number of digits, filled up with zeros in front. `None` writes the number without leading zeros.
    pub digits: Option<usize>,
}

impl UidDecoder for DecimalInteger {
    fn name(&self) -> &str {
        "integer"
    }

    fn barcode(&self, uid: &Uid) -> Option<String> {
        let bytes = uid.as_bytes();
        let zeros = bytes.iter().take_while(|&&b| b == 0).count();
        let significant = &bytes[zeros..];
        if significant.len() > 16 {
            return None;
        }
        let value = significant.iter().fold(0u128, |v, &b| v << 8 | u128::from(b));
        padded(&value.to_string(), self.digits)
    }
}

/// The digits as a barcode of a fixed length, or without leading zeros; a barcode of zeros alone is none.
fn padded(digits: &str, length: Option<usize>) -> Option<String> {
    let plain = digits.trim_start_matches('0');
    match length {
        _ if plain.is_empty() => None,
        None => Some(plain.into()),
        Some(n) if plain.len() <= n => Some(format!("{plain:0>n$}")),
        Some(_) => None,
    }
}
