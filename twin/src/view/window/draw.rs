//! What is drawn over the scene: books in the colours of beliefs, sparks of reads, lidar, path, coverage.

use std::collections::BTreeMap;

use bevy::gizmos::config::{DefaultGizmoConfigGroup, GizmoConfigStore};
use bevy::math::Affine3A;
use bevy::mesh::Mesh;
use bevy::prelude::*;

use super::super::books::{self, Spine, book_frame, shelf_frame};
use super::super::dress::Wardrobe;
use super::super::furnish::{Furniture, mesh_of};
use super::super::memory::{Memory, Standing};
use super::super::scene::Scene;
use super::super::solid::{Rgb, mix, srgb};
use super::camera::Eye;
use super::keys::Choices;
use super::pick::Selected;
use super::{Remembered, Shown};

/// Wall time between new colours, s.
const RECOLOUR_S: f32 = 0.4;

/// Colours of beliefs against the truth.
pub(super) fn standing_colour(standing: Standing) -> u32 {
    match standing {
        Standing::Unknown => 0x9a9ca0,
        Standing::Right => 0x3fae6a,
        Standing::Off => 0xe8b23a,
        Standing::Wrong => 0xd8433b,
    }
}

/// Lines that can be seen on any screen.
pub(super) fn setup(mut config: ResMut<'_, GizmoConfigStore>) {
    let (config, _) = config.config_mut::<DefaultGizmoConfigGroup>();
    config.line.width = 2.0;
    config.depth_bias = -0.002;
}

/// What the colours that are shown were made from.
#[derive(Default)]
pub(super) struct Painted {
    beliefs: bool,
    changes: u64,
    at_s: f32,
    shown: BTreeMap<AssetId<Mesh>, Vec<Standing>>,
}

/// Paints the books anew where beliefs have changed.
pub(super) fn recolour(
    choices: Res<'_, Choices>,
    memory: Res<'_, Remembered>,
    shown: Res<'_, Shown>,
    furniture: Res<'_, Furniture>,
    mut meshes: ResMut<'_, Assets<Mesh>>,
    time: Res<'_, Time>,
    mut painted: Local<'_, Painted>,
) {
    let toggled = painted.beliefs != choices.beliefs;
    let news = choices.beliefs && painted.changes != memory.0.changes;
    let due = news && time.elapsed_secs() - painted.at_s > RECOLOUR_S;
    if !toggled && !due {
        return;
    }
    painted.beliefs = choices.beliefs;
    painted.changes = memory.0.changes;
    painted.at_s = time.elapsed_secs();
    if toggled {
        painted.shown.clear();
    }
    for books in &furniture.books {
        let scene = &shown.0;
        let standings: Vec<Standing> = if choices.beliefs {
            books.books.iter().map(|&i| memory.0.standing(scene, i)).collect()
        } else {
            Vec::new()
        };
        if painted.shown.get(&books.mesh.id()) == Some(&standings) {
            continue;
        }
        let colour = |i: usize| -> Rgb {
            let cover = books::cover(&scene.books[i]);
            if !choices.beliefs {
                return cover;
            }
            // A touch of the cover, so that one book still differs from the next.
            mix(srgb(standing_colour(memory.0.standing(scene, i))), cover, 0.12)
        };
        if let Some(mut mesh) = meshes.get_mut(&books.mesh) {
            *mesh = mesh_of(scene, &books.books, colour, &Spine::Painted).mesh();
        }
        painted.shown.insert(books.mesh.id(), standings);
    }
}

/// Printed spines for the books near the eye.
pub(super) struct Print(pub Option<Wardrobe>);

/// Print is drawn so fine, pixels a metre, on so many bays no farther away than this, m.
pub(super) const PRINT_PER_M: f32 = 1_200.0;
pub(super) const PRINT_BAYS: usize = 10;
const PRINT_WITHIN_M: f64 = 2.5;

/// Prints the spines near the eye, a bay at a time so that no hand on the mouse feels it; beliefs are shown without print.
pub(super) fn print(world: &mut World) {
    let Some(mut wardrobe) = world.non_send_mut::<Print>().0.take() else { return };
    let eye = world.query_filtered::<&Transform, With<Eye>>().iter(world).next().map(|t| t.translation);
    world.resource_scope(|world, shown: Mut<'_, Shown>| match eye {
        Some(eye) if !world.resource::<Choices>().beliefs => {
            wardrobe.dress(world, &shown.0, eye, PRINT_WITHIN_M, 1);
        }
        _ => wardrobe.undress(world),
    });
    world.non_send_mut::<Print>().0 = Some(wardrobe);
}

/// Lines and points over the scene.
pub(super) fn overlay(
    mut gizmos: Gizmos<'_, '_>,
    choices: Res<'_, Choices>,
    memory: Res<'_, Remembered>,
    shown: Res<'_, Shown>,
    selected: Res<'_, Selected>,
) {
    let (memory, scene) = (&memory.0, &shown.0);
    if choices.path {
        for (robot, trail) in memory.trails.iter().enumerate().filter(|(i, _)| scene.has_robot(*i)) {
            gizmos.linestrip(
                trail.iter().map(|[x, y]| Vec3::new(*x as f32, *y as f32, 0.015)),
                Color::srgb(0.12, 0.55, 0.56),
            );
            // Where it takes itself to be: a ring and a direction.
            if let Some([x, y, yaw]) = memory.poses.get(&robot).map(|p| p.map(|v| v as f32)) {
                let at = Isometry3d::from_translation(Vec3::new(x, y, 0.02));
                gizmos.circle(at, 0.33, Color::srgb(0.95, 0.45, 0.1)).resolution(40);
                let tip = Vec3::new(x + 0.5 * yaw.cos(), y + 0.5 * yaw.sin(), 0.02);
                gizmos.line(Vec3::new(x, y, 0.02), tip, Color::srgb(0.95, 0.45, 0.1));
            }
        }
    }
    if choices.lidar {
        lidar(&mut gizmos, memory, scene);
    }
    if choices.reads {
        sparks(&mut gizmos, memory, scene);
    }
    if choices.coverage {
        coverage(&mut gizmos, memory, scene);
    }
    if let Some(book) = selected.0.map(|i| &scene.books[i]) {
        let size = Vec3::from(book.size_m.map(|v| v as f32));
        let around =
            Affine3A::from_scale_rotation_translation(size + Vec3::splat(0.006), Quat::IDENTITY, size / 2.0);
        gizmos.cube(book_frame(&scene.faces[book.face], book) * around, Color::srgb(0.0, 0.85, 1.0));
    }
}

fn lidar(gizmos: &mut Gizmos<'_, '_>, memory: &Memory, scene: &Scene) {
    for (robot, (first, step, ranges)) in memory.scans.iter().filter(|(i, _)| scene.has_robot(**i)) {
        let (Some([x, y, yaw]), Some(s)) = (memory.now.robots.get(*robot), scene.robots.get(*robot)) else {
            continue;
        };
        let z = s.lidar.height_m as f32;
        for (i, r) in ranges.iter().enumerate().filter(|(_, r)| r.is_finite()) {
            let angle = *yaw as f32 + first + step * i as f32;
            let out = Vec3::new(angle.cos(), angle.sin(), 0.0);
            let hit = Vec3::new(*x as f32, *y as f32, z) + out * *r;
            gizmos.line(hit - Vec3::Z * 0.02, hit + Vec3::Z * 0.02, Color::srgb(1.0, 0.25, 0.2));
        }
    }
}

fn sparks(gizmos: &mut Gizmos<'_, '_>, memory: &Memory, scene: &Scene) {
    for spark in memory.sparks.iter().filter(|s| scene.has_robot(s.robot)) {
        let (Some([x, y, yaw]), Some(s)) =
            (memory.now.robots.get(spark.robot), scene.robots.get(spark.robot))
        else {
            continue;
        };
        let Some(mount) = s.antennas_m.get(usize::from(spark.port).wrapping_sub(1)) else { continue };
        let book = &scene.books[spark.book];
        let frame = book_frame(&scene.faces[book.face], book);
        let tag = frame.transform_point3(Vec3::new(0.0, 0.0, 0.08));
        let turn = Quat::from_rotation_z(*yaw as f32);
        let antenna = Vec3::new(*x as f32, *y as f32, 0.0) + turn * Vec3::from(mount.map(|v| v as f32));
        let fresh = (1.0 - (memory.now.now_s() - spark.at_s) / 0.35).clamp(0.0, 1.0) as f32;
        let glow = Color::srgba(1.0, 0.78, 0.2, 0.85 * fresh);
        gizmos.line_gradient(antenna, tag, Color::srgba(1.0, 0.85, 0.4, 0.05 * fresh), glow);
    }
}

/// A line along each tier, from red, where a book would not have been read, to green.
fn coverage(gizmos: &mut Gizmos<'_, '_>, memory: &Memory, scene: &Scene) {
    if let Some(floor) = scene.plan() {
        for face in &floor.faces {
            let Some(id) = floor.face_id(face).map(|id| id.to_string()) else { continue };
            let frame = shelf_frame(face);
            for (tier, n) in face.tiers.iter().zip(1u8..) {
                let Some((bin, shares)) = memory.coverage.get(&(id.clone(), n)) else { continue };
                for (i, share) in shares.iter().enumerate() {
                    let at = |k: usize| {
                        frame.transform_point3(Vec3::new(bin * k as f32, -0.012, tier.board_m as f32 - 0.01))
                    };
                    let colour = mix(srgb(0xd8433b), srgb(0x3fae6a), share.clamp(0.0, 1.0));
                    gizmos.line(at(i), at(i + 1), Color::linear_rgb(colour[0], colour[1], colour[2]));
                }
            }
        }
    }
}
