//! Results side by side: of two runs over the same inputs, or of two bags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bags::{RawReader, Selection};
use clap::Args;

use domain::{Sighting, Uid};
use interfaces::shelfwright_msgs::{ShelfError, ShelfErrors};
use interfaces::{AnyMessage, Publication};
use serde::Serialize;

use crate::ui::{Interrupted, Ui, interrupted, refused};

/// Topics of results.
pub const RESULTS: [&str; 4] = ["*/sightings", "*/live_sightings", "*/coverage", "/shelf_errors"];

/// Arguments of `bag compare`.
#[derive(Debug, Args)]
#[command(after_help = "Sightings are matched by pass and tag, shelf errors by kind, book and place.\n\
    The exit code is 1 where the bags differ by more than is allowed.\n\nExamples:\n  \
    shelfwright bag compare before/bag after/bag\n  \
    shelfwright bag compare monday/bag tuesday/bag --moved 20 --allow 10")]
pub struct CompareArgs {
    /// The bag that is compared with.
    before: PathBuf,
    /// The other bag.
    after: PathBuf,
    #[command(flatten)]
    thresholds: ThresholdArgs,
}

/// What counts as a difference, as it is asked for.
#[derive(Debug, Args)]
pub struct ThresholdArgs {
    /// A sighting counts as moved from this distance on, mm.
    #[arg(long, value_name = "MM", default_value_t = 1.0, value_parser = millimetres)]
    moved: f64,
    /// So many differences are allowed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    allow: u64,
    /// Every byte counts.
    #[arg(long)]
    exact: bool,
}

impl From<&ThresholdArgs> for Thresholds {
    fn from(args: &ThresholdArgs) -> Self {
        Self { moved_m: args.moved * 1e-3, allow: args.allow, exact: args.exact }
    }
}

fn millimetres(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|v| (0.0..=10_000.0).contains(v));
    value.ok_or_else(|| "expected 0 to 10000".to_owned())
}

/// Runs `bag compare`.
pub fn run(args: &CompareArgs, ui: &Ui) -> anyhow::Result<()> {
    let (before, after) = (results(&args.before)?, results(&args.after)?);
    let comparison = Comparison::of(&before, &after, (&args.thresholds).into());
    ui.result(&comparison, |c| c.table(["before", "after"]))?;
    anyhow::ensure!(
        comparison.passed,
        "{} and {} differ: {}",
        args.before.display(),
        args.after.display(),
        comparison.verdict()
    );
    Ok(())
}

fn results(bag: &Path) -> anyhow::Result<Vec<Publication>> {
    let mut out = Vec::new();
    for message in RawReader::open(bag, Selection::default().topics(RESULTS)).map_err(refused)? {
        if interrupted() {
            return Err(Interrupted.into());
        }
        let message = message.map_err(refused)?;
        out.push(message.decode().map_err(|e| refused(format!("{}: {e}", bag.display())))?);
    }
    if out.is_empty() {
        return Err(refused(format!("{}: holds no results (topics {})", bag.display(), RESULTS.join(", "))));
    }
    Ok(out)
}

/// Differences that are named one by one.
const NAMED: usize = 10;

/// What counts as a difference, and how many are allowed.
#[derive(Debug, Clone, Copy)]
pub struct Thresholds {
    /// A sighting has moved from this distance on, m.
    pub moved_m: f64,
    /// Differences that are allowed.
    pub allow: u64,
    /// Every byte counts.
    pub exact: bool,
}

/// The comparison.
#[derive(Debug, Serialize)]
pub struct Comparison {
    topics: Vec<Topic>,
    sightings: Sightings,
    errors: Errors,
    /// In all.
    differences: u64,
    identical: bool,
    /// Whether they are within what is allowed.
    pub passed: bool,
}

#[derive(Debug, Serialize)]
struct Topic {
    topic: String,
    recorded: u64,
    today: u64,
    /// Byte for byte.
    identical: bool,
}

#[derive(Debug, Default, Serialize)]
struct Sightings {
    recorded: u64,
    today: u64,
    /// Recorded, and not there today.
    lost: u64,
    /// There today, and not recorded.
    new: u64,
    /// Further than the threshold.
    moved: u64,
    /// On another tier.
    other_tier: u64,
    /// At another place in their tier's order.
    other_rank: u64,
    /// Farthest, mm.
    farthest_mm: f64,
    /// RMS of all that are in both, mm.
    rms_mm: f64,
    /// The first and farthest.
    named: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
struct Errors {
    recorded: u64,
    today: u64,
    /// Recorded, and not there today.
    gone: Vec<String>,
    /// There today, and not recorded.
    new: Vec<String>,
}

impl Comparison {
    /// Compares recorded results with today's.
    pub fn of(recorded: &[Publication], today: &[Publication], thresholds: Thresholds) -> Self {
        let topics = topics(recorded, today);
        let sightings = sightings(&passes(recorded), &passes(today), thresholds.moved_m);
        let errors = errors(recorded, today);
        let s = &sightings;
        let differences = s.lost
            + s.new
            + s.moved
            + s.other_tier
            + s.other_rank
            + (errors.gone.len() + errors.new.len()) as u64;
        let identical = topics.iter().all(|t| t.identical);
        let passed = differences <= thresholds.allow && (identical || !thresholds.exact);
        Self { topics, sightings, errors, differences, identical, passed }
    }

    /// The differences in a line.
    pub fn verdict(&self) -> String {
        let s = &self.sightings;
        if self.identical {
            return "every byte is the same".to_owned();
        }
        format!(
            "{} sightings lost, {} new, {} moved (farthest {:.1} mm), {} on another tier, {} in another place in \
             order; {} errors gone, {} new",
            s.lost,
            s.new,
            s.moved,
            s.farthest_mm,
            s.other_tier,
            s.other_rank,
            self.errors.gone.len(),
            self.errors.new.len()
        )
    }

    /// The table that people see, with words for the two sides.
    pub fn table(&self, [first, second]: [&str; 2]) -> String {
        let mut text = format!("{:<32} {first:>9} {second:>9}\n", "topic");
        for t in &self.topics {
            let word = if t.identical { "same bytes" } else { "differs" };
            text += &format!("{:<32} {:>9} {:>9}  {word}\n", t.topic, t.recorded, t.today);
        }
        let s = &self.sightings;
        text += &format!("{:<32} {:>9} {:>9}\n", "sightings of passes", s.recorded, s.today);
        for (what, count) in [
            ("lost", s.lost),
            ("new", s.new),
            ("moved", s.moved),
            ("on another tier", s.other_tier),
            ("in another place in order", s.other_rank),
        ] {
            if count > 0 {
                text += &format!("  {what:<30} {count:>9}\n");
            }
        }
        if s.farthest_mm > 0.0 {
            text += &format!("  farthest {:.2} mm, RMS {:.2} mm\n", s.farthest_mm, s.rms_mm);
        }
        for line in &s.named {
            text += &format!("    {line}\n");
        }
        let e = &self.errors;
        text += &format!("{:<32} {:>9} {:>9}\n", "shelf errors", e.recorded, e.today);
        for (word, list) in [("gone", &e.gone), ("new", &e.new)] {
            for line in list.iter().take(NAMED) {
                text += &format!("  {word}: {line}\n");
            }
            if list.len() > NAMED {
                text += &format!("  and {} more {word}\n", list.len() - NAMED);
            }
        }
        text
    }
}

fn topics(recorded: &[Publication], today: &[Publication]) -> Vec<Topic> {
    let mut by_topic: BTreeMap<&str, [Vec<&Publication>; 2]> = BTreeMap::new();
    for (side, publications) in [recorded, today].into_iter().enumerate() {
        for p in publications {
            by_topic.entry(&p.topic).or_default()[side].push(p);
        }
    }
    let topic = |(topic, [a, b]): (&str, [Vec<&Publication>; 2])| Topic {
        topic: topic.to_owned(),
        recorded: a.len() as u64,
        today: b.len() as u64,
        identical: a.len() == b.len()
            && a.iter().zip(&b).all(|(a, b)| a.message.to_cdr() == b.message.to_cdr()),
    };
    by_topic.into_iter().map(topic).collect()
}

/// Sightings of whole passes by pass and tag.
fn passes(publications: &[Publication]) -> BTreeMap<(String, Uid), Sighting> {
    let mut out = BTreeMap::new();
    for p in publications {
        if let AnyMessage::Sightings(message) = &*p.message
            && p.is_called("sightings")
        {
            for sighting in message.sightings.iter().filter_map(|s| Sighting::try_from(s).ok()) {
                out.insert((sighting.scan.clone(), sighting.uid.clone()), sighting);
            }
        }
    }
    out
}

fn sightings(
    recorded: &BTreeMap<(String, Uid), Sighting>,
    today: &BTreeMap<(String, Uid), Sighting>,
    moved_m: f64,
) -> Sightings {
    let mut out =
        Sightings { recorded: recorded.len() as u64, today: today.len() as u64, ..Sightings::default() };
    let mut named: Vec<(f64, String)> = Vec::new();
    let (mut sum, mut both) = (0.0, 0_u64);
    for (key, then) in recorded {
        let name = format!("{} {}", key.0, key.1.to_string().to_lowercase());
        let Some(now) = today.get(key) else {
            out.lost += 1;
            named.push((f64::INFINITY, format!("{name}: lost, was at {:.3} m", then.along_m)));
            continue;
        };
        let distance = f64::from((now.along_m - then.along_m).abs());
        // A position that is not a number differs from every other.
        let distance = if distance.is_nan() && now.along_m.is_nan() != then.along_m.is_nan() {
            f64::INFINITY
        } else if distance.is_nan() {
            0.0
        } else {
            distance
        };
        both += 1;
        sum += distance * distance;
        out.farthest_mm = out.farthest_mm.max(distance * 1e3);
        let tiers = (then.tier().map(|t| t.0), now.tier().map(|t| t.0));
        let moved = distance > moved_m;
        out.moved += u64::from(moved);
        out.other_tier += u64::from(tiers.0 != tiers.1);
        out.other_rank += u64::from(then.rank != now.rank);
        if moved || tiers.0 != tiers.1 || then.rank != now.rank {
            let tier = |t: Option<u8>| t.map_or("none".to_owned(), |t| t.to_string());
            let line = format!(
                "{name}: {:.4} m to {:.4} m, tier {} to {}, rank {} to {}",
                then.along_m,
                now.along_m,
                tier(tiers.0),
                tier(tiers.1),
                then.rank,
                now.rank
            );
            named.push((distance, line));
        }
    }
    for (key, now) in today.iter().filter(|(key, _)| !recorded.contains_key(key)) {
        out.new += 1;
        let name = format!("{} {}", key.0, key.1.to_string().to_lowercase());
        named.push((f64::INFINITY, format!("{name}: new, at {:.3} m", now.along_m)));
    }
    out.rms_mm = 1e3 * (sum / both.max(1) as f64).sqrt();
    named.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    out.named = named.into_iter().take(NAMED).map(|(_, line)| line).collect();
    out
}

fn errors(recorded: &[Publication], today: &[Publication]) -> Errors {
    let last = |publications: &[Publication]| -> BTreeMap<(u8, Vec<u8>, String), String> {
        // Each audit is the whole truth of its time; the last one stands.
        let message = publications.iter().rev().find_map(|p| match &*p.message {
            AnyMessage::ShelfErrors(m) => Some(m.clone()),
            _ => None,
        });
        let ShelfErrors { errors, .. } = message.unwrap_or_default();
        errors.into_iter().map(|e| ((e.kind, e.item.uid.clone(), e.found.clone()), words(&e))).collect()
    };
    let (then, now) = (last(recorded), last(today));
    type Known = BTreeMap<(u8, Vec<u8>, String), String>;
    let only = |a: &Known, b: &Known| -> Vec<String> {
        a.iter().filter(|(key, _)| !b.contains_key(key)).map(|(_, words)| words.clone()).collect()
    };
    Errors {
        recorded: then.len() as u64,
        today: now.len() as u64,
        gone: only(&then, &now),
        new: only(&now, &then),
    }
}

fn words(e: &ShelfError) -> String {
    let kind = domain::ShelfError::try_from(e)
        .map_or_else(|_| format!("kind {}", e.kind), |e| bridge::words::label(e.kind).to_owned());
    let uid: String = e.item.uid.iter().map(|b| format!("{b:02x}")).collect();
    let item = if e.item.barcode.is_empty() { &uid } else { &e.item.barcode };
    let place = if e.found.is_empty() { format!("home {}", e.home) } else { format!("at {}", e.found) };
    format!("{kind} {item} {place} ({:.2})", e.confidence)
}
