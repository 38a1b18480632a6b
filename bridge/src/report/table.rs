//! The pick list as CSV for spreadsheets.

use domain::{ItemRef, Place};

use super::ReportError;
use super::pick_list::Pick;
use crate::facts::RunFacts;
use crate::{time, words};

/// The columns, in order. `platform_status`, `assignee` and `done_at` are for staff and the platform to fill.
pub const COLUMNS: [&str; 25] = [
    "walk_order",
    "floor",
    "row",
    "bay",
    "tier",
    "position",
    "barcode",
    "tag",
    "title",
    "call_number",
    "class_of_problem",
    "found_between_left",
    "found_between_right",
    "belongs_between_left",
    "belongs_between_right",
    "home",
    "platform_status",
    "first_seen",
    "last_seen",
    "reads",
    "confidence",
    "passes_missed",
    "action",
    "assignee",
    "done_at",
];

const BYTE_ORDER_MARK: &str = "\u{feff}";

pub(super) fn csv(picks: &[Pick<'_>], facts: &RunFacts) -> Result<Vec<u8>, ReportError> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.as_bytes().to_vec());
    writer.write_record(COLUMNS)?;
    for pick in picks {
        writer.write_record(row(pick, facts))?;
    }
    writer.into_inner().map_err(|e| csv::Error::from(e.into_error()).into())
}

fn row(pick: &Pick<'_>, facts: &RunFacts) -> [String; COLUMNS.len()] {
    let e = pick.error;
    let stop = pick.stop.as_ref();
    let text = |t: &str| guarded(t);
    let side = |item: &Option<ItemRef>| item.as_ref().map_or(String::new(), |i| text(&words::neighbour(i)));
    let position = |p: &Place| if p.position == 0 { String::new() } else { p.position.to_string() };
    [
        pick.number.to_string(),
        stop.map_or(String::new(), |s| text(&s.face.floor)),
        stop.map_or(String::new(), |s| text(&format!("{}{}", s.face.row, s.face.side))),
        stop.map_or(String::new(), |s| s.bay.to_string()),
        stop.map_or(String::new(), |s| s.tier.to_string()),
        e.found.as_ref().map_or(String::new(), position),
        text(&e.item.barcode),
        e.item.uid.to_string(),
        text(&e.item.title),
        text(&e.item.call_number),
        words::name(e.kind).into(),
        side(&e.found_between[0]),
        side(&e.found_between[1]),
        side(&e.belongs_between[0]),
        side(&e.belongs_between[1]),
        e.home.as_ref().map_or(String::new(), |h| text(&h.to_string())),
        String::new(),
        stamp(e.evidence.first_seen_ns, facts),
        stamp(e.evidence.last_seen_ns, facts),
        e.evidence.reads.to_string(),
        format!("{:.3}", e.confidence),
        e.evidence.passes_missed.to_string(),
        words::action(e.kind).into(),
        String::new(),
        String::new(),
    ]
}

/// RFC 3339 where civil time is known, else seconds of the run's clock; empty when never seen.
fn stamp(stamp_ns: i64, facts: &RunFacts) -> String {
    match (stamp_ns, facts.wall_ns(stamp_ns)) {
        (0, _) => String::new(),
        (_, Some(wall_ns)) => time::rfc3339(wall_ns),
        (ns, None) => format!("{:.3}", ns as f64 * 1e-9),
    }
}

/// A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula; such a text gets an apostrophe
/// in front, and so does one that begins with an apostrophe, so that [`plain`] gives back the very text.
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) { format!("'{text}") } else { text.into() }
}

/// The text of a cell of ours: without the apostrophe that keeps spreadsheets from running it.
pub fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}
