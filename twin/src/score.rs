//! Scores shelf errors against the truth: precision and recall, class by class.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use domain::{ErrorKind, ShelfAddress, ShelfError, Uid};
use serde::{Deserialize, Serialize};

use crate::truth::Truth;

/// Scores of one audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// On another tier, bay, row or floor than its home.
    pub misplaced: ClassScore,
    /// Not on any shelf.
    pub missing: ClassScore,
    /// Out of order within its shelf.
    pub out_of_order: ClassScore,
    /// Not in the catalogue.
    pub foreign: ClassScore,
    /// On loan, yet on a shelf.
    pub on_loan: ClassScore,
    /// Misplaced books that were found on the very shelf where they stand.
    pub misplaced_on_true_shelf: u32,
    /// Books that the audit gave no verdict on.
    pub not_verified: u32,
}

/// Score of one class.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    /// Errors put on the shelves.
    pub injected: u32,
    /// Errors reported.
    pub reported: u32,
    /// Reported errors that were put there.
    pub hits: u32,
    /// Tags that were reported and should not have been.
    pub false_alarms: Vec<Uid>,
    /// Tags that should have been reported and were not.
    pub overlooked: Vec<Uid>,
}

impl ClassScore {
    /// Share of the reported errors that are true; `None` when none was reported.
    pub fn precision(&self) -> Option<f64> {
        (self.reported > 0).then(|| f64::from(self.hits) / f64::from(self.reported))
    }

    /// Share of the injected errors that were reported; `None` when there were none.
    pub fn recall(&self) -> Option<f64> {
        (self.injected > 0).then(|| f64::from(self.hits) / f64::from(self.injected))
    }
}

/// Classes that are scored; a misplaced book counts as one wherever it went.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Misplaced,
    Missing,
    OutOfOrder,
    Foreign,
    OnLoan,
}

fn class(kind: ErrorKind) -> Option<Class> {
    Some(match kind {
        ErrorKind::MisplacedFloor
        | ErrorKind::MisplacedRow
        | ErrorKind::MisplacedBay
        | ErrorKind::MisplacedTier => Class::Misplaced,
        ErrorKind::Missing => Class::Missing,
        ErrorKind::OutOfOrder => Class::OutOfOrder,
        ErrorKind::NotInCatalogue => Class::Foreign,
        ErrorKind::OnLoan => Class::OnLoan,
        ErrorKind::NotVerified | ErrorKind::Lying => return None,
    })
}

/// Scores the errors that an audit reports. A tag counts once in each class; an audit of some row faces only is
/// scored against [`Truth::within`] them.
pub fn score(truth: &Truth, errors: &[ShelfError]) -> Scores {
    let one = |wanted: Class| {
        let injected: BTreeSet<&Uid> =
            truth.injected.iter().filter(|e| class(e.kind) == Some(wanted)).map(|e| &e.uid).collect();
        let reported: BTreeSet<&Uid> =
            errors.iter().filter(|e| class(e.kind) == Some(wanted)).map(|e| &e.item.uid).collect();
        ClassScore {
            injected: injected.len() as u32,
            reported: reported.len() as u32,
            hits: injected.intersection(&reported).count() as u32,
            false_alarms: reported.difference(&injected).map(|u| (*u).clone()).collect(),
            overlooked: injected.difference(&reported).map(|u| (*u).clone()).collect(),
        }
    };
    let stands: BTreeMap<&Uid, &ShelfAddress> =
        truth.injected.iter().filter_map(|e| Some((&e.uid, e.stands.as_ref()?))).collect();
    let on_true_shelf = errors
        .iter()
        .filter(|e| class(e.kind) == Some(Class::Misplaced))
        .filter(|e| e.found.as_ref().is_some_and(|f| stands.get(&e.item.uid) == Some(&&f.address)))
        .map(|e| &e.item.uid)
        .collect::<BTreeSet<_>>();
    Scores {
        misplaced: one(Class::Misplaced),
        missing: one(Class::Missing),
        out_of_order: one(Class::OutOfOrder),
        foreign: one(Class::Foreign),
        on_loan: one(Class::OnLoan),
        misplaced_on_true_shelf: on_true_shelf.len() as u32,
        not_verified: errors.iter().filter(|e| e.kind == ErrorKind::NotVerified).count() as u32,
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}"));
        writeln!(
            f,
            "{:<16}{:>9}{:>10}{:>6}{:>11}{:>8}",
            "class", "injected", "reported", "hits", "precision", "recall"
        )?;
        for (name, c) in [
            ("misplaced", &self.misplaced),
            ("missing", &self.missing),
            ("out of order", &self.out_of_order),
            ("not catalogued", &self.foreign),
            ("on loan", &self.on_loan),
        ] {
            let (p, r) = (share(c.precision()), share(c.recall()));
            writeln!(f, "{name:<16}{:>9}{:>10}{:>6}{p:>11}{r:>8}", c.injected, c.reported, c.hits)?;
        }
        writeln!(f, "misplaced, found on their true shelf: {}", self.misplaced_on_true_shelf)?;
        write!(f, "not verified: {}", self.not_verified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Evidence, ItemRef};

    use crate::inject::Injected;
    use crate::library::TagKind;

    fn uid(n: u8) -> Uid {
        TagKind::Uhf.uid(&[n; 12])
    }

    fn injected(kind: ErrorKind, n: u8) -> Injected {
        Injected { kind, uid: uid(n), barcode: String::new(), home: None, stands: None, moved_by: 0 }
    }

    fn reported(kind: ErrorKind, n: u8) -> ShelfError {
        ShelfError {
            kind,
            item: ItemRef {
                uid: uid(n),
                barcode: String::new(),
                call_number: String::new(),
                title: String::new(),
            },
            home: None,
            found: None,
            found_between: [None, None],
            belongs_between: [None, None],
            confidence: 1.0,
            evidence: Evidence::default(),
        }
    }

    #[test]
    fn a_false_alarm_costs_precision_and_an_overlooked_book_recall() {
        let truth = Truth {
            books: vec![],
            injected: vec![
                injected(ErrorKind::Missing, 1),
                injected(ErrorKind::Missing, 2),
                injected(ErrorKind::MisplacedRow, 3),
            ],
            robots: vec![],
        };
        let errors = [
            reported(ErrorKind::Missing, 1),
            reported(ErrorKind::Missing, 9),
            reported(ErrorKind::MisplacedTier, 3),
            reported(ErrorKind::NotVerified, 2),
        ];
        let s = score(&truth, &errors);
        assert_eq!((s.missing.precision(), s.missing.recall()), (Some(0.5), Some(0.5)));
        assert_eq!(
            (s.missing.false_alarms.as_slice(), s.missing.overlooked.as_slice()),
            ([uid(9)].as_slice(), [uid(2)].as_slice())
        );
        // Far is far: which way it was misplaced is told by the true shelf, not by the class.
        assert_eq!(s.misplaced.hits, 1);
        assert_eq!(s.misplaced_on_true_shelf, 0);
        assert_eq!(s.not_verified, 1);
        assert_eq!(s.out_of_order.precision(), None);
        assert!(s.to_string().contains("missing"));
    }
}
