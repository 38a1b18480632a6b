//! Faults at set times: what goes wrong with a robot on a bad day.

use serde::{Deserialize, Serialize};

use crate::scenario::{ObstacleSettings, Scenario};
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
    /// Somebody else sends on the carriers of `band_mhz`: there the reader hears only strong tags, and those badly.
    NoisyCarrier,
    /// The robot's radio link is down: nothing that it publishes arrives, and no command does.
    NetworkCut,
    /// The battery gives up: at most `charge` is left of it.
    BatteryLow,
    /// A box of `size_m` stands at `to_m` in the robot's way, and on no map.
    AisleBlocked,
    /// Somebody takes the book at `position` of `shelf`, and puts it at the end of `to_shelf` or carries it away.
    BookMoved,
    /// The robot's cameras see nothing: their images are black but for the noise.
    CameraDark,
}

/// One fault of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSettings {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Name of the robot that it happens to; of `book_moved` and `aisle_blocked` the one on whose floor it happens.
    pub robot: String,
    /// When it begins, s.
    pub at_s: f64,
    /// How long it lasts, s.
    #[serde(default = "some_seconds")]
    pub for_s: f64,
    /// `carry`: where the robot is put down; `aisle_blocked`: where the box stands; on the map, m.
    #[serde(default)]
    pub to_m: Option<[f64; 2]>,
    /// `carry`: where it looks then, degrees on the map.
    #[serde(default)]
    pub heading_deg: f64,
    /// `slip`: standard deviation of each wheel's slip, a share of its speed.
    #[serde(default = "wet_floor")]
    pub slip: f64,
    /// `noisy_carrier`: lowest and highest carrier that is disturbed, MHz.
    #[serde(default = "whole_band")]
    pub band_mhz: [f64; 2],
    /// `noisy_carrier`: how much the noise rises there, dB.
    #[serde(default = "loud")]
    pub rise_db: f64,
    /// `battery_low`: charge left, 0 to 1.
    #[serde(default = "little")]
    pub charge: f64,
    /// `aisle_blocked`: size along the map's x and y, m.
    #[serde(default = "trolley_size")]
    pub size_m: [f64; 2],
    /// `book_moved`: the shelf it is taken from.
    #[serde(default)]
    pub shelf: Option<String>,
    /// `book_moved`: its position there from the left, from 1.
    #[serde(default = "first")]
    pub position: u32,
    /// `book_moved`: the shelf that it is put on; carried away when absent.
    #[serde(default)]
    pub to_shelf: Option<String>,
}

fn some_seconds() -> f64 {
    5.0
}

fn wet_floor() -> f64 {
    0.1
}

fn whole_band() -> [f64; 2] {
    [860.0, 930.0]
}

fn loud() -> f64 {
    25.0
}

fn little() -> f64 {
    0.02
}

fn trolley_size() -> [f64; 2] {
    [0.6, 0.9]
}

fn first() -> u32 {
    1
}

impl FaultSettings {
    /// A fault of a robot, s from the start of the run and for so long, with all else as usual.
    pub fn new(kind: FaultKind, robot: &str, at_s: f64, for_s: f64) -> Self {
        Self {
            kind,
            robot: robot.into(),
            at_s,
            for_s,
            to_m: None,
            heading_deg: 0.0,
            slip: wet_floor(),
            band_mhz: whole_band(),
            rise_db: loud(),
            charge: little(),
            size_m: trolley_size(),
            shelf: None,
            position: first(),
            to_shelf: None,
        }
    }

    /// The box of a blocked aisle.
    pub fn obstacle(&self, scenario: &Scenario) -> Option<ObstacleSettings> {
        let floor = scenario.robots.iter().find(|r| r.name == self.robot).and_then(|r| r.floor.clone());
        (self.kind == FaultKind::AisleBlocked).then_some(())?;
        Some(ObstacleSettings {
            floor,
            at_m: self.to_m?,
            size_m: self.size_m,
            height_m: 1.0,
            from_s: self.at_s,
            until_s: Some(self.at_s + self.for_s),
        })
    }

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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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
