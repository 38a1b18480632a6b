//! A toy world for closing the loop without the twin: a point robot with slipping, miscalibrated wheels, a
//! biased gyro and a lidar that sees the site's segments and people as circles. Seeded.
#![allow(dead_code)]

use domain::site::{Face, Floor, NamedPose, Site, Tier, Wall};
use positioning::localizer::RangeScan;
use positioning::{FloorMap, Pose2};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

pub const MS: i64 = 1_000_000;
pub const STEP_NS: i64 = 10 * MS;
pub const BASE_FROM_LASER: Pose2 = Pose2 { x: 0.1, y: 0.0, theta: 0.0 };

/// Two double-sided rows of 4.5 m in a room of 8.5 m by 5.5 m, aisles of 1.5 m.
pub fn site() -> Site {
    let wall = |a: [f64; 2], b: [f64; 2]| Wall { from_m: a, to_m: b };
    let corners = [[0.0, 0.0], [8.5, 0.0], [8.5, 5.5], [0.0, 5.5]];
    let face = |id: &str, origin_m: [f64; 2], heading_deg: f64| Face {
        id: id.into(),
        origin_m,
        heading_deg,
        bays: 5,
        bay_width_m: 0.9,
        depth_m: 0.25,
        tiers: (0..6).map(|t| Tier { board_m: 0.1 + 0.33 * f64::from(t), clear_m: 0.3 }).collect(),
    };
    Site {
        name: "toy".into(),
        floors: vec![Floor {
            id: "1F".into(),
            walls: (0..4).map(|i| wall(corners[i], corners[(i + 1) % 4])).collect(),
            faces: vec![
                face("R01A", [2.0, 1.5], 0.0),
                face("R01B", [6.5, 2.0], 180.0),
                face("R02A", [2.0, 3.5], 0.0),
                face("R02B", [6.5, 4.0], 180.0),
            ],
            markers: vec![],
            docks: vec![NamedPose { id: "dock".into(), at_m: [0.8, 2.75], heading_deg: 0.0 }],
            desks: vec![],
            places: vec![],
            no_go: vec![],
        }],
    }
}

/// A person: a circle on the floor, m.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub at: [f64; 2],
    pub radius: f64,
}

/// What a step of the world gives.
#[derive(Debug, Default)]
pub struct Sensed {
    pub odometry: Option<Pose2>,
    pub yaw_rate: Option<f64>,
    pub scan: Option<RangeScan>,
}

pub struct Toy {
    pub map: FloorMap,
    pub truth: Pose2,
    pub odometry: Pose2,
    pub now_ns: i64,
    pub speed: f64,
    pub turn: f64,
    pub command: [f64; 2],
    pub people: Vec<Person>,
    pub gyro_bias: f64,
    pub slip: f64,
    pub odometry_scale: f64,
    pub range_std: f64,
    /// Least distance to a wall or shelf so far, m; at most 0.6.
    pub clearance: f64,
    rng: ChaCha8Rng,
}

impl Toy {
    pub fn new(site: &Site, at: Pose2, seed: u64) -> Self {
        Self {
            map: FloorMap::from_floor(&site.floors[0]).unwrap(),
            truth: at,
            odometry: Pose2::default(),
            now_ns: 0,
            speed: 0.0,
            turn: 0.0,
            command: [0.0, 0.0],
            people: vec![],
            gyro_bias: 0.01,
            slip: 0.03,
            odometry_scale: 1.01,
            range_std: 0.01,
            clearance: 0.6,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    fn noise(&mut self, std: f64) -> f64 {
        Normal::new(0.0, std).unwrap().sample(&mut self.rng)
    }

    /// 10 ms; odometry at 50 Hz, gyro at 100 Hz, lidar at 10 Hz.
    pub fn step(&mut self) -> Sensed {
        let dt = STEP_NS as f64 * 1e-9;
        let ramp = |now: f64, to: f64, rate: f64| now + (to - now).clamp(-rate * dt, rate * dt);
        self.speed = ramp(self.speed, self.command[0], 1.0);
        self.turn = ramp(self.turn, self.command[1], 3.0);
        self.now_ns += STEP_NS;
        self.truth = self.truth * Pose2::new(self.speed * dt, 0.0, self.turn * dt);
        let here = [self.truth.x, self.truth.y];
        if let Some(near) = self.map.nearest(here) {
            self.clearance = self.clearance.min(near.signed_m.abs());
        }
        let slip = 1.0 + self.noise(self.slip);
        let turn_slip = 1.0 + self.noise(self.slip);
        self.odometry = self.odometry
            * Pose2::new(
                self.speed * dt * self.odometry_scale * slip,
                0.0,
                self.turn * dt * 0.99 * turn_slip,
            );
        let mut sensed =
            Sensed { yaw_rate: Some(self.turn + self.gyro_bias + self.noise(0.005)), ..Sensed::default() };
        if self.now_ns % (20 * MS) == 0 {
            sensed.odometry = Some(self.odometry);
        }
        if self.now_ns % (100 * MS) == 0 {
            sensed.scan = Some(self.scan());
        }
        sensed
    }

    fn scan(&mut self) -> RangeScan {
        let laser = self.truth * BASE_FROM_LASER;
        let increment = std::f64::consts::TAU / 360.0;
        let ranges = (0..360)
            .map(|i| {
                let direction = laser.theta - std::f64::consts::PI + f64::from(i) * increment;
                let from = [laser.x, laser.y];
                let wall = self.map.ray(from, direction).unwrap_or(f64::INFINITY);
                let person =
                    self.people.iter().filter_map(|p| p.ray(from, direction)).fold(f64::INFINITY, f64::min);
                let range = wall.min(person);
                if range > 12.0 { f32::INFINITY } else { (range + self.noise(self.range_std)) as f32 }
            })
            .collect();
        RangeScan {
            stamp_ns: self.now_ns,
            angle_min: -std::f64::consts::PI,
            angle_increment: increment,
            time_increment: 0.0,
            range_m: [0.05, 12.0],
            ranges,
        }
    }
}

impl Person {
    fn ray(&self, from: [f64; 2], direction: f64) -> Option<f64> {
        let (s, c) = direction.sin_cos();
        let (dx, dy) = (self.at[0] - from[0], self.at[1] - from[1]);
        let along = c * dx + s * dy;
        let across = c * dy - s * dx;
        let half = self.radius.powi(2) - across.powi(2);
        (along > 0.0 && half > 0.0).then(|| along - half.sqrt())
    }
}
