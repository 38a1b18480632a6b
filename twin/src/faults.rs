//! Faults at set times: what goes wrong with a robot on a bad day.

use serde::{Deserialize, Serialize};

use crate::world::PlanarPose;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// People lift the robot and put it down elsewhere (`to_m`, `heading_deg`): the kidnapped robot.
    Carry,
    /// The wheels slip by `slip` in place of the drive's own share: a wet floor.
    Slip,
    /// The lidar gets no echo at all.
    LidarBlind,
    /// The reader's reads do not come through.
    ReaderMute,
}

/// One fault of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSettings {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Name of the robot that it happens to.
    pub robot: String,
    /// When it begins, s.
    pub at_s: f64,
    /// How long it lasts, s.
    #[serde(default = "some_seconds")]
    pub for_s: f64,
    /// `carry`: where the robot is put down on the map, m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_m: Option<[f64; 2]>,
    /// `carry`: where it looks then, degrees on the map.
    #[serde(default)]
    pub heading_deg: f64,
    /// `slip`: standard deviation of each wheel's slip, a share of its speed.
    #[serde(default = "wet_floor")]
    pub slip: f64,
}

fn some_seconds() -> f64 {
    5.0
}

fn wet_floor() -> f64 {
    0.1
}

impl FaultSettings {
    /// Whether it is under way.
    pub fn is_on(&self, now_s: f64) -> bool {
        (self.at_s..self.at_s + self.for_s).contains(&now_s)
    }

    /// The pose at which the robot is put down.
    pub fn target(&self) -> Option<PlanarPose> {
        self.to_m.map(|[x, y]| [x, y, self.heading_deg.to_radians()])
    }
}

/// A robot on its way through the air.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Carried {
    /// Where it was lifted.
    pub from: PlanarPose,
    /// Where it is put down.
    pub to: PlanarPose,
    /// Start and end, s.
    pub time_s: [f64; 2],
}

impl Carried {
    /// Where it is now: on the straight way, turned evenly the shorter way round.
    pub fn at(&self, now_s: f64) -> PlanarPose {
        let [start, end] = self.time_s;
        let share = if end > start { ((now_s - start) / (end - start)).clamp(0.0, 1.0) } else { 1.0 };
        let turn = self.to[2] - self.from[2];
        let turn = libm::atan2(libm::sin(turn), libm::cos(turn));
        [
            self.from[0] + share * (self.to[0] - self.from[0]),
            self.from[1] + share * (self.to[1] - self.from[1]),
            self.from[2] + share * turn,
        ]
    }

    /// Whether it stands again.
    pub fn over(&self, now_s: f64) -> bool {
        now_s >= self.time_s[1]
    }
}
