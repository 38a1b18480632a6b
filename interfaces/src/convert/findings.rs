//! Shelf errors.

use domain::{ErrorKind, Evidence, Home, Place, Uid};

use super::{ConvertError, at};
use crate::builtin_interfaces::Time;
use crate::shelfwright_msgs::{ItemRef, ShelfError};

/// Each kind with its number in the message.
const KINDS: [(ErrorKind, u8); 10] = [
    (ErrorKind::Missing, ShelfError::MISSING),
    (ErrorKind::MisplacedFloor, ShelfError::MISPLACED_FLOOR),
    (ErrorKind::MisplacedRow, ShelfError::MISPLACED_ROW),
    (ErrorKind::MisplacedBay, ShelfError::MISPLACED_BAY),
    (ErrorKind::MisplacedTier, ShelfError::MISPLACED_TIER),
    (ErrorKind::OutOfOrder, ShelfError::OUT_OF_ORDER),
    (ErrorKind::NotInCatalogue, ShelfError::NOT_IN_CATALOGUE),
    (ErrorKind::OnLoan, ShelfError::ON_LOAN),
    (ErrorKind::NotVerified, ShelfError::NOT_VERIFIED),
    (ErrorKind::Lying, ShelfError::LYING),
];

fn number_of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Missing => ShelfError::MISSING,
        ErrorKind::MisplacedFloor => ShelfError::MISPLACED_FLOOR,
        ErrorKind::MisplacedRow => ShelfError::MISPLACED_ROW,
        ErrorKind::MisplacedBay => ShelfError::MISPLACED_BAY,
        ErrorKind::MisplacedTier => ShelfError::MISPLACED_TIER,
        ErrorKind::OutOfOrder => ShelfError::OUT_OF_ORDER,
        ErrorKind::NotInCatalogue => ShelfError::NOT_IN_CATALOGUE,
        ErrorKind::OnLoan => ShelfError::ON_LOAN,
        ErrorKind::NotVerified => ShelfError::NOT_VERIFIED,
        ErrorKind::Lying => ShelfError::LYING,
    }
}

impl From<&domain::ItemRef> for ItemRef {
    fn from(i: &domain::ItemRef) -> Self {
        Self {
            uid: i.uid.as_bytes().to_vec(),
            barcode: i.barcode.clone(),
            call_number: i.call_number.clone(),
            title: i.title.clone(),
        }
    }
}

impl TryFrom<&ItemRef> for domain::ItemRef {
    type Error = ConvertError;

    fn try_from(m: &ItemRef) -> Result<Self, ConvertError> {
        Ok(Self {
            uid: Uid::new(&m.uid).map_err(at::<ItemRef, _>("uid"))?,
            barcode: m.barcode.clone(),
            call_number: m.call_number.clone(),
            title: m.title.clone(),
        })
    }
}

/// No book is an item without uid.
fn neighbour(item: Option<&domain::ItemRef>) -> ItemRef {
    item.map(ItemRef::from).unwrap_or_default()
}

fn from_neighbour(m: &ItemRef) -> Result<Option<domain::ItemRef>, ConvertError> {
    if m.uid.is_empty() { Ok(None) } else { m.try_into().map(Some) }
}

impl From<&domain::ShelfError> for ShelfError {
    fn from(e: &domain::ShelfError) -> Self {
        let place = e.found.as_ref();
        Self {
            kind: number_of(e.kind),
            item: (&e.item).into(),
            home: e.home.as_ref().map(Home::to_string).unwrap_or_default(),
            found: place.map(|p| p.address.to_string()).unwrap_or_default(),
            found_along_m: place.map_or(f32::NAN, |p| p.along_m),
            found_along_std_m: place.map_or(f32::NAN, |p| p.along_std_m),
            found_position: place.map_or(0, |p| p.position),
            found_left: neighbour(e.found_between[0].as_ref()),
            found_right: neighbour(e.found_between[1].as_ref()),
            belongs_left: neighbour(e.belongs_between[0].as_ref()),
            belongs_right: neighbour(e.belongs_between[1].as_ref()),
            confidence: e.confidence,
            reads: e.evidence.reads,
            passes: e.evidence.passes,
            passes_missed: e.evidence.passes_missed,
            rssi_dbm: e.evidence.rssi_dbm,
            tier_probability: e.evidence.tier_probability,
            read_probability: e.evidence.read_probability,
            first_seen: Time::from_ns(e.evidence.first_seen_ns),
            last_seen: Time::from_ns(e.evidence.last_seen_ns),
        }
    }
}

impl TryFrom<&ShelfError> for domain::ShelfError {
    type Error = ConvertError;

    fn try_from(m: &ShelfError) -> Result<Self, ConvertError> {
        let kind =
            KINDS.iter().find(|(_, number)| *number == m.kind).map(|(kind, _)| *kind).ok_or_else(|| {
                at::<ShelfError, _>("kind")(format!("found {}, expected 1 to {}", m.kind, KINDS.len()))
            })?;
        let home = match m.home.as_str() {
            "" => None,
            text => Some(text.parse().map_err(at::<ShelfError, _>("home"))?),
        };
        let found = match m.found.as_str() {
            "" => None,
            text => Some(Place {
                address: text.parse().map_err(at::<ShelfError, _>("found"))?,
                along_m: m.found_along_m,
                along_std_m: m.found_along_std_m,
                position: m.found_position,
            }),
        };
        Ok(Self {
            kind,
            item: (&m.item).try_into()?,
            home,
            found,
            found_between: [from_neighbour(&m.found_left)?, from_neighbour(&m.found_right)?],
            belongs_between: [from_neighbour(&m.belongs_left)?, from_neighbour(&m.belongs_right)?],
            confidence: m.confidence,
            evidence: Evidence {
                reads: m.reads,
                passes: m.passes,
                passes_missed: m.passes_missed,
                rssi_dbm: m.rssi_dbm,
                tier_probability: m.tier_probability,
                read_probability: m.read_probability,
                first_seen_ns: m.first_seen.to_ns(),
                last_seen_ns: m.last_seen.to_ns(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(n: u8) -> domain::ItemRef {
        domain::ItemRef {
            uid: Uid::new(&[0xE2, n]).unwrap(),
            barcode: format!("B{n}"),
            call_number: "TP312/15".into(),
            title: "程序设计".into(),
        }
    }

    fn error(kind: ErrorKind) -> domain::ShelfError {
        domain::ShelfError {
            kind,
            item: item(1),
            home: Some("1F/R01A/B01/T1..1F/R01A/B02/T6".parse().unwrap()),
            found: Some(Place {
                address: "1F/R01B/B03/T2".parse().unwrap(),
                along_m: 2.5,
                along_std_m: 0.02,
                position: 4,
            }),
            found_between: [Some(item(2)), None],
            belongs_between: [None, Some(item(3))],
            confidence: 0.97,
            evidence: Evidence {
                reads: 12,
                passes: 2,
                passes_missed: 1,
                rssi_dbm: -55.0,
                tier_probability: 0.9,
                read_probability: 0.99,
                first_seen_ns: 1_000_000_001,
                last_seen_ns: 2_000_000_002,
            },
        }
    }

    #[test]
    fn a_finding_of_each_kind_survives_the_message() {
        for (kind, number) in KINDS {
            let message = ShelfError::from(&error(kind));
            assert_eq!(message.kind, number);
            assert_eq!(domain::ShelfError::try_from(&message).unwrap(), error(kind));
        }
    }

    #[test]
    fn a_missing_book_has_no_place() {
        let missing = domain::ShelfError { found: None, home: None, ..error(ErrorKind::Missing) };
        let message = ShelfError::from(&missing);
        assert!(message.found.is_empty() && message.found_along_m.is_nan());
        assert_eq!(domain::ShelfError::try_from(&message).unwrap(), missing);
    }

    #[test]
    fn an_unknown_kind_is_refused_by_name_and_number() {
        let message = ShelfError { kind: 77, ..ShelfError::from(&error(ErrorKind::OnLoan)) };
        let text = domain::ShelfError::try_from(&message).unwrap_err().to_string();
        assert_eq!(text, "shelfwright_msgs/msg/ShelfError: field kind: found 77, expected 1 to 10");
    }
}
