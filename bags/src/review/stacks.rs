//! The library as built: shelves, walls, docks and no-go zones in space, and each row face as an elevation.
//!
//! An elevation is a 2-D picture in metres: x along the face to the right, y downwards, so that `y = -height`.

use domain::site::{Face, Floor};
use re_sdk_types::archetypes::{Boxes3D, LineStrips2D, LineStrips3D, Points2D, Points3D, ViewCoordinates};
use re_sdk_types::components::{FillMode, Radius};

use super::error::ReviewError;
use super::log::{Log, path};
use super::palette::{BOARD, DOCK, NAME, NO_GO, UPRIGHT, WALL};

/// Thickness of boards and uprights, m.
const BOARD_M: f64 = 0.025;
/// Walls are drawn this low, m, so that one looks over them.
const WALL_M: f64 = 0.3;

/// A box on the map: centre, half sizes and direction.
struct Block {
    centre: [f32; 3],
    half: [f32; 3],
    turn: [f32; 4],
}

/// A box between two corners in face coordinates.
fn block(face: &Face, low: [f64; 3], high: [f64; 3]) -> Block {
    let centre = face.map_from_face(std::array::from_fn(|i| 0.5 * (low[i] + high[i])));
    Block {
        centre: centre.map(|c| c as f32),
        half: std::array::from_fn(|i| (0.5 * (high[i] - low[i])) as f32),
        turn: turned(face.heading_deg),
    }
}

/// A turn about the vertical, degrees, as a quaternion (x, y, z, w).
pub(super) fn turned(degrees: f64) -> [f32; 4] {
    let (s, c) = (0.5 * degrees.to_radians()).sin_cos();
    [0.0, 0.0, s as f32, c as f32]
}

fn blocks(of: &[Block]) -> Boxes3D {
    Boxes3D::from_centers_and_half_sizes(of.iter().map(|b| b.centre), of.iter().map(|b| b.half))
        .with_quaternions(of.iter().map(|b| re_sdk_types::datatypes::Quaternion::from_xyzw(b.turn)))
        .with_fill_mode(FillMode::Solid)
}

/// Draws one floor.
pub(super) fn draw(log: &mut Log, floor: &Floor) -> Result<(), ReviewError> {
    log.fix("/", &ViewCoordinates::RIGHT_HAND_Z_UP())?;
    let site = |name: &str| path(["site", &floor.id, name]);
    for face in &floor.faces {
        shelves(log, floor, face)?;
        elevation(log, &format!("{}/{}", floor.id, face.id), face)?;
    }
    let walls: Vec<Block> = floor.walls.iter().map(wall).collect();
    log.fix_on_map(site("walls"), &blocks(&walls).with_colors([WALL]))?;
    let names = floor.faces.iter().map(|f| {
        let top = f.tiers.last().map_or(1.0, |t| t.board_m + t.clear_m);
        f.map_from_face([0.5 * f.length_m(), 0.0, top + 0.15]).map(|c| c as f32)
    });
    log.fix_on_map(
        site("names"),
        &Points3D::new(names)
            .with_labels(floor.faces.iter().map(|f| f.id.as_str()))
            .with_show_labels(true)
            .with_colors([NAME])
            .with_radii([Radius::new_ui_points(1.0)]),
    )?;
    if !floor.no_go.is_empty() {
        let zones = floor.no_go.iter().map(|z| {
            z.polygon_m
                .iter()
                .chain(z.polygon_m.first())
                .map(|p| [p[0] as f32, p[1] as f32, 0.01])
                .collect::<Vec<_>>()
        });
        log.fix_on_map(
            site("no_go"),
            &LineStrips3D::new(zones)
                .with_labels(floor.no_go.iter().map(|z| z.id.as_str()))
                .with_colors([NO_GO]),
        )?;
    }
    let places = || floor.docks.iter().chain(&floor.desks).chain(&floor.places);
    if places().next().is_some() {
        log.fix_on_map(
            site("places"),
            &Points3D::new(places().map(|p| [p.at_m[0] as f32, p.at_m[1] as f32, 0.02]))
                .with_labels(places().map(|p| p.id.as_str()))
                .with_colors([DOCK])
                .with_radii([Radius::new_scene_units(0.06)]),
        )?;
    }
    Ok(())
}

fn wall(wall: &domain::site::Wall) -> Block {
    let (a, b) = (wall.from_m, wall.to_m);
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    Block {
        centre: [(0.5 * (a[0] + b[0])) as f32, (0.5 * (a[1] + b[1])) as f32, (0.5 * WALL_M) as f32],
        half: [(0.5 * dx.hypot(dy)) as f32, (0.5 * BOARD_M) as f32, (0.5 * WALL_M) as f32],
        turn: turned(dy.atan2(dx).to_degrees()),
    }
}

fn shelves(log: &mut Log, floor: &Floor, face: &Face) -> Result<(), ReviewError> {
    let (length, depth) = (face.length_m(), face.depth_m);
    let top = face.tiers.last().map_or(0.0, |t| t.board_m + t.clear_m);
    let boards: Vec<Block> = face
        .tiers
        .iter()
        .map(|t| block(face, [0.0, -depth, t.board_m - BOARD_M], [length, 0.0, t.board_m]))
        .collect();
    let mut uprights: Vec<Block> = (0..=face.bays)
        .map(|i| f64::from(i) * face.bay_width_m)
        .map(|x| block(face, [x - 0.5 * BOARD_M, -depth, 0.0], [x + 0.5 * BOARD_M, 0.0, top]))
        .collect();
    // The back panel: what shows which way a face looks.
    uprights.push(block(face, [0.0, -depth, 0.0], [length, -depth + 0.01, top]));
    let at = |name: &str| path(["site", &floor.id, &face.id, name]);
    log.fix_on_map(at("boards"), &blocks(&boards).with_colors([BOARD]))?;
    log.fix_on_map(at("uprights"), &blocks(&uprights).with_colors([UPRIGHT]))
}

/// An entity of a face's elevation.
pub(super) fn on_elevation(face: &str, name: &str) -> re_sdk::EntityPath {
    path(std::iter::once("shelf").chain(face.split('/')).chain([name]))
}

fn elevation(log: &mut Log, id: &str, face: &Face) -> Result<(), ReviewError> {
    let length = face.length_m() as f32;
    let top = face.tiers.last().map_or(0.0, |t| t.board_m + t.clear_m) as f32;
    let boards = face.tiers.iter().map(|t| [[0.0, -t.board_m as f32], [length, -t.board_m as f32]]);
    log.fix(
        on_elevation(id, "boards"),
        &LineStrips2D::new(boards).with_colors([BOARD]).with_radii([Radius::new_scene_units(0.006)]),
    )?;
    let bay = |i: u16| (f64::from(i) * face.bay_width_m) as f32;
    let uprights = (0..=face.bays).map(|i| [[bay(i), 0.0], [bay(i), -top]]);
    log.fix(
        on_elevation(id, "uprights"),
        &LineStrips2D::new(uprights).with_colors([UPRIGHT]).with_radii([Radius::new_scene_units(0.006)]),
    )?;
    let bays = (0..face.bays).map(|i| ([0.5 * (bay(i) + bay(i + 1)), -top - 0.06], format!("B{:02}", i + 1)));
    let tiers = face
        .tiers
        .iter()
        .zip(1..)
        .map(|(t, n)| ([-0.08, -(t.board_m + 0.5 * t.clear_m) as f32], format!("T{n}")));
    let (places, names): (Vec<[f32; 2]>, Vec<String>) = bays.chain(tiers).unzip();
    log.fix(
        on_elevation(id, "names"),
        &Points2D::new(places)
            .with_labels(names)
            .with_show_labels(true)
            .with_colors([NAME])
            .with_radii([Radius::new_ui_points(0.5)]),
    )
}
