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

/// Layer of what tells by its colour what it is.
pub(super) const IDS_LAYER: usize = 1;
/// Numbers of markers in the picture of truth begin here; those of books at 1.
pub(super) const MARKER_IDS: u32 = 0xf0_0000;

/// The books of one bay: what is out of sight costs nothing then.
#[derive(Debug, Clone)]
pub(super) struct BookMesh {
    pub entity: Entity,
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
    /// People, in the twin's order.
    pub people: Vec<Entity>,
    /// Obstacles, in the scene's order.
    pub obstacles: Vec<Entity>,
    /// Books, bay by bay.
    pub books: Vec<BookMesh>,
}

/// What things are made of.
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
    let mut made = Furniture::default();
    let mut first_marker = 0;
    for f in &scene.site.floors {
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
            for (m, n) in f.markers.iter().zip(first_marker..) {
                building::marker_square(&mut solid, m, id_colour(MARKER_IDS + n));
            }
            put_ids(world, solid, &of);
        }
        first_marker += f.markers.len() as u32;
    }
    for books in bays(scene) {
        let mesh = mesh_of(scene, &books, |i| books::cover(&scene.books[i]), &Spine::Painted).mesh();
        let mesh = world.resource_mut::<Assets<Mesh>>().add(mesh);
        let material = of.matt.clone();
        let entity = world.spawn((Mesh3d(mesh.clone()), MeshMaterial3d(material.clone()))).id();
        if light.ids {
            put_ids(world, mesh_of(scene, &books, |i| id_colour(i as u32 + 1), &Spine::Flat), &of);
        }
        made.books.push(BookMesh { entity, mesh, material, books });
    }
    for s in &scene.robots {
        let r = figures::robot(s);
        let entity = world.spawn((Transform::default(), Visibility::default())).id();
        for (solid, material) in [(r.shell, &of.shell), (r.bright, &of.bright)] {
            if let Some(part) = put(world, solid, material, &of) {
                world.entity_mut(part).insert(ChildOf(entity));
            }
        }
        made.robots.push(entity);
    }
    for i in 0..now.people.len() {
        let solid = figures::person(i as u32 + scene.seed as u32);
        made.people.extend(put(world, solid, &of.matt, &of));
    }
    for o in &scene.obstacles {
        made.obstacles.extend(put(world, figures::obstacle(o), &of.matt, &of));
    }
    lights(world, light);
    world.insert_resource(made);
    arrange(world, now);
}

/// Moves robots, people and obstacles to where they are at a moment.
pub(super) fn arrange(world: &mut World, now: &Moment) {
    world.resource_scope(|world, made: Mut<'_, Furniture>| {
        let moving = made.robots.iter().zip(&now.robots).chain(made.people.iter().zip(&now.people));
        for (entity, pose) in moving {
            if let Some(mut at) = world.get_mut::<Transform>(*entity) {
                *at = transform(*pose);
            }
        }
        for (entity, there) in made.obstacles.iter().zip(&now.obstacles) {
            if let Some(mut seen) = world.get_mut::<Visibility>(*entity) {
                *seen = if *there { Visibility::Visible } else { Visibility::Hidden };
            }
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
fn put_ids(world: &mut World, solid: Solid, of: &Materials) {
    if !solid.is_empty() {
        let mesh = world.resource_mut::<Assets<Mesh>>().add(solid.mesh());
        let layer = RenderLayers::layer(IDS_LAYER);
        world.spawn((Mesh3d(mesh), MeshMaterial3d(of.bright.clone()), layer, NotShadowCaster));
    }
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
        books::add(&mut solid, &books::shelf_frame(&scene.faces[book.face]), book, colour(i), spine);
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
        [(-1.9, 0.7, 1_000.0, Color::srgb(0.85, 0.92, 1.0)), (2.6, 0.55, 650.0, Color::srgb(1.0, 0.97, 0.92))]
    {
        let fill = DirectionalLight { color, illuminance: lux, ..DirectionalLight::default() };
        world.spawn((fill, towards(yaw, pitch)));
    }
}
