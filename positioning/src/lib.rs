//! Where the robot is, where each book is, and in which order the books stand.
//!
//! Knows no ROS, no clock and no global random source: values in, values out.

pub mod pose;
pub mod tf;

pub use pose::Pose2;
pub use tf::{TfBuffer, TfError};
