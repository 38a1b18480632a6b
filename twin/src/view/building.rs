//! The building: floor, walls, pillars, shelves with their boards and signs, markers, docks and desks.

use bevy::math::{Affine3A, Quat, Vec2, Vec3};
use domain::site::{Face, Floor, Marker, NamedPose, Wall};
use domain::tag36h11;

use super::books::shelf_frame;
use super::solid::{PLAIN, Rgb, Sides, Solid, circle, mix, rounded, srgb};
use crate::library::{BOARD_M, PANEL_M, UPRIGHT_M};

/// As high as the walls that the lidar meets, m.
pub(super) const WALL_M: f64 = 2.6;
/// Loops of walls with less area than this are pillars, m².
const PILLAR_M2: f64 = 4.0;

const WALL: u32 = 0xe9e4da;
const SKIRTING: u32 = 0xb9ab97;
const PILLAR: u32 = 0xdad4c8;
const STEEL: u32 = 0xcfd0cb;
const OAK: u32 = 0xb68a5c;
const DARK: u32 = 0x2d2f33;
/// The floor is a warm, worn parquet.
const PLANKS: [u32; 5] = [0xb99068, 0xb28a62, 0xbf976f, 0xad845d, 0xb58d66];
const PLANK_M: [f64; 2] = [1.2, 0.15];

/// What the building is made of, by how it takes the light.
#[derive(Default)]
pub(super) struct Building {
    /// Walls, wood, paper: no gloss.
    pub matt: Solid,
    /// The floor: a little gloss.
    pub floor: Solid,
    /// Painted steel.
    pub steel: Solid,
    /// Markers: they must not shine.
    pub markers: Solid,
    /// What gives light itself: windows, lamps.
    pub bright: Solid,
}

/// Builds a floor with everything that is fixed to it.
pub(super) fn build(floor: &Floor, extent: [[f64; 2]; 2]) -> Building {
    let mut b = Building::default();
    planks(&mut b.floor, extent);
    let mut roofed = false;
    for ring in rings(&floor.walls) {
        if ring.len() < 3 || ring[0] != ring[ring.len() - 1] {
            ring.windows(2).for_each(|w| slab(&mut b.matt, w[0], w[1]));
        } else if area(&ring).abs() < PILLAR_M2 {
            pillar(&mut b.matt, &ring);
        } else {
            room(&mut b, &ring);
            roofed = true;
        }
    }
    if roofed {
        ceiling(&mut b, extent);
    }
    for face in &floor.faces {
        shelves(&mut b, face);
    }
    floor.markers.iter().for_each(|m| marker(&mut b.markers, m));
    floor.docks.iter().for_each(|d| dock(&mut b, d));
    floor.desks.iter().for_each(|d| desk(&mut b.matt, d));
    for zone in &floor.no_go {
        let corners: Vec<Vec2> = zone.polygon_m.iter().map(|p| flat(*p)).collect();
        outline(&mut b.floor, &corners, srgb(0xc9483b));
    }
    b
}

fn flat(p: [f64; 2]) -> Vec2 {
    Vec2::new(p[0] as f32, p[1] as f32)
}

/// A frame at a place on the floor, x in the direction given in degrees.
pub(super) fn place(at: [f64; 2], heading_deg: f64) -> Affine3A {
    let turn = Quat::from_rotation_z(heading_deg.to_radians() as f32);
    Affine3A::from_rotation_translation(turn, flat(at).extend(0.0))
}

/// Planks laid in rows, each a little different; wide halls get wide planks.
fn planks(solid: &mut Solid, [low, high]: [[f64; 2]; 2]) {
    let at = Affine3A::IDENTITY;
    let rows = (high[1] - low[1]) / PLANK_M[1];
    let scale = (((high[0] - low[0]) / PLANK_M[0] * rows) / 20_000.0).sqrt().max(1.0);
    let [length, width] = PLANK_M.map(|v| v * scale);
    let mut row = 0u32;
    let mut y = low[1];
    while y < high[1] {
        let mut x = low[0] - length * f64::from(row * 37 % 100) / 100.0;
        let mut k = row.wrapping_mul(7);
        while x < high[0] {
            let (x0, x1) = (x.max(low[0]) as f32, (x + length).min(high[0]) as f32);
            let (y0, y1) = (y as f32, (y + width).min(high[1]) as f32);
            let colour = srgb(PLANKS[(k.wrapping_mul(2_654_435_761) >> 16) as usize % PLANKS.len()]);
            let seam = 0.0015;
            let corners = [(x0, y0), (x1 - seam, y0), (x1 - seam, y1 - seam), (x0, y1 - seam)];
            solid.quad(&at, corners.map(|(x, y)| Vec3::new(x, y, 0.0)), colour, [PLAIN; 2]);
            x += length;
            k += 1;
        }
        y += width;
        row += 1;
    }
    // What shows in the seams.
    let [l, h] = [flat(low), flat(high)];
    let corners = [l, Vec2::new(h.x, l.y), h, Vec2::new(l.x, h.y)];
    solid.lid(&at, &corners, -0.002, srgb(0x7a5b3f));
}

/// Walls joined end to end.
fn rings(walls: &[Wall]) -> Vec<Vec<[f64; 2]>> {
    let mut out: Vec<Vec<[f64; 2]>> = Vec::new();
    for wall in walls {
        match out.last_mut() {
            Some(ring) if ring.last() == Some(&wall.from_m) && ring.first() != Some(&wall.from_m) => {
                ring.push(wall.to_m);
            }
            _ => out.push(vec![wall.from_m, wall.to_m]),
        }
    }
    out
}

/// Positive where the ring runs counter-clockwise, m².
fn area(ring: &[[f64; 2]]) -> f64 {
    ring.windows(2).map(|w| w[0][0] * w[1][1] - w[1][0] * w[0][1]).sum::<f64>() / 2.0
}

/// A wall that stands free, seen from both sides.
fn slab(solid: &mut Solid, from: [f64; 2], to: [f64; 2]) {
    let (a, b) = (flat(from), flat(to));
    let along = b - a;
    let at =
        Affine3A::from_rotation_translation(Quat::from_rotation_z(along.y.atan2(along.x)), a.extend(0.0));
    solid.cuboid(
        &at,
        Vec3::new(0.0, -0.005, 0.0),
        Vec3::new(along.length(), 0.005, WALL_M as f32),
        srgb(WALL),
    );
}

fn pillar(solid: &mut Solid, ring: &[[f64; 2]]) {
    let mut corners: Vec<Vec2> = ring[..ring.len() - 1].iter().map(|p| flat(*p)).collect();
    if area(ring) < 0.0 {
        corners.reverse();
    }
    let at = Affine3A::IDENTITY;
    solid.prism(&at, &corners, [0.0, WALL_M as f32], Sides::Flat, srgb(PILLAR));
}

/// The walls of a room, seen from within only, so that one can look into it from outside.
fn room(b: &mut Building, ring: &[[f64; 2]]) {
    let mut corners: Vec<[f64; 2]> = ring.to_vec();
    if area(ring) < 0.0 {
        corners.reverse();
    }
    for w in corners.windows(2) {
        let (from, to) = (flat(w[1]), flat(w[0]));
        let along = to - from;
        let length = along.length();
        if length < 1e-3 {
            continue;
        }
        // x along the wall, y out of the room.
        let turn = Quat::from_rotation_z(along.y.atan2(along.x));
        let at = Affine3A::from_rotation_translation(turn, from.extend(0.0));
        let wall = |solid: &mut Solid, x: [f32; 2], z: [f32; 2], before: f32, colour: Rgb| {
            let corners = [(x[0], z[0]), (x[1], z[0]), (x[1], z[1]), (x[0], z[1])];
            solid.quad(&at, corners.map(|(x, z)| Vec3::new(x, before, z)), colour, [PLAIN; 2]);
        };
        let top = WALL_M as f32;
        wall(&mut b.matt, [0.0, length], [0.0, top], 0.0, srgb(WALL));
        wall(&mut b.matt, [0.0, length], [0.0, 0.09], -0.006, srgb(SKIRTING));
        // Windows in long walls, evenly.
        if length > 6.0 {
            let n = (length / 3.2).floor();
            let pitch = length / n;
            for i in 0..n as u32 {
                let middle = pitch * (i as f32 + 0.5);
                let (x0, x1) = (middle - 0.75, middle + 0.75);
                wall(&mut b.matt, [x0 - 0.06, x1 + 0.06], [0.92, 2.38], -0.004, srgb(0xfbfaf6));
                wall(&mut b.bright, [x0, middle - 0.02], [0.98, 2.32], -0.007, srgb(0xcfe3f2));
                wall(&mut b.bright, [middle + 0.02, x1], [0.98, 2.32], -0.007, srgb(0xcfe3f2));
            }
        }
    }
}

/// A white ceiling with lamps in rows, seen from below only, so that one can look into the room from above. It shines as the
/// light in the room would make it.
fn ceiling(b: &mut Building, [low, high]: [[f64; 2]; 2]) {
    let ([l, h], top) = ([flat(low), flat(high)], WALL_M as f32);
    let panel = |solid: &mut Solid, l: Vec2, h: Vec2, z: f32, colour: Rgb| {
        let corners = [(l.x, h.y), (h.x, h.y), (h.x, l.y), (l.x, l.y)];
        solid.quad(&Affine3A::IDENTITY, corners.map(|(x, y)| Vec3::new(x, y, z)), colour, [PLAIN; 2]);
    };
    panel(&mut b.bright, l, h, top, srgb(0xd6d3cb));
    // Bars of light along the longer side, one every 2.4 m at least.
    let size = h - l;
    let pitch = 2.4f32.max((size.x * size.y / 400.0).sqrt());
    let lamp = if size.x >= size.y { Vec2::new(0.6, 0.08) } else { Vec2::new(0.08, 0.6) };
    let (columns, rows) = ((size.x / pitch).floor().max(1.0), (size.y / pitch).floor().max(1.0));
    for i in 0..columns as u32 {
        for j in 0..rows as u32 {
            let part = Vec2::new((i as f32 + 0.5) / columns, (j as f32 + 0.5) / rows);
            let at = l + size * part;
            panel(&mut b.bright, at - lamp, at + lamp, top - 0.01, srgb(0xffffff));
        }
    }
}

/// Base, back panel, uprights, boards and ends of a row face, as the lidar meets them too.
fn shelves(b: &mut Building, face: &Face) {
    let at = shelf_frame(face);
    let (length, depth) = (face.length_m() as f32, face.depth_m as f32);
    let first = face.tiers.first().map_or(0.0, |t| t.board_m) as f32;
    let top = face.tiers.last().map_or(0.0, |t| t.board_m + t.clear_m) as f32;
    let (steel, oak) = (srgb(STEEL), srgb(OAK));
    let part = |solid: &mut Solid, x: [f32; 2], y: [f32; 2], z: [f32; 2], colour: Rgb| {
        solid.cuboid(&at, Vec3::new(x[0], y[0], z[0]), Vec3::new(x[1], y[1], z[1]), colour);
    };
    let half = UPRIGHT_M as f32 / 2.0;
    let board = BOARD_M as f32;
    part(
        &mut b.steel,
        [half, length - half],
        [0.012, depth],
        [0.0, first - board],
        mix(steel, [0.0; 3], 0.25),
    );
    part(&mut b.steel, [half, length - half], [0.0, depth], [first - board, first], steel);
    part(
        &mut b.steel,
        [0.0, length],
        [depth, depth + PANEL_M as f32 / 2.0],
        [0.0, top],
        mix(steel, [0.0; 3], 0.1),
    );
    for k in 0..=face.bays {
        let x = (f64::from(k) * face.bay_width_m) as f32;
        let end = k == 0 || k == face.bays;
        let (left, right) = ((x - half).max(0.0), (x + half).min(length));
        let colour = if end { oak } else { mix(steel, [0.0; 3], 0.04) };
        let solid = if end { &mut b.matt } else { &mut b.steel };
        part(solid, [left, right], [0.0, depth], [if end { 0.0 } else { first }, top], colour);
    }
    for tier in face.tiers.iter().skip(1) {
        let z = tier.board_m as f32;
        part(&mut b.steel, [half, length - half], [0.0, depth], [z - board, z], steel);
    }
    // A cover on top, of wood like the ends.
    part(&mut b.matt, [0.0, length], [-0.004, depth + PANEL_M as f32 / 2.0], [top, top + 0.022], oak);
    // Slips with the range of call numbers sit on the boards' edges, in the middle of each bay.
    for bay in 0..face.bays {
        for tier in &face.tiers {
            let x = ((f64::from(bay) + 0.5) * face.bay_width_m) as f32;
            let z = tier.board_m as f32 - board;
            let corners =
                [(x - 0.05, z + 0.002), (x + 0.05, z + 0.002), (x + 0.05, z + 0.018), (x - 0.05, z + 0.018)];
            b.matt.quad(&at, corners.map(|(x, z)| Vec3::new(x, -0.0012, z)), srgb(0xfaf7ee), [PLAIN; 2]);
        }
    }
}

/// A frame at a marker's centre: x to the right as one faces it, y away from the reader, z up.
fn before_marker(m: &Marker) -> Affine3A {
    place([m.at_m[0], m.at_m[1]], m.heading_deg + 90.0)
        * Affine3A::from_translation(Vec3::new(0.0, 0.0, m.at_m[2] as f32))
}

/// The black square of a marker in one colour, for the picture of truth.
pub(super) fn marker_square(solid: &mut Solid, m: &Marker, colour: Rgb) {
    let edge = m.size_m as f32 / 2.0;
    let corners = [(-edge, -edge), (edge, -edge), (edge, edge), (-edge, edge)];
    solid.quad(&before_marker(m), corners.map(|(x, z)| Vec3::new(x, -0.004, z)), colour, [PLAIN; 2]);
}

/// A marker on white board: one cell of white around the black square.
fn marker(solid: &mut Solid, m: &Marker) {
    let Some(cells) = tag36h11::cells(m.id) else { return };
    let at = before_marker(m);
    let n = tag36h11::CELLS;
    let cell = m.size_m as f32 / n as f32;
    let edge = n as f32 / 2.0 * cell;
    let mut square = |x: [f32; 2], z: [f32; 2], before: f32, colour: Rgb| {
        let corners = [(x[0], z[0]), (x[1], z[0]), (x[1], z[1]), (x[0], z[1])];
        solid.quad(&at, corners.map(|(x, z)| Vec3::new(x, -before, z)), colour, [PLAIN; 2]);
    };
    square([-edge - cell, edge + cell], [-edge - cell, edge + cell], 0.002, srgb(0xf4f4f2));
    for (row, line) in cells.iter().enumerate() {
        let z = edge - (row + 1) as f32 * cell;
        // Neighbouring black cells are one strip: no seams, few triangles.
        let mut column = 0;
        while column < n {
            let black = line[column..].iter().take_while(|white| !**white).count();
            if black > 0 {
                let x = column as f32 * cell - edge;
                square([x, x + black as f32 * cell], [z, z + cell], 0.003, srgb(0x141414));
            }
            column += black.max(1);
        }
    }
}

fn dock(b: &mut Building, d: &NamedPose) {
    // The robot stands before its dock, looking away from it.
    let at = place(d.at_m, d.heading_deg);
    let pad = rounded(Vec2::new(-0.34, -0.3), Vec2::new(0.34, 0.3), 0.08);
    b.steel.prism(&at, &pad, [0.0, 0.006], Sides::Smooth, srgb(0x3b3f45));
    let tower = rounded(Vec2::new(-0.46, -0.17), Vec2::new(-0.36, 0.17), 0.03);
    b.steel.prism(&at, &tower, [0.0, 0.36], Sides::Smooth, srgb(DARK));
    b.bright.cuboid(&at, Vec3::new(-0.361, -0.1, 0.27), Vec3::new(-0.357, 0.1, 0.29), srgb(0x59d98e));
}

fn desk(solid: &mut Solid, d: &NamedPose) {
    let at = place(d.at_m, d.heading_deg);
    let front = rounded(Vec2::new(-0.38, -0.7), Vec2::new(0.08, 0.7), 0.06);
    let top = rounded(Vec2::new(-0.42, -0.76), Vec2::new(0.14, 0.76), 0.08);
    solid.prism(&at, &front, [0.0, 0.98], Sides::Smooth, srgb(0xa97c50));
    solid.prism(&at, &top, [0.98, 1.02], Sides::Smooth, srgb(0xe9e2d3));
    // A screen and a stack of returned books.
    solid.cuboid(&at, Vec3::new(-0.2, -0.28, 1.02), Vec3::new(-0.14, 0.1, 1.04), srgb(DARK));
    solid.cuboid(&at, Vec3::new(-0.18, -0.26, 1.1), Vec3::new(-0.16, 0.08, 1.34), srgb(DARK));
    for (i, colour) in [0x8c2f2b, 0x2e4f79, 0xd1a85b].into_iter().enumerate() {
        let z = 1.02 + 0.03 * i as f32;
        let turned = at * Affine3A::from_rotation_z(0.1 * i as f32 - 0.1);
        solid.cuboid(&turned, Vec3::new(-0.2, 0.35, z), Vec3::new(-0.05, 0.57, z + 0.03), srgb(colour));
    }
}

/// A painted line around a zone.
fn outline(solid: &mut Solid, corners: &[Vec2], colour: Rgb) {
    for (i, a) in corners.iter().enumerate() {
        let b = corners[(i + 1) % corners.len()];
        let along = b - *a;
        let turn = Quat::from_rotation_z(along.y.atan2(along.x));
        let at = Affine3A::from_rotation_translation(turn, a.extend(0.0));
        let half = 0.025;
        let line =
            [(-half, -half), (along.length() + half, -half), (along.length() + half, half), (-half, half)];
        solid.quad(&at, line.map(|(x, y)| Vec3::new(x, y, 0.003)), colour, [PLAIN; 2]);
    }
    for a in corners {
        solid.lid(&Affine3A::IDENTITY, &circle(*a, 0.05, 16), 0.004, colour);
    }
}
