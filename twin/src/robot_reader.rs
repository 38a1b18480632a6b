//! The reader that a robot carries, by the tags of its library.

use interfaces::shelfwright_msgs::TagRead;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::library::TagKind;
use crate::radio::{AntennaPose, HfReader, RadioError, RadioRead, Reader, TagField};
use crate::scenario::Scenario;

/// UHF or HF.
#[derive(Serialize, Deserialize)]
pub(crate) enum RobotReader {
    Uhf(Box<Reader>),
    Hf(Box<HfReader>),
}

impl RobotReader {
    pub fn new(scenario: &Scenario, seed: u64, antennas: usize) -> Result<Self, RadioError> {
        Ok(match scenario.library.tags {
            TagKind::Uhf => Self::Uhf(Box::new(Reader::new(&scenario.radio, seed, 0)?)),
            TagKind::Hf => {
                Self::Hf(Box::new(HfReader::new(&scenario.radio, seed, scenario.seed, 0, antennas)?))
            }
        })
    }

    /// As [`Reader::advance`].
    pub fn advance(
        &mut self,
        field: &TagField,
        to_ns: i64,
        antennas: &[AntennaPose],
        reads: &mut Vec<RadioRead>,
    ) {
        match self {
            Self::Uhf(reader) => reader.advance(field, to_ns, antennas, reads),
            Self::Hf(readers) => {
                let first = reads.len();
                readers.advance(field, to_ns, antennas, reads);
                // Each port brings its own in order of time.
                reads[first..].sort_by_key(|r| (r.stamp_ns, r.port));
            }
        }
    }

    /// As [`Reader::disturb`]; HF plates hear nobody else.
    pub fn disturb(&mut self, disturbed: Option<([f64; 2], f64)>) {
        if let Self::Uhf(reader) = self {
            reader.disturb(disturbed);
        }
    }

    /// `protocol` of its reads.
    pub fn protocol(&self) -> u8 {
        match self {
            Self::Uhf(_) => TagRead::UHF_GEN2,
            Self::Hf(_) => TagRead::HF_ISO15693,
        }
    }

    pub fn hash_into(&self, hash: &mut Sha256) {
        match self {
            Self::Uhf(reader) => reader.hash_into(hash),
            Self::Hf(readers) => readers.hash_into(hash),
        }
    }
}
