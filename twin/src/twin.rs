//! The twin itself: owns the time, moves everything on by a fixed step, publishes what the sensors see.

use std::sync::Arc;

use domain::{ShelfAddress, Site};
use interfaces::Publication;
use interfaces::geometry_msgs::TwistStamped;
use interfaces::tf2_msgs::TFMessage;
use rand::RngExt;
use rapier3d::prelude::RigidBodyHandle;
use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::antennas;
use crate::base::{Base, PlanarVelocity};
use crate::control::Things;
use crate::faults::{Carried, FaultKind, FaultSettings};
use crate::inject::{self, Injected, NoRoom};
use crate::library::Library;
use crate::library::files::LibraryFilesError;
use crate::messages::{self, Names};
use crate::people::Person;
use crate::radio::{RadioError, RadioRead, TagField};
use crate::rng::stream;
use crate::robot_reader::RobotReader;
use crate::rows::Rows;
use crate::scenario::{ObstacleSettings, RobotSettings, Scenario, ScenarioError};
use crate::sensors::{Battery, Bumper, Imu, Lidar, Odometry};
use crate::snapshot::{RobotState, TwinState};
use crate::stacks::{Stacks, Standing};
use crate::truth::{TrueBook, TrueRobot, Truth};
use crate::urdf::{Variant, urdf};
use crate::world::{PlanarPose, SolidBox, World, floor_index, floor_z};

/// The fixed step, ns: 10 ms.
pub const STEP_NS: i64 = 10_000_000;
const STEP_S: f64 = STEP_NS as f64 * 1e-9;
/// Steps between publications.
const ODOMETRY_EVERY: i64 = 2;
const SCAN_EVERY: i64 = (messages::SCAN_S / STEP_S + 0.5) as i64;
const BATTERY_EVERY: i64 = 100;
/// A bumper also tells when it is pressed and released.
const BUMPER_EVERY: i64 = 10;
/// Steps after which the radio looks for tags that no antenna meets any more, and looks until it forgets them: half a
/// minute, in which a robot at a walking speed has left them behind.
const REST_EVERY: i64 = 100;
const RESTS: u32 = 30;
/// Furniture that leans farther than this out of the upright lies, rad: 60°.
const LIES_RAD: f64 = 1.05;
/// A dock charges a robot that stands this near to its place, m, and no faster than this, m/s.
const DOCK_REACH_M: f64 = 0.25;
const DOCKED_MPS: f64 = 0.01;

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

/// Lets each robot do something, several at once; what they publish comes in the order of the robots, however many threads there are.
fn each(
    robots: &mut [Robot],
    out: &mut Vec<Publication>,
    act: impl Fn(&mut Robot, &mut Vec<Publication>) + Sync,
) {
    if let [robot] = robots {
        return act(robot, out);
    }
    let said = robots.par_iter_mut().with_max_len(1).map(|robot| {
        let mut own = Vec::new();
        act(robot, &mut own);
        own
    });
    said.collect::<Vec<_>>().into_iter().for_each(|own| out.extend(own));
}

struct Robot {
    settings: RobotSettings,
    names: Names,
    body: RigidBodyHandle,
    floor: usize,
    base: Base,
    lidar: Lidar,
    odometry: Odometry,
    imu: Imu,
    battery: Battery,
    reader: RobotReader,
    /// Motion at the last step, for the inertial unit's accelerations.
    moved: PlanarVelocity,
    /// Direction at the last step, for its turn rate: a shelf that holds the robot turns it in one step.
    yaw: f64,
    faults: Vec<FaultSettings>,
    carried: Option<Carried>,
    /// Whether it touches something, and how often it began to.
    touch: (bool, u32),
    bumper: Bumper,
    /// Docks of its floor, m.
    docks: Vec<[f64; 2]>,
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

    /// Lets a fault happen, as if the scenario had held it.
    pub(crate) fn add_fault(&mut self, fault: FaultSettings) {
        if let Some(obstacle) = fault.obstacle(&self.scenario) {
            self.world.add_obstacle(&self.library.site, &obstacle);
        }
        if fault.kind == FaultKind::BookMoved {
            let later = self.moves[self.moved..].iter().position(|m| m.at_s > fault.at_s);
            let at = later.map_or(self.moves.len(), |i| self.moved + i);
            self.moves.insert(at, fault.clone());
        } else if let Some(robot) = self.robots.iter_mut().find(|r| r.settings.name == fault.robot) {
            robot.faults.push(fault.clone());
        }
        self.scenario.faults.push(fault);
    }

    /// Moves the books whose time has come.
    fn move_books(&mut self) {
        let now_s = self.now_ns() as f64 * 1e-9;
        while let Some(fault) = self.moves.get(self.moved).filter(|f| f.at_s <= now_s).cloned() {
            self.moved += 1;
            let parsed = |s: &Option<String>| s.as_ref().and_then(|s| s.parse::<ShelfAddress>().ok());
            if let Some(from) = parsed(&fault.shelf) {
                self.move_book(&from, fault.position, parsed(&fault.to_shelf).as_ref());
            }
        }
    }

    /// Takes a book off its shelf, so that a gap stays, and puts it at the end of another where there is room.
    fn move_book(&mut self, from: &ShelfAddress, position: u32, to: Option<&ShelfAddress>) {
        let Some(volume) = self.stacks.take(from, position) else { return };
        if let Some(to) = to {
            self.stacks.append(to, volume, &self.library.site);
        }
        self.standing = self.stacks.standing(&self.library.site);
        self.rows = Rows::new(&self.library.site, &self.stacks, &self.standing);
        let Some(tag) = self.field.find(&self.stacks.volumes[volume].uid) else { return };
        let stands = self.standing.iter().find(|s| s.volume == volume);
        let placed = stands.and_then(|s| antennas::place_of(&self.library.site, s));
        // The field knows the tag and its place is one of the site's, so neither can be refused.
        let _ = match placed {
            Some(placement) => self.field.replace(tag, &placement),
            None => self.field.remove(tag),
        };
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

    /// How often a robot began to touch something, for scoring and for nothing else.
    pub fn bumps(&self, robot: &str) -> u32 {
        self.robots.iter().find(|r| r.settings.name == robot).map_or(0, |r| r.touch.1)
    }

    /// How many trolleys and chairs lie on the floor, for scoring and for nothing else.
    pub fn tipped(&self) -> u32 {
        self.furniture().filter(|(_, tip)| *tip > LIES_RAD).count() as u32
    }

    /// Where trolleys and chairs are (centre, m) and how far they tip (rad), for scoring and for drawing.
    pub fn furniture(&self) -> impl Iterator<Item = ([f64; 3], f64)> {
        self.world.furniture()
    }

    /// Trolleys and chairs of a floor, for drawing and for nothing else: centre, m above the floor's map, and turn as a
    /// quaternion x, y, z, w.
    pub fn furniture_poses(&self, floor: usize) -> impl Iterator<Item = ([f64; 3], [f64; 4])> {
        let all = self.scenario.furniture.iter().zip(self.world.furniture_poses());
        all.filter(move |(f, _)| floor_index(&self.library.site, f.floor.as_deref()) == floor)
            .map(move |(_, ([x, y, z], turn))| ([x, y, z - floor_z(floor)], turn))
    }

    /// A robot's true pose on the map (x and y, m, and direction, rad), for scoring and for nothing else.
    pub fn true_pose(&self, robot: &str) -> Option<[f64; 3]> {
        self.robots.iter().find(|r| r.settings.name == robot).map(|r| self.world.pose(r.body))
    }

    /// Where people on a floor are and look to, for drawing and for nothing else: x and y on the map, m, and direction, rad.
    pub fn people_on(&self, floor: usize) -> impl Iterator<Item = [f64; 3]> {
        let here = move |p: &Person| floor_index(&self.library.site, p.floor()) == floor;
        self.people.iter().filter(move |(_, p)| here(p)).map(|(_, p)| {
            let [x, y] = p.at();
            [x, y, p.facing()]
        })
    }

    /// Boxes that stand in the way now, put there by the scenario or from outside; for drawing and for nothing else.
    pub fn solids(&self) -> impl Iterator<Item = &ObstacleSettings> {
        self.world.obstacles().filter(|(_, there)| *there).map(|(o, _)| o).chain(self.things.solids())
    }

    /// Whether a fault of a kind troubles a robot now.
    pub fn suffers(&self, robot: &str, kind: FaultKind) -> bool {
        let robot = self.robots.iter().find(|r| r.settings.name == robot);
        robot.is_some_and(|r| r.fault(kind, self.now_ns()).is_some())
    }

    /// The seed of the scenario.
    pub fn seed(&self) -> u64 {
        self.scenario.seed
    }

    /// The truth, for scoring and for nothing else.
    pub fn truth(&self) -> Truth {
        let mut books: Vec<TrueBook> = self
            .stacks
            .volumes
            .iter()
            .map(|v| TrueBook {
                uid: v.uid.clone(),
                barcode: v.book.map_or_else(String::new, |b| self.library.books[b].barcode.clone()),
                address: None,
                position: 0,
                tag_m: [0.0; 3],
                left_m: 0.0,
                thickness_m: v.thickness_m,
            })
            .collect();
        for s in &self.standing {
            let book = &mut books[s.volume];
            book.address = Some(s.address.clone());
            book.position = s.position;
            book.tag_m = s.tag_m;
            book.left_m = s.left_m;
        }
        let robots = self
            .robots
            .iter()
            .map(|r| TrueRobot { name: r.settings.name.clone(), pose: self.world.pose(r.body) })
            .collect();
        Truth { books, injected: self.injected.clone(), robots }
    }
}

impl Robot {
    fn new(
        settings: &RobotSettings,
        scenario: &Scenario,
        site: &Site,
        world: &mut World,
        field: &TagField,
    ) -> Result<Self, RadioError> {
        let of = |sensor: &str| stream(scenario.seed, &format!("{}/{sensor}", settings.name));
        let start = [settings.start_m[0], settings.start_m[1], settings.heading_deg.to_radians()];
        let floor = floor_index(site, settings.floor.as_deref());
        let mut reader = RobotReader::new(scenario, of("reader").random(), settings.antennas_m.len())?;
        // The first call only tells the reader where its antennas are.
        reader.advance(
            field,
            0,
            &antennas::poses(&settings.antennas_m, floor_z(floor), start),
            &mut Vec::new(),
        );
        Ok(Self {
            names: Names::new(&settings.name),
            body: world.add_robot(&settings.base, floor, start),
            floor,
            base: Base::new(settings.base.clone(), of("base")),
            lidar: Lidar::new(settings.lidar.clone(), of("lidar")),
            odometry: Odometry::new(&settings.odometry, &settings.base, of("odometry")),
            imu: Imu::new(settings.imu.clone(), of("imu")),
            battery: Battery::new(settings.battery.clone()),
            reader,
            moved: PlanarVelocity::default(),
            yaw: start[2],
            faults: scenario.faults.iter().filter(|f| f.robot == settings.name).cloned().collect(),
            carried: None,
            touch: (false, 0),
            bumper: Bumper::default(),
            docks: site.floors.get(floor).map_or(vec![], |f| f.docks.iter().map(|d| d.at_m).collect()),
            settings: settings.clone(),
        })
    }

    fn state(&self) -> impl Serialize + '_ {
        (
            self.body,
            &self.base,
            &self.lidar,
            &self.odometry,
            &self.imu,
            &self.battery,
            &self.reader,
            self.moved,
            self.yaw,
            self.carried,
            self.touch,
            &self.bumper,
        )
    }

    fn set_state(&mut self, state: RobotState) {
        (
            self.body,
            self.base,
            self.lidar,
            self.odometry,
            self.imu,
            self.battery,
            self.reader,
            self.moved,
            self.yaw,
            self.carried,
            self.touch,
            self.bumper,
        ) = state;
    }

    fn fault(&self, kind: FaultKind, now_ns: i64) -> Option<&FaultSettings> {
        self.faults.iter().find(|f| f.kind == kind && f.is_on(now_ns as f64 * 1e-9))
    }

    fn drive(&mut self, now_ns: i64, world: &mut World) {
        if let Some(charge) = self.fault(FaultKind::BatteryLow, now_ns).map(|f| f.charge) {
            self.battery.limit(charge);
        }
        if self.battery.empty() {
            self.base.command(now_ns, 0.0, 0.0);
        }
        self.base.set_slip(self.fault(FaultKind::Slip, now_ns).map(|f| f.slip));
        let wanted = self.base.turn_wheels(now_ns, STEP_S);
        if self.carry(now_ns, world) {
            return;
        }
        let inertia = World::inertia(&self.settings.base);
        let push = self.base.push(world.velocity(self.body), wanted, inertia, STEP_S);
        world.push(self.body, push);
    }

    /// Moves a robot that is carried; its wheels turn in the air meanwhile.
    fn carry(&mut self, now_ns: i64, world: &mut World) -> bool {
        let now_s = now_ns as f64 * 1e-9;
        if self.carried.is_none()
            && let Some(fault) = self.fault(FaultKind::Carry, now_ns)
            && let Some(to) = fault.target()
        {
            let time_s = [fault.at_s, fault.at_s + fault.for_s];
            self.carried = Some(Carried { from: world.pose(self.body), to, time_s });
        }
        let Some(carried) = self.carried else { return false };
        world.hold(self.body, carried.at(now_s));
        if carried.over(now_s) {
            world.put_down(self.body);
            self.carried = None;
        }
        true
    }

    fn inventory(&mut self, now_ns: i64, world: &World, field: &TagField, out: &mut Vec<Publication>) {
        if self.battery.empty() {
            return;
        }
        let mut reads: Vec<RadioRead> = Vec::new();
        let noisy = self.fault(FaultKind::NoisyCarrier, now_ns);
        let disturbed = noisy.map(|f| (f.band_mhz.map(|mhz| mhz * 1e6), f.rise_db));
        self.reader.disturb(disturbed);
        let antennas = antennas::poses(&self.settings.antennas_m, floor_z(self.floor), world.pose(self.body));
        self.reader.advance(field, now_ns, &antennas, &mut reads);
        if self.hears_nothing(now_ns) {
            return;
        }
        out.extend(
            reads.iter().filter_map(|r| Some(self.names.read(r, self.reader.protocol(), field.uid(r.tag)?))),
        );
    }

    /// Whether the reads of this moment get lost.
    fn hears_nothing(&self, now_ns: i64) -> bool {
        [FaultKind::ReaderMute, FaultKind::NetworkCut].iter().any(|k| self.fault(*k, now_ns).is_some())
    }

    /// Whether it stands at a dock and takes power from it.
    fn docked(&self, [x, y, _]: PlanarPose, speed_mps: f64) -> bool {
        speed_mps.abs() < DOCKED_MPS
            && self.docks.iter().any(|d| libm::hypot(d[0] - x, d[1] - y) < DOCK_REACH_M)
    }

    fn sense(&mut self, steps: i64, now_ns: i64, world: &World, rows: &Rows, out: &mut Vec<Publication>) {
        let before = out.len();
        let mut v = world.velocity(self.body);
        let at = world.pose(self.body);
        let yaw = at[2];
        let touches = world.touches(self.body);
        self.touch = (touches.any, self.touch.1 + u32::from(touches.any && !self.touch.0));
        let felt = self.bumper.feel(touches.front);
        let turned = yaw - std::mem::replace(&mut self.yaw, yaw);
        v.turn_radps = libm::atan2(libm::sin(turned), libm::cos(turned)) / STEP_S;
        self.battery.drain(v.forward_mps, self.docked(at, v.forward_mps), STEP_S);
        // Acceleration in the turning frame: change of the velocity's components, and what the turn adds.
        let accel = [
            (v.forward_mps - self.moved.forward_mps) / STEP_S - v.turn_radps * v.left_mps,
            (v.left_mps - self.moved.left_mps) / STEP_S + v.turn_radps * v.forward_mps,
        ];
        self.moved = v;
        let sample = self.imu.read(v.turn_radps, accel, STEP_S);
        if steps % ODOMETRY_EVERY == 0 {
            let o = self.odometry.read(self.base.wheel_rad(), STEP_S * ODOMETRY_EVERY as f64);
            out.extend(self.names.odometry(now_ns, &o));
        }
        out.push(self.names.imu(now_ns, &self.imu, &sample));
        if felt || steps % BUMPER_EVERY == 0 {
            out.push(self.names.bumper(now_ns, self.bumper.pressed()));
        }
        if steps % SCAN_EVERY == 0 {
            let [x, y, yaw] = world.pose(self.body);
            let s = self.lidar.settings();
            let cast = world.rays(
                rows,
                self.floor,
                [x, y, s.height_m],
                s.range_m,
                self.body,
                s.white_range_m.is_some(),
            );
            let blind = self.fault(FaultKind::LidarBlind, now_ns).is_some();
            let ranges = self.lidar.scan(|beam| if blind { None } else { cast(yaw + beam) });
            out.push(self.names.scan(now_ns, &self.lidar, ranges));
        }
        if steps % BATTERY_EVERY == 0 {
            out.push(self.names.battery(now_ns, &self.battery));
        }
        if self.fault(FaultKind::NetworkCut, now_ns).is_some() {
            out.truncate(before);
        }
    }

    fn hash_into(&self, hash: &mut Sha256) {
        self.base.hash_into(hash);
        self.lidar.hash_into(hash);
        self.odometry.hash_into(hash);
        self.imu.hash_into(hash);
        self.battery.hash_into(hash);
        self.reader.hash_into(hash);
        hash.update(self.yaw.to_bits().to_le_bytes());
        hash.update(self.touch.1.to_le_bytes());
        self.bumper.hash_into(hash);
        if let Some(c) = &self.carried {
            c.from.iter().chain(&c.to).chain(&c.time_s).for_each(|v| hash.update(v.to_bits().to_le_bytes()));
        }
    }
}
