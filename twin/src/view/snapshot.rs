//! One picture of the simulated library, without a window.

use std::str::FromStr;

use bevy::math::{Quat, Vec2, Vec3};
use bevy::prelude::Transform;
use domain::site::{Face, Floor, NamedPose};

use super::dress::Wardrobe;
use super::furnish::Light;
use super::scene::{Moment, Scene, first_floor};
use super::stage::{Picture, Shot, Stage, ViewError};
use crate::Twin;
use crate::world::floor_index;

/// Where a snapshot is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewpoint {
    /// The whole floor from a corner.
    Overview,
    /// Behind and above the first robot.
    Follow,
    /// From the end of the aisle in which the first robot is, at eye level.
    Aisle,
    /// Straight down.
    Top,
    /// A robot to follow, a row face to look at, or a place, desk or dock to stand at.
    Named(String),
}

impl FromStr for Viewpoint {
    type Err = std::convert::Infallible;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(match s {
            "overview" => Self::Overview,
            "follow" => Self::Follow,
            "aisle" => Self::Aisle,
            "top" => Self::Top,
            name => Self::Named(name.to_owned()),
        })
    }
}

impl Viewpoint {
    /// The floor that is seen from it: the named thing's, or the first robot's.
    pub fn floor(&self, twin: &Twin) -> usize {
        let Self::Named(name) = self else { return first_floor(twin) };
        if let Some(robot) = twin.robots().find(|r| r.name == *name) {
            return floor_index(twin.site(), robot.floor.as_deref());
        }
        let floors = &twin.site().floors;
        floors
            .iter()
            .position(|f| stands(f, name) || f.faces.iter().any(|face| bears(f, face, name)))
            .unwrap_or_else(|| first_floor(twin))
    }
}

/// Whether a face has a name, alone or after its floor's.
fn bears(floor: &Floor, face: &Face, name: &str) -> bool {
    name == face.id || name == format!("{}/{}", floor.id, face.id)
}

fn places(floor: &Floor) -> impl Iterator<Item = &NamedPose> {
    floor.places.iter().chain(&floor.desks).chain(&floor.docks)
}

fn stands(floor: &Floor, name: &str) -> bool {
    places(floor).any(|p| p.id == name)
}

/// Height of the eyes of who stands somewhere, m.
const EYES_M: f32 = 1.62;
/// Print of spines is drawn so fine, pixels a metre, in so many bays, no farther than this, m.
const PRINT_PER_M: f32 = 1_200.0;
const PRINT_BAYS: usize = 16;
const PRINT_WITHIN_M: f64 = 5.0;
/// A camera keeps so far from walls, m.
const CLEAR_M: f32 = 0.25;

/// Renders one picture of a scene at a moment.
///
/// # Errors
/// No graphics driver, or a viewpoint whose name nothing bears.
pub fn snapshot(
    scene: &Scene,
    now: &Moment,
    view: &Viewpoint,
    [width, height]: [u32; 2],
) -> Result<Picture, ViewError> {
    let aspect = width as f32 / height as f32;
    let (from, fov) = stand(scene, now, view, aspect)?;
    let away = (from.translation - middle(scene)).length();
    let shadows_m = match view {
        Viewpoint::Overview | Viewpoint::Top => away + size(scene).length(),
        _ => 16.0,
    };
    let mut stage = Stage::new(scene, now, Light { shadows_m, shadow_map: 4096, ids: false })?;
    // From near enough spines are printed; without a font they stay plain.
    if !matches!(view, Viewpoint::Overview | Viewpoint::Top)
        && let Ok(mut wardrobe) = Wardrobe::new(PRINT_PER_M, PRINT_BAYS)
    {
        wardrobe.dress(stage.world(), scene, from.translation, PRINT_WITHIN_M, PRINT_BAYS);
    }
    stage.picture(&Shot { from, fov, width, height, finer: 2 })
}

fn middle(scene: &Scene) -> Vec3 {
    let [low, high] = scene.extent_m();
    Vec3::new((low[0] + high[0]) as f32 / 2.0, (low[1] + high[1]) as f32 / 2.0, 1.0)
}

fn size(scene: &Scene) -> Vec2 {
    let [low, high] = scene.extent_m();
    Vec2::new((high[0] - low[0]) as f32, (high[1] - low[1]) as f32)
}

fn stand(scene: &Scene, now: &Moment, view: &Viewpoint, aspect: f32) -> Result<(Transform, f32), ViewError> {
    Ok(match view {
        Viewpoint::Overview => (fitted(scene, Vec3::new(0.42, 1.0, -0.95), Vec3::Z, 0.5, aspect), 0.5),
        Viewpoint::Top => (fitted(scene, -Vec3::Z, Vec3::Y, 0.35, aspect), 0.35),
        Viewpoint::Follow => (follow(scene, now, 0), 0.95),
        Viewpoint::Aisle => (aisle(scene, now), 1.0),
        Viewpoint::Named(name) => named(scene, now, name)?,
    })
}

/// So far away, looking in a direction, that the whole floor fills the picture.
pub(super) fn fitted(scene: &Scene, look: Vec3, up: Vec3, fov: f32, aspect: f32) -> Transform {
    let (middle, half) = (middle(scene), size(scene) / 2.0);
    let turn = Transform::default().looking_to(look, up).rotation;
    let slope = (fov / 2.0).tan();
    let mut away = 0.0f32;
    for (sx, sy, z) in [-1.0, 1.0].into_iter().flat_map(|x| {
        [-1.0, 1.0].into_iter().flat_map(move |y| [-1.0, 1.2].into_iter().map(move |z| (x, y, z)))
    }) {
        let corner = turn.inverse() * Vec3::new(sx * half.x, sy * half.y, z);
        away = away.max(corner.z + (corner.y.abs() / slope).max(corner.x.abs() / (slope * aspect)));
    }
    Transform::from_translation(middle - look.normalize() * away * 1.03).with_rotation(turn)
}

/// Within the walls.
fn inside(scene: &Scene, p: Vec3) -> Vec3 {
    let [low, high] = scene.extent_m();
    let clamp = |v: f32, axis: usize| {
        let (a, b) = (low[axis] as f32 + CLEAR_M, high[axis] as f32 - CLEAR_M);
        if a < b { v.clamp(a, b) } else { v }
    };
    Vec3::new(clamp(p.x, 0), clamp(p.y, 1), p.z)
}

/// Behind a robot, above its mast, looking over it at what it comes to.
pub(super) fn follow(scene: &Scene, now: &Moment, robot: usize) -> Transform {
    let [x, y, yaw] = now.robots.get(robot).copied().unwrap_or_default().map(|v| v as f32);
    let (ahead, right) = (Vec3::new(yaw.cos(), yaw.sin(), 0.0), Vec3::new(yaw.sin(), -yaw.cos(), 0.0));
    let at = Vec3::new(x, y, 0.0);
    let from = inside(scene, at - 2.3 * ahead + 0.35 * right + 2.35 * Vec3::Z);
    Transform::from_translation(from).looking_at(at + 0.45 * ahead + 0.85 * Vec3::Z, Vec3::Z)
}

/// At the end of the robot's aisle.
fn aisle(scene: &Scene, now: &Moment) -> Transform {
    let [x, y, yaw] = now.robots.first().copied().unwrap_or_default();
    let off = |face: &Face| {
        let p = face.face_from_map([x, y, 0.0]);
        let beyond = (-p[0]).max(p[0] - face.length_m()).max(0.0);
        let across = if p[1] > 0.0 { p[1] } else { 10.0 - p[1] };
        beyond.hypot(across)
    };
    let Some(face) = scene.faces.iter().min_by(|a, b| off(a).total_cmp(&off(b))) else {
        return follow(scene, now, 0);
    };
    let along = face.face_from_map([x, y, 0.0])[0];
    let (middle, out) = (face.length_m() / 2.0, 0.62);
    // From the end that is farther from the robot, or behind it where that is alike.
    let heading = face.heading_deg.to_radians() - yaw;
    let bias = 0.5 * heading.cos();
    let (from, to) =
        if along - middle + bias > 0.0 { (-0.35, face.length_m()) } else { (face.length_m() + 0.35, 0.0) };
    let map = |along: f64, out: f64, up: f32| {
        let p = face.map_from_face([along, out, 0.0]);
        Vec3::new(p[0] as f32, p[1] as f32, up)
    };
    let eye = inside(scene, map(from, out, EYES_M));
    Transform::from_translation(eye).looking_at(map(to, out - 0.9, 0.9), Vec3::Z)
}

fn named(scene: &Scene, now: &Moment, name: &str) -> Result<(Transform, f32), ViewError> {
    if let Some(robot) = scene.robots.iter().position(|r| r.name == name) {
        return Ok((follow(scene, now, robot), 0.95));
    }
    let floor = scene.plan();
    if let Some(face) = floor.and_then(|f| f.faces.iter().find(|face| bears(f, face, name))) {
        return Ok((before(face), 0.9));
    }
    if let Some(place) = floor.and_then(|f| places(f).find(|p| p.id == name)) {
        let at = Vec3::new(place.at_m[0] as f32, place.at_m[1] as f32, EYES_M);
        let turn = Quat::from_rotation_z(place.heading_deg.to_radians() as f32);
        return Ok((
            Transform::from_translation(at).looking_to(turn * Vec3::new(1.0, 0.0, -0.12), Vec3::Z),
            1.05,
        ));
    }
    let mut known: Vec<String> = ["overview", "follow", "aisle", "top"].map(str::to_owned).into();
    known.extend(scene.robots.iter().map(|r| r.name.clone()));
    for f in &scene.site.floors {
        known.extend(f.faces.iter().map(|face| format!("{}/{}", f.id, face.id)));
        known.extend(places(f).map(|p| p.id.clone()));
    }
    Err(ViewError::UnknownCamera { found: name.to_owned(), allowed: known.join(", ") })
}

/// Across the aisle from the middle of a row face.
fn before(face: &Face) -> Transform {
    let map = |along: f64, out: f64, up: f32| {
        let p = face.map_from_face([along, out, 0.0]);
        Vec3::new(p[0] as f32, p[1] as f32, up)
    };
    let middle = face.length_m() / 2.0;
    Transform::from_translation(map(middle - 0.9, 1.25, 1.45)).looking_at(map(middle, 0.0, 1.0), Vec3::Z)
}
