//! One item of the catalogue: owned, as a view into the catalogue, and as the record behind the view.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Catalogue;
use crate::address::Home;
use crate::callnumber::{Scheme, ShelfKey, ShelfRules};
use crate::shelf_error::ItemRef;
use crate::table_error::At;
use crate::uid::Uid;

/// What the library platform says of an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// Should stand on its shelf.
    #[default]
    Available,
    /// Lent to a reader.
    OnLoan,
    /// On its way between desks or branches.
    InTransit,
    /// Waits for the reader who asked for it.
    AwaitingPickup,
    /// Somebody already reported it missing.
    Missing,
    /// No longer owned.
    Withdrawn,
}

impl ItemStatus {
    const ALL: [Self; 6] = [
        Self::Available,
        Self::OnLoan,
        Self::InTransit,
        Self::AwaitingPickup,
        Self::Missing,
        Self::Withdrawn,
    ];
    /// The names that a catalogue may use.
    pub const ALLOWED: &str = "empty, available, on_loan, in_transit, awaiting_pickup, missing or withdrawn";

    /// The name as in catalogues.
    pub fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::OnLoan => "on_loan",
            Self::InTransit => "in_transit",
            Self::AwaitingPickup => "awaiting_pickup",
            Self::Missing => "missing",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether an item of this status should stand on its shelf.
    pub fn is_on_shelf(self) -> bool {
        self == Self::Available
    }
}

impl fmt::Display for ItemStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no item status, allowed is {allowed}", allowed = ItemStatus::ALLOWED)]
pub struct StatusError(pub String);

impl FromStr for ItemStatus {
    type Err = StatusError;

    /// An empty text is [`ItemStatus::Available`].
    fn from_str(text: &str) -> Result<Self, StatusError> {
        match text.trim() {
            "" => Ok(Self::Available),
            name => Self::ALL.into_iter().find(|s| s.name() == name).ok_or_else(|| StatusError(text.into())),
        }
    }
}

/// One item, owned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Item barcode, the platform's name for it.
    pub barcode: String,
    /// Its tag; `None` when it has none or the tag is only known by what is written on it.
    pub uid: Option<Uid>,
    /// Call number; may be empty.
    pub call_number: String,
    /// The call number's scheme.
    pub scheme: Scheme,
    /// Title; may be empty.
    pub title: String,
    /// Author; may be empty.
    pub author: String,
    /// Thickness at the spine, m; NaN when unknown.
    pub thickness_m: f32,
    /// Height, m; NaN when unknown.
    pub height_m: f32,
    /// Where it belongs.
    pub home: Home,
    /// What the platform says of it.
    pub status: ItemStatus,
    /// Maker's name of its tag, such as `UCODE 8`, where a library keeps it; may be empty. Tags of one model are read
    /// about as well.
    #[serde(default)]
    pub tag_model: String,
}

/// One item of a [`super::Catalogue`]; fields as in [`Item`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ItemView<'a> {
    /// Place in the catalogue, from 0 in the order of the file.
    pub index: u32,
    /// Item barcode.
    pub barcode: &'a str,
    /// Its tag.
    pub uid: Option<&'a Uid>,
    /// Call number.
    pub call_number: &'a str,
    /// The call number's scheme.
    pub scheme: Scheme,
    /// Title.
    pub title: &'a str,
    /// Author.
    pub author: &'a str,
    /// Thickness at the spine, m; NaN when unknown.
    pub thickness_m: f32,
    /// Height, m; NaN when unknown.
    pub height_m: f32,
    /// Where it belongs.
    pub home: &'a Home,
    /// What the platform says of it.
    pub status: ItemStatus,
    /// Maker's name of its tag; may be empty.
    pub tag_model: &'a str,
}

impl ItemView<'_> {
    /// An owned copy.
    pub fn to_item(&self) -> Item {
        Item {
            barcode: self.barcode.into(),
            uid: self.uid.cloned(),
            call_number: self.call_number.into(),
            scheme: self.scheme,
            title: self.title.into(),
            author: self.author.into(),
            thickness_m: self.thickness_m,
            height_m: self.height_m,
            home: self.home.clone(),
            status: self.status,
            tag_model: self.tag_model.into(),
        }
    }

    /// How reports name the item; without a tag the identifier is empty.
    pub fn item_ref(&self) -> ItemRef {
        ItemRef {
            uid: self.uid.cloned().unwrap_or_default(),
            barcode: self.barcode.into(),
            call_number: self.call_number.into(),
            title: self.title.into(),
        }
    }

    /// Where it stands in the library's shelf order.
    pub fn shelf_key(&self, rules: &ShelfRules) -> ShelfKey {
        rules.key(self.scheme, self.call_number)
    }
}

/// What the catalogue keeps of an item: its texts lie one behind the other in the arena.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub text_at: u64,
    /// Bytes of barcode, call number, title, author.
    pub text_len: [u32; 4],
    pub uid: Option<Uid>,
    pub home: u32,
    pub tag_model: u32,
    pub thickness_m: f32,
    pub height_m: f32,
    pub scheme: Scheme,
    pub status: ItemStatus,
    pub at: At,
}

impl Record {
    pub(super) fn barcode<'a>(&self, text: &'a str) -> &'a str {
        let at = self.text_at as usize;
        &text[at..at + self.text_len[0] as usize]
    }

    pub(super) fn view<'a>(&'a self, index: u32, catalogue: &'a Catalogue) -> ItemView<'a> {
        let Catalogue { text, homes, tag_models, .. } = catalogue;
        let mut at = self.text_at as usize;
        let mut next = |n: u32| {
            let piece = &text[at..at + n as usize];
            at += n as usize;
            piece
        };
        let [barcode, call_number, title, author] = self.text_len.map(&mut next);
        ItemView {
            index,
            barcode,
            uid: self.uid.as_ref(),
            call_number,
            scheme: self.scheme,
            title,
            author,
            thickness_m: self.thickness_m,
            height_m: self.height_m,
            home: &homes[self.home as usize],
            status: self.status,
            tag_model: &tag_models[self.tag_model as usize],
        }
    }
}
