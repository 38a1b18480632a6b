//! Locates books while simulated robots inventory a library, and writes into `positioning/LIVE.md` how soon and how well.
//!
//! `cargo run --release -p tests --example evaluate_live` (some minutes); with a seed after it nothing is written, which is
//! for trying things out: figures that are reported come from the seeds of the file.

#![allow(missing_docs, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use domain::{FaceId, Sighting, Site, Uid};
use interfaces::{AnyMessage, Publication};
use nodes::host::{LocalHost, Observer};
use nodes::localizer::{LocalizerNode, LocalizerParams, dock_pose};
use nodes::locator::LocatorNode;
use nodes::navigator::{NavigatorNode, NavigatorParams};
use nodes::pilot::{PilotNode, PilotParams};
use positioning::LocateSettings;
use tests::drive::TwinWorld;
use tests::placing::{Placed, quantile};
use twin::library::TagKind;
use twin::{Scenario, Twin};

type AnyError = Box<dyn std::error::Error>;

/// Seed of the reported missions: nothing was chosen by it.
const REPORTED: [u64; 1] = [21];
/// What was asked for, s.
const ASKED_S: f64 = 2.0;
/// Longest mission, s.
const LONGEST_S: f64 = 3_600.0;

fn main() -> Result<(), AnyError> {
    let given: Option<u64> = std::env::args().nth(1).map(|s| s.parse()).transpose()?;
    let seeds = given.map_or(REPORTED.to_vec(), |seed| vec![seed]);
    let mut report = String::from(HEAD);
    for (name, file) in [("UHF", "demo.toml"), ("HF", "hf.toml")] {
        let (mut first_face, mut others) = (Told::default(), Told::default());
        for &seed in &seeds {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../twin/scenarios").join(file);
            let scenario = Scenario { seed, ..Scenario::load(&file)? };
            for (number, pass) in mission(&scenario)?.values().enumerate() {
                let told = if number == 0 { &mut first_face } else { &mut others };
                told.add(pass);
            }
        }
        for line in
            [first_face.line(&format!("{name}, first face")), others.line(&format!("{name}, the others"))]
        {
            println!("{line}");
            writeln!(report, "{line}")?;
        }
    }
    if given.is_none() {
        let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../positioning/LIVE.md");
        std::fs::write(&out, report).map_err(|e| format!("{}: {e}", out.display()))?;
    }
    Ok(())
}

/// What was told during one pass, by order of the passes.
#[derive(Default)]
struct PassTold {
    /// First and newest sighting of each tag, and when the first came, ns.
    live: BTreeMap<Uid, (i64, Sighting, Sighting)>,
    over: Vec<Sighting>,
    /// Where the robot was: time, ns, and place along the face, m.
    way: Vec<(i64, f64)>,
    truth: BTreeMap<Uid, Placed>,
}

/// Collects what the locator publishes.
#[derive(Default)]
struct Listener {
    passes: BTreeMap<i64, PassTold>,
    by_scan: BTreeMap<String, i64>,
}

impl Observer for Listener {
    fn observe(&mut self, p: &Publication) -> Result<(), String> {
        let AnyMessage::Sightings(message) = &*p.message else { return Ok(()) };
        let at = *self.by_scan.entry(message.scan.clone()).or_insert(p.stamp_ns);
        let pass = self.passes.entry(at).or_default();
        for s in message.sightings.iter().filter_map(|s| Sighting::try_from(s).ok()) {
            if p.is_called("live_sightings") {
                pass.live.entry(s.uid.clone()).and_modify(|told| told.2 = s.clone()).or_insert((
                    p.stamp_ns,
                    s.clone(),
                    s,
                ));
            } else {
                pass.over.push(s);
            }
        }
        Ok(())
    }
}

/// Drives a mission over all faces; gives its passes in order.
fn mission(scenario: &Scenario) -> Result<BTreeMap<i64, PassTold>, AnyError> {
    let twin = Twin::new(scenario)?;
    let site: Arc<Site> = Arc::new(twin.site().clone());
    let faces: Vec<FaceId> = site.faces().map(|f| f.0).collect();
    let dock = dock_pose(&site, "1F", "dock_1")?;
    let (mut pilot, mut navigator) = (PilotParams::default(), NavigatorParams::default());
    if scenario.library.tags == TagKind::Hf {
        // As launch/params/hf.toml has it.
        (pilot.distance_m, pilot.run_m, pilot.reader_silent_s) = (0.42, 0.4, 10.0);
        pilot.planner.robot_radius_m = 0.35;
        navigator.planner.robot_radius_m = 0.35;
    }
    let mut host = LocalHost::new();
    host.add(Box::new(LocalizerNode::new("inv_1", &site, "1F", dock, LocalizerParams::default())?));
    host.add(Box::new(NavigatorNode::new("inv_1", &site, "1F", navigator)?));
    host.add(Box::new(PilotNode::new("inv_1", &site, "1F", "live", &faces, pilot)?));
    host.add(Box::new(LocatorNode::new("inv_1", site.clone(), LocateSettings::default())));
    let mut listener = Listener::default();
    host.feed(twin.static_transforms(), &mut [&mut listener])?;
    let mut world = TwinWorld(twin);
    let mut way: Vec<(i64, [f64; 3])> = Vec::new();
    let mut done = false;
    while !done && (world.0.now_ns() as f64) < LONGEST_S * 1e9 {
        host.step(&mut world, &mut [&mut listener])?;
        let [x, y, _] = world.0.true_pose("inv_1").ok_or("no inv_1")?;
        way.push((world.0.now_ns(), [x, y, 0.0]));
        let over = listener.passes.values().filter(|p| !p.over.is_empty()).count();
        done = over >= faces.len();
    }
    let books = world.0.truth().books;
    for pass in listener.passes.values_mut() {
        let Some(id) = pass.over.first().and_then(|s| s.face.clone()) else { continue };
        let Some((_, face)) = site.face(&id) else { continue };
        pass.way = way.iter().map(|(t, at)| (*t, face.face_from_map(*at)[0])).collect();
        // Before the pass the robot may have gone along the face on its way to it.
        let before = pass.live.values().map(|told| told.0).min().unwrap_or(0);
        let near = |p: &(i64, f64)| p.0 >= before - BEFORE_NS && p.0 <= before + LONGEST_PASS_NS;
        pass.way.retain(near);
        for book in &books {
            if let Some(address) = book.address.as_ref().filter(|a| a.face == id) {
                let tier = Some(usize::from(address.tier) - 1);
                pass.truth.insert(book.uid.clone(), Placed { x_m: book.tag_m[0], tier });
            }
        }
    }
    Ok(listener.passes)
}

/// A pass lasts no longer than from so long before its first sighting to so long after it, ns.
const BEFORE_NS: i64 = 12_000_000_000;
const LONGEST_PASS_NS: i64 = 70_000_000_000;

/// Places that were told, against the true ones.
#[derive(Default)]
struct Errors {
    /// Along the face, m, and over the stated deviation.
    along: Vec<f64>,
    ratio: Vec<f64>,
    tier_right: usize,
}

impl Errors {
    fn add(&mut self, s: &Sighting, truth: &Placed) {
        let error = (f64::from(s.along_m) - truth.x_m).abs();
        self.along.push(error);
        self.ratio.push(error / f64::from(s.along_std_m));
        self.tier_right += usize::from(s.tier().map(|t| usize::from(t.0) - 1) == truth.tier);
    }

    fn text(&self) -> String {
        let n = self.along.len().max(1) as f64;
        let within = |k: f64| 100.0 * self.ratio.iter().filter(|r| **r <= k).count() as f64 / n;
        format!(
            "{:.1}, {:.1} | {:.1} | {:.0} / {:.0}",
            100.0 * quantile(&self.along, 0.5),
            100.0 * self.along.iter().sum::<f64>() / n,
            100.0 * self.tier_right as f64 / n,
            within(1.0),
            within(2.0)
        )
    }
}

#[derive(Default)]
struct Told {
    /// Books of the faces that were read.
    books: usize,
    /// Time from the antennas passing the book to its first sighting, s.
    delays: Vec<f64>,
    first: Errors,
    newest: Errors,
    over: Errors,
}

impl Told {
    fn add(&mut self, pass: &PassTold) {
        for over in &pass.over {
            let Some(truth) = pass.truth.get(&over.uid) else { continue };
            self.books += 1;
            self.over.add(over, truth);
            if let Some((at_ns, first, newest)) = pass.live.get(&over.uid) {
                self.first.add(first, truth);
                self.newest.add(newest, truth);
                let passed = pass.way.windows(2).find(|w| (w[0].1 < truth.x_m) != (w[1].1 < truth.x_m));
                if let Some(passed) = passed {
                    self.delays.push((at_ns - passed[1].0) as f64 * 1e-9);
                }
            }
        }
    }

    fn line(&self, case: &str) -> String {
        let share = |n: usize| 100.0 * n as f64 / self.books.max(1) as f64;
        let soon = self.delays.iter().filter(|d| **d <= ASKED_S).count();
        format!(
            "| {case} | {} | {:.1} | {:.1} | {:.1}, {:.1}, {:.1} | {} | {} | {} |",
            self.books,
            share(self.first.along.len()),
            share(soon),
            quantile(&self.delays, 0.05),
            quantile(&self.delays, 0.5),
            quantile(&self.delays, 0.95),
            self.first.text(),
            self.newest.text(),
            self.over.text(),
        )
    }
}

const HEAD: &str = "\
# Books told while the robot goes by

Missions over the four faces of the demo library and of its HF twin, one pass a face, by the nodes as they are (localizer, navigator, pilot,
locator). *told*: share of the books read that were told before the pass was over, and within two seconds of the antennas passing
them (true places; 0.09 m/s while scanning); *delay*: from then to the first sighting, s (5%, median, 95%; less than 0: told before). Then errors along
the shelf, cm (median, mean), tier right %, and errors within one and two stated deviations (68 and 95 are right): of the first
sighting, of the newest before the pass is over (its second look, with the whole profile), and of the pass as a whole. On the first face the
reader's offsets must be learnt before anything can be told; the later faces go on from there. Made by

    cargo run --release -p tests --example evaluate_live

| | books | told % | in 2 s % | delay s | first: cm | tier % | in 1 / 2 std % | newest: cm | tier % | in 1 / 2 std % | over: cm | tier % | in 1 / 2 std % |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
";
