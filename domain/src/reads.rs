//! Reads: what a reader says of one tag at one moment, with the antenna's place joined in.

use std::f32::consts::TAU;

use serde::Serialize;

use crate::uid::Uid;

/// Rounding of 32-bit phases and of text with few digits: 2π written as 6.284.
const PHASE_ROUNDING: f32 = 1e-3;
const FARTHEST_M: f32 = 10_000.0;

/// One read of one tag inside a [`Scan`], with the antenna's phase centre in face coordinates
/// ([`crate::site::Face`]).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Read {
    /// When the reader saw the tag, ns; `None` where the source has no clock.
    pub stamp_ns: Option<i64>,
    /// Index into [`Scan::tags`].
    pub tag: u32,
    /// Reader port, from 1.
    pub antenna: u8,
    /// Carrier, Hz.
    pub frequency_hz: f64,
    /// Received power, dBm; NaN when not given.
    pub rssi_dbm: f32,
    /// Phase in [0, 2π), growing with distance; NaN when not given.
    pub phase_rad: f32,
    /// Antenna phase centre in face coordinates, m: x along the shelf, y out into the aisle, z up.
    pub antenna_m: [f32; 3],
}

impl Read {
    /// The first thing that makes it unusable; what the reader does not give (NaN) is nothing wrong.
    pub fn problem(&self) -> Option<ReadProblem> {
        if !(self.frequency_hz.is_finite() && self.frequency_hz > 0.0) {
            Some(ReadProblem::Carrier)
        } else if !(self.phase_rad.is_nan() || self.has_phase()) {
            Some(ReadProblem::Phase)
        } else if !(self.rssi_dbm.is_nan() || self.has_power()) {
            Some(ReadProblem::Rssi)
        } else if !self.has_place() {
            Some(ReadProblem::Position)
        } else if self.antenna == 0 {
            Some(ReadProblem::Antenna)
        } else {
            None
        }
    }

    /// Whether the phase is given, and one: within a turn, with the rounding of 32 bits or of text with few digits.
    #[inline]
    pub fn has_phase(&self) -> bool {
        (-PHASE_ROUNDING..TAU + PHASE_ROUNDING).contains(&self.phase_rad)
    }

    /// Whether the power is given, and one that a reader can report.
    #[inline]
    pub fn has_power(&self) -> bool {
        (-150.0..=30.0).contains(&self.rssi_dbm)
    }

    /// Whether the antenna is somewhere near the face.
    #[inline]
    pub fn has_place(&self) -> bool {
        self.antenna_m.iter().all(|v| v.is_finite() && v.abs() < FARTHEST_M)
    }
}

/// What is wrong with the values of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadProblem {
    /// Carrier zero, negative, NaN or infinite.
    Carrier,
    /// Phase given and not in [0, 2π).
    Phase,
    /// RSSI given, but no power that a reader reports.
    Rssi,
    /// Antenna position not a number, or farther than 10 km from the face's origin.
    Position,
    /// Antenna port 0.
    Antenna,
}

impl ReadProblem {
    /// What is wrong, and what is allowed.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Carrier => "frequency_hz is not a positive number",
            Self::Phase => "phase_rad is not in [0, 2π) and not NaN",
            Self::Rssi => "rssi_dbm is not within -150 to 30 and not NaN",
            Self::Position => "x_m, y_m or z_m is not a number within 10 km",
            Self::Antenna => "antenna is 0, ports count from 1",
        }
    }
}

/// One pass along one row face: the reads and the tags they name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scan {
    /// Name of the pass.
    pub name: String,
    /// Tags by first appearance; [`Read::tag`] points in here.
    pub tags: Vec<Uid>,
    /// Reads in the order of the source.
    pub reads: Vec<Read>,
}
