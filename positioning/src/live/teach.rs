//! What tags with whole profiles say of the reader while a pass is under way.

use domain::Scan;

use super::{CLASS, Live, Look, Seen};
use crate::face::lesson::{Lesson, Looked};
use crate::face::pass::Pass;

/// Lessons are taken from tags between these distances behind the antennas, m.
const LESSON_M: [f32; 2] = [0.5, 1.2];
/// What a lesson taught is put aside when the phases of the tags that it placed line up so much less than before.
const WORN: f32 = 0.8;

/// What the passes so far have taught of a robot's reader, for the next one.
#[derive(Debug, Clone, Default)]
pub struct Taught {
    pub(super) lesson: Option<Lesson>,
    /// Boards of the tiers that it was learnt on, m.
    pub(super) boards_m: Vec<f64>,
    /// How well phases line up under it, 0 to 1.
    pub(super) coherence: f32,
    /// What the strongest RSSI of the louder quarter of the tags exceeds, dBm; `None` where none is given.
    pub(super) usual_dbm: Option<f32>,
}

impl Live {
    /// What the tags with whole profiles say of the reader: where they stand, if the last lesson placed them well, or all
    /// anew.
    pub(super) fn learn(&mut self, scan: &Scan) {
        let whole = |t: &&Seen| matches!(t.look, Look::Whole(_)) && t.peak_dbm.is_finite();
        let mut peaks: Vec<f32> = self.tags.iter().filter(whole).map(|t| t.peak_dbm).collect();
        if peaks.len() < CLASS && self.taught.lesson.is_none() {
            peaks.extend(self.tags.iter().map(|t| t.peak_dbm).filter(|p| p.is_finite()));
        }
        peaks.sort_by(f32::total_cmp);
        self.taught.usual_dbm = peaks.get(peaks.len() * 3 / 4).copied().or(self.taught.usual_dbm);
        if !self.learn_on(scan) {
            self.learn_anew(scan);
        }
    }

    /// Goes on from the last lesson with the tags that it placed. Whether it still holds.
    fn learn_on(&mut self, scan: &Scan) -> bool {
        let (Some(lesson), Some(track)) = (&self.taught.lesson, self.track) else { return false };
        let (class, index) = self.stretch(scan, |seen| {
            seen.behind(track) <= LESSON_M[1] && matches!(seen.look, Look::Whole(Some(_)))
        });
        if class.tags.len() < CLASS {
            return true; // nothing against it yet
        }
        let looked: Vec<Looked> = index
            .iter()
            .filter_map(|&t| if let Look::Whole(l) = &self.tags[t].look { l.clone() } else { None })
            .collect();
        let coherence = looked.iter().map(|l| l.coherence).sum::<f32>() / looked.len() as f32;
        if coherence < WORN * self.taught.coherence {
            return false;
        }
        let cells = self.cells(&class);
        let observations = self.observations(&cells);
        let mut pass = Pass::new(&observations, &self.face, &self.settings);
        pass.learn_on(lesson, &cells, &looked);
        let learnt = pass.lesson(&cells).and(lesson);
        self.taught.lesson = Some(learnt);
        self.taught.coherence = self.taught.coherence.max(coherence);
        true
    }

    fn learn_anew(&mut self, scan: &Scan) {
        let Some(track) = self.track else { return };
        // Before the antennas have reached the face, all that they hear is still ahead.
        let on_face = |seen: &Seen| (0.0..=self.face.length_m).contains(&(seen.moment / seen.weight));
        let (class, _) = self.stretch(scan, |seen| {
            (LESSON_M[0]..=LESSON_M[1]).contains(&seen.behind(track)) && on_face(seen) && self.is_loud(seen)
        });
        if class.tags.len() >= CLASS {
            let cells = self.cells(&class);
            let observations = self.observations(&cells);
            let mut pass = Pass::new(&observations, &self.face, &self.settings);
            pass.search_all();
            let looked = pass.looked();
            self.taught.coherence =
                looked.iter().map(|l| l.coherence).sum::<f32>() / looked.len().max(1) as f32;
            self.taught.lesson = Some(pass.lesson(&cells));
        }
    }
}
