//! Review: a run as a recording for the Rerun viewer, with a view for each kind of question.
//!
//! [`Review`] takes publications one by one, from a bag or from a mission that runs, and holds about a second of them.
//! What the viewer cannot show of itself is converted: scans, paths, odometry, diagnostics and the messages of
//! `shelfwright_msgs`. Transforms go over as they are, since the viewer keeps a tree of frames; only the antennas'
//! places are looked up here, through [`Frames`].

mod books;
mod error;
mod findings;
mod frames;
mod health;
mod layout;
mod log;
mod outline;
mod palette;
mod profile;
mod reads;
mod reference;
mod robot;
mod spots;
mod stacks;
mod urdf;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::Site;
use interfaces::shelfwright_msgs::{MissionState, ShelfError, ShelfErrors, Sightings};
use interfaces::{AnyMessage, Publication};

use books::Books;
pub use error::ReviewError;
use findings::Findings;
pub use frames::{Frames, Place};
use health::Health;
pub use log::Log;
pub use outline::Outline;
use profile::Profiles;
use reads::{ByRobot, Scene};
pub use reference::Reference;
use robot::Robots;
use spots::{Faces, Spot, Uid};
pub use views::Question;

/// Under this name the viewer keeps the layout of its users.
const APPLICATION: &str = "shelfwright";

/// Tags that get a profile when none is asked for: those of the surest findings.
const PROFILES: usize = 24;
/// Reads are drawn so often without a new transform, ns.
const WORK_NS: i64 = 100_000_000;

/// What is reviewed, and how.
#[derive(Debug, Clone)]
pub struct ReviewSettings {
    /// The site of the run.
    pub site: Arc<Site>,
    /// What the bag comes to; the default where that is not known yet.
    pub outline: Outline,
    /// The view in front.
    pub question: Question,
    /// Row face on the elevation, `1F/R01A`; by default one with findings.
    pub face: Option<String>,
    /// Bay on the elevation, from 1; by default all.
    pub bay: Option<u16>,
    /// Tier on the elevation, from 1; by default all.
    pub tier: Option<u8>,
    /// Tags to draw the profiles of; by default those of the surest findings.
    pub tags: Vec<Vec<u8>>,
    /// Names of books by tag, for people.
    pub names: BTreeMap<Vec<u8>, String>,
    /// Radius that robots are drawn with, m.
    pub robot_radius_m: f32,
    /// Stamps between which the run is shown, ns; what was seen beyond is told at the end of them.
    pub span_ns: [i64; 2],
    /// What else is known of the run, as Markdown: facts, delivery.
    pub notes: Option<String>,
    /// What the run is held against.
    pub reference: Option<Reference>,
}

impl ReviewSettings {
    /// All defaults.
    pub fn new(site: Arc<Site>) -> Self {
        Self {
            site,
            outline: Outline::default(),
            question: Question::default(),
            face: None,
            bay: None,
            tier: None,
            tags: Vec::new(),
            names: BTreeMap::new(),
            robot_radius_m: 0.25,
            span_ns: [i64::MIN, i64::MAX],
            notes: None,
            reference: None,
        }
    }
}

/// What came of a review.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Reviewed {
    /// Publications taken in.
    pub messages: u64,
    /// Reads that are not drawn: where their antenna was is not known.
    pub reads_without_place: u64,
    /// Differences from the reference.
    pub differences: Option<usize>,
    /// First stamp taken in, ns.
    pub from_ns: Option<i64>,
    /// Last stamp taken in, ns.
    pub to_ns: Option<i64>,
}

/// A run on its way into a recording. See the module's text.
pub struct Review {
    log: Log,
    frames: Box<dyn Frames + Send>,
    faces: Faces,
    /// Where books turn out to be; `None` where that is not known before the end.
    known: Option<Books>,
    books: Books,
    reads: ByRobot,
    /// Face that a robot scans, by robot.
    scanning: BTreeMap<String, String>,
    profiles: Profiles,
    findings: Findings,
    health: Health,
    robots: Robots,
    worked_ns: i64,
    told_errors: bool,
    done: Reviewed,
}

impl Review {
    /// Starts a recording: draws the library, what is known of the results, and the views.
    ///
    /// # Errors
    /// [`ReviewError`] where the recording cannot be written.
    pub fn start(
        log: Log,
        settings: ReviewSettings,
        frames: Box<dyn Frames + Send>,
    ) -> Result<Self, ReviewError> {
        let s = settings;
        let faces = Faces::of(&s.site);
        let tags = watched(&s);
        let mut known = Books::new(s.names.clone());
        for sightings in &s.outline.sightings {
            known.take(&faces, sightings);
        }
        let known = (!s.outline.sightings.is_empty()).then_some(known);
        let mut review = Self {
            log,
            frames,
            faces,
            known,
            books: Books::new(s.names.clone()),
            reads: ByRobot::new(),
            scanning: BTreeMap::new(),
            profiles: Profiles::new(tags.iter().cloned()),
            findings: Findings::within(s.span_ns),
            health: Health::default(),
            robots: Robots::new(s.robot_radius_m),
            worked_ns: i64::MIN,
            told_errors: false,
            done: Reviewed::default(),
        };
        let face = face(&s);
        let Some(floor) = floor(&s.site, face.as_deref()) else { return Ok(review) };
        stacks::draw(&mut review.log, floor)?;
        if let Some(errors) = &s.outline.errors {
            review.errors(errors)?;
        }
        for tag in &tags {
            let name = review.books.name(tag);
            review.findings.introduce(&review.log, tag, &name)?;
        }
        if let (Some(reference), Some(known)) = (&s.reference, &review.known) {
            let ours = spots(&review.faces, &s.outline.sightings);
            let count = reference::draw(&mut review.log, &review.faces, known, &ours, reference)?;
            review.done.differences = Some(count);
        }
        if let Some(notes) = &s.notes {
            let page = re_sdk_types::archetypes::TextDocument::from_markdown(notes.as_str());
            review.log.fix(log::path(["health", "run"]), &page)?;
        }
        let (robots, cameras) = (robots(&s.outline), cameras(&s.outline));
        let subject = views::Subject {
            question: s.question,
            floor,
            face: face.as_deref().and_then(|id| Some((id, review.faces.get(id)?))),
            bay: s.bay,
            tier: s.tier,
            tag: tags.first(),
            robots: &robots,
            cameras: &cameras,
            notes: s.notes.is_some(),
            against: s.reference.is_some(),
        };
        views::blueprint(&subject).send(review.log.stream())?;
        Ok(review)
    }

    /// Takes a publication in; they come in the order of their stamps.
    ///
    /// # Errors
    /// [`ReviewError`] where the recording cannot be written.
    pub fn take(&mut self, publication: &Publication) -> Result<(), ReviewError> {
        let now_ns = publication.stamp_ns;
        self.done.messages += 1;
        self.done.from_ns.get_or_insert(now_ns);
        self.done.to_ns = Some(now_ns);
        self.log.at(now_ns);
        let topic = &*publication.topic;
        let (robot, name) = topic.trim_start_matches('/').split_once('/').unwrap_or(("", topic));
        let log = &mut self.log;
        match &*publication.message {
            AnyMessage::TFMessage(m) => {
                let fixed = topic.ends_with("tf_static");
                self.frames.take(m, fixed);
                self.robots.transforms(log, m, fixed)?;
                if !fixed {
                    self.work(now_ns)?;
                }
            }
            AnyMessage::String(m) if name == "robot_description" => {
                self.robots.description(log, robot, &m.data)?;
            }
            AnyMessage::TagRead(m) => {
                self.reads.entry(robot.to_owned()).or_default().take(log, robot, now_ns, m)?;
            }
            AnyMessage::LaserScan(m) => self.robots.scan(log, robot, m)?,
            AnyMessage::PoseWithCovarianceStamped(m) => self.robots.pose(log, robot, now_ns, m)?,
            AnyMessage::Odometry(m) => self.robots.odometry(log, robot, now_ns, m)?,
            AnyMessage::Path(m) => self.robots.plan(log, robot, name, m)?,
            AnyMessage::Image(m) => self.robots.image(log, robot, name, m)?,
            AnyMessage::CompressedImage(m) => self.robots.compressed(log, robot, name, m)?,
            AnyMessage::Sightings(m) => self.sightings(robot, m, publication.is_called("sightings"))?,
            AnyMessage::Coverage(m) => self.books.coverage(log, &self.faces, m)?,
            AnyMessage::MissionState(m) => {
                let face = if m.state == MissionState::SCANNING { m.face.clone() } else { String::new() };
                self.scanning.insert(robot.to_owned(), face);
                self.health.mission(log, robot, m)?;
            }
            AnyMessage::DiagnosticArray(m) => self.health.diagnostics(log, now_ns, m)?,
            AnyMessage::BatteryState(m) => self.health.battery(log, robot, now_ns, m)?,
            AnyMessage::Bool(m) if name == "bumper" => self.health.bumper(log, robot, m.data)?,
            AnyMessage::ShelfErrors(m) if !self.told_errors => self.errors(m)?,
            _ => {}
        }
        if now_ns - self.worked_ns >= WORK_NS {
            self.work(now_ns)?;
        }
        self.log.at(now_ns);
        self.books.draw(&mut self.log, &self.faces, now_ns, false)?;
        self.log.freshen()
    }

    /// Draws the reads that can be drawn by now.
    fn work(&mut self, now_ns: i64) -> Result<(), ReviewError> {
        self.worked_ns = now_ns;
        self.robots.settle(&mut self.log)?;
        let nowhere = String::new();
        for (robot, reads) in &mut self.reads {
            let scene = Scene {
                robot,
                face: self.scanning.get(robot).unwrap_or(&nowhere),
                faces: &self.faces,
                books: self.known.as_ref().unwrap_or(&self.books),
                frames: &*self.frames,
            };
            reads.work(&mut self.log, &scene, &mut self.profiles, now_ns)?;
        }
        Ok(())
    }

    fn sightings(&mut self, robot: &str, message: &Sightings, whole: bool) -> Result<(), ReviewError> {
        self.books.take(&self.faces, message);
        if !whole {
            return Ok(());
        }
        let now_ns = self.done.to_ns.unwrap_or_default();
        self.work(now_ns)?;
        if let Some(reads) = self.reads.get_mut(robot) {
            reads.draw(&mut self.log, robot)?;
        }
        self.log.at(now_ns);
        self.books.draw(&mut self.log, &self.faces, now_ns, true)?;
        let faces: BTreeSet<&str> = message.sightings.iter().map(|s| s.face.as_str()).collect();
        faces.into_iter().try_for_each(|face| self.profiles_of(face))
    }

    fn profiles_of(&mut self, face: &str) -> Result<(), ReviewError> {
        let books = &self.books;
        let fits = self.profiles.tell(&mut self.log, face, |uid| books.spot_on(face, uid).cloned())?;
        for (uid, fit) in fits {
            self.findings.fitted(&self.log, &uid, face, fit)?;
        }
        Ok(())
    }

    fn errors(&mut self, message: &ShelfErrors) -> Result<(), ReviewError> {
        self.told_errors = true;
        let books = self.known.as_ref().unwrap_or(&self.books);
        self.findings.tell(&mut self.log, &self.faces, books, message)?;
        let kinds = message.errors.iter().map(|e| (e.item.uid.clone(), e.kind));
        self.books.found(kinds);
        Ok(())
    }

    /// Writes out what was held back, and closes the recording.
    ///
    /// # Errors
    /// [`ReviewError`] where the recording cannot be written.
    pub fn finish(mut self) -> Result<Reviewed, ReviewError> {
        if let Some(end_ns) = self.done.to_ns {
            // No transform will come any more.
            self.work(end_ns)?;
            for (robot, reads) in &mut self.reads {
                reads.draw(&mut self.log, robot)?;
                reads.give_up();
            }
            self.log.at(end_ns);
            self.books.draw(&mut self.log, &self.faces, end_ns, true)?;
        }
        for face in self.profiles.faces() {
            self.profiles_of(&face)?;
        }
        self.done.reads_without_place = self.reads.values().map(|r| r.lost).sum();
        self.log.close()?;
        Ok(self.done)
    }
}

/// Tags that get a profile.
fn watched(s: &ReviewSettings) -> Vec<Uid> {
    if !s.tags.is_empty() {
        return s.tags.clone();
    }
    // What stands in the wrong place asks why more than what nobody knows.
    let asks = |kind: u8| (ShelfError::MISPLACED_FLOOR..=ShelfError::OUT_OF_ORDER).contains(&kind);
    let mut found: Vec<_> = s.outline.errors.iter().flat_map(|m| &m.errors).filter(|e| e.reads > 0).collect();
    found.sort_by(|a, b| {
        let (first, second) = (asks(a.kind), asks(b.kind));
        second
            .cmp(&first)
            .then(b.confidence.total_cmp(&a.confidence))
            .then_with(|| a.item.uid.cmp(&b.item.uid))
    });
    let mut tags: Vec<Uid> = found.into_iter().map(|e| e.item.uid.clone()).take(PROFILES).collect();
    if tags.is_empty() {
        let mut read: Vec<_> = s.outline.sightings.iter().flat_map(|m| &m.sightings).collect();
        read.sort_by_key(|r| std::cmp::Reverse(r.reads));
        tags.extend(read.into_iter().take(3).map(|r| r.uid.clone()));
    }
    tags
}

/// The face on the elevation: the one asked for, or the one with most findings, or the first that was scanned.
fn face(s: &ReviewSettings) -> Option<String> {
    if let Some(face) = &s.face {
        return Some(face.clone());
    }
    if let (Some(tag), false) = (s.tags.first(), s.outline.sightings.is_empty()) {
        let seen = s.outline.sightings.iter().flat_map(|m| &m.sightings).find(|x| x.uid == *tag);
        if let Some(seen) = seen {
            return Some(seen.face.clone());
        }
    }
    let count = |face: &String| {
        let errors = s.outline.errors.iter().flat_map(|m| &m.errors);
        errors.filter(|e| e.found.starts_with(&format!("{face}/"))).count()
    };
    let scanned = s.outline.faces.iter().rev().max_by_key(|face| count(face)).cloned();
    scanned.or_else(|| s.site.faces().next().map(|(id, ..)| id.to_string()))
}

fn floor<'a>(site: &'a Site, face: Option<&str>) -> Option<&'a domain::site::Floor> {
    let wanted = face.and_then(|f| f.split('/').next());
    site.floors.iter().find(|f| Some(f.id.as_str()) == wanted).or_else(|| site.floors.first())
}

fn spots(faces: &Faces, sightings: &[Sightings]) -> Vec<(String, Uid, Spot)> {
    let mut all: BTreeMap<(String, Uid), Spot> = BTreeMap::new();
    for s in sightings.iter().flat_map(|m| &m.sightings) {
        if let Some(spot) = faces.spot(s) {
            all.insert((spot.face.clone(), s.uid.clone()), spot);
        }
    }
    all.into_iter().map(|((face, uid), spot)| (face, uid, spot)).collect()
}

/// Names of the robots, by the topics of their own.
fn robots(outline: &Outline) -> Vec<String> {
    let own = ["reads", "scan", "pose", "odom", "missions"];
    let names: BTreeSet<String> = outline
        .topics
        .keys()
        .filter_map(|t| t.strip_prefix('/')?.split_once('/'))
        .filter(|(_, name)| own.contains(name))
        .map(|(robot, _)| robot.to_owned())
        .collect();
    names.into_iter().collect()
}

fn cameras(outline: &Outline) -> Vec<String> {
    let image = |t: &str| matches!(t, "sensor_msgs/msg/Image" | "sensor_msgs/msg/CompressedImage");
    outline.topics.iter().filter(|(_, t)| image(t)).map(|(topic, _)| topic.clone()).collect()
}
