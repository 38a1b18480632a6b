//! The radio over shelves of tagged books. UHF EPC Gen2: coupled dipoles, reflections, link budget, inventory; HF in `hf`.
//!
//! [`TagField`] holds the tags and what stands around them and answers "what current flows in this tag when that
//! antenna sends on this carrier". [`Reader`] is one robot's reader: it runs Gen2 inventory rounds over its
//! antenna ports and carriers and turns currents into RSSI and phase. Neither knows the rest of the twin.
//!
//! **Model.** Tags are coupled half-wave dipoles: with incident fields `V` (direct path times antenna pattern, plus
//! a few point scatterers that belong to the place, one bounce) the currents are `I = (Z + diag Z_L)⁻¹ V`. By
//! reciprocity the backscatter of tag i is proportional to `I_i²`: phase `−2 arg I_i`, received power `|I_i|⁴`. So a
//! tag's phase error hangs on its neighbours and the place, and a second pass sees the same error again.
//! Mutual impedances by induced EMF: Balanis, *Antenna Theory*, ch. 8. `RADIO.md` compares it with measured reads.
//!
//! **Units.** SI, map coordinates with z up, time in ns, phases in rad and growing with distance.

mod beam;
mod coupling;
mod error;
mod face_lesson;
mod field;
mod gen2;
mod hf;
mod hop;
mod impedance;
mod lesson;
mod near;
mod noise;
mod obstacles;
mod prior_check;
mod reader;
mod rng;
mod row_layout;
mod scatter;
mod settings;
mod track;
mod way;

pub use error::RadioError;
pub(crate) use face_lesson::face_radio;
pub use face_lesson::{FaceLesson, FacePrior, Kept, ShelvedTag, face_lesson};
pub use field::{TagField, TagPlacement};
pub use gen2::{LinkMode, Session, SlotCounts};
pub use hf::{HfReader, HfSettings};
pub use hop::HopPlan;
pub use impedance::{mutual_impedance, self_impedance};
pub use lesson::{Lesson, LessonTag, RadioPrior, RowSchool};
pub use obstacles::{Panel, ShelfFront};
pub use reader::Reader;
pub use row_layout::RowLayout;
pub use settings::{FieldSettings, Polarisation, RadioSettings, ReaderMode, ReaderSettings};

use domain::Read;
use serde::{Deserialize, Serialize};

/// Height of a storey, m: floors are at its multiples, so that none is heard on another.
pub const STOREY_M: f64 = 100.0;

/// Speed of light, m/s.
pub const SPEED_OF_LIGHT: f64 = 299_792_458.0;

/// Where one antenna of a reader is at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AntennaPose {
    /// Reader port, from 1.
    pub port: u8,
    /// Phase centre on the map, m.
    pub position_m: [f64; 3],
    /// Direction of the main lobe on the map; need not be of unit length.
    pub boresight: [f64; 3],
}

/// One read as the reader reports it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RadioRead {
    /// When the tag's EPC was received, ns.
    pub stamp_ns: i64,
    /// Index of the tag in its [`TagField`].
    pub tag: u32,
    /// Reader port, from 1.
    pub port: u8,
    /// Carrier, Hz.
    pub frequency_hz: f64,
    /// Received power, dBm, in the reader's steps.
    pub rssi_dbm: f32,
    /// Phase in [0, 2π), growing with distance, in the reader's steps.
    pub phase_rad: f32,
}

impl RadioRead {
    /// As a locator takes it, with the place of the antenna's phase centre, m, in the locator's frame.
    pub fn with_antenna_at(&self, antenna_m: [f64; 3]) -> Read {
        Read {
            stamp_ns: Some(self.stamp_ns),
            tag: self.tag,
            antenna: self.port,
            frequency_hz: self.frequency_hz,
            rssi_dbm: self.rssi_dbm,
            phase_rad: self.phase_rad,
            antenna_m: antenna_m.map(|v| v as f32),
        }
    }
}
