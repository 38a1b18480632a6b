//! What one stretch of a pass teaches of its reader, for stretches too short to learn from.

use std::collections::BTreeMap;

use super::field::Field;
use super::observations::Observations;
use super::offsets::{Place, synchronise};
use super::pass::Pass;
use crate::cells::Cells;

/// Fewest observations that a pair's offset is learnt from.
const HEARD: u32 = 3;
/// Rounds of turning offsets of pairs and of tags onto each other, from where an earlier lesson left them.
const ROUNDS: usize = 8;

/// Offsets of antenna and carrier pairs, and the law of received power.
#[derive(Debug, Clone)]
pub(crate) struct Lesson {
    /// Reader ports, ascending: the law of power is by port.
    ports: Vec<u8>,
    /// By port and carrier, Hz: turns.
    offsets: BTreeMap<(u8, u64), f32>,
    field: Field,
}

/// Where a lesson placed a tag.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    place: Place,
    tier: usize,
    sure: f32,
    /// Resultant length of its phases at the place, 0 to 1.
    pub coherence: f32,
}

impl Lesson {
    /// Takes the phase of pairs that the lesson never heard out of the observations. Whether it can teach at all: it
    /// knows these antennas.
    pub fn prepare(&self, cells: &Cells, observations: &mut Observations) -> bool {
        for o in &mut observations.all {
            if !self.offsets.contains_key(&pair(cells, o.group as usize)) {
                o.weight = 0.0;
            }
        }
        self.ports == cells.antennas
    }

    /// With what an earlier lesson knew besides.
    pub fn and(mut self, earlier: &Lesson) -> Self {
        for (pair, offset) in &earlier.offsets {
            self.offsets.entry(*pair).or_insert(*offset);
        }
        self
    }
}

/// The port and the carrier, Hz, of a group of observations.
fn pair(cells: &Cells, group: usize) -> (u8, u64) {
    let carriers = cells.carriers.len().max(1);
    let hz = cells.carriers.get(group % carriers).map_or(0, |hz| *hz as u64);
    (cells.antennas.get(group / carriers).copied().unwrap_or(0), hz)
}

impl Pass<'_> {
    /// What the search has learnt.
    pub fn lesson(&self, cells: &Cells) -> Lesson {
        let mut heard = vec![0u32; self.offsets.len()];
        for o in self.observations.all.iter().filter(|o| o.weight > 0.0) {
            heard[o.group as usize] += 1;
        }
        let groups = 0..self.offsets.len();
        Lesson {
            ports: cells.antennas.clone(),
            offsets: groups
                .filter(|&g| heard[g] >= HEARD)
                .map(|g| (pair(cells, g), self.offsets[g]))
                .collect(),
            field: self.field.clone(),
        }
    }

    /// Places the tags by what a lesson says of the reader; the observations [`Lesson::prepare`]d.
    pub fn search_taught(&mut self, lesson: &Lesson, cells: &Cells) {
        self.believe(lesson, cells);
        self.search(0.0);
        self.search(1.0);
    }

    /// Learns on from a lesson by tags that it placed, one for each tag.
    pub fn learn_on(&mut self, lesson: &Lesson, cells: &Cells, looked: &[Looked]) {
        self.believe(lesson, cells);
        for (state, l) in self.states.iter_mut().zip(looked) {
            (state.place, state.tier, state.sure, state.coherence) = (l.place, l.tier, l.sure, l.coherence);
        }
        let places: Vec<Place> = self.states.iter().map(|s| s.place).collect();
        synchronise(self.observations, &places, &mut self.offsets, ROUNDS);
        self.learn_field();
    }

    /// Where the search has put the tags.
    pub fn looked(&self) -> Vec<Looked> {
        let looked = |s: &super::pass::State| Looked {
            place: s.place,
            tier: s.tier,
            sure: s.sure,
            coherence: s.coherence,
        };
        self.states.iter().map(looked).collect()
    }

    fn believe(&mut self, lesson: &Lesson, cells: &Cells) {
        for (group, offset) in self.offsets.iter_mut().enumerate() {
            *offset = lesson.offsets.get(&pair(cells, group)).copied().unwrap_or(0.0);
        }
        self.field = lesson.field.clone();
    }
}
