//! Where a robot's antennas were last: what lies between two calls of a reader is their way.

use serde::{Deserialize, Serialize};

use super::AntennaPose;
use super::way::Way;

/// The antennas' last place and time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Track {
    last_ns: i64,
    last: Vec<AntennaPose>,
    started: bool,
}

/// What a call of a reader comes to.
pub(super) enum Went<'a> {
    /// Time does not run backwards: nothing happens.
    Nowhere,
    /// The places were only noted: the first call, or one with another number of antennas.
    Appeared,
    /// Straight and at even speed from where the last call had them.
    Along(Way<'a>),
}

impl Track {
    pub(super) fn new(start_ns: i64) -> Self {
        Self { last_ns: start_ns, last: Vec::new(), started: false }
    }

    /// Time of the last call, ns.
    pub(super) fn last_ns(&self) -> i64 {
        self.last_ns
    }

    /// Notes where the antennas are at `to_ns`, and gives their way there.
    pub(super) fn go<'a>(&mut self, to_ns: i64, antennas: &'a [AntennaPose]) -> Went<'a> {
        if to_ns <= self.last_ns && self.started {
            return Went::Nowhere;
        }
        let from_ns = std::mem::replace(&mut self.last_ns, to_ns);
        let from = std::mem::replace(&mut self.last, antennas.to_vec());
        let started = std::mem::replace(&mut self.started, true);
        if started && from.len() == antennas.len() && !antennas.is_empty() {
            Went::Along(Way { from_ns, to_ns, from, to: antennas })
        } else {
            Went::Appeared
        }
    }
}
