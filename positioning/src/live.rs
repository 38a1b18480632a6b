//! Sightings while a pass is still under way: each tag is placed soon after the antennas have passed it.
//!
//! A tag is looked at twice. First within two seconds of the antennas passing it, when the second flank of its profile is
//! only begun: the answer's deviation says so. Again when the profile is whole. Tags with whole profiles teach what the reader
//! adds to the phase, so that others can be placed alone; what they taught goes on from pass to pass. When the pass is over
//! [`crate::locate_face`] places all tags from all reads, and that answer replaces these.

mod teach;

use std::collections::BTreeSet;

use domain::{Read, Scan, Sighting};

use crate::cells::Cells;
use crate::face::lesson::Looked;
use crate::face::observations::Observations;
use crate::face::pass::Pass;
use crate::hf::{self, HfPass, Shelf, Zone};
use crate::locate_face::sightings;
use crate::settings::{FaceGeometry, LocateSettings};

pub use self::teach::Taught;

/// How far the antennas are past a tag when it is first told: as far as they go in this time, s, between these distances, m.
/// Tags are looked for each time the antennas have gone so far, m.
const SOON_S: f32 = 1.0;
const SOON_M: [f32; 2] = [0.08, 0.3];
/// Where reads have no stamps, m.
const SOON_UNTIMED_M: f32 = 0.15;
const EVERY_M: f32 = 0.03;
/// A tag is looked at when it was heard so often and the middle of its power is so far behind, m: by then it may have been
/// passed. One that is still ahead is looked at again when the antennas have gone on by this share of the way that is
/// missing, or so far, m.
const HEARD: u32 = 4;
const MIDDLE_M: f32 = 0.12;
const SHARE: f32 = 0.6;
const AGAIN_M: f32 = 0.12;
/// It is told when it is as far behind as so many of its standard deviations, or when the middle of its power is so much
/// farther behind, m, whatever its phases say. The deviation of what is told so early is so many times that of a whole profile.
const SURELY: f32 = 0.5;
const LATE_M: f32 = 0.18;
const SOON_STD: f32 = 1.35;
/// The antennas are so far past a tag when its profile is whole, m: a profile without its second flank hardly holds a place.
const WHOLE_M: f32 = 0.5;
/// Reads from so far before and behind a tag belong to its profile, m.
const APERTURE_M: f32 = 0.6;
/// Lessons are taken each time the antennas have gone so far, m.
const LESSON_EVERY_M: f32 = 0.2;
/// Fewest tags that a lesson is taken from.
const CLASS: usize = 20;
/// A tag so much fainter, dB, than the louder quarter of those read along with it is left to the end of the pass: it is
/// still ahead, or not on this face.
const FAINT_DB: f32 = 9.0;
/// HF: what plates met so far back still tells where they were, m, and the zone is learnt each time they have gone so far.
/// A tag is told when they are so far past it, m, and again beyond the reach of their field; the first place is off by so much
/// more, m.
const HF_STRETCH_M: f32 = 1.2;
const HF_LESSON_EVERY_M: f32 = 0.5;
const HF_SOON_M: f32 = 0.16;
const HF_WHOLE_M: f32 = 0.35;
const HF_SOON_STD_M: f32 = 0.055;

/// One pass, tag by tag.
#[derive(Debug, Clone)]
pub struct Live {
    face: FaceGeometry,
    settings: LocateSettings,
    /// By tag of the scan.
    tags: Vec<Seen>,
    ports: BTreeSet<u8>,
    /// Where the first read came from, and the newest, along the face, m.
    track: Option<(f32, f32)>,
    /// Stamp, ns, of the newest read that has one.
    now_ns: Option<i64>,
    /// Where tags were looked for last, and when; where the last lesson was taken.
    looked_at: Option<f32>,
    looked_ns: Option<i64>,
    taught_at: Option<f32>,
    speed_m_s: Option<f32>,
    taught: Taught,
    /// Of HF plates.
    zone: Option<Zone>,
    /// Reads of the scan already taken in.
    taken: usize,
}

/// Where a tag has been heard so far.
#[derive(Debug, Clone)]
struct Seen {
    reads: u32,
    /// Sums over the reads, weighed by the square of their power, which shows the peak of a profile cut short: weight, and
    /// weight times the antenna's place.
    weight: f64,
    moment: f64,
    /// Strongest RSSI, dBm; NaN when not given.
    peak_dbm: f32,
    look: Look,
    /// The antennas must have gone so far before it is looked at again, m.
    not_before_m: f32,
}

/// What has been said of a tag.
#[derive(Debug, Clone)]
enum Look {
    Nothing,
    Told,
    /// With the whole profile; where it was put then, for UHF lessons.
    Whole(Option<Looked>),
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            reads: 0,
            weight: 0.0,
            moment: 0.0,
            peak_dbm: f32::NAN,
            look: Look::Nothing,
            not_before_m: 0.0,
        }
    }
}

impl Seen {
    /// How far the middle of its power is behind antennas that went along a track, m.
    fn behind(&self, track: (f32, f32)) -> f32 {
        behind(track, (self.moment / self.weight) as f32)
    }
}

impl Live {
    /// Of a pass along a face that is about to begin, with what passes before it have taught.
    pub fn new(face: FaceGeometry, settings: LocateSettings, taught: Taught) -> Self {
        let boards_m: Vec<f64> = face.tiers.iter().map(|t| t.board_m).collect();
        let taught =
            if taught.boards_m == boards_m { taught } else { Taught { boards_m, ..Taught::default() } };
        Self {
            face,
            settings,
            tags: Vec::new(),
            ports: BTreeSet::new(),
            track: None,
            now_ns: None,
            looked_at: None,
            looked_ns: None,
            taught_at: None,
            speed_m_s: None,
            taught,
            zone: None,
            taken: 0,
        }
    }

    /// What this pass and those before it have taught of the reader.
    pub fn taught(&self) -> &Taught {
        &self.taught
    }

    /// The tags that the antennas have passed since the last call, given the pass so far: the reads that were there at
    /// the last call, and new ones behind them. A tag comes once soon after, and once more with its whole profile; its
    /// rank counts among those that come with it. The decoder, which needs whole profiles of all neighbours, is not asked.
    pub fn passed(&mut self, scan: &Scan) -> Vec<Sighting> {
        self.tags.resize_with(scan.tags.len(), Seen::default);
        for read in &scan.reads[self.taken.min(scan.reads.len())..] {
            self.take(read);
        }
        self.taken = scan.reads.len();
        let Some((first, front)) = self.track else { return Vec::new() };
        let way = gone(self.looked_at.unwrap_or(first), front);
        if way < EVERY_M {
            return Vec::new();
        }
        self.time(way);
        self.looked_at = Some(front);
        if hf::is_hf(scan) {
            return self.passed_plates(scan, front);
        }
        if gone(self.taught_at.unwrap_or(first), front) >= LESSON_EVERY_M {
            self.taught_at = Some(front);
            self.learn(scan);
        }
        self.look(scan)
    }

    /// Notes how fast the robot goes.
    fn time(&mut self, way: f32) {
        if let (Some(before), Some(now)) = (self.looked_ns, self.now_ns)
            && now > before
        {
            self.speed_m_s = Some(way / ((now - before) as f32 * 1e-9));
        }
        self.looked_ns = self.now_ns;
    }

    /// How far behind the antennas a tag is when it is looked at first, m.
    fn soon_m(&self) -> f32 {
        self.speed_m_s.map_or(SOON_UNTIMED_M, |v| (v * SOON_S).clamp(SOON_M[0], SOON_M[1]))
    }

    /// Looks at the tags that are due, as far as a lesson is there.
    fn look(&mut self, scan: &Scan) -> Vec<Sighting> {
        let (Some(lesson), Some(track)) = (&self.taught.lesson, self.track) else { return Vec::new() };
        let gone_m = gone(track.0, track.1);
        let (due, index) = self.stretch(scan, |seen| {
            gone_m >= seen.not_before_m && !matches!(seen.look, Look::Whole(_)) && self.may_be_passed(seen)
        });
        if due.tags.is_empty() {
            return Vec::new();
        }
        let cells = self.cells(&due);
        let mut observations = self.observations(&cells);
        if !lesson.prepare(&cells, &mut observations) {
            // An antenna that the lesson never heard: it must be taken anew.
            self.taught.lesson = None;
            return Vec::new();
        }
        let mut pass = Pass::new(&observations, &self.face, &self.settings);
        pass.driven = Some([track.0, track.1]);
        pass.search_taught(lesson, &cells);
        let out = sightings(&due, &self.face, &cells.tags, &pass.answers());
        let (soon_m, mut told) = (self.soon_m(), Vec::new());
        let late_m = soon_m + LATE_M;
        for ((mut sighting, tag), looked) in out.into_iter().zip(index).zip(pass.looked()) {
            let (seen, behind) = (&mut self.tags[tag], behind(track, sighting.along_m));
            let due_m = match seen.look {
                _ if behind >= WHOLE_M => {
                    seen.look = Look::Whole(Some(looked));
                    told.push(sighting);
                    continue;
                }
                Look::Nothing
                    if behind >= soon_m.max(SURELY * sighting.along_std_m)
                        || seen.behind(track) >= late_m =>
                {
                    seen.look = Look::Told;
                    sighting.along_std_m *= SOON_STD;
                    told.push(sighting);
                    WHOLE_M
                }
                Look::Nothing => soon_m,
                Look::Told | Look::Whole(_) => WHOLE_M,
            };
            seen.not_before_m = gone_m + (SHARE * (due_m - behind)).clamp(EVERY_M, AGAIN_M);
        }
        told
    }

    /// The same for HF plates, whose read zone is learnt as they go.
    fn passed_plates(&mut self, scan: &Scan, front: f32) -> Vec<Sighting> {
        let Some(track) = self.track else { return Vec::new() };
        // The told ones stay in: their reads say where the plates were and for how long.
        let (near, index) = self.stretch(scan, |seen| seen.behind(track) <= HF_STRETCH_M);
        let pass = HfPass::new(&near, &Shelf::of(&self.face));
        if near.tags.len() >= CLASS
            && gone(self.taught_at.unwrap_or(f32::INFINITY), front) >= HF_LESSON_EVERY_M
        {
            self.taught_at = Some(front);
            self.zone = Some(pass.learn());
        }
        let Some(zone) = &self.zone else { return Vec::new() };
        let mut told = Vec::new();
        let out = sightings(&near, &self.face, &pass.tags, &pass.answers(zone));
        for (mut sighting, tag) in out.into_iter().zip(index) {
            let (seen, behind) = (&mut self.tags[tag], behind(track, sighting.along_m));
            if behind >= HF_WHOLE_M && !matches!(seen.look, Look::Whole(_)) {
                seen.look = Look::Whole(None);
                told.push(sighting);
            } else if behind >= HF_SOON_M && matches!(seen.look, Look::Nothing) {
                seen.look = Look::Told;
                sighting.along_std_m = sighting.along_std_m.hypot(HF_SOON_STD_M);
                told.push(sighting);
            }
        }
        told
    }

    /// Whether it is heard as loud as what the antennas pass; without RSSI, the place of its reads alone tells.
    fn is_loud(&self, seen: &Seen) -> bool {
        seen.peak_dbm.is_nan() || self.taught.usual_dbm.is_none_or(|usual| seen.peak_dbm > usual - FAINT_DB)
    }

    /// Whether a tag has been heard enough and far enough back to be looked at.
    fn may_be_passed(&self, seen: &Seen) -> bool {
        seen.reads >= HEARD
            && self.track.is_some_and(|track| seen.behind(track) >= MIDDLE_M)
            && self.is_loud(seen)
    }

    fn take(&mut self, read: &Read) {
        let (x, power) = (read.antenna_m[0], f64::from(read.rssi_dbm));
        let Some(seen) = self.tags.get_mut(read.tag as usize).filter(|_| x.is_finite()) else { return };
        seen.peak_dbm = seen.peak_dbm.max(read.rssi_dbm);
        let weight =
            if power.is_finite() { 10f64.powf((power.clamp(-150.0, 30.0) + 60.0) / 5.0) } else { 1e-3 };
        seen.reads += 1;
        seen.weight += weight;
        seen.moment += weight * f64::from(x);
        self.ports.insert(read.antenna);
        self.track = Some((self.track.map_or(x, |t| t.0), x));
        self.now_ns = read.stamp_ns.or(self.now_ns);
    }

    /// The tags that are wanted, with the reads of their profiles, and which of the scan they are.
    fn stretch(&self, scan: &Scan, wanted: impl Fn(&Seen) -> bool) -> (Scan, Vec<usize>) {
        let mut part = Scan { name: scan.name.clone(), ..Scan::default() };
        let mut tags = Vec::new();
        let Some(track) = self.track else { return (part, tags) };
        let mut farthest = 0.0f32;
        let mut index: Vec<Option<u32>> = vec![None; scan.tags.len()];
        for (t, seen) in self.tags.iter().enumerate().filter(|(_, s)| s.reads > 0) {
            if wanted(seen) {
                farthest = farthest.max(seen.behind(track));
                index[t] = Some(tags.len() as u32);
                part.tags.push(scan.tags[t].clone());
                tags.push(t);
            }
        }
        let near = |r: &&Read| gone(r.antenna_m[0], track.1) <= farthest + APERTURE_M;
        let first = scan.reads.len() - scan.reads.iter().rev().take_while(near).count();
        part.reads = scan.reads[first..]
            .iter()
            .filter_map(|r| Some(Read { tag: (*index.get(r.tag as usize)?)?, ..*r }))
            .collect();
        (part, tags)
    }

    fn cells(&self, scan: &Scan) -> Cells {
        let ports = self.ports.iter().copied().collect();
        Cells::of_ports(scan, ports, self.settings.cell_m, self.settings.pi_ambiguous)
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
