//! The words reports use for each kind of finding.

use domain::{ErrorKind, ItemRef};

/// All kinds in the order in which reports show them.
pub const KINDS: [ErrorKind; 10] = [
    ErrorKind::MisplacedFloor,
    ErrorKind::MisplacedRow,
    ErrorKind::MisplacedBay,
    ErrorKind::MisplacedTier,
    ErrorKind::OutOfOrder,
    ErrorKind::Missing,
    ErrorKind::OnLoan,
    ErrorKind::NotInCatalogue,
    ErrorKind::Lying,
    ErrorKind::NotVerified,
];

/// The kind's name as JSON, CSV and the platform's filters spell it.
pub fn name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Missing => "missing",
        ErrorKind::MisplacedFloor => "misplaced_floor",
        ErrorKind::MisplacedRow => "misplaced_row",
        ErrorKind::MisplacedBay => "misplaced_bay",
        ErrorKind::MisplacedTier => "misplaced_tier",
        ErrorKind::OutOfOrder => "out_of_order",
        ErrorKind::NotInCatalogue => "not_in_catalogue",
        ErrorKind::OnLoan => "on_loan",
        ErrorKind::NotVerified => "not_verified",
        ErrorKind::Lying => "lying",
    }
}

/// The kind of that name.
pub fn kind(name_sought: &str) -> Option<ErrorKind> {
    KINDS.into_iter().find(|&k| name(k) == name_sought)
}

/// The kind for people.
pub fn label(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Missing => "Missing",
        ErrorKind::MisplacedFloor => "Wrong floor",
        ErrorKind::MisplacedRow => "Wrong row face",
        ErrorKind::MisplacedBay => "Wrong bay",
        ErrorKind::MisplacedTier => "Wrong tier",
        ErrorKind::OutOfOrder => "Out of order",
        ErrorKind::NotInCatalogue => "Not in catalogue",
        ErrorKind::OnLoan => "On loan, yet here",
        ErrorKind::NotVerified => "Not verified",
        ErrorKind::Lying => "Lies on others",
    }
}

/// What staff are asked to do.
pub fn action(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Missing => "Search here; if gone, confirm missing",
        ErrorKind::MisplacedFloor
        | ErrorKind::MisplacedRow
        | ErrorKind::MisplacedBay
        | ErrorKind::MisplacedTier => "Take home",
        ErrorKind::OutOfOrder => "Re-shelve in order",
        ErrorKind::NotInCatalogue => "Take to cataloguing",
        ErrorKind::OnLoan => "Take to circulation desk",
        ErrorKind::NotVerified => "Check by eye",
        ErrorKind::Lying => "Stand upright in its place",
    }
}

/// The CSS class that stands for the kind: kinds that staff treat alike share one.
pub fn class(kind: Option<ErrorKind>) -> &'static str {
    match kind {
        None => "ok",
        Some(ErrorKind::Missing) => "missing",
        Some(
            ErrorKind::MisplacedFloor
            | ErrorKind::MisplacedRow
            | ErrorKind::MisplacedBay
            | ErrorKind::MisplacedTier,
        ) => "misplaced",
        Some(ErrorKind::OutOfOrder | ErrorKind::Lying) => "order",
        Some(ErrorKind::NotInCatalogue) => "unknown",
        Some(ErrorKind::OnLoan) => "loan",
        Some(ErrorKind::NotVerified) => "unverified",
    }
}

/// A neighbour in one line: call number and title, else the barcode, else the tag.
pub fn neighbour(item: &ItemRef) -> String {
    match (item.call_number.is_empty(), item.title.is_empty()) {
        (false, false) => format!("{} {}", item.call_number, item.title),
        (false, true) => item.call_number.clone(),
        (true, false) => item.title.clone(),
        (true, true) if !item.barcode.is_empty() => item.barcode.clone(),
        (true, true) => item.uid.to_string(),
    }
}

/// The language of a text by its script, for `lang`: Han without kana is taken as Chinese.
pub fn lang(text: &str) -> Option<&'static str> {
    let mut han = false;
    for c in text.chars() {
        match c {
            '\u{3040}'..='\u{30ff}' => return Some("ja"),
            '\u{ac00}'..='\u{d7af}' => return Some("ko"),
            '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}' => han = true,
            _ => {}
        }
    }
    han.then_some("zh-Hans")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_serde_writes() {
        for k in KINDS {
            assert_eq!(serde_json::to_value(k).unwrap(), name(k));
            assert_eq!(kind(name(k)), Some(k));
        }
    }

    #[test]
    fn a_chinese_title_is_marked_as_chinese() {
        assert_eq!(lang("红楼梦"), Some("zh-Hans"));
        assert_eq!(lang("ノルウェイの森"), Some("ja"));
        assert_eq!(lang("Robotics"), None);
    }
}
