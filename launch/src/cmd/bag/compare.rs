//! Results of two runs over the same inputs, side by side.

use std::collections::BTreeMap;

use domain::{Sighting, Uid};
use interfaces::shelfwright_msgs::{ShelfError, ShelfErrors};
use interfaces::{AnyMessage, Publication};
use serde::Serialize;

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

    /// The table that people see.
    pub fn table(&self) -> String {
        let mut text = format!("{:<32} {:>9} {:>9}\n", "topic", "recorded", "today");
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
