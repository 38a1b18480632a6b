//! Rigid bodies in Rapier: floor plan, shelves with their books, robots, people, things in the way.
//!
//! Robots move on the plane; walls and shelves hold them. The lidar's rays are cast in here.

use domain::Site;
use rapier3d::prelude::{
    ColliderBuilder, ColliderHandle, LockedAxes, PhysicsWorld, Pose, QueryFilter, Ray, RigidBodyBuilder,
    RigidBodyHandle, Rotation, Vector,
};
use sha2::{Digest, Sha256};

use crate::base::{BaseSettings, PlanarVelocity};
use crate::library::{BOARD_M, PANEL_M, UPRIGHT_M};
use crate::scenario::ObstacleSettings;
use crate::stacks::{Stacks, Standing};

/// Half the thickness of a wall, m: the lidar sees walls this much closer than the plan has them.
const WALL_HALF_M: f64 = 0.005;
const WALL_HEIGHT_M: f64 = 2.6;
/// Depth of the books that the lidar may see, m.
const BOOK_DEPTH_M: f64 = 0.15;
/// Height that scan planes may have, m: books of tiers that end below or begin above are left out.
const SCAN_HEIGHTS_M: [f64; 2] = [0.05, 0.60];
const PERSON_RADIUS_M: f64 = 0.25;
const PERSON_HEIGHT_M: f64 = 1.7;

/// A pose on the floor: x, y, m, and the direction, rad.
pub type PlanarPose = [f64; 3];

/// Everything solid.
pub struct World {
    physics: PhysicsWorld,
    obstacles: Vec<(ColliderHandle, ObstacleSettings)>,
    robots: Vec<RigidBodyHandle>,
}

impl World {
    /// Builds walls, shelves, books and obstacles. `dt` is the fixed step, s.
    pub fn new(
        site: &Site,
        stacks: &Stacks,
        standing: &[Standing],
        obstacles: &[ObstacleSettings],
        dt: f64,
    ) -> Self {
        let mut physics = PhysicsWorld::new();
        // Robots are held to the plane by their axes, so that the floor needs no contacts.
        physics.gravity = Vector::new(0.0, 0.0, 0.0);
        physics.integration_parameters.dt = dt as f32;
        let mut world = Self { physics, obstacles: Vec::new(), robots: Vec::new() };
        for floor in &site.floors {
            for wall in &floor.walls {
                world.add_wall(wall.from_m, wall.to_m);
            }
            for face in &floor.faces {
                world.add_face(face);
            }
        }
        world.add_books(site, stacks, standing);
        for o in obstacles {
            let half = [o.size_m[0] / 2.0, o.size_m[1] / 2.0, o.height_m / 2.0];
            let handle = world.add_box([o.at_m[0], o.at_m[1], half[2]], 0.0, half);
            world.obstacles.push((handle, o.clone()));
        }
        world
    }

    fn add_box(&mut self, centre: [f64; 3], yaw: f64, half: [f64; 3]) -> ColliderHandle {
        let shape = ColliderBuilder::cuboid(half[0] as f32, half[1] as f32, half[2] as f32)
            .position(Pose::new(vector(centre), Vector::new(0.0, 0.0, yaw as f32)))
            .friction(0.2);
        self.physics.colliders.insert(shape)
    }

    fn add_wall(&mut self, from: [f64; 2], to: [f64; 2]) {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let centre = [(from[0] + to[0]) / 2.0, (from[1] + to[1]) / 2.0, WALL_HEIGHT_M / 2.0];
        let half = [libm::hypot(dx, dy) / 2.0, WALL_HALF_M, WALL_HEIGHT_M / 2.0];
        self.add_box(centre, libm::atan2(dy, dx), half);
    }

    /// Base, back panel, uprights and boards of a row face.
    fn add_face(&mut self, face: &domain::site::Face) {
        let yaw = face.heading_deg.to_radians();
        let (length, depth) = (face.length_m(), face.depth_m);
        let top = face.tiers.last().map_or(0.0, |t| t.board_m + t.clear_m);
        // x, y and z from and to, in face coordinates.
        let mut part = |x: [f64; 2], y: [f64; 2], z: [f64; 2]| {
            let middle = |r: [f64; 2]| (r[0] + r[1]) / 2.0;
            let half = |r: [f64; 2]| (r[1] - r[0]) / 2.0;
            let centre = face.map_from_face([middle(x), middle(y), middle(z)]);
            self.add_box(centre, yaw, [half(x), half(y), half(z)]);
        };
        let first = face.tiers.first().map_or(0.0, |t| t.board_m);
        part([0.0, length], [-depth, 0.0], [0.0, first]);
        part([0.0, length], [-depth - PANEL_M / 2.0, -depth], [0.0, top]);
        for k in 0..=face.bays {
            let at = f64::from(k) * face.bay_width_m;
            let (left, right) = ((at - UPRIGHT_M / 2.0).max(0.0), (at + UPRIGHT_M / 2.0).min(length));
            part([left, right], [-depth, 0.0], [first, top]);
        }
        for tier in face.tiers.iter().skip(1) {
            part([0.0, length], [-depth, 0.0], [tier.board_m - BOARD_M, tier.board_m]);
        }
    }

    /// Books as the lidar meets them: one box each.
    fn add_books(&mut self, site: &Site, stacks: &Stacks, standing: &[Standing]) {
        for s in standing {
            let Some((_, face)) = site.face(&s.address.face) else { continue };
            let Some(tier) = face.tiers.get(usize::from(s.address.tier) - 1) else { continue };
            let v = &stacks.volumes[s.volume];
            if tier.board_m > SCAN_HEIGHTS_M[1] || tier.board_m + v.height_m < SCAN_HEIGHTS_M[0] {
                continue;
            }
            let centre = face.map_from_face([
                s.left_m + v.thickness_m / 2.0,
                -v.recess_m - BOOK_DEPTH_M / 2.0,
                tier.board_m + v.height_m / 2.0,
            ]);
            let half = [v.thickness_m / 2.0, BOOK_DEPTH_M / 2.0, v.height_m / 2.0];
            self.add_box(centre, face.heading_deg.to_radians(), half);
        }
    }

    /// Puts a robot on the floor: a round chassis and, behind the lidar, the mast that carries the antennas.
    pub fn add_robot(&mut self, base: &BaseSettings, start: PlanarPose) -> RigidBodyHandle {
        let body = RigidBodyBuilder::dynamic()
            .pose(pose(start))
            .locked_axes(
                LockedAxes::TRANSLATION_LOCKED_Z
                    | LockedAxes::ROTATION_LOCKED_X
                    | LockedAxes::ROTATION_LOCKED_Y,
            )
            .can_sleep(false)
            .ccd_enabled(true);
        let body = self.physics.bodies.insert(body);
        // Rapier's cylinders stand along y.
        let upright = Vector::new(std::f32::consts::FRAC_PI_2, 0.0, 0.0);
        let chassis = ColliderBuilder::cylinder(0.095, base.radius_m as f32)
            .position(Pose::new(Vector::new(0.0, 0.0, 0.125), upright))
            .mass(base.mass_kg as f32)
            .friction(0.2);
        let mast = ColliderBuilder::cylinder(0.84, 0.05)
            .position(Pose::new(Vector::new(-0.15, 0.0, 1.06), upright))
            .mass(0.0);
        self.physics.colliders.insert_with_parent(chassis, body, &mut self.physics.bodies);
        self.physics.colliders.insert_with_parent(mast, body, &mut self.physics.bodies);
        self.robots.push(body);
        body
    }

    /// Puts a person on the floor.
    pub fn add_person(&mut self, at: [f64; 2]) -> RigidBodyHandle {
        let body = RigidBodyBuilder::kinematic_position_based().pose(pose([at[0], at[1], 0.0]));
        let body = self.physics.bodies.insert(body);
        let upright = Vector::new(std::f32::consts::FRAC_PI_2, 0.0, 0.0);
        let shape = ColliderBuilder::cylinder((PERSON_HEIGHT_M / 2.0) as f32, PERSON_RADIUS_M as f32)
            .position(Pose::new(Vector::new(0.0, 0.0, (PERSON_HEIGHT_M / 2.0) as f32), upright));
        self.physics.colliders.insert_with_parent(shape, body, &mut self.physics.bodies);
        body
    }

    /// Moves a person in the next step.
    pub fn walk(&mut self, person: RigidBodyHandle, at: [f64; 2]) {
        if let Some(body) = self.physics.bodies.get_mut(person) {
            body.set_next_kinematic_position(pose([at[0], at[1], 0.0]));
        }
    }

    /// Puts up and takes away what is there for a while only.
    pub fn set_time(&mut self, now_s: f64) {
        for (handle, o) in &self.obstacles {
            let there = now_s >= o.from_s && o.until_s.is_none_or(|until| now_s < until);
            if let Some(collider) = self.physics.colliders.get_mut(*handle)
                && collider.is_enabled() != there
            {
                collider.set_enabled(there);
            }
        }
    }

    /// Obstacles, and whether they are there now.
    pub fn obstacles(&self) -> impl Iterator<Item = (&ObstacleSettings, bool)> {
        let there = |h| self.physics.colliders.get(h).is_some_and(|c| c.is_enabled());
        self.obstacles.iter().map(move |(handle, o)| (o, there(*handle)))
    }

    /// Advances by one step.
    pub fn step(&mut self) {
        self.physics.step();
        // Locked axes leak by rounding and by gyroscopic forces: within minutes a robot that turns would lie on its side.
        for &robot in &self.robots {
            let at = self.pose(robot);
            let Some(body) = self.physics.bodies.get_mut(robot).filter(|b| b.is_enabled()) else { continue };
            let (v, w) = (body.linvel(), body.angvel());
            let (v, w) = (Vector::new(v.x, v.y, 0.0), Vector::new(0.0, 0.0, w.z));
            body.set_position(pose(at), true);
            body.set_linvel(v, true);
            body.set_angvel(w, true);
        }
    }

    /// Brings ray casting up to date without a step; needed once after building.
    pub fn settle(&mut self) {
        self.physics.detect_collisions(&(), &());
    }

    /// Pushes a robot: impulse forward and to the left, N·s, and turning impulse, N·m·s.
    pub fn push(&mut self, robot: RigidBodyHandle, [forward, left, turn]: [f64; 3]) {
        let Some(body) = self.physics.bodies.get_mut(robot) else { return };
        let yaw = yaw_of(body.rotation());
        let (s, c) = (libm::sin(yaw), libm::cos(yaw));
        let impulse = [forward * c - left * s, forward * s + left * c, 0.0];
        body.apply_impulse(vector(impulse), true);
        body.apply_torque_impulse(vector([0.0, 0.0, turn]), true);
    }

    /// Lifts a robot and holds it at a pose: nothing touches it there.
    pub fn hold(&mut self, robot: RigidBodyHandle, at: PlanarPose) {
        if let Some(body) = self.physics.bodies.get_mut(robot) {
            body.set_enabled(false);
            body.set_position(pose(at), true);
        }
    }

    /// Puts a held robot down, at rest.
    pub fn put_down(&mut self, robot: RigidBodyHandle) {
        if let Some(body) = self.physics.bodies.get_mut(robot) {
            body.set_enabled(true);
            body.set_linvel(Vector::new(0.0, 0.0, 0.0), true);
            body.set_angvel(Vector::new(0.0, 0.0, 0.0), true);
        }
    }

    /// Where a robot is on the map.
    pub fn pose(&self, robot: RigidBodyHandle) -> PlanarPose {
        self.physics.bodies.get(robot).map_or([0.0; 3], |body| {
            let at = body.translation();
            [f64::from(at.x), f64::from(at.y), yaw_of(body.rotation())]
        })
    }

    /// How a robot moves, in its own frame.
    pub fn velocity(&self, robot: RigidBodyHandle) -> PlanarVelocity {
        self.physics.bodies.get(robot).map_or(PlanarVelocity::default(), |body| {
            let v = body.linvel();
            let yaw = yaw_of(body.rotation());
            let (s, c) = (libm::sin(yaw), libm::cos(yaw));
            let (x, y) = (f64::from(v.x), f64::from(v.y));
            PlanarVelocity {
                forward_mps: c * x + s * y,
                left_mps: c * y - s * x,
                turn_radps: f64::from(body.angvel().z),
            }
        })
    }

    /// Moment of inertia of a robot about its vertical axis, kg·m²: a disc.
    pub fn inertia(base: &BaseSettings) -> f64 {
        0.5 * base.mass_kg * base.radius_m * base.radius_m
    }

    /// Distances along rays from one place, all at its height; the robot itself is left out.
    pub fn rays(
        &self,
        from: [f64; 3],
        range_m: f64,
        except: RigidBodyHandle,
    ) -> impl Fn(f64) -> Option<f64> + '_ {
        let query = self.physics.broad_phase.as_query_pipeline(
            self.physics.narrow_phase.query_dispatcher(),
            &self.physics.bodies,
            &self.physics.colliders,
            QueryFilter::default().exclude_rigid_body(except),
        );
        move |direction| {
            let ray = Ray::new(vector(from), vector([libm::cos(direction), libm::sin(direction), 0.0]));
            query.cast_ray(&ray, range_m as f32, true).map(|(_, d)| f64::from(d))
        }
    }

    /// Adds the whole state to a state hash.
    pub fn hash_into(&self, hash: &mut Sha256) {
        for (_, body) in self.physics.bodies.iter() {
            let (at, turned) = (body.translation(), body.rotation());
            let (v, w) = (body.linvel(), body.angvel());
            for value in
                [at.x, at.y, at.z, turned.x, turned.y, turned.z, turned.w, v.x, v.y, v.z, w.x, w.y, w.z]
            {
                hash.update(value.to_bits().to_le_bytes());
            }
        }
        for (handle, _) in &self.obstacles {
            hash.update([u8::from(self.physics.colliders.get(*handle).is_some_and(|c| c.is_enabled()))]);
        }
    }
}

fn vector(v: [f64; 3]) -> Vector {
    Vector::new(v[0] as f32, v[1] as f32, v[2] as f32)
}

fn pose([x, y, yaw]: PlanarPose) -> Pose {
    Pose::new(vector([x, y, 0.0]), vector([0.0, 0.0, yaw]))
}

/// Direction of a body that turns about z only, rad, in (−π, π].
fn yaw_of(r: &Rotation) -> f64 {
    let (z, w) = (f64::from(r.z), f64::from(r.w));
    libm::atan2(2.0 * z * w, w * w - z * z)
}
