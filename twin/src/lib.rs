//! The digital twin: a simulated library with robots, their sensors and their readers.
//!
//! [`Twin`] owns the time. Each [`Twin::step`] moves the world on by a fixed step and gives what the robots'
//! sensors publish; [`Twin::command`] takes what the navigator wants of the wheels. The same [`Scenario`] gives the same
//! [`Twin::state_hash`] on every run. Where the books really are is in [`Twin::truth`], for scoring and for
//! nothing else: no message, catalogue or site holds it.
//!
//! Units are SI, the map's z points up, time is `i64` nanoseconds from the start of the run.

mod antennas;
pub mod base;
pub mod calibrate;
pub mod control;
mod covers;
pub mod faults;
mod furniture;
pub mod inject;
pub mod library;
mod messages;
pub mod people;
pub mod plot;
pub mod radio;
pub mod rail;
pub mod repeat;
pub mod rng;
mod robot_reader;
pub mod rows;
pub mod scenario;
mod scenario_check;
pub mod score;
pub mod sensors;
pub mod snapshot;
pub mod stacks;
pub mod truth;
mod twin;
pub mod urdf;
#[cfg(feature = "view")]
pub mod view;
pub mod world;

pub use crate::twin::{STEP_NS, Twin, TwinError};
pub use control::{ControlError, Thing};
pub use library::{Book, Library, LibrarySettings};
pub use scenario::{RobotSettings, Scenario, ScenarioError};
pub use score::{ClassScore, Scores, score};
pub use snapshot::SnapshotError;
pub use truth::{Injected, TrueBook, TrueRobot, Truth};
