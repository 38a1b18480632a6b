//! The HTML page: what the template is given. Every text goes through the template's escaping.

use std::collections::BTreeMap;

use domain::audit::{Audit, TagModelReads};
use domain::{ErrorKind, FaceId, ItemRef, Site};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;

use super::pick_list::{Pick, pick_list};
use super::{ReportError, elevation};
use crate::facts::{RunFacts, Summary};
use crate::{time, words};

/// Most inputs left out that are named one by one.
const PROBLEMS_NAMED: usize = 12;

pub(super) fn page(audit: &Audit, site: &Site, facts: &RunFacts) -> Result<String, ReportError> {
    let mut env = Environment::new();
    env.set_auto_escape_callback(|name| {
        if name.ends_with(".css") || name.ends_with(".js") { AutoEscape::None } else { AutoEscape::Html }
    });
    env.add_template("report.html", include_str!("../../templates/report.html"))?;
    env.add_template("report.css", include_str!("../../templates/report.css"))?;
    env.add_template("report.js", include_str!("../../templates/report.js"))?;
    env.add_template("elevation.svg.html", include_str!("../../templates/elevation.svg.html"))?;
    env.add_filter("count", |n: u64| grouped(n));

    let picks = pick_list(audit, site);
    let summary = Summary::of(audit);
    let context = context! {
        head => Serde(head(audit, &summary, facts, site)),
        parts => Serde(parts(&summary)),
        kinds => Serde(kinds(&summary)),
        faces => Serde(face_rows(audit, site, facts, &picks)),
        panels => Serde(elevation::panels(audit, site, &picks)),
        groups => Serde(groups(&picks)),
        models => Serde(models(audit)),
        problems => Serde(audit.problems.iter().take(PROBLEMS_NAMED).collect::<Vec<_>>()),
        problem_count => audit.problems.len(),
        version => env!("CARGO_PKG_VERSION"),
    };
    Ok(env.get_template("report.html")?.render(context)?)
}

/// Digits in groups of three, with thin spaces that do not break.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

#[derive(Serialize)]
struct Head {
    site: String,
    run: String,
    robot: String,
    when: String,
    simulated: bool,
    duration: String,
    distance: String,
    reads: u64,
    tags: u32,
    passes: u32,
    seed: Option<u64>,
    expected: u32,
    in_place: u32,
    share: String,
    seen: u32,
    findings: u32,
    to_do: u32,
    not_covered: u32,
}

fn head(audit: &Audit, summary: &Summary, facts: &RunFacts, site: &Site) -> Head {
    let share = if summary.expected == 0 {
        "–".into()
    } else {
        // Rounded down: 100 % is said only when it is so.
        let permille = u64::from(summary.in_place) * 1000 / u64::from(summary.expected);
        format!("{}.{}", permille / 10, permille % 10)
    };
    Head {
        site: if facts.site.is_empty() { site.name.clone() } else { facts.site.clone() },
        run: facts.run.clone(),
        robot: facts.robot.clone(),
        when: facts.wall_ns(facts.finished_ns).map_or(String::new(), time::for_people),
        simulated: facts.seed.is_some(),
        duration: time::span(facts.duration_s()),
        distance: format!("{:.0} m", if facts.distance_m.is_finite() { facts.distance_m } else { 0.0 }),
        reads: facts.reads,
        tags: facts.tags,
        passes: facts.passes,
        seed: facts.seed,
        expected: summary.expected,
        in_place: summary.in_place,
        share,
        seen: summary.seen,
        findings: summary.total(),
        to_do: summary.total() - summary.count(ErrorKind::NotVerified),
        not_covered: audit.not_covered,
    }
}

/// A model of tags with how well it was read.
#[derive(Serialize)]
struct ModelRow {
    model: String,
    expected: u32,
    read: u32,
    rate: String,
}

fn models(audit: &Audit) -> Vec<ModelRow> {
    let row = |m: &TagModelReads| ModelRow {
        model: m.model.clone(),
        expected: m.expected,
        read: m.read,
        rate: format!("{:.2}", m.rate),
    };
    audit.tag_models.iter().map(row).collect()
}

/// A part of the bar that shows what became of the books expected.
#[derive(Serialize)]
struct Part {
    class: &'static str,
    label: &'static str,
    count: u32,
    x: f64,
    w: f64,
}

/// Length of the bar, units.
const BAR: f64 = 1000.0;
/// A part with a book in it is never thinner than this, units.
const THINNEST: f64 = 7.0;

fn parts(summary: &Summary) -> Vec<Part> {
    let misplaced: u32 =
        summary.findings.iter().filter(|(k, _)| words::class(Some(**k)) == "misplaced").map(|(_, n)| n).sum();
    let counts = [
        ("ok", "In place", summary.in_place),
        ("misplaced", "Misplaced", misplaced),
        ("order", "Out of order", summary.count(ErrorKind::OutOfOrder)),
        ("missing", "Missing", summary.count(ErrorKind::Missing)),
        ("unverified", "Not verified", summary.count(ErrorKind::NotVerified)),
    ];
    let present: Vec<_> = counts.into_iter().filter(|(_, _, n)| *n > 0).collect();
    let total: f64 = present.iter().map(|(_, _, n)| f64::from(*n)).sum();
    let free = BAR - THINNEST * present.len() as f64;
    let mut x = 0.0;
    present
        .into_iter()
        .map(|(class, label, count)| {
            let w = THINNEST + free * f64::from(count) / total;
            let part = Part { class, label, count, x: tenth(x), w: tenth(w) };
            x += w;
            part
        })
        .collect()
}

fn tenth(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

#[derive(Serialize)]
struct KindRow {
    class: &'static str,
    label: &'static str,
    action: &'static str,
    count: u32,
}

fn kinds(summary: &Summary) -> Vec<KindRow> {
    words::KINDS
        .into_iter()
        .filter(|&k| summary.count(k) > 0)
        .map(|k| KindRow {
            class: words::class(Some(k)),
            label: words::label(k),
            action: words::action(k),
            count: summary.count(k),
        })
        .collect()
}

/// One row face in the table of faces. The counts of findings are of those picked up there.
#[derive(Serialize)]
struct FaceRow {
    face: String,
    books: u32,
    counts: Vec<u32>,
    coverage: Option<String>,
    weak: Option<String>,
}

const CLASSES: [&str; 6] = ["misplaced", "order", "missing", "loan", "unknown", "unverified"];

fn face_rows(audit: &Audit, site: &Site, facts: &RunFacts, picks: &[Pick<'_>]) -> Vec<FaceRow> {
    let mut books: BTreeMap<&FaceId, u32> = BTreeMap::new();
    for book in &audit.books {
        *books.entry(&book.face).or_default() += 1;
    }
    let mut counts: BTreeMap<(&FaceId, &str), u32> = BTreeMap::new();
    for pick in picks {
        if let Some(stop) = &pick.stop {
            *counts.entry((&stop.face, words::class(Some(pick.error.kind)))).or_default() += 1;
        }
    }
    let known = site.faces().map(|(id, _, _)| id).filter(|id| audit.faces.contains(id));
    let order: Vec<FaceId> = known.collect();
    let others = audit.faces.iter().filter(|id| !order.contains(id)).cloned();
    order
        .iter()
        .cloned()
        .chain(others)
        .map(|id| {
            let covered = facts.coverage.iter().find(|c| c.face == id);
            FaceRow {
                face: id.to_string(),
                books: books.get(&id).copied().unwrap_or(0),
                counts: CLASSES.iter().map(|c| counts.get(&(&id, *c)).copied().unwrap_or(0)).collect(),
                coverage: covered.map(|c| percent(c.mean_read_probability)),
                weak: covered.map(|c| percent(c.weak_share)),
            }
        })
        .collect()
}

/// A probability in percent, never rounded up to certainty.
fn percent(p: f32) -> String {
    match p {
        p if !p.is_finite() => "–".into(),
        p if p >= 1.0 => "100 %".into(),
        p if p > 0.99 => ">99 %".into(),
        p => format!("{:.0} %", (p.max(0.0) * 100.0).floor()),
    }
}

/// The stops on one row face.
#[derive(Serialize)]
struct Group {
    face: String,
    stops: Vec<Stop>,
}

#[derive(Serialize)]
struct Text {
    text: String,
    lang: Option<&'static str>,
}

#[derive(Serialize)]
struct Neighbour {
    call_number: String,
    title: Text,
}

#[derive(Serialize)]
struct Stop {
    number: u32,
    class: &'static str,
    kind: &'static str,
    label: &'static str,
    action: &'static str,
    bay: u16,
    tier: u8,
    position: u32,
    seen: bool,
    title: Text,
    call_number: String,
    barcode: String,
    uid: String,
    home: String,
    same_shelf: bool,
    found: Vec<Option<Neighbour>>,
    belongs: Vec<Option<Neighbour>>,
    sure: String,
    evidence: String,
}

fn groups(picks: &[Pick<'_>]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for pick in picks {
        let face = pick.stop.as_ref().map_or("Place unknown".into(), |s| s.face.to_string());
        if groups.last().is_none_or(|g| g.face != face) {
            groups.push(Group { face, stops: Vec::new() });
        }
        if let Some(group) = groups.last_mut() {
            group.stops.push(stop(pick));
        }
    }
    groups
}

fn text(text: &str) -> Text {
    Text { lang: words::lang(text), text: text.into() }
}

fn neighbour(item: &Option<ItemRef>) -> Option<Neighbour> {
    item.as_ref().map(|i| {
        let title = if i.title.is_empty() && i.call_number.is_empty() {
            words::neighbour(i)
        } else {
            i.title.clone()
        };
        Neighbour { call_number: i.call_number.clone(), title: text(&title) }
    })
}

fn stop(pick: &Pick<'_>) -> Stop {
    let e = pick.error;
    let sides = |pair: &[Option<ItemRef>; 2]| -> Vec<Option<Neighbour>> {
        if pair.iter().all(Option::is_none) { Vec::new() } else { pair.iter().map(neighbour).collect() }
    };
    let found_at = e.found.as_ref().map(|p| &p.address);
    Stop {
        number: pick.number,
        class: words::class(Some(e.kind)),
        kind: words::name(e.kind),
        label: words::label(e.kind),
        action: words::action(e.kind),
        bay: pick.stop.as_ref().map_or(0, |s| s.bay),
        tier: pick.stop.as_ref().map_or(0, |s| s.tier),
        position: e.found.as_ref().map_or(0, |p| p.position),
        seen: e.found.is_some(),
        title: text(&e.item.title),
        call_number: e.item.call_number.clone(),
        barcode: e.item.barcode.clone(),
        uid: e.item.uid.to_string(),
        home: e.home.as_ref().map_or(String::new(), ToString::to_string),
        same_shelf: e.home.as_ref().is_some_and(|h| h.first == h.last && Some(&h.first) == found_at),
        found: sides(&e.found_between),
        belongs: sides(&e.belongs_between),
        sure: percent(e.confidence),
        evidence: evidence(e),
    }
}

fn evidence(e: &domain::ShelfError) -> String {
    let v = &e.evidence;
    let passes = |n: u32| if n == 1 { "1 pass".into() } else { format!("{n} passes") };
    if e.found.is_some() {
        format!("{} reads", grouped(u64::from(v.reads)))
    } else {
        format!("{}, coverage {}", passes(v.passes_missed), percent(v.read_probability))
    }
}
