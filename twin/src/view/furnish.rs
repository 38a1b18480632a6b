//! Puts a scene into Bevy: meshes, materials, lights; and moves what moves.

use std::collections::BTreeMap;

use bevy::camera::visibility::RenderLayers;
use bevy::color::Color;
use bevy::light::{CascadeShadowConfigBuilder, DirectionalLightShadowMap, NotShadowCaster};
use bevy::math::{EulerRot, Quat, Vec3};
use bevy::prelude::*;

use super::books::{self, Spine};
use super::scene::{Moment, Scene};
use super::solid::{Rgb, Solid, linear};
use super::{building, figures};
use crate::scenario::ObstacleSettings;

/// Layer of what tells by its colour what it is.
pub(super) const IDS_LAYER: usize = 1;
/// Numbers of markers in the picture of truth begin here; those of books at 1.
pub(super) const MARKER_IDS: u32 = 0xf0_0000;

/// The books of one bay: what is out of sight costs nothing then.
#[derive(Debug, Clone)]
pub(super) struct BookMesh {
    pub entity: Entity,
    /// The same in the picture of truth.
    truth: Option<Entity>,
    pub mesh: Handle<Mesh>,
    pub material: Handle<StandardMaterial>,
    /// Indices into the scene's books.
    pub books: Vec<usize>,
}

/// What was put into the world, to find it again.
#[derive(Resource, Default)]
pub(super) struct Furniture {
    /// Robots, in the scene's order.
    pub robots: Vec<Entity>,
    /// Trolleys and chairs, in the scene's order.
    loose: Vec<Entity>,
    /// People, in the moment's order; those who have left are hidden.
    people: Vec<Entity>,
    /// What stands in the way, and what it was made from.
    obstacles: (Vec<ObstacleSettings>, Vec<Entity>),
    /// Books, bay by bay.
    pub books: Vec<BookMesh>,
    of: Materials,
    /// Chooses what people look like.
    seed: u32,
}

/// What things are made of.
#[derive(Clone, Default)]
struct Materials {
    matt: Handle<StandardMaterial>,
    steel: Handle<StandardMaterial>,
    floor: Handle<StandardMaterial>,
    shell: Handle<StandardMaterial>,
    marker: Handle<StandardMaterial>,
    bright: Handle<StandardMaterial>,
    /// Hides what is behind it in the picture of truth; `None` where there is no such picture.
    black: Option<Handle<StandardMaterial>>,
}

/// How the light falls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Light {
    /// Shadows reach so far from the camera, m.
    pub shadows_m: f32,
    /// Edge of the shadow map, pixels.
    pub shadow_map: usize,
    /// Whether there is a picture of truth too.
    pub ids: bool,
}

/// Builds everything of a scene as it is at a moment.
pub(super) fn furnish(world: &mut World, scene: &Scene, now: &Moment, light: Light) {
    let of = Materials::new(world, light.ids);
    let mut made = Furniture { of: of.clone(), seed: scene.seed as u32, ..Furniture::default() };
    if let Some(f) = scene.plan() {
        let b = building::build(f, scene.extent_m());
        put(world, b.matt, &of.matt, &of);
        put(world, b.steel, &of.steel, &of);
        put(world, b.markers, &of.marker, &of);
        for (solid, material) in [(b.floor, &of.floor), (b.bright, &of.bright)] {
            if let Some(entity) = put(world, solid, material, &of) {
                world.entity_mut(entity).insert(NotShadowCaster);
            }
        }
        if light.ids {
            let mut solid = Solid::default();
            for (m, n) in f.markers.iter().zip(0..) {
                building::marker_square(&mut solid, m, id_colour(MARKER_IDS + n));
            }
            put_ids(world, solid, &of);
        }
    }
    for (i, s) in scene.robots.iter().enumerate() {
        let entity = world.spawn((Transform::default(), Visibility::default())).id();
        if scene.has_robot(i) {
            let r = figures::robot(s);
            for (solid, material) in [(r.shell, &of.shell), (r.bright, &of.bright)] {
                if let Some(part) = put(world, solid, material, &of) {
                    world.entity_mut(part).insert(ChildOf(entity));
                }
            }
        }
        made.robots.push(entity);
    }
    for kind in &scene.furniture {
        made.loose.extend(put(world, figures::furniture(*kind), &of.matt, &of));
    }
    lights(world, light);
    world.insert_resource(made);
    shelve(world, scene);
    arrange(world, now);
}

/// Puts the books on their shelves, in place of those that stood there.
pub(super) fn shelve(world: &mut World, scene: &Scene) {
    world.resource_scope(|world, mut made: Mut<'_, Furniture>| {
        for old in made.books.drain(..) {
            world.despawn(old.entity);
            old.truth.map(|entity| world.despawn(entity));
        }
        for books in bays(scene) {
            let mesh = mesh_of(scene, &books, |i| books::cover(&scene.books[i]), &Spine::Painted).mesh();
            let mesh = world.resource_mut::<Assets<Mesh>>().add(mesh);
            let (of, material) = (made.of.clone(), made.of.matt.clone());
            let entity = world.spawn((Mesh3d(mesh.clone()), MeshMaterial3d(material.clone()))).id();
            let truth = of.black.as_ref().and_then(|_| {
                put_ids(world, mesh_of(scene, &books, |i| id_colour(i as u32 + 1), &Spine::Flat), &of)
            });
            made.books.push(BookMesh { entity, truth, mesh, material, books });
        }
    });
}

/// Moves robots, people and all that is not fixed to where they are at a moment.
pub(super) fn arrange(world: &mut World, now: &Moment) {
    world.resource_scope(|world, mut made: Mut<'_, Furniture>| {
        for i in made.people.len()..now.people.len() {
            let solid = figures::person((i as u32).wrapping_add(made.seed));
            let of = made.of.clone();
            made.people.extend(put(world, solid, &of.matt, &of));
        }
        let moving = made.robots.iter().zip(&now.robots).chain(made.people.iter().zip(&now.people));
        for (entity, pose) in moving {
            if let Some(mut at) = world.get_mut::<Transform>(*entity) {
                *at = transform(*pose);
            }
        }
        for (entity, i) in made.people.iter().zip(0..) {
            if let Some(mut seen) = world.get_mut::<Visibility>(*entity) {
                *seen = if i < now.people.len() { Visibility::Visible } else { Visibility::Hidden };
            }
        }
        for (entity, (at, turn)) in made.loose.iter().zip(&now.furniture) {
            if let Some(mut pose) = world.get_mut::<Transform>(*entity) {
                *pose = Transform::from_translation(Vec3::from(at.map(|v| v as f32)))
                    .with_rotation(Quat::from_array(turn.map(|v| v as f32)).normalize());
            }
        }
        if made.obstacles.0 != now.obstacles {
            for entity in made.obstacles.1.drain(..) {
                world.despawn(entity);
            }
            let of = made.of.clone();
            for o in &now.obstacles {
                made.obstacles.1.extend(put(world, figures::obstacle(o), &of.matt, &of));
            }
            made.obstacles.0.clone_from(&now.obstacles);
        }
    });
}

fn transform([x, y, yaw]: [f64; 3]) -> Transform {
    Transform::from_xyz(x as f32, y as f32, 0.0).with_rotation(Quat::from_rotation_z(yaw as f32))
}

impl Materials {
    fn new(world: &mut World, ids: bool) -> Self {
        let mut all = world.resource_mut::<Assets<StandardMaterial>>();
        let mut lit = |roughness: f32, reflectance: f32| {
            let plain = StandardMaterial::default();
            all.add(StandardMaterial { perceptual_roughness: roughness, reflectance, ..plain })
        };
        let (matt, steel, floor) = (lit(0.9, 0.2), lit(0.55, 0.35), lit(0.65, 0.3));
        let (shell, marker) = (lit(0.45, 0.4), lit(1.0, 0.0));
        let mut flat = |base_color: Color| {
            all.add(StandardMaterial { base_color, unlit: true, ..StandardMaterial::default() })
        };
        let bright = flat(Color::WHITE);
        let black = ids.then(|| flat(Color::BLACK));
        Self { matt, steel, floor, shell, marker, bright, black }
    }
}

/// Puts a solid into the world, and where there is a picture of truth, its black shape into that.
fn put(
    world: &mut World,
    solid: Solid,
    material: &Handle<StandardMaterial>,
    of: &Materials,
) -> Option<Entity> {
    if solid.is_empty() {
        return None;
    }
    let mesh = world.resource_mut::<Assets<Mesh>>().add(solid.mesh());
    let entity = world.spawn((Mesh3d(mesh.clone()), MeshMaterial3d(material.clone()))).id();
    if let Some(black) = &of.black {
        let layer = RenderLayers::layer(IDS_LAYER);
        world.spawn((Mesh3d(mesh), MeshMaterial3d(black.clone()), layer, ChildOf(entity)));
    }
    Some(entity)
}

/// Puts a solid into the picture of truth alone; its colours are numbers.
fn put_ids(world: &mut World, solid: Solid, of: &Materials) -> Option<Entity> {
    if solid.is_empty() {
        return None;
    }
    let mesh = world.resource_mut::<Assets<Mesh>>().add(solid.mesh());
    let layer = RenderLayers::layer(IDS_LAYER);
    Some(world.spawn((Mesh3d(mesh), MeshMaterial3d(of.bright.clone()), layer, NotShadowCaster)).id())
}

/// The colour that reads as a number where it is written as sRGB.
fn id_colour(id: u32) -> Rgb {
    [16, 8, 0].map(|shift| linear((id >> shift & 0xff) as f32 / 255.0))
}

/// Books that go into one mesh: those of a bay.
fn bays(scene: &Scene) -> Vec<Vec<usize>> {
    let mut bays: BTreeMap<(usize, u16), Vec<usize>> = BTreeMap::new();
    for (i, b) in scene.books.iter().enumerate() {
        bays.entry((b.face, b.address.bay)).or_default().push(i);
    }
    bays.into_values().collect()
}

/// Some books.
pub(super) fn mesh_of(scene: &Scene, group: &[usize], colour: impl Fn(usize) -> Rgb, spine: &Spine) -> Solid {
    let mut solid = Solid::default();
    for &i in group {
        let book = &scene.books[i];
        books::add(&mut solid, &scene.faces[book.face], book, colour(i), spine);
    }
    solid
}

/// Daylight from high windows with soft shadows, a cooler fill against it, and what walls and ceiling give back.
fn lights(world: &mut World, light: Light) {
    world.insert_resource(DirectionalLightShadowMap { size: light.shadow_map });
    world.insert_resource(GlobalAmbientLight {
        color: Color::srgb(0.93, 0.95, 1.0),
        brightness: 400.0,
        ..GlobalAmbientLight::default()
    });
    let towards = |yaw: f32, pitch: f32| {
        // Looks along −z before it is turned; the map's z points up.
        Transform::default().looking_to(Quat::from_euler(EulerRot::ZYX, yaw, pitch, 0.0) * Vec3::X, Vec3::Z)
    };
    world.spawn((
        DirectionalLight {
            color: Color::srgb(1.0, 0.94, 0.84),
            illuminance: 4_000.0,
            shadow_maps_enabled: true,
            shadow_depth_bias: 0.015,
            shadow_normal_bias: 1.2,
            ..DirectionalLight::default()
        },
        CascadeShadowConfigBuilder {
            num_cascades: 2,
            minimum_distance: 0.1,
            maximum_distance: light.shadows_m,
            first_cascade_far_bound: light.shadows_m * 0.3,
            ..CascadeShadowConfigBuilder::default()
        }
        .build(),
        towards(1.05, 0.95),
    ));
    for (yaw, pitch, lux, color) in
        [(-1.9, 0.7, 1_150.0, Color::srgb(0.93, 0.96, 1.0)), (2.6, 0.55, 650.0, Color::srgb(1.0, 0.97, 0.92))]
    {
        let fill = DirectionalLight { color, illuminance: lux, ..DirectionalLight::default() };
        world.spawn((fill, towards(yaw, pitch)));
    }
}
