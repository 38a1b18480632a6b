//! What the navigator can be told.

use serde::{Deserialize, Serialize};

use super::planner::PlannerParams;
use super::steering::SteeringParams;

/// Parameters of the navigator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NavigatorParams {
    /// Where the robot fits.
    pub planner: PlannerParams,
    /// How it drives.
    pub steering: SteeringParams,
    /// Room that is left in front of an obstacle, m. 0.15.
    pub stop_gap_m: f64,
    /// Seconds that something may stand in the way before another way is planned. 3: most people walk on.
    pub replan_after_s: f64,
    /// Seconds that something may stand in the way before the goal is given up. 30: someone reads at the shelf.
    pub give_up_after_s: f64,
    /// How long a place at which the robot has touched something counts as taken, s. 60: longer than it waits before it
    /// gives a goal up, so that it is not run into again.
    pub touched_s: f64,
    /// How far it backs off from what it has touched, where the way behind it is free, m. 0.2; 0: it only stops.
    pub back_off_m: f64,
    /// Oldest pose, odometry and scan that it drives with, s. 0.5: five scans.
    pub stale_after_s: f64,
    /// Standard deviation of the position beyond which it counts as lost, m. 0.25.
    pub lost_std_m: f64,
    /// Seconds without a trustworthy pose or scan before the goal is given up. 10.
    pub lost_after_s: f64,
    /// Seconds of being lost before it begins to look for its place on its own. 3: people in front of the lidar walk on.
    pub recover_after_s: f64,
    /// Longest way that it drives while it looks for its place, m. 15; 0 lets it stand, as it must where stairs or other drops
    /// are not fenced: no map holds a lost robot back.
    pub recovery_way_m: f64,
}

impl Default for NavigatorParams {
    fn default() -> Self {
        Self {
            planner: PlannerParams::default(),
            steering: SteeringParams::default(),
            stop_gap_m: 0.15,
            replan_after_s: 3.0,
            give_up_after_s: 30.0,
            touched_s: 60.0,
            back_off_m: 0.2,
            stale_after_s: 0.5,
            lost_std_m: 0.25,
            lost_after_s: 10.0,
            recover_after_s: 3.0,
            recovery_way_m: 15.0,
        }
    }
}
