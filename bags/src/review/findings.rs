//! Shelf errors: an entry each at the time of its evidence, a mark where the book stands, a page about its tag, and a
//! table of all with links.

use std::collections::BTreeMap;

use domain::ErrorKind;
use interfaces::shelfwright_msgs::{ItemRef, ShelfError, ShelfErrors};
use re_sdk_types::archetypes::{Points2D, Points3D, TextDocument, TextLog};
use re_sdk_types::components::Radius;

use super::books::Books;
use super::error::ReviewError;
use super::log::{Log, path};
use super::palette::{Colour, finding};
use super::profile::Fit;
use super::spots::{Faces, Uid, hex};
use super::stacks::on_elevation;

/// Rows of the table; a library of a million books may have more findings than a page holds.
const ROWS: usize = 500;

/// The pages about tags.
pub(super) struct Findings {
    /// Stamps between which entries are told, ns.
    span_ns: [i64; 2],
    pages: BTreeMap<Uid, String>,
    fits: BTreeMap<Uid, Vec<String>>,
}

impl Findings {
    pub fn within(span_ns: [i64; 2]) -> Self {
        Self { span_ns, pages: BTreeMap::new(), fits: BTreeMap::new() }
    }

    /// Logs the findings of an audit.
    pub fn tell(
        &mut self,
        log: &mut Log,
        faces: &Faces,
        books: &Books,
        message: &ShelfErrors,
    ) -> Result<(), ReviewError> {
        let audited_ns = message.header.stamp.to_ns();
        for e in &message.errors {
            let seen_ns = e.last_seen.to_ns();
            let at_ns = if seen_ns > 0 { seen_ns } else { audited_ns };
            let [first, last] = self.span_ns;
            log.at(at_ns.max(first).min(last));
            let entry = TextLog::new(line(e)).with_level(severity(e.kind)).with_color(finding(e.kind));
            log.put(path(["tags", &hex(&e.item.uid), "finding"]), &entry)?;
            self.pages.insert(e.item.uid.clone(), page(e));
            self.show_page(log, &e.item.uid)?;
        }
        log.fix(path(["errors", "table"]), &TextDocument::from_markdown(table(message)))?;
        marks(log, faces, books, message)
    }

    /// A page about a tag that nothing is wrong with.
    pub fn introduce(&mut self, log: &Log, uid: &[u8], name: &str) -> Result<(), ReviewError> {
        if self.pages.contains_key(uid) {
            return Ok(());
        }
        let named = hex(uid);
        let title = if name == named { String::new() } else { format!("**{name}**\n\n") };
        self.pages
            .insert(uid.to_owned(), format!("{title}Tag `{named}`; nothing is said to be wrong with it.\n"));
        self.show_page(log, uid)
    }

    /// Adds to a tag's page how well its reads follow the curve.
    pub fn fitted(&mut self, log: &Log, uid: &[u8], face: &str, fit: Fit) -> Result<(), ReviewError> {
        let residual = match fit.residual_rad.is_nan() {
            true => "the reader gives no phase".to_owned(),
            false => format!("phase is {:.2} rad RMS off the curve", fit.residual_rad),
        };
        let text = format!("- {face}: {} reads on {} carriers; {residual}\n", fit.reads, fit.carriers);
        self.fits.entry(uid.to_owned()).or_default().push(text);
        self.show_page(log, uid)
    }

    fn show_page(&self, log: &Log, uid: &[u8]) -> Result<(), ReviewError> {
        let Some(page) = self.pages.get(uid) else { return Ok(()) };
        let fits = self.fits.get(uid).map_or_else(String::new, |f| format!("\n### Reads\n\n{}", f.concat()));
        log.fix(path(["tags", &hex(uid), "about"]), &TextDocument::from_markdown(page.clone() + &fits))
    }
}

/// Where findings stand: in space and on the elevations.
fn marks(log: &mut Log, faces: &Faces, books: &Books, message: &ShelfErrors) -> Result<(), ReviewError> {
    type Mark = ([f32; 3], [f32; 2], Colour, String);
    let mut by_face: BTreeMap<String, Vec<Mark>> = BTreeMap::new();
    for e in &message.errors {
        // A missing book is marked where it belongs.
        let address = if e.found.is_empty() { first_of(&e.home) } else { e.found.as_str() };
        let Some((face, bay, tier)) = split(address) else { continue };
        let Some(shape) = faces.get(face) else { continue };
        let middle = (f64::from(bay) - 0.5) * shape.bay_width_m;
        let along = if e.found_along_m.is_finite() { e.found_along_m } else { middle as f32 };
        let seen = books.spot_on(face, &e.item.uid).cloned();
        let Some(spot) = seen.or_else(|| faces.at(face, along, f32::NAN, Some(tier), None)) else { continue };
        let mark = (spot.map_m, [spot.along_m, -spot.height_m], finding(e.kind), title(e));
        by_face.entry(face.to_owned()).or_default().push(mark);
    }
    let all = || by_face.values().flatten();
    let points = Points3D::new(all().map(|m| [m.0[0], m.0[1], m.0[2] + 0.16]))
        .with_colors(all().map(|m| m.2))
        .with_labels(all().map(|m| m.3.clone()))
        .with_show_labels(false)
        .with_radii([Radius::new_ui_points(4.0)]);
    log.fix_on_map(path(["errors", "places"]), &points)?;
    for (face, marks) in &by_face {
        let points = Points2D::new(marks.iter().map(|m| [m.1[0], m.1[1] - 0.16]))
            .with_colors(marks.iter().map(|m| m.2))
            .with_labels(marks.iter().map(|m| m.3.clone()))
            .with_show_labels(false)
            .with_radii([Radius::new_ui_points(4.0)]);
        log.fix(on_elevation(face, "findings"), &points)?;
    }
    Ok(())
}

/// Face, bay and tier of a shelf address, `1F/R01A/B04/T3`.
fn split(address: &str) -> Option<(&str, u16, u8)> {
    let (rest, tier) = address.rsplit_once("/T")?;
    let (face, bay) = rest.rsplit_once("/B")?;
    Some((face, bay.parse().ok()?, tier.parse().ok()?))
}

/// The first address of a range of homes.
fn first_of(home: &str) -> &str {
    home.split("..").next().unwrap_or(home)
}

/// What kind of finding, in words: the names of CSV and JSON with spaces.
pub(super) fn kind(kind: u8) -> String {
    let all = [
        (ShelfError::MISSING, ErrorKind::Missing),
        (ShelfError::MISPLACED_FLOOR, ErrorKind::MisplacedFloor),
        (ShelfError::MISPLACED_ROW, ErrorKind::MisplacedRow),
        (ShelfError::MISPLACED_BAY, ErrorKind::MisplacedBay),
        (ShelfError::MISPLACED_TIER, ErrorKind::MisplacedTier),
        (ShelfError::OUT_OF_ORDER, ErrorKind::OutOfOrder),
        (ShelfError::NOT_IN_CATALOGUE, ErrorKind::NotInCatalogue),
        (ShelfError::ON_LOAN, ErrorKind::OnLoan),
        (ShelfError::NOT_VERIFIED, ErrorKind::NotVerified),
    ];
    let known = all.into_iter().find(|(k, _)| *k == kind).and_then(|(_, k)| serde_json::to_value(k).ok());
    known
        .as_ref()
        .and_then(|v| v.as_str())
        .map_or_else(|| format!("kind {kind}"), |name| name.replace('_', " "))
}

fn severity(kind: u8) -> &'static str {
    match kind {
        ShelfError::NOT_VERIFIED => "INFO",
        ShelfError::MISSING
        | ShelfError::MISPLACED_FLOOR
        | ShelfError::MISPLACED_ROW
        | ShelfError::MISPLACED_BAY
        | ShelfError::MISPLACED_TIER => "ERROR",
        _ => "WARN",
    }
}

fn title(e: &ShelfError) -> String {
    let item = [&e.item.call_number, &e.item.barcode].into_iter().find(|t| !t.is_empty());
    format!("{}: {}", kind(e.kind), item.cloned().unwrap_or_else(|| hex(&e.item.uid)))
}

/// Whether the viewer's font has these letters: it knows none of Chinese.
fn shown(title: &str) -> bool {
    !title.is_empty() && title.chars().all(|c| c < '\u{0250}')
}

fn line(e: &ShelfError) -> String {
    let mut text = title(e);
    if shown(&e.item.title) {
        text += &format!(" “{}”", e.item.title);
    }
    for (word, place) in [("found", &e.found), ("home", &e.home)] {
        if !place.is_empty() {
            text += &format!(", {word} {place}");
        }
    }
    text + &format!(", confidence {:.2}", e.confidence)
}

fn between(left: &ItemRef, right: &ItemRef) -> String {
    let name = |i: &ItemRef| match (i.uid.is_empty(), i.call_number.is_empty()) {
        (true, _) => "the end".to_owned(),
        (_, true) => format!("[{0}](recording://tags/{0}/about)", hex(&i.uid)),
        (_, false) => i.call_number.clone(),
    };
    format!("{} and {}", name(left), name(right))
}

fn page(e: &ShelfError) -> String {
    let mut text = format!("## {}\n\n", title(e));
    if shown(&e.item.title) {
        text += &format!("*{}*\n\n", e.item.title);
    }
    text += &format!("Tag `{}`", hex(&e.item.uid));
    if !e.item.barcode.is_empty() {
        text += &format!(", barcode `{}`", e.item.barcode);
    }
    text += "\n\n| | |\n|---|---|\n";
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            text += &format!("| {name} | {value} |\n");
        }
    };
    row("home", e.home.clone());
    row("found", e.found.clone());
    if e.found_along_m.is_finite() {
        row("along", format!("{:.3} m ± {:.1} mm", e.found_along_m, 1e3 * e.found_along_std_m));
        row("stands between", between(&e.found_left, &e.found_right));
    }
    if !(e.belongs_left.uid.is_empty() && e.belongs_right.uid.is_empty()) {
        row("belongs between", between(&e.belongs_left, &e.belongs_right));
    }
    row("confidence", format!("{:.2}", e.confidence));
    row("reads", format!("{} in {} passes, {} passes missed it", e.reads, e.passes, e.passes_missed));
    if e.reads > 0 {
        row("strongest", format!("{:.0} dBm", e.rssi_dbm));
        row("tier by radio alone", format!("{:.2}", e.tier_probability));
        let seconds = |ns: i64| ns as f64 * 1e-9;
        let (first, last) = (e.first_seen.to_ns(), e.last_seen.to_ns());
        row("seen", format!("{:.1} s to {:.1} s", seconds(first), seconds(last)));
    }
    row("would have been read at home", format!("{:.2}", e.read_probability));
    text
}

fn table(m: &ShelfErrors) -> String {
    let mut text = format!(
        "## {} findings\n\n{} books expected, {} in place, {} tags seen, on {}.\n\n\
         A click on a time in the list jumps there; a link opens the tag.\n\n\
         | finding | tag | found | home | confidence |\n|---|---|---|---|---|\n",
        m.errors.len(),
        m.expected,
        m.in_place,
        m.seen,
        m.faces.join(", ")
    );
    for e in m.errors.iter().take(ROWS) {
        let tag = hex(&e.item.uid);
        let name = if e.item.call_number.is_empty() { &tag } else { &e.item.call_number };
        text += &format!(
            "| {} | [{name}](recording://tags/{tag}) | {} | {} | {:.2} |\n",
            kind(e.kind),
            e.found,
            e.home,
            e.confidence
        );
    }
    if m.errors.len() > ROWS {
        text += &format!("\nand {} more\n", m.errors.len() - ROWS);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_face_bay_and_tier() {
        assert_eq!(split("1F/R07A/B04/T3"), Some(("1F/R07A", 4, 3)));
        assert_eq!(split(first_of("1F/R07A/B04/T3..1F/R07A/B05/T1")), Some(("1F/R07A", 4, 3)));
        assert_eq!(split("1F/R07A"), None);
    }

    #[test]
    fn kinds_are_named_as_in_reports() {
        assert_eq!(kind(ShelfError::MISPLACED_TIER), "misplaced tier");
        assert_eq!(kind(77), "kind 77");
    }
}
