//! What the pilot can be told.

use serde::{Deserialize, Serialize};

use crate::navigator::planner::PlannerParams;

/// Parameters of the pilot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PilotParams {
    /// From the shelves' front edges to base_link, m. 0.65: antennas at 0.4 m, and room for two in the aisle.
    pub distance_m: f64,
    /// Speed along a face, m/s. 0.1: some 50 reads of each tag, and 27,000 books an hour.
    pub speed_mps: f64,
    /// Run before the face's start and after its end, m. 0.6: the whole aperture of the outermost books.
    pub run_m: f64,
    /// Passes over one face at most. 2: errors repeat with the layout, so a third pass tells little.
    pub max_passes: u32,
    /// Read probability below which a place counts as poorly read. 0.9.
    pub read_probability: f32,
    /// Share of poorly read places that makes it drive again. 0.1.
    pub poor_share: f32,
    /// Longest wait for the coverage of a pass, s. 30.
    pub coverage_wait_s: f64,
    /// Longest way to a face, s. 300: through a large hall with stops.
    pub transit_limit_s: f64,
    /// Longest pass over a face, in multiples of its undisturbed time. 5.
    pub pass_limit: f64,
    /// Silence of the reader after which a pass is broken off, s. 2: along shelves reads come every 50 ms at the least; 0
    /// never breaks off, for halls with long empty shelves.
    pub reader_silent_s: f64,
    /// Longest wait for a silent reader, s, before the face is given up. 60: it was switched off and on again.
    pub reader_wait_s: f64,
    /// Silence of the navigator about a goal after which it is taken back, s. 10: it speaks twice a second, and one that was
    /// started anew knows nothing of it; 0 never takes back.
    pub navigator_silent_s: f64,
    /// Charge of the battery, 0 to 1, below which it breaks off and drives to its dock. 0.2: an hour of driving for a robot
    /// that empties in five; 0 never does.
    pub battery_low: f32,
    /// Charge, 0 to 1, at which it goes on. 0.8: beyond, lithium cells charge slowly.
    pub battery_enough: f32,
    /// Longest wait in a dock that gives nothing, s, before the mission is given up. 60.
    pub dock_wait_s: f64,
    /// How often a failed face is tried again, after all others. 1: people move on.
    pub retries: u32,
    /// Where the robot fits, for the order of the faces.
    pub planner: PlannerParams,
}

impl Default for PilotParams {
    fn default() -> Self {
        Self {
            distance_m: 0.65,
            speed_mps: 0.1,
            run_m: 0.6,
            max_passes: 2,
            read_probability: 0.9,
            poor_share: 0.1,
            coverage_wait_s: 30.0,
            transit_limit_s: 300.0,
            pass_limit: 5.0,
            reader_silent_s: 2.0,
            reader_wait_s: 60.0,
            navigator_silent_s: 10.0,
            battery_low: 0.2,
            battery_enough: 0.8,
            dock_wait_s: 60.0,
            retries: 1,
            planner: PlannerParams::default(),
        }
    }
}
