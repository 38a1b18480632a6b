//! What one stretch of a pass teaches of its reader, for stretches too short to learn from.

use super::field::Field;
use super::observations::Observations;
use super::pass::Pass;
use crate::cells::Cells;

/// Offsets of antenna and carrier pairs, and the law of received power.
#[derive(Debug, Clone)]
pub(crate) struct Lesson {
    antennas: Vec<u8>,
    /// Hz, ascending.
    carriers: Vec<f64>,
    /// By antenna and carrier, turns.
    offsets: Vec<f32>,
    field: Field,
}

impl Lesson {
    /// Index of the lesson's pair that is called `group` in other cells; `None` for one that it never heard.
    fn pair(&self, cells: &Cells, group: usize) -> Option<usize> {
        let carriers = cells.carriers.len().max(1);
        let antenna = self.antennas.binary_search(cells.antennas.get(group / carriers)?).ok()?;
        let hz = cells.carriers.get(group % carriers)?;
        let carrier = self.carriers.binary_search_by(|c| c.total_cmp(hz)).ok()?;
        Some(antenna * self.carriers.len() + carrier)
    }

    /// Takes the phase of pairs that the lesson never heard out of the observations. Whether it can teach at all: it
    /// knows these antennas.
    pub fn prepare(&self, cells: &Cells, observations: &mut Observations) -> bool {
        for o in &mut observations.all {
            if self.pair(cells, o.group as usize).is_none() {
                o.weight = 0.0;
            }
        }
        self.antennas == cells.antennas
    }
}

impl Pass<'_> {
    /// What the search has learnt.
    pub fn lesson(&self, cells: &Cells) -> Lesson {
        Lesson {
            antennas: cells.antennas.clone(),
            carriers: cells.carriers.clone(),
            offsets: self.offsets.clone(),
            field: self.field.clone(),
        }
    }

    /// Places the tags by what a lesson says of the reader; the observations [`Lesson::prepare`]d.
    pub fn search_taught(&mut self, lesson: &Lesson, cells: &Cells) {
        for (group, offset) in self.offsets.iter_mut().enumerate() {
            *offset = lesson.pair(cells, group).map_or(0.0, |pair| lesson.offsets[pair]);
        }
        self.field = lesson.field.clone();
        self.search(0.0);
        self.search(1.0);
    }
}
