//! Saves a twin in mid-run and goes on from there, bit for bit as if it had not been saved.
//!
//! A snapshot holds the scenario and all that moved or was drawn since the start: bodies with their contacts, drives,
//! sensors, readers, people, random streams. What follows from the scenario alone (library, shelves, tags and how they
//! couple) is made again. A library from files must still be where the scenario says.

use std::path::Path;

use rapier3d::prelude::RigidBodyHandle;

use crate::base::{Base, PlanarVelocity};
use crate::control::Things;
use crate::faults::Carried;
use crate::people::Person;
use crate::robot_reader::RobotReader;
use crate::scenario::{Scenario, ScenarioError};
use crate::sensors::{Battery, Bumper, Imu, Lidar, Odometry};
use crate::twin::{Twin, TwinError};
use crate::world::World;

/// First bytes of a snapshot; the number changes with what it holds.
const MAGIC: &[u8] = b"shelfwright twin 3\n";

/// All that moves or was drawn since the start: steps, world, robots, people, what was put there from outside.
pub(crate) type TwinState = (i64, World, Vec<RobotState>, Vec<(RigidBodyHandle, Person)>, Things);

/// Of one robot: body, drive, sensors, battery, reader, motion at the last step, direction at it, its way through the air,
/// whether it touches something and how often it began to, bumper.
pub(crate) type RobotState = (
    RigidBodyHandle,
    Base,
    Lidar,
    Odometry,
    Imu,
    Battery,
    RobotReader,
    PlanarVelocity,
    f64,
    Option<Carried>,
    (bool, u32),
    Bumper,
);

/// Why a snapshot cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file system says no.
    #[error("{file}: {source}")]
    File {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// No snapshot, one of another version, or one that was cut off.
    #[error("{file}: no snapshot of this version of the twin: {found}")]
    Form {
        /// The file.
        file: String,
        /// What was found.
        found: String,
    },
    /// Its scenario cannot be simulated any more.
    #[error("{file}: {source}")]
    Twin {
        /// The file.
        file: String,
        /// Why.
        source: Box<TwinError>,
    },
}

impl Twin {
    /// The whole state as bytes.
    ///
    /// # Errors
    /// None that is known: all of a twin can be written.
    pub fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        let form = |found: String| SnapshotError::Form { file: "snapshot".into(), found };
        let scenario = toml::to_string(self.scenario()).map_err(|e| form(e.to_string()))?;
        let bytes = postcard::to_extend(&(scenario, self.state()), MAGIC.to_vec());
        bytes.map_err(|e| form(e.to_string()))
    }

    /// The twin of such bytes; `name` is theirs in errors.
    ///
    /// # Errors
    /// No snapshot of this version, or a scenario that is refused.
    pub fn from_snapshot(bytes: &[u8], name: &str) -> Result<Self, SnapshotError> {
        let form = |found: String| SnapshotError::Form { file: name.into(), found };
        let state = bytes.strip_prefix(MAGIC).ok_or_else(|| {
            let start = String::from_utf8_lossy(&bytes[..bytes.len().min(MAGIC.len())]).into_owned();
            form(format!("it starts with {start:?}"))
        })?;
        let (scenario, state): (String, TwinState) =
            postcard::from_bytes(state).map_err(|e| form(e.to_string()))?;
        let refused = |e: TwinError| SnapshotError::Twin { file: name.into(), source: Box::new(e) };
        let scenario = Scenario::from_toml(&scenario, name)
            .map_err(|e: ScenarioError| refused(TwinError::Scenario(e)))?;
        let mut twin = Self::new(&scenario).map_err(refused)?;
        if state.2.len() != scenario.robots.len() {
            return Err(form(format!(
                "{} robots, its scenario has {}",
                state.2.len(),
                scenario.robots.len()
            )));
        }
        twin.set_state(state);
        Ok(twin)
    }

    /// Writes the whole state to a file.
    ///
    /// # Errors
    /// What the file system says.
    pub fn save(&self, file: &Path) -> Result<(), SnapshotError> {
        let bytes = self.snapshot()?;
        std::fs::write(file, bytes)
            .map_err(|source| SnapshotError::File { file: file.display().to_string(), source })
    }

    /// The twin that [`Twin::save`] wrote.
    ///
    /// # Errors
    /// As [`Twin::from_snapshot`], and what the file system says.
    pub fn restore(file: &Path) -> Result<Self, SnapshotError> {
        let name = file.display().to_string();
        let bytes =
            std::fs::read(file).map_err(|source| SnapshotError::File { file: name.clone(), source })?;
        Self::from_snapshot(&bytes, &name)
    }
}
