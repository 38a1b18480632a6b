//! Where the robot is, where each book is, and in which order the books stand.
//!
//! Knows no ROS, no clock and no global random source: values in, values out.

pub mod floor_map;
pub mod localizer;
pub mod motion;
pub mod pose;
pub mod scan_match;
pub mod tf;

pub use floor_map::FloorMap;
pub use localizer::{Estimate, Localizer};
pub use pose::Pose2;
pub use tf::{TfBuffer, TfError};
