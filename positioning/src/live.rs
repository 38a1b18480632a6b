//! Sightings while a pass is still under way: each tag is placed as soon as the antennas have passed it.
//!
//! What comes out here is a first answer, from the part of the tag's profile that has been seen. The tags before it, whose
//! profiles are whole, teach what the reader adds to the phase, so that it can be placed alone. When the pass is over [`crate::locate_face`] places all tags from all reads, and that answer
//! replaces this one.

use std::collections::BTreeSet;

use domain::{Read, Scan, Sighting, Uid};

use crate::cells::Cells;
use crate::face::lesson::Lesson;
use crate::face::observations::Observations;
use crate::face::pass::Pass;
use crate::hf::{self, HfPass, Shelf, Zone};
use crate::locate_face::sightings;
use crate::settings::{FaceGeometry, LocateSettings};

/// The antennas are so far past a tag's power, m, when it is placed, and tags are placed each time they have gone so far.
/// What has been heard of a tag not yet passed lies behind the antennas too, and a profile without its second flank hardly
/// holds a place: at a quarter of a metre the error is three times that at half a metre.
const PAST_M: f32 = 0.5;
const EVERY_M: f32 = 0.05;
/// Reads from so far before and behind a tag belong to its profile, m.
const APERTURE_M: f32 = 0.6;
/// Lessons are taken each time the antennas have gone so far, from tags between these distances behind them, m.
const LESSON_EVERY_M: f32 = 0.2;
const LESSON_M: [f32; 2] = [0.5, 1.2];
/// Fewest tags that a lesson is taken from.
const CLASS: usize = 20;
/// A tag so much fainter, dB, than the louder quarter of those read along with it is left to the end of the pass: it is
/// still ahead, or not on this face.
const FAINT_DB: f32 = 9.0;
/// A tag that the fit puts nearer than this behind the antennas, m, is placed later.
const CONFIRMED_M: f32 = 0.1;
/// HF plates are so far past a tag when it is placed, m: beyond the reach of their field. What they met so far back still
/// tells where they were, and the zone is learnt each time they have gone so far.
const HF_PAST_M: f32 = 0.35;
const HF_STRETCH_M: f32 = 1.2;
const HF_LESSON_EVERY_M: f32 = 0.5;

/// One pass, tag by tag.
#[derive(Debug, Clone)]
pub struct Live {
    face: FaceGeometry,
    settings: LocateSettings,
    /// By tag of the scan.
    tags: Vec<Seen>,
    /// Where the first read came from, and the newest, along the face, m.
    track: Option<(f32, f32)>,
    /// Where tags were placed last, and where the last lesson was taken, m.
    placed_at: Option<f32>,
    taught_at: Option<f32>,
    lesson: Option<Lesson>,
    /// Of HF plates.
    zone: Option<Zone>,
    /// What the strongest RSSI of the louder quarter of the tags exceeds, dBm; NaN where none is given.
    usual_dbm: f32,
    /// Reads of the scan already taken in.
    taken: usize,
}

/// Where a tag has been heard so far.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Sums over the reads, weighed by the square of their power, which shows the peak of a profile cut short: weight, and
    /// weight times the antenna's place.
    weight: f64,
    moment: f64,
    /// Strongest RSSI, dBm; NaN when not given.
    peak_dbm: f32,
    told: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self { weight: 0.0, moment: 0.0, peak_dbm: f32::NAN, told: false }
    }
}

impl Live {
    /// Of a pass along a face that is about to begin.
    pub fn new(face: FaceGeometry, settings: LocateSettings) -> Self {
        Self {
            face,
            settings,
            tags: Vec::new(),
            track: None,
            placed_at: None,
            taught_at: None,
            lesson: None,
            zone: None,
            usual_dbm: f32::NAN,
            taken: 0,
        }
    }

    /// The tags that the antennas have passed since the last call, given the pass so far: the reads that were there at
    /// the last call, and new ones behind them. A tag comes once; its rank counts among those that come with it. The
    /// decoder, which needs whole profiles, is not asked.
    pub fn passed(&mut self, scan: &Scan) -> Vec<Sighting> {
        self.tags.resize_with(scan.tags.len(), Seen::default);
        for read in &scan.reads[self.taken.min(scan.reads.len())..] {
            self.take(read);
        }
        self.taken = scan.reads.len();
        let Some((first, front)) = self.track else { return Vec::new() };
        if hf::is_hf(scan) {
            return self.passed_plates(scan, first, front);
        }
        if gone(self.taught_at.unwrap_or(first), front) >= LESSON_EVERY_M {
            self.taught_at = Some(front);
            self.learn(scan);
        }
        if gone(self.placed_at.unwrap_or(first), front) < EVERY_M {
            return Vec::new();
        }
        self.placed_at = Some(front);
        let Some(lesson) = &self.lesson else { return Vec::new() };
        let due = self.stretch(scan, |seen, behind| !seen.told && behind >= PAST_M && self.is_loud(seen));
        if due.tags.is_empty() {
            return Vec::new();
        }
        let cells = self.cells(&due);
        let mut observations = self.observations(&cells);
        if !lesson.prepare(&cells, &mut observations) {
            return Vec::new();
        }
        let mut pass = Pass::new(&observations, &self.face, &self.settings);
        pass.search_taught(lesson, &cells);
        let mut out = sightings(&due, &self.face, &cells.tags, &pass.answers());
        out.retain(|s| behind((first, front), s.along_m) >= CONFIRMED_M);
        self.mark_told(scan, &out);
        out
    }

    /// The same for HF plates, whose read zone is learnt as they go.
    fn passed_plates(&mut self, scan: &Scan, first: f32, front: f32) -> Vec<Sighting> {
        if gone(self.placed_at.unwrap_or(first), front) < EVERY_M {
            return Vec::new();
        }
        self.placed_at = Some(front);
        // The told ones stay in: their reads say where the plates were and for how long.
        let near = self.stretch(scan, |_, behind| behind <= HF_STRETCH_M);
        let pass = HfPass::new(&near, &Shelf::of(&self.face));
        if near.tags.len() >= CLASS
            && gone(self.taught_at.unwrap_or(f32::INFINITY), front) >= HF_LESSON_EVERY_M
        {
            self.taught_at = Some(front);
            self.zone = Some(pass.learn());
        }
        let Some(zone) = &self.zone else { return Vec::new() };
        let told: BTreeSet<&Uid> =
            scan.tags.iter().zip(&self.tags).filter(|(_, s)| s.told).map(|(uid, _)| uid).collect();
        let mut out = sightings(&near, &self.face, &pass.tags, &pass.answers(zone));
        out.retain(|s| !told.contains(&s.uid) && behind((first, front), s.along_m) >= HF_PAST_M);
        self.mark_told(scan, &out);
        out
    }

    /// Notes what was told; it comes in the scan's order.
    fn mark_told(&mut self, scan: &Scan, out: &[Sighting]) {
        let mut told = out.iter().map(|s| &s.uid).peekable();
        for (uid, seen) in scan.tags.iter().zip(&mut self.tags) {
            seen.told |= told.next_if(|t| *t == uid).is_some();
        }
    }

    /// What the tags with whole profiles say of the reader.
    fn learn(&mut self, scan: &Scan) {
        let mut peaks: Vec<f32> = self.tags.iter().map(|t| t.peak_dbm).filter(|p| p.is_finite()).collect();
        peaks.sort_by(f32::total_cmp);
        self.usual_dbm = peaks.get(peaks.len() * 3 / 4).copied().unwrap_or(f32::NAN);
        let class = self.stretch(scan, |seen, behind| {
            (LESSON_M[0]..=LESSON_M[1]).contains(&behind) && self.is_loud(seen)
        });
        if class.tags.len() >= CLASS {
            let cells = self.cells(&class);
            let observations = self.observations(&cells);
            let mut pass = Pass::new(&observations, &self.face, &self.settings);
            pass.search_all();
            self.lesson = Some(pass.lesson(&cells));
        }
    }

    /// Whether it is heard as loud as what the antennas pass; without RSSI, the place of its reads alone tells.
    fn is_loud(&self, seen: &Seen) -> bool {
        seen.peak_dbm.is_nan() || self.usual_dbm.is_nan() || seen.peak_dbm > self.usual_dbm - FAINT_DB
    }

    fn take(&mut self, read: &Read) {
        let (x, power) = (read.antenna_m[0], f64::from(read.rssi_dbm));
        let Some(seen) = self.tags.get_mut(read.tag as usize).filter(|_| x.is_finite()) else { return };
        let weight =
            if power.is_finite() { 10f64.powf((power.clamp(-150.0, 30.0) + 60.0) / 5.0) } else { 1e-3 };
        seen.peak_dbm = seen.peak_dbm.max(read.rssi_dbm);
        seen.weight += weight;
        seen.moment += weight * f64::from(x);
        self.track = Some((self.track.map_or(x, |t| t.0), x));
    }

    /// The tags so far behind the antennas as wanted, with the reads of their profiles.
    fn stretch(&self, scan: &Scan, wanted: impl Fn(&Seen, f32) -> bool) -> Scan {
        let mut part = Scan { name: scan.name.clone(), ..Scan::default() };
        let Some(track) = self.track else { return part };
        let mut farthest = 0.0f32;
        let mut index: Vec<Option<u32>> = vec![None; scan.tags.len()];
        for (t, seen) in self.tags.iter().enumerate().filter(|(_, s)| s.weight > 0.0) {
            let behind = behind(track, (seen.moment / seen.weight) as f32);
            if wanted(seen, behind) {
                farthest = farthest.max(behind);
                index[t] = Some(part.tags.len() as u32);
                part.tags.push(scan.tags[t].clone());
            }
        }
        let near = |r: &&Read| gone(r.antenna_m[0], track.1) <= farthest + APERTURE_M;
        let first = scan.reads.len() - scan.reads.iter().rev().take_while(near).count();
        part.reads = scan.reads[first..]
            .iter()
            .filter_map(|r| Some(Read { tag: (*index.get(r.tag as usize)?)?, ..*r }))
            .collect();
        part
    }

    fn cells(&self, scan: &Scan) -> Cells {
        Cells::build(scan, self.settings.cell_m, self.settings.pi_ambiguous)
    }

    fn observations(&self, cells: &Cells) -> Observations {
        Observations::new(cells, self.settings.coupling_length_m, self.settings.pi_ambiguous)
    }
}

/// How far a place is behind antennas that went from one place to another, m.
fn behind((first, front): (f32, f32), x: f32) -> f32 {
    (front - first).signum() * (front - x)
}

fn gone(from: f32, to: f32) -> f32 {
    (to - from).abs()
}
