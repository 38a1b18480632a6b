//! Scenarios: what is simulated, from a TOML file or [`Scenario::demo`]. Everything in it has a default.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::base::BaseSettings;
use crate::faults::FaultSettings;
use crate::inject::{ErrorSettings, UntidySettings};
use crate::library::LibrarySettings;
use crate::library::files::{LibraryFiles, LibraryFilesError};
use crate::radio::RadioSettings;
use crate::scenario_check;
use crate::sensors::{BatterySettings, CameraSettings, ImuSettings, LidarSettings, OdometrySettings};

/// One simulated run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// Name for people.
    pub name: String,
    /// The seed that everything random comes from.
    pub seed: u64,
    /// The library that is made.
    pub library: LibrarySettings,
    /// In its place, a library from files.
    pub stacks: Option<LibraryFiles>,
    /// What is wrong on the shelves.
    pub errors: ErrorSettings,
    /// What stands in its place, but not as it should.
    pub untidy: UntidySettings,
    /// Tags, readers and what lies between them.
    pub radio: RadioSettings,
    /// Robots, at least one.
    #[serde(rename = "robot")]
    pub robots: Vec<RobotSettings>,
    /// People who walk about.
    #[serde(rename = "person")]
    pub people: Vec<PersonSettings>,
    /// Things that stand in the way and on no map.
    #[serde(rename = "obstacle")]
    pub obstacles: Vec<ObstacleSettings>,
    /// Trolleys and chairs that can be pushed.
    pub furniture: Vec<FurnitureSettings>,
    /// What goes wrong at set times.
    #[serde(rename = "fault")]
    pub faults: Vec<FaultSettings>,
    /// What a run must come to.
    pub expect: ExpectSettings,
}

/// What a run of a scenario must come to; what is not given is not asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectSettings {
    /// Whether all row faces are done in the end.
    pub finished: Option<bool>,
    /// Passes that the locator answers, the fewest and the most.
    pub passes: Option<[u32; 2]>,
    /// Misplaced books: precision and recall at least.
    pub misplaced: Option<[f64; 2]>,
    /// Missing books: precision and recall at least.
    pub missing: Option<[f64; 2]>,
    /// Localizer while scanning: RMS along the aisle at most, cm.
    pub localizer_cm: Option<f64>,
    /// How often the robot began to touch something, the fewest and the most.
    pub bumps: Option<[u32; 2]>,
    /// Trolleys and chairs that lie on the floor in the end, the fewest and the most.
    pub tipped: Option<[u32; 2]>,
    /// A part of the reason why not all was done.
    pub reason: Option<String>,
}

/// One robot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RobotSettings {
    /// Name, the prefix of its topics and frames: lower-case letters, digits and `_`, a letter first.
    pub name: String,
    /// The floor that it is on; the site's first one when absent.
    pub floor: Option<String>,
    /// Where it starts on the map, m.
    pub start_m: [f64; 2],
    /// Where it looks at the start, degrees on the map.
    pub heading_deg: f64,
    /// Drive.
    pub base: BaseSettings,
    /// Lidar.
    pub lidar: LidarSettings,
    /// Wheel odometry.
    pub odometry: OdometrySettings,
    /// Inertial unit.
    pub imu: ImuSettings,
    /// Battery.
    pub battery: BatterySettings,
    /// Phase centres of the antennas in base_link, m, port 1 first; they look to the left (+y).
    pub antennas_m: Vec<[f64; 3]>,
    /// Cameras, `camera_1` first. Drawing their images takes a program with the feature `view`.
    #[serde(rename = "camera")]
    pub cameras: Vec<CameraSettings>,
}

/// A person who walks to and fro along a line and stops in front of a robot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonSettings {
    /// The floor that they are on; the site's first one when absent.
    #[serde(default)]
    pub floor: Option<String>,
    /// One end of the walk on the map, m.
    pub from_m: [f64; 2],
    /// The other end, m.
    pub to_m: [f64; 2],
    /// Walking speed, m/s, 0.1 to 2.
    #[serde(default = "walking_speed")]
    pub speed_mps: f64,
    /// Longest stop at an end, s, 0 to 600; each stop is drawn evenly between 0 and it.
    #[serde(default = "longest_stop")]
    pub stop_s: f64,
    /// They stop to read after this much way on the mean, m, up to 1000; 0: never.
    #[serde(default)]
    pub read_every_m: f64,
    /// Longest time over a book, s, 0 to 600; each is drawn evenly between 0 and it.
    #[serde(default = "longest_read")]
    pub read_s: f64,
}

impl PersonSettings {
    /// Someone who walks between two places, with all else as usual.
    pub fn walking(from_m: [f64; 2], to_m: [f64; 2]) -> Self {
        Self {
            floor: None,
            from_m,
            to_m,
            speed_mps: walking_speed(),
            stop_s: longest_stop(),
            read_every_m: 0.0,
            read_s: longest_read(),
        }
    }
}

impl ObstacleSettings {
    /// A box that stands there from the start, m.
    pub fn standing(at_m: [f64; 2], size_m: [f64; 2], height_m: f64) -> Self {
        Self { floor: None, at_m, size_m, height_m, from_s: 0.0, until_s: None }
    }
}

/// What furniture is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FurnitureKind {
    /// A book trolley on casters: rolls when it is pushed.
    Trolley,
    /// A chair: light, and does not roll.
    Chair,
}

/// Something on the floor and on no map that gives way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FurnitureSettings {
    /// What it is.
    pub kind: FurnitureKind,
    /// The floor that it is on; the site's first one when absent.
    #[serde(default)]
    pub floor: Option<String>,
    /// Centre on the map, m.
    pub at_m: [f64; 2],
    /// Direction of its longer side on the map, degrees.
    #[serde(default)]
    pub heading_deg: f64,
    /// Lies on its side.
    #[serde(default)]
    pub tipped: bool,
    /// Of a trolley: its casters are locked, so that it slides or tips where it would roll.
    #[serde(default)]
    pub locked: bool,
    /// Mass, kg, 1 to 300; of a trolley 40, of a chair 6 when absent.
    #[serde(default)]
    pub mass_kg: Option<f64>,
}

/// A box on the floor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObstacleSettings {
    /// The floor that it is on; the site's first one when absent.
    #[serde(default)]
    pub floor: Option<String>,
    /// Centre on the map, m.
    pub at_m: [f64; 2],
    /// Size along the map's x and y, m.
    pub size_m: [f64; 2],
    /// Height, m.
    #[serde(default = "obstacle_height")]
    pub height_m: f64,
    /// When it is put there, s.
    #[serde(default)]
    pub from_s: f64,
    /// When it is taken away, s; never when absent.
    #[serde(default)]
    pub until_s: Option<f64>,
}

fn walking_speed() -> f64 {
    0.8
}

fn longest_stop() -> f64 {
    20.0
}

fn longest_read() -> f64 {
    30.0
}

fn obstacle_height() -> f64 {
    1.0
}

impl Default for RobotSettings {
    fn default() -> Self {
        Self {
            name: "inv_1".into(),
            floor: None,
            start_m: [0.6, 0.75],
            heading_deg: 0.0,
            base: BaseSettings::default(),
            lidar: LidarSettings::default(),
            odometry: OdometrySettings::default(),
            imu: ImuSettings::default(),
            battery: BatterySettings::default(),
            // One antenna a tier of the demo library, behind an antenna hub: with four for six tiers the locator
            // takes 6% of the books for a neighbour tier's, with six 1%.
            antennas_m: [0.22, 0.55, 0.88, 1.21, 1.54, 1.87].map(|z| [0.0, 0.25, z]).into(),
            cameras: vec![],
        }
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            name: "demo".into(),
            seed: 1,
            library: LibrarySettings::default(),
            stacks: None,
            errors: ErrorSettings::default(),
            untidy: UntidySettings::default(),
            radio: RadioSettings::default(),
            robots: vec![RobotSettings::default()],
            people: vec![],
            obstacles: vec![],
            furniture: vec![],
            faults: vec![],
            expect: ExpectSettings::default(),
        }
    }
}

/// Why a scenario is refused.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("{file}: {source}")]
    File {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of another type.
    #[error("{file}:{line}:{column}: {message}")]
    Toml {
        /// The file.
        file: String,
        /// Line, from 1; 0 when the place is not known.
        line: usize,
        /// Column, from 1; 0 when the place is not known.
        column: usize,
        /// What was found and what is allowed.
        message: String,
    },
    /// A file that the scenario names is refused.
    #[error(transparent)]
    Library(#[from] LibraryFilesError),
    /// A value that makes no sense.
    #[error("{place}{key}: found {found}, allowed is {allowed}")]
    Value {
        /// `FILE:LINE:COLUMN: `; empty when the scenario came from no file.
        place: String,
        /// The key with its path, for example `robot[0].lidar.range_m`.
        key: String,
        /// What stood there.
        found: String,
        /// What may stand there.
        allowed: String,
    },
}

impl Scenario {
    /// The demo: 2 rows, one robot at its dock, errors of every kind, nobody in the aisles.
    pub fn demo(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Reads and checks a scenario file. The files that it names lie beside it, unless their paths are absolute.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::File { file: file.clone(), source })?;
        Self::parse(&text, &file, path.parent())
    }

    /// Reads and checks a scenario; `file` is its name in errors.
    pub fn from_toml(text: &str, file: &str) -> Result<Self, ScenarioError> {
        Self::parse(text, file, None)
    }

    fn parse(text: &str, file: &str, folder: Option<&Path>) -> Result<Self, ScenarioError> {
        let mut scenario: Self = toml::from_str(text).map_err(|e| {
            let (line, column) = e.span().map_or((0, 0), |s| scenario_check::line_column(text, s.start));
            ScenarioError::Toml { file: file.into(), line, column, message: e.message().trim().into() }
        })?;
        if let (Some(files), Some(folder)) = (&mut scenario.stacks, folder) {
            files.lie_in(folder);
        }
        scenario_check::check(&scenario).map_err(|mut e| {
            if let ScenarioError::Value { place, key, .. } = &mut e {
                *place = match scenario_check::find_key(text, key) {
                    Some((line, column)) => format!("{file}:{line}:{column}: "),
                    None => format!("{file}: "),
                };
            }
            e
        })?;
        Ok(scenario)
    }

    /// Checks a scenario that came from no file.
    pub fn check(&self) -> Result<(), ScenarioError> {
        scenario_check::check(self)
    }
}
