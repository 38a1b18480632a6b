//! The twin itself: owns the time, moves everything on by a fixed step, publishes what the sensors see.

mod moved;
mod robot;
mod told;

use std::sync::Arc;

use domain::Site;
use interfaces::Publication;
use interfaces::geometry_msgs::TwistStamped;
use interfaces::tf2_msgs::TFMessage;
use rapier3d::prelude::RigidBodyHandle;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::antennas;
use crate::control::Things;
use crate::faults::{FaultKind, FaultSettings};
use crate::inject::{self, Injected, NoRoom};
use crate::library::Library;
use crate::library::files::LibraryFilesError;
use crate::messages;
use crate::people::Person;
use crate::radio::{RadioError, TagField};
use crate::rng::stream;
use crate::rows::Rows;
use crate::scenario::{ObstacleSettings, RobotSettings, Scenario, ScenarioError};
use crate::snapshot::TwinState;
use crate::stacks::{Stacks, Standing};
use crate::urdf::{Variant, urdf};
use crate::world::{SolidBox, World, floor_index};
use robot::{Robot, each};

/// The fixed step, ns: 10 ms.
pub const STEP_NS: i64 = 10_000_000;
const STEP_S: f64 = STEP_NS as f64 * 1e-9;
/// Steps after which the radio looks for tags that no antenna meets any more, and looks until it forgets them: half a
/// minute, in which a robot at a walking speed has left them behind.
const REST_EVERY: i64 = 100;
const RESTS: u32 = 30;

/// Why a twin cannot be made or commanded.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// The scenario makes no sense.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The library is too small for its errors.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// The library's files are refused.
    #[error(transparent)]
    Library(#[from] LibraryFilesError),
    /// The radio refuses its settings.
    #[error("radio: {0}")]
    Radio(#[from] RadioError),
    /// A command for a robot that is not there.
    #[error("no robot {found:?} in this scenario, there are {allowed}")]
    UnknownRobot {
        /// The name.
        found: String,
        /// The robots that are there.
        allowed: String,
    },
}

/// A simulated library with its robots.
pub struct Twin {
    pub(crate) scenario: Scenario,
    pub(crate) library: Library,
    stacks: Stacks,
    standing: Vec<Standing>,
    rows: Rows,
    injected: Vec<Injected>,
    pub(crate) world: World,
    field: TagField,
    robots: Vec<Robot>,
    pub(crate) people: Vec<(RigidBodyHandle, Person)>,
    pub(crate) things: Things,
    /// Books that are moved, by time, and how many of them were.
    moves: Vec<FaultSettings>,
    moved: usize,
    steps: i64,
    clock: Arc<str>,
    tf_static: Arc<str>,
}

impl Twin {
    /// Builds the world of a scenario, at time 0.
    ///
    /// # Errors
    /// A scenario that [`Scenario::check`] refuses, or more errors than the library has room for.
    pub fn new(scenario: &Scenario) -> Result<Self, TwinError> {
        scenario.check()?;
        let seed = scenario.seed;
        let (library, placed) = match &scenario.stacks {
            Some(files) => files.load(&scenario.library, seed)?,
            None => (Library::generate(&scenario.library, seed), None),
        };
        let (stacks, injected) = match placed {
            // Where files say what stands where, they say what is wrong, too.
            Some(stacks) => {
                let injected = inject::differences(&stacks, &library);
                (stacks, injected)
            }
            None => {
                let mut stacks = Stacks::in_order(&library, &scenario.library, seed);
                let injected = inject::inject(&mut stacks, &library, &scenario.errors, seed)?;
                inject::untidy(&mut stacks, &library.site, &scenario.untidy, &injected, seed)?;
                (stacks, injected)
            }
        };
        let standing = stacks.standing(&library.site);
        let rows = Rows::new(&library.site, &stacks, &standing);
        let blocked = scenario.faults.iter().filter_map(|f| f.obstacle(scenario));
        let obstacles: Vec<ObstacleSettings> = scenario.obstacles.iter().cloned().chain(blocked).collect();
        let mut world = World::new(&library.site, &obstacles, STEP_S);
        world.add_furniture(&library.site, &scenario.furniture);
        let mut moves: Vec<FaultSettings> =
            scenario.faults.iter().filter(|f| f.kind == FaultKind::BookMoved).cloned().collect();
        moves.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        let field = antennas::tag_field(&scenario.radio, &library.site, &stacks, &standing, seed)?;
        let robots = scenario
            .robots
            .iter()
            .map(|r| Robot::new(r, scenario, &library.site, &mut world, &field))
            .collect::<Result<_, _>>()?;
        let people = scenario
            .people
            .iter()
            .enumerate()
            .map(|(i, p)| {
                let person = Person::new(p.clone(), stream(seed, &format!("person/{i}")));
                (world.add_person(floor_index(&library.site, p.floor.as_deref()), person.at()), person)
            })
            .collect();
        world.set_time(0.0);
        Ok(Self {
            scenario: scenario.clone(),
            library,
            stacks,
            standing,
            rows,
            injected,
            world,
            field,
            robots,
            people,
            things: Things::default(),
            moves,
            moved: 0,
            steps: 0,
            clock: Arc::from("/clock"),
            tf_static: Arc::from("/tf_static"),
        })
    }

    /// The time since the start of the run, ns.
    pub fn now_ns(&self) -> i64 {
        self.steps * STEP_NS
    }

    /// How often a book was moved since the start of the run.
    pub fn books_moved(&self) -> usize {
        self.moved
    }

    /// Steps of [`STEP_NS`] since the start of the run.
    pub fn steps(&self) -> i64 {
        self.steps
    }

    /// The site, as its `site.toml` would say.
    pub fn site(&self) -> &Site {
        &self.library.site
    }

    /// What is simulated.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The shelves as they really are, for drawing and for nothing else.
    pub fn stacks(&self) -> &Stacks {
        &self.stacks
    }

    /// Where every volume really stands, for drawing and for nothing else.
    pub fn standing(&self) -> &[Standing] {
        &self.standing
    }

    /// The boxes that do not move: walls, rows, what stands in the way; for drawing and for nothing else.
    pub fn boxes(&self) -> impl Iterator<Item = SolidBox> {
        self.world.boxes()
    }

    /// Tags that the radio keeps something of, as antennas are near or were lately.
    pub fn tags_awake(&self) -> usize {
        self.field.awake()
    }

    /// The library's records: site, books, shelf order.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Settings of the robots, with the poses at which they start.
    pub fn robots(&self) -> impl Iterator<Item = &RobotSettings> {
        self.robots.iter().map(|r| &r.settings)
    }

    /// Takes a velocity command for a robot: forward speed and turn rate of base_link. It holds until the next one,
    /// at most for the drive's time-out.
    ///
    /// # Errors
    /// No robot of that name.
    pub fn command(&mut self, robot: &str, twist: &TwistStamped) -> Result<(), TwinError> {
        let now_ns = self.now_ns();
        match self.robots.iter_mut().find(|r| r.settings.name == robot) {
            // What is sent over a link that is down does not arrive.
            Some(r) if r.fault(FaultKind::NetworkCut, now_ns).is_some() => Ok(()),
            Some(r) => {
                r.base.command(now_ns, twist.twist.linear.x, twist.twist.angular.z);
                Ok(())
            }
            None => Err(TwinError::UnknownRobot {
                found: robot.into(),
                allowed: self.robots().map(|r| r.name.as_str()).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// Advances by [`STEP_NS`] and appends what is published, in the order of its stamps: `/tf_static` and the robots'
    /// descriptions in the first step, reads as they come, then `/clock`, odometry with `/tf`, inertial unit, bumper, lidar, battery.
    pub fn step(&mut self, out: &mut Vec<Publication>) {
        if self.steps == 0 {
            out.push(self.static_transforms());
            out.extend(self.descriptions());
        }
        self.move_books();
        self.move_all();
        self.steps += 1;
        let now_ns = self.now_ns();
        let first_read = out.len();
        let (world, field) = (&self.world, &self.field);
        each(&mut self.robots, out, |robot, out| robot.inventory(now_ns, world, field, out));
        // Several readers interleave; the sort is stable, so equal stamps keep the order of the robots.
        out[first_read..].sort_by_key(|p| p.stamp_ns);
        out.push(messages::clock(&self.clock, now_ns));
        if self.steps % REST_EVERY == 0 {
            self.field.rest(RESTS);
        }
        let (world, rows, steps) = (&self.world, &self.rows, self.steps);
        each(&mut self.robots, out, |robot, out| robot.sense(steps, now_ns, world, rows, out));
    }

    /// `/tf_static` as it stands: laser and antennas of every robot. Published in the first step; late listeners
    /// get it from here.
    pub fn static_transforms(&self) -> Publication {
        let now_ns = self.now_ns();
        let transforms = self.robots.iter().flat_map(|r| r.names.mounts(now_ns, &r.settings)).collect();
        Publication::new(self.tf_static.clone(), now_ns, TFMessage { transforms })
    }

    /// `robot_description` of every robot, published in the first step as well.
    pub fn descriptions(&self) -> impl Iterator<Item = Publication> {
        let variant = Variant::from(self.scenario.library.tags);
        self.robots.iter().map(move |r| {
            let data = urdf(&r.settings, variant);
            let message = interfaces::std_msgs::String { data };
            Publication::new(r.names.description.clone(), self.now_ns(), message)
        })
    }

    fn move_all(&mut self) {
        let now_ns = self.now_ns();
        self.world.set_time(now_ns as f64 * 1e-9);
        let places: Vec<[f64; 2]> = self
            .robots
            .iter()
            .map(|r| {
                let [x, y, _] = self.world.pose(r.body);
                [x, y]
            })
            .collect();
        for (body, person) in &mut self.people {
            person.walk(&places, STEP_S);
            self.world.walk(*body, person.at());
        }
        for robot in &mut self.robots {
            robot.drive(now_ns, &mut self.world);
        }
        self.world.step();
    }

    /// SHA-256, in hex, over all that makes the future: bodies, drives, sensors, shelves, tags, readers, people and
    /// the places of all random streams.
    pub fn state_hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.steps.to_le_bytes());
        self.stacks.hash_into(&mut hash);
        self.world.hash_into(&mut hash);
        self.field.hash_into(&mut hash);
        for r in &self.robots {
            r.hash_into(&mut hash);
        }
        for (_, p) in &self.people {
            p.hash_into(&mut hash);
        }
        self.things.hash_into(&mut hash);
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// All that moves or was drawn since the start, in the form of a [`TwinState`].
    pub(crate) fn state(&self) -> impl Serialize + '_ {
        let robots: Vec<_> = self.robots.iter().map(Robot::state).collect();
        (self.steps, &self.world, robots, &self.people, &self.things)
    }

    /// Takes over the state of a twin of the same scenario.
    pub(crate) fn set_state(&mut self, (steps, world, robots, people, things): TwinState) {
        (self.steps, self.world, self.people, self.things) = (steps, world, people, things);
        for (robot, state) in self.robots.iter_mut().zip(robots) {
            robot.set_state(state);
        }
        // What was moved is made again, as the shelves are.
        self.move_books();
    }
}
