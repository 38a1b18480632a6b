//! From a tag identifier to the item it is stuck to: decoders, tried in the order of the library's settings.
//!
//! Libraries write their tags in many ways (a plain barcode in ASCII, decimal digits, ISO 28560, nothing at all but the
//! number the tag was made with), so a library lists the ways it uses, and may add its own [`UidDecoder`].

mod gs1;
mod iso28560_3;
mod plain;
mod settings;

use std::fmt;

use crate::catalogue::{Catalogue, ItemView};
use crate::uid::Uid;

pub use gs1::{Gs1, Sgtin96, gs1_header};
pub use iso28560_3::{BlockError, Iso28560Block, crc16};
pub use plain::{AsciiBarcode, DecimalInteger, DigitNibbles};
pub use settings::{DecoderSetting, DecoderSettings, SettingError};

/// One way to read an item barcode out of a tag identifier.
pub trait UidDecoder: Send + Sync + fmt::Debug {
    /// Name for logs and reports.
    fn name(&self) -> &str;

    /// The item barcode, or `None` when the identifier is not of this kind. Needs no catalogue and invents nothing.
    fn barcode(&self, uid: &Uid) -> Option<String>;
}

/// What a tag identifier means.
#[derive(Debug, Clone, PartialEq)]
pub enum Identity<'a> {
    /// An item of the catalogue.
    Item {
        /// The item.
        item: ItemView<'a>,
        /// The decoder that found it, `catalogue` for a lookup of the raw identifier.
        by: String,
    },
    /// Not in the catalogue. Never dropped: such a tag is reported.
    Unknown {
        /// The barcode that the first fitting decoder read; `None` when none fitted.
        barcode: Option<String>,
        /// A GS1 header, where there is one and no decoder fitted: a shop's tag rather than a library's.
        gs1: Option<Gs1>,
    },
}

impl<'a> Identity<'a> {
    /// The item barcode, from the catalogue or as decoded.
    pub fn barcode(&self) -> Option<&str> {
        match self {
            Self::Item { item, .. } => Some(item.barcode),
            Self::Unknown { barcode, .. } => barcode.as_deref(),
        }
    }

    /// The item, when the catalogue knows it.
    pub fn item(&self) -> Option<&ItemView<'a>> {
        match self {
            Self::Item { item, .. } => Some(item),
            Self::Unknown { .. } => None,
        }
    }
}

/// The decoders of one library, in the order in which they are tried.
#[derive(Debug, Default)]
pub struct Decoders(Vec<Box<dyn UidDecoder>>);

/// Name under which a raw lookup appears in [`Identity::Item`].
const RAW: &str = "catalogue";

impl Decoders {
    /// The decoders that the settings name. The raw lookup in the catalogue always comes first and needs no setting.
    pub fn from_settings(settings: &DecoderSettings) -> Result<Self, SettingError> {
        settings.decoders.iter().enumerate().map(|(i, s)| s.build(i)).collect::<Result<_, _>>().map(Self)
    }

    /// Adds a library's own decoder behind the others.
    pub fn push(&mut self, decoder: Box<dyn UidDecoder>) {
        self.0.push(decoder);
    }

    /// The barcode that the first fitting decoder reads, whether or not any catalogue knows it.
    pub fn barcode(&self, uid: &Uid) -> Option<String> {
        self.0.iter().find_map(|d| d.barcode(uid))
    }

    /// What the identifier means: by its raw value in the catalogue, else by the first decoder whose barcode the
    /// catalogue knows, else unknown.
    pub fn identify<'a>(&self, uid: &Uid, catalogue: &'a Catalogue) -> Identity<'a> {
        if let Some(item) = catalogue.by_uid(uid) {
            return Identity::Item { item, by: RAW.into() };
        }
        let mut first = None;
        for decoder in &self.0 {
            let Some(barcode) = decoder.barcode(uid) else { continue };
            if let Some(item) = catalogue.by_barcode(&barcode) {
                return Identity::Item { item, by: decoder.name().into() };
            }
            first.get_or_insert(barcode);
        }
        let gs1 = if first.is_none() { gs1_header(uid) } else { None };
        Identity::Unknown { barcode: first, gs1 }
    }
}
