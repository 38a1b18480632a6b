//! Where the robot is, where each book is, and in which order the books stand.
//!
//! Knows no ROS, no clock and no global random source: values in, values out.

pub mod beam_check;
mod bound;
mod cells;
pub mod decoder;
pub mod evaluate;
mod face;
mod filter;
pub mod floor_map;
mod hf;
mod hologram;
mod live;
pub mod localizer;
mod locate_face;
mod locate_row;
pub mod motion;
mod normal;
pub mod peers;
pub mod pose;
mod power;
mod profile;
mod quick;
mod range_fit;
mod relocate;
pub mod scan_match;
mod settings;
pub mod tf;

pub use cells::ReadProblems;
pub use floor_map::FloorMap;
pub use live::{Live, Taught};
pub use localizer::{Estimate, Localizer};
pub use locate_face::{FaceResult, locate_face};
pub use locate_row::{check_reads, locate_row};
pub use pose::Pose2;
pub use settings::{FaceGeometry, LocateSettings, TierGeometry};
pub use tf::{TfBuffer, TfError};
