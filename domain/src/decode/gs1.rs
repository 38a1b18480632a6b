//! GS1 EPC headers (EPC Tag Data Standard): a shop's or a pallet's tag, not a library item unless looked up.

use crate::uid::Uid;

/// A GS1 identifier, recognised by its header and length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gs1 {
    /// Name of the encoding, `SGTIN-96` for example.
    pub encoding: &'static str,
    /// The trade item, where the encoding is SGTIN-96 and well formed.
    pub sgtin: Option<Sgtin96>,
}

/// A serialised trade item number of 96 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sgtin96 {
    /// 0 all others, 1 point of sale, 2 case, and so on.
    pub filter: u8,
    /// GS1 company prefix, 6 to 12 digits.
    pub company: String,
    /// Indicator digit and item reference; 13 digits together with `company`.
    pub item: String,
    /// Serial number, 38 bits.
    pub serial: u64,
}

impl Sgtin96 {
    /// The trade item number of 14 digits; a book's ISBN-13 stands behind its first digit.
    pub fn gtin14(&self) -> String {
        let (indicator, reference) = self.item.split_at(1);
        let digits = format!("{indicator}{}{reference}", self.company);
        let sum: u32 = digits
            .bytes()
            .enumerate()
            .map(|(i, b)| u32::from(b - b'0') * if i % 2 == 0 { 3 } else { 1 })
            .sum();
        format!("{digits}{}", (10 - sum % 10) % 10)
    }

    /// The pure identity URI, `urn:epc:id:sgtin:0614141.812345.6789`.
    pub fn uri(&self) -> String {
        format!("urn:epc:id:sgtin:{}.{}.{}", self.company, self.item, self.serial)
    }
}

/// Header byte, bytes of the EPC (0: any) and name.
const HEADERS: [(u8, usize, &str); 18] = [
    (0x2C, 12, "GDTI-96"),
    (0x2D, 12, "GSRN-96"),
    (0x2E, 12, "GSRNP-96"),
    (0x2F, 12, "USDoD-96"),
    (0x30, 12, "SGTIN-96"),
    (0x31, 12, "SSCC-96"),
    (0x32, 12, "SGLN-96"),
    (0x33, 12, "GRAI-96"),
    (0x34, 12, "GIAI-96"),
    (0x35, 12, "GID-96"),
    (0x36, 26, "SGTIN-198"),
    (0x37, 22, "GRAI-170"),
    (0x38, 26, "GIAI-202"),
    (0x39, 26, "SGLN-195"),
    (0x3B, 0, "ADI-var"),
    (0x3C, 12, "CPI-96"),
    (0x3E, 22, "GDTI-174"),
    (0x3F, 12, "SGCN-96"),
];

/// Recognises a GS1 EPC. The header is one byte, so other schemes hit it by chance: use it last.
pub fn gs1_header(uid: &Uid) -> Option<Gs1> {
    let bytes = uid.as_bytes();
    let &first = bytes.first()?;
    let (_, _, encoding) = HEADERS.iter().find(|(h, n, _)| *h == first && (*n == 0 || *n == bytes.len()))?;
    let sgtin = if *encoding == "SGTIN-96" { sgtin96(bytes) } else { None };
    // All values of an SGTIN are bounded; one that breaks them is no SGTIN.
    (*encoding != "SGTIN-96" || sgtin.is_some()).then_some(Gs1 { encoding, sgtin })
}

/// Bits of the company prefix by partition value; its digits are 12 less the partition.
const COMPANY_BITS: [u32; 7] = [40, 37, 34, 30, 27, 24, 20];

fn sgtin96(bytes: &[u8]) -> Option<Sgtin96> {
    let bits = bytes.iter().fold(0u128, |v, &b| v << 8 | u128::from(b));
    let field = |from: u32, length: u32| (bits >> (96 - from - length)) & ((1 << length) - 1);
    let partition = field(11, 3) as usize;
    let company_bits = *COMPANY_BITS.get(partition)?;
    let (company, item) = (field(14, company_bits), field(14 + company_bits, 44 - company_bits));
    let (company_digits, item_digits) = (12 - partition, 1 + partition);
    let fits = |value: u128, digits: usize| value < 10u128.pow(digits as u32);
    (fits(company, company_digits) && fits(item, item_digits)).then(|| Sgtin96 {
        filter: field(8, 3) as u8,
        company: format!("{company:0company_digits$}"),
        item: format!("{item:0item_digits$}"),
        serial: field(58, 38) as u64,
    })
}
