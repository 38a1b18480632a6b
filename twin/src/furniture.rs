//! Trolleys and chairs as rigid bodies: they alone have weight and feel the floor.
//!
//! What happens when a robot drives into one follows from where it is touched and where it stands. A trolley stands on four
//! casters, below its lowest shelf is room for a robot's chassis, and the mast then meets the shelves: on free casters it rolls
//! away, on locked ones it slides, holds, or tips over, as its weight and its narrow track decide. A chair stands on four legs
//! that the chassis meets low down: it slides, and falls where its feet are held.

use rapier3d::prelude::{
    ColliderBuilder, Group, InteractionGroups, InteractionTestMode, PhysicsWorld, Pose, RigidBodyBuilder,
    RigidBodyHandle, Vector,
};

use crate::scenario::{FurnitureKind, FurnitureSettings};
use crate::world::vector;

/// Groups of what has weight, and of the floor that only it feels.
pub(crate) const LOOSE: Group = Group::GROUP_3;
pub(crate) const FLOOR: Group = Group::GROUP_2;

/// A trolley's lowest shelf above the floor, m.
pub(crate) const SHELF_M: f64 = 0.24;
/// Where a trolley's casters touch the floor, from its middle, m. Swivel casters that are pushed sideways trail, so that they
/// stand nearer to the middle than they are mounted.
const CASTERS_M: [f64; 2] = [0.41, 0.13];
const CASTER_RADIUS_M: f64 = 0.025;
/// A chair's legs from its middle, and its seat above the floor, m.
const LEGS_M: [f64; 2] = [0.20, 0.20];
const LEG_RADIUS_M: f64 = 0.016;
const SEAT_M: [f64; 2] = [0.40, 0.45];
/// A chair's back above the floor, m.
const BACK_M: [f64; 2] = [0.56, 0.80];

/// Friction with the floor: casters that roll, rubber that is held, a chair's gliders. Painted steel and wood, which slide on
/// the robot and, tipped, on the floor.
const ROLLING: f32 = 0.03;
const RUBBER: f32 = 0.8;
const GLIDERS: f32 = 0.4;
const FRAME: f32 = 0.3;

/// Half the length, width and height of furniture, m.
pub(crate) fn half_m(kind: FurnitureKind) -> [f64; 3] {
    match kind {
        FurnitureKind::Trolley => [0.45, 0.22, 0.45],
        FurnitureKind::Chair => [0.22, 0.22, 0.42],
    }
}

/// A part of a piece of furniture: its shape about the middle of the whole, its share of the mass.
struct Part {
    shape: ColliderBuilder,
    share: f64,
}

impl Part {
    /// A box between two heights above the floor.
    fn board(middle: [f64; 2], half: [f64; 2], heights: [f64; 2], whole: f64, share: f64) -> Self {
        let [low, high] = heights;
        let shape = ColliderBuilder::cuboid(half[0] as f32, half[1] as f32, ((high - low) / 2.0) as f32)
            .translation(vector([middle[0], middle[1], (low + high) / 2.0 - whole]))
            .friction(FRAME);
        Self { shape, share }
    }

    /// An upright of a radius from the floor to a height: one point of it touches the floor.
    fn upright(at: [f64; 2], radius: f64, height: f64, friction: f32, whole: f64, share: f64) -> [Self; 2] {
        // The foot is a ball; the rest slides as the frame does, whatever the foot is made of.
        let foot = ColliderBuilder::ball(radius as f32)
            .translation(vector([at[0], at[1], radius - whole]))
            .friction(friction);
        let (low, high) = (2.0 * radius, height - radius);
        let leg = ColliderBuilder::capsule_z(((high - low) / 2.0) as f32, radius as f32)
            .translation(vector([at[0], at[1], (low + high) / 2.0 - whole]))
            .friction(FRAME);
        [Self { shape: foot, share: share / 2.0 }, Self { shape: leg, share: share / 2.0 }]
    }
}

fn parts(f: &FurnitureSettings) -> Vec<Part> {
    let half = half_m(f.kind);
    let whole = half[2];
    let corners = [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)];
    let standing = |at: [f64; 2], radius: f64, height: f64, friction: f32, share: f64| {
        corners.into_iter().flat_map(move |(i, j)| {
            Part::upright([i * at[0], j * at[1]], radius, height, friction, whole, share)
        })
    };
    match f.kind {
        FurnitureKind::Trolley => {
            let friction = if f.locked { RUBBER } else { ROLLING };
            // Shelves full of books are as good as one box.
            let shelves = Part::board([0.0; 2], [half[0], half[1]], [SHELF_M, 2.0 * whole], whole, 0.92);
            let casters = standing(CASTERS_M, CASTER_RADIUS_M, SHELF_M, friction, 0.02);
            std::iter::once(shelves).chain(casters).collect()
        }
        FurnitureKind::Chair => {
            let seat = Part::board([0.0; 2], [half[0], half[1]], SEAT_M, whole, 0.5);
            let back = Part::board([0.012 - half[0], 0.0], [0.012, half[1]], BACK_M, whole, 0.2);
            let legs = standing(LEGS_M, LEG_RADIUS_M, SEAT_M[0], GLIDERS, 0.075);
            [seat, back].into_iter().chain(legs).collect()
        }
    }
}

/// Mass, kg.
fn mass_kg(f: &FurnitureSettings) -> f64 {
    f.mass_kg.unwrap_or(match f.kind {
        FurnitureKind::Trolley => 40.0,
        FurnitureKind::Chair => 6.0,
    })
}

/// Puts one on the floor, whose height is `floor_z`, m.
pub(crate) fn add(physics: &mut PhysicsWorld, f: &FurnitureSettings, floor_z: f64) -> RigidBodyHandle {
    let half = half_m(f.kind);
    let turn = Vector::new(0.0, 0.0, f.heading_deg.to_radians() as f32);
    let up = if f.tipped { half[1] } else { half[2] };
    let mut pose = Pose::new(vector([f.at_m[0], f.at_m[1], floor_z + up]), turn);
    if f.tipped {
        // On its side: turned about its own longer one.
        pose *= Pose::new(vector([0.0; 3]), Vector::new(std::f32::consts::FRAC_PI_2, 0.0, 0.0));
    }
    let body = physics.bodies.insert(RigidBodyBuilder::dynamic().pose(pose).angular_damping(0.5));
    let mass = mass_kg(f);
    for part in parts(f) {
        let collider = part.shape.mass((mass * part.share) as f32).collision_groups(InteractionGroups::new(
            LOOSE,
            Group::ALL,
            InteractionTestMode::And,
        ));
        physics.colliders.insert_with_parent(collider, body, &mut physics.bodies);
    }
    body
}
