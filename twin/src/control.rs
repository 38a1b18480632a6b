//! What someone outside does to a twin that runs: puts things into it, moves and removes them, lets faults happen.
//!
//! The same calls at the same steps give the same run. A saved twin knows of them, one that begins anew does not.

use std::collections::BTreeMap;

use rapier3d::prelude::{ColliderHandle, RigidBodyHandle};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::faults::FaultSettings;
use crate::people::Person;
use crate::rng::stream;
use crate::scenario::{ObstacleSettings, PersonSettings, Scenario, ScenarioError};
use crate::twin::Twin;
use crate::world::floor_index;

/// Room between a robot's middle and what is put down beside it, m.
const ROOM_M: f64 = 0.35;

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// A value that a scenario would not take either.
    #[error(transparent)]
    Value(#[from] ScenarioError),
    /// Something else has that name, or it is empty.
    #[error("name: found {0:?}, allowed is a name that nothing else has")]
    Name(String),
    /// Nothing of that name was put here.
    #[error("nothing here is called {found:?}, there is {allowed}")]
    Unknown {
        /// The name.
        found: String,
        /// The things that are here.
        allowed: String,
    },
    /// A robot stands there.
    #[error("at {at_m:?} stands robot {robot}")]
    Taken {
        /// The place on the map, m.
        at_m: [f64; 2],
        /// Which robot.
        robot: String,
    },
}

/// Something that can be put into a twin.
#[derive(Debug, Clone, PartialEq)]
pub enum Thing {
    /// A box, a trolley, whatever stands on the floor.
    Solid(ObstacleSettings),
    /// Someone who walks to and fro, or stands.
    Person(PersonSettings),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Placed {
    Solid(ColliderHandle, ObstacleSettings),
    Person(RigidBodyHandle, PersonSettings),
}

/// What was put here, by name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Things(BTreeMap<String, Placed>);

impl Things {
    /// The boxes among them.
    pub(crate) fn solids(&self) -> impl Iterator<Item = &ObstacleSettings> {
        self.0.values().filter_map(|placed| match placed {
            Placed::Solid(_, o) => Some(o),
            Placed::Person(..) => None,
        })
    }

    /// Adds the places of what stands still; people and bodies are hashed where they move.
    pub(crate) fn hash_into(&self, hash: &mut Sha256) {
        for (name, placed) in &self.0 {
            hash.update(name.as_bytes());
            if let Placed::Solid(_, o) = placed {
                o.at_m.iter().for_each(|v| hash.update(v.to_bits().to_le_bytes()));
            }
        }
    }
}

impl Twin {
    /// Puts something into the world, under a name.
    ///
    /// # Errors
    /// A value that a scenario would not take, a name that is taken, or a place where a robot stands.
    pub fn spawn(&mut self, name: &str, thing: Thing) -> Result<(), ControlError> {
        if name.is_empty() || self.things.0.contains_key(name) {
            return Err(ControlError::Name(name.into()));
        }
        let placed = match thing {
            Thing::Solid(o) => {
                self.check_solid(&o)?;
                Placed::Solid(self.world.put(&self.library.site, &o), o)
            }
            Thing::Person(p) => {
                Scenario { people: vec![p.clone()], ..self.scenario.clone() }.check()?;
                Placed::Person(self.let_walk(name, &p), p)
            }
        };
        self.things.0.insert(name.into(), placed);
        Ok(())
    }

    /// Moves something to another place; a person's walk moves with it.
    ///
    /// # Errors
    /// Nothing of that name was put here, a place off the map, or one where a robot stands.
    pub fn move_to(&mut self, name: &str, at_m: [f64; 2]) -> Result<(), ControlError> {
        let placed = match self.thing(name)? {
            Placed::Solid(handle, o) => {
                let (handle, o) = (*handle, ObstacleSettings { at_m, ..o.clone() });
                self.check_solid(&o)?;
                self.world.shift(handle, &self.library.site, &o);
                Placed::Solid(handle, o)
            }
            Placed::Person(body, p) => {
                let to_m = [0, 1].map(|i| at_m[i] + p.to_m[i] - p.from_m[i]);
                let (body, p) = (*body, PersonSettings { from_m: at_m, to_m, ..p.clone() });
                Scenario { people: vec![p.clone()], ..self.scenario.clone() }.check()?;
                self.send_away(body);
                Placed::Person(self.let_walk(name, &p), p)
            }
        };
        self.things.0.insert(name.into(), placed);
        Ok(())
    }

    /// Takes something away.
    ///
    /// # Errors
    /// Nothing of that name was put here.
    pub fn remove(&mut self, name: &str) -> Result<(), ControlError> {
        self.thing(name)?;
        match self.things.0.remove(name) {
            Some(Placed::Solid(handle, _)) => self.world.take_away(handle),
            Some(Placed::Person(body, _)) => self.send_away(body),
            None => {}
        }
        Ok(())
    }

    /// Lets a fault happen; its times count from the start of the run.
    ///
    /// # Errors
    /// What a scenario with this fault would be refused for.
    pub fn inject(&mut self, fault: FaultSettings) -> Result<(), ControlError> {
        Scenario { faults: vec![fault.clone()], ..self.scenario.clone() }.check()?;
        self.add_fault(fault);
        Ok(())
    }

    fn thing(&self, name: &str) -> Result<&Placed, ControlError> {
        let names = || self.things.0.keys().cloned().collect::<Vec<_>>().join(", ");
        self.things.0.get(name).ok_or_else(|| ControlError::Unknown {
            found: name.into(),
            allowed: if self.things.0.is_empty() { "nothing".into() } else { names() },
        })
    }

    fn check_solid(&self, o: &ObstacleSettings) -> Result<(), ControlError> {
        Scenario { obstacles: vec![o.clone()], ..self.scenario.clone() }.check()?;
        let on_it = |[x, y, _]: [f64; 3]| {
            (x - o.at_m[0]).abs() < o.size_m[0] / 2.0 + ROOM_M
                && (y - o.at_m[1]).abs() < o.size_m[1] / 2.0 + ROOM_M
        };
        let names: Vec<String> = self.robots().map(|r| r.name.clone()).collect();
        match names.into_iter().find(|name| self.true_pose(name).is_some_and(on_it)) {
            Some(robot) => Err(ControlError::Taken { at_m: o.at_m, robot }),
            None => Ok(()),
        }
    }

    fn let_walk(&mut self, name: &str, p: &PersonSettings) -> RigidBodyHandle {
        // The time is part of the stream's name: someone who comes again walks otherwise.
        let rng = stream(self.scenario.seed, &format!("person/{name}/{}", self.now_ns()));
        let person = Person::new(p.clone(), rng);
        let floor = floor_index(&self.library.site, p.floor.as_deref());
        let body = self.world.add_person(floor, person.at());
        self.people.push((body, person));
        body
    }

    fn send_away(&mut self, body: RigidBodyHandle) {
        self.people.retain(|(b, _)| *b != body);
        self.world.remove_person(body);
    }
}
