//! Rigid bodies in Rapier: floor plan, rows of shelves, robots, people, things in the way.
//!
//! Robots move on the plane; walls and shelves hold them. The lidar's rays are cast in here.

mod sight;

use domain::Site;
use rapier3d::prelude::{
    CoefficientCombineRule, ColliderBuilder, ColliderHandle, Group, InteractionGroups, InteractionTestMode,
    LockedAxes, PhysicsWorld, Pose, RigidBodyBuilder, RigidBodyHandle, Rotation, Vector,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::base::{BaseSettings, PlanarVelocity};
use crate::furniture::{self, FLOOR, LOOSE};
use crate::radio::STOREY_M;
use crate::scenario::{FurnitureSettings, ObstacleSettings};
use crate::stacks::panel_behind_m;

/// Half the thickness of a wall, m: the lidar sees walls this much closer than the plan has them.
const WALL_HALF_M: f64 = 0.005;
const WALL_HEIGHT_M: f64 = 2.6;
/// Half the height of a robot's chassis, and its middle above the floor, m.
pub(crate) const CHASSIS_HALF_M: f64 = 0.095;
pub(crate) const CHASSIS_Z_M: f64 = 0.125;
/// A robot's mast: radius, half its height, and its middle in base_link, m.
pub(crate) const MAST_RADIUS_M: f64 = 0.05;
pub(crate) const MAST_HALF_M: f64 = 0.84;
pub(crate) const MAST_AT_M: [f64; 3] = [-0.15, 0.0, 1.06];
const PERSON_RADIUS_M: f64 = 0.25;
const PERSON_HEIGHT_M: f64 = 1.7;

/// The contact strip reaches to either side up to this cosine of the angle from straight ahead: 80°.
const STRIP_COS: f32 = 0.174;

/// A pose on the floor: x, y, m, and the direction, rad.
pub type PlanarPose = [f64; 3];

/// A box that does not move.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SolidBox {
    /// Centre, m; each floor is 100 m above the one below.
    pub centre_m: [f64; 3],
    /// Direction of its x axis on the map, rad.
    pub yaw_rad: f64,
    /// Half its size, m.
    pub half_m: [f64; 3],
}

/// What a robot touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Touch {
    /// Anything, with anything.
    pub any: bool,
    /// Something, with the front of its chassis.
    pub front: bool,
}

/// Everything solid.
#[derive(Serialize, Deserialize)]
pub struct World {
    physics: PhysicsWorld,
    obstacles: Vec<(ColliderHandle, ObstacleSettings)>,
    /// With the height of their floors, m.
    robots: Vec<(RigidBodyHandle, f64)>,
    furniture: Vec<RigidBodyHandle>,
}

impl World {
    /// Builds walls, shelves and obstacles. `dt` is the fixed step, s.
    pub fn new(site: &Site, obstacles: &[ObstacleSettings], dt: f64) -> Self {
        let mut physics = PhysicsWorld::new();
        // Robots are held to the plane by their axes, so that the floor needs no contacts.
        physics.gravity = Vector::new(0.0, 0.0, 0.0);
        physics.integration_parameters.dt = dt as f32;
        let mut world = Self { physics, obstacles: Vec::new(), robots: Vec::new(), furniture: Vec::new() };
        let mut face_index = 0;
        for (i, floor) in site.floors.iter().enumerate() {
            let z = floor_z(i);
            for wall in &floor.walls {
                world.add_wall(z, wall.from_m, wall.to_m);
            }
            for face in &floor.faces {
                world.add_face(z, face, face_index);
                face_index += 1;
            }
        }
        for o in obstacles {
            world.add_obstacle(site, o);
        }
        world
    }

    /// Puts up a box that may be there for a while only.
    pub(crate) fn add_obstacle(&mut self, site: &Site, o: &ObstacleSettings) {
        let handle = self.put(site, o);
        self.obstacles.push((handle, o.clone()));
    }

    /// Puts a box on its floor.
    pub(crate) fn put(&mut self, site: &Site, o: &ObstacleSettings) -> ColliderHandle {
        self.add_box(middle_of(site, o), 0.0, [o.size_m[0], o.size_m[1], o.height_m].map(|s| s / 2.0))
    }

    pub(crate) fn add_box(&mut self, centre: [f64; 3], yaw: f64, half: [f64; 3]) -> ColliderHandle {
        let shape = ColliderBuilder::cuboid(half[0] as f32, half[1] as f32, half[2] as f32)
            .position(Pose::new(vector(centre), Vector::new(0.0, 0.0, yaw as f32)))
            .friction(0.2);
        self.physics.colliders.insert(shape)
    }

    fn add_wall(&mut self, z: f64, from: [f64; 2], to: [f64; 2]) {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let centre = [(from[0] + to[0]) / 2.0, (from[1] + to[1]) / 2.0, z + WALL_HEIGHT_M / 2.0];
        let half = [libm::hypot(dx, dy) / 2.0, WALL_HALF_M, WALL_HEIGHT_M / 2.0];
        self.add_box(centre, libm::atan2(dy, dx), half);
    }

    /// A row face as one box up to its front: boards and uprights reach there, so nothing on wheels comes farther. What
    /// the lidar sees inside is [`Rows`]'s. `index` counts the site's faces.
    fn add_face(&mut self, z: f64, face: &domain::site::Face, index: usize) {
        let yaw = face.heading_deg.to_radians();
        let (length, behind) = (face.length_m(), panel_behind_m(face.depth_m));
        let top = face.tiers.last().map_or(0.1, |t| t.board_m + t.clear_m);
        let mut centre = face.map_from_face([length / 2.0, -behind / 2.0, top / 2.0]);
        centre[2] += z;
        let handle = self.add_box(centre, yaw, [length / 2.0, behind / 2.0, top / 2.0]);
        if let Some(collider) = self.physics.colliders.get_mut(handle) {
            collider.user_data = index as u128 + 1;
        }
    }

    /// Puts trolleys and chairs on their floors, and gives weight to what has any; robots are held to theirs.
    pub fn add_furniture(&mut self, site: &Site, furniture: &[FurnitureSettings]) {
        if furniture.is_empty() {
            return;
        }
        self.physics.gravity = Vector::new(0.0, 0.0, -9.81);
        for f in furniture {
            let z = floor_z(floor_index(site, f.floor.as_deref()));
            self.furniture.push(furniture::add(&mut self.physics, f, z));
        }
        for i in 0..site.floors.len() {
            let floor = ColliderBuilder::cuboid(500.0, 500.0, 0.5)
                .position(Pose::new(vector([0.0, 0.0, floor_z(i) - 0.5]), Vector::new(0.0, 0.0, 0.0)))
                .friction(0.0)
                .friction_combine_rule(CoefficientCombineRule::Max)
                .collision_groups(InteractionGroups::new(FLOOR, LOOSE, InteractionTestMode::And));
            self.physics.colliders.insert(floor);
        }
    }

    /// Where furniture is: centre, m, and how far it tips out of the upright, rad.
    pub fn furniture(&self) -> impl Iterator<Item = ([f64; 3], f64)> {
        self.furniture.iter().filter_map(|h| {
            let body = self.physics.bodies.get(*h)?;
            let up = *body.rotation() * Vector::new(0.0, 0.0, 1.0);
            let at = body.translation();
            Some(([at.x, at.y, at.z].map(f64::from), libm::acos(f64::from(up.z).clamp(-1.0, 1.0))))
        })
    }

    /// Where furniture is: centre, m, and turn as a quaternion x, y, z, w.
    pub fn furniture_poses(&self) -> impl Iterator<Item = ([f64; 3], [f64; 4])> {
        self.furniture.iter().filter_map(|h| {
            let body = self.physics.bodies.get(*h)?;
            let (at, q) = (body.translation(), body.rotation());
            Some(([at.x, at.y, at.z].map(f64::from), [q.x, q.y, q.z, q.w].map(f64::from)))
        })
    }

    /// What a robot touches now.
    pub fn touches(&self, robot: RigidBodyHandle) -> Touch {
        let Some(body) = self.physics.bodies.get(robot).filter(|b| b.is_enabled()) else {
            return Touch::default();
        };
        let yaw = yaw_of(body.rotation());
        let ahead = vector([libm::cos(yaw), libm::sin(yaw), 0.0]);
        let mut touch = Touch::default();
        // The chassis is the first of its colliders.
        for (i, &collider) in body.colliders().iter().enumerate() {
            let pairs = self.physics.narrow_phase.contact_pairs_with(collider);
            for pair in pairs.filter(|pair| pair.has_any_active_contact()) {
                touch.any = true;
                // Normals point from the first of the two to the second.
                let side = if pair.collider1 == collider { 1.0 } else { -1.0 };
                let in_front = pair.manifolds().iter().any(|m| {
                    !m.data.solver_contacts.is_empty() && side * m.data.normal.dot(ahead) > STRIP_COS
                });
                touch.front |= i == 0 && in_front;
            }
        }
        touch
    }

    /// Puts a robot on a floor: a round chassis and, behind the lidar, the mast that carries the antennas.
    pub fn add_robot(&mut self, base: &BaseSettings, floor: usize, start: PlanarPose) -> RigidBodyHandle {
        let z = floor_z(floor);
        let body = RigidBodyBuilder::dynamic()
            .pose(pose(start, z))
            .locked_axes(
                LockedAxes::TRANSLATION_LOCKED_Z
                    | LockedAxes::ROTATION_LOCKED_X
                    | LockedAxes::ROTATION_LOCKED_Y,
            )
            .gravity_scale(0.0)
            .can_sleep(false)
            .ccd_enabled(true);
        let body = self.physics.bodies.insert(body);
        // Rapier's cylinders stand along y.
        let upright = Vector::new(std::f32::consts::FRAC_PI_2, 0.0, 0.0);
        let chassis = ColliderBuilder::cylinder(CHASSIS_HALF_M as f32, base.radius_m as f32)
            .position(Pose::new(vector([0.0, 0.0, CHASSIS_Z_M]), upright))
            .mass(base.mass_kg as f32)
            .friction(0.2)
            .collision_groups(InteractionGroups::new(Group::GROUP_1, Group::ALL, InteractionTestMode::And));
        let mast = ColliderBuilder::cylinder(MAST_HALF_M as f32, MAST_RADIUS_M as f32)
            .position(Pose::new(vector(MAST_AT_M), upright))
            .mass(0.0)
            .friction(0.2)
            .collision_groups(InteractionGroups::new(Group::GROUP_1, Group::ALL, InteractionTestMode::And));
        self.physics.colliders.insert_with_parent(chassis, body, &mut self.physics.bodies);
        self.physics.colliders.insert_with_parent(mast, body, &mut self.physics.bodies);
        self.robots.push((body, z));
        body
    }

    /// Puts a person on a floor.
    pub fn add_person(&mut self, floor: usize, at: [f64; 2]) -> RigidBodyHandle {
        let body =
            RigidBodyBuilder::kinematic_position_based().pose(pose([at[0], at[1], 0.0], floor_z(floor)));
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
            let z = f64::from(body.translation().z);
            body.set_next_kinematic_position(pose([at[0], at[1], 0.0], z));
        }
    }

    /// Takes a person off the floor.
    pub(crate) fn remove_person(&mut self, person: RigidBodyHandle) {
        self.physics.remove_body_with_colliders(person, true);
    }

    /// Moves a box to where it now says.
    pub(crate) fn shift(&mut self, thing: ColliderHandle, site: &Site, o: &ObstacleSettings) {
        if let Some(collider) = self.physics.colliders.get_mut(thing) {
            collider.set_translation(vector(middle_of(site, o)));
        }
    }

    /// Takes something solid away.
    pub(crate) fn take_away(&mut self, thing: ColliderHandle) {
        self.physics.remove_collider(thing);
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
        for &(robot, z) in &self.robots {
            let at = self.pose(robot);
            let Some(body) = self.physics.bodies.get_mut(robot).filter(|b| b.is_enabled()) else { continue };
            let (v, w) = (body.linvel(), body.angvel());
            let (v, w) = (Vector::new(v.x, v.y, 0.0), Vector::new(0.0, 0.0, w.z));
            body.set_position(pose(at, z), true);
            body.set_linvel(v, true);
            body.set_angvel(w, true);
        }
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
            let z = f64::from(body.translation().z);
            body.set_position(pose(at, z), true);
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

    /// The boxes that do not move and are there now.
    pub fn boxes(&self) -> impl Iterator<Item = SolidBox> {
        self.physics.colliders.iter().filter_map(|(_, c)| {
            let (half, at) = (c.shape().as_cuboid()?.half_extents, c.translation());
            (c.parent().is_none() && c.is_enabled()).then(|| SolidBox {
                centre_m: [at.x, at.y, at.z].map(f64::from),
                yaw_rad: yaw_of(&c.rotation()),
                half_m: [half.x, half.y, half.z].map(f64::from),
            })
        })
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

pub(crate) fn vector(v: [f64; 3]) -> Vector {
    Vector::new(v[0] as f32, v[1] as f32, v[2] as f32)
}

fn pose([x, y, yaw]: PlanarPose, z: f64) -> Pose {
    Pose::new(vector([x, y, z]), vector([0.0, 0.0, yaw]))
}

/// Height of a floor in the world, m: floors have maps of their own, far enough apart that none is felt on another.
pub(crate) fn floor_z(index: usize) -> f64 {
    STOREY_M * index as f64
}

fn middle_of(site: &Site, o: &ObstacleSettings) -> [f64; 3] {
    [o.at_m[0], o.at_m[1], floor_z(floor_index(site, o.floor.as_deref())) + o.height_m / 2.0]
}

/// Index of a floor by its name; the first one's without a name, or with one that the scenario's check refuses.
pub(crate) fn floor_index(site: &Site, name: Option<&str>) -> usize {
    name.and_then(|n| site.floors.iter().position(|f| f.id == n)).unwrap_or(0)
}

/// Direction of a body that turns about z only, rad, in (−π, π].
fn yaw_of(r: &Rotation) -> f64 {
    let (z, w) = (f64::from(r.z), f64::from(r.w));
    libm::atan2(2.0 * z * w, w * w - z * z)
}
