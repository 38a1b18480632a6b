//! One robot in the twin: drive, sensors, reader, and the faults that trouble it.

use domain::Site;
use interfaces::Publication;
use rand::RngExt;
use rapier3d::prelude::RigidBodyHandle;
use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::STEP_S;
use crate::antennas;
use crate::base::{Base, PlanarVelocity};
use crate::faults::{Carried, FaultKind, FaultSettings};
use crate::messages::{self, Names};
use crate::radio::{RadioError, RadioRead, TagField};
use crate::rng::stream;
use crate::robot_reader::RobotReader;
use crate::rows::Rows;
use crate::scenario::{RobotSettings, Scenario};
use crate::sensors::{Battery, Bumper, Imu, Lidar, Odometry};
use crate::snapshot::RobotState;
use crate::world::{PlanarPose, World, floor_index, floor_z};

/// Steps between publications.
const ODOMETRY_EVERY: i64 = 2;
const SCAN_EVERY: i64 = (messages::SCAN_S / STEP_S + 0.5) as i64;
const BATTERY_EVERY: i64 = 100;
/// A bumper also tells when it is pressed and released.
const BUMPER_EVERY: i64 = 10;
/// A dock charges a robot that stands this near to its place, m, and no faster than this, m/s.
const DOCK_REACH_M: f64 = 0.25;
const DOCKED_MPS: f64 = 0.01;

pub(crate) struct Robot {
    pub(super) settings: RobotSettings,
    pub(super) names: Names,
    pub(super) body: RigidBodyHandle,
    pub(super) floor: usize,
    pub(super) base: Base,
    pub(super) lidar: Lidar,
    pub(super) odometry: Odometry,
    pub(super) imu: Imu,
    pub(super) battery: Battery,
    pub(super) reader: RobotReader,
    /// Motion at the last step, for the inertial unit's accelerations.
    pub(super) moved: PlanarVelocity,
    /// Direction at the last step, for its turn rate: a shelf that holds the robot turns it in one step.
    pub(super) yaw: f64,
    pub(super) faults: Vec<FaultSettings>,
    pub(super) carried: Option<Carried>,
    /// Whether it touches something, and how often it began to.
    pub(super) touch: (bool, u32),
    pub(super) bumper: Bumper,
    /// Docks of its floor, m.
    pub(super) docks: Vec<[f64; 2]>,
}

/// Lets each robot do something, several at once; what they publish comes in the order of the robots, however many threads there are.
pub(super) fn each(
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

impl Robot {
    pub(super) fn new(
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

    pub(super) fn state(&self) -> impl Serialize + '_ {
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

    pub(super) fn set_state(&mut self, state: RobotState) {
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

    pub(super) fn fault(&self, kind: FaultKind, now_ns: i64) -> Option<&FaultSettings> {
        self.faults.iter().find(|f| f.kind == kind && f.is_on(now_ns as f64 * 1e-9))
    }

    pub(super) fn drive(&mut self, now_ns: i64, world: &mut World) {
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

    pub(super) fn inventory(
        &mut self,
        now_ns: i64,
        world: &World,
        field: &TagField,
        out: &mut Vec<Publication>,
    ) {
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

    pub(super) fn sense(
        &mut self,
        steps: i64,
        now_ns: i64,
        world: &World,
        rows: &Rows,
        out: &mut Vec<Publication>,
    ) {
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

    pub(super) fn hash_into(&self, hash: &mut Sha256) {
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
