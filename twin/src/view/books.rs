//! Books as boxes with a round spine, a paper edge and the colours of a well-used library.

use std::f32::consts::{FRAC_PI_2, PI};

use bevy::math::{Affine3A, Quat, Vec2, Vec3};
use domain::site::Face;

use super::scene::Book;
use super::solid::{PLAIN, Rgb, Solid, mix, srgb};
use crate::covers::{self, trait_of};
use crate::stacks::{LEAN_RAD, Posture};

const PAPER: u32 = 0xf2ead6;
const LABEL: u32 = 0xfbf8f0;
/// The label with the call number: its lower edge above the board, and its height, m.
pub(super) const LABEL_M: [f32; 2] = [0.022, 0.038];
/// How far a spine bulges, of the thickness.
const BULGE: f32 = 0.14;
const SPINE_STEPS: usize = 4;

/// A frame in which x runs along a face, y into the shelf and z up.
pub(super) fn shelf_frame(face: &Face) -> Affine3A {
    let [x, y] = face.origin_m;
    let turn = Quat::from_rotation_z(face.heading_deg.to_radians() as f32);
    Affine3A::from_rotation_translation(turn, Vec3::new(x as f32, y as f32, 0.0))
}

/// A frame in which a book stands upright at the origin, x along its thickness, y from the spine to the fore edge and z up
/// its spine; in the frame of its face.
fn posture_frame(book: &Book) -> Affine3A {
    let [t, _, h] = book.size_m.map(|v| v as f32);
    let lean = LEAN_RAD as f32;
    // Where the book's own corner comes to lie, and its turn to the left as one faces the spine.
    let (corner, left) = match book.posture {
        Posture::Upright => (Vec3::ZERO, 0.0),
        Posture::UpsideDown => (Vec3::new(t, 0.0, h), PI),
        // On its back cover, so that its title can be read.
        Posture::Lying => (Vec3::new(h, 0.0, 0.0), FRAC_PI_2),
        Posture::Leaning => (Vec3::new(h * lean.sin(), 0.0, 0.0), lean),
    };
    let at = Vec3::from(book.corner_m.map(|v| v as f32)) + corner;
    Affine3A::from_rotation_translation(Quat::from_rotation_y(-left), at)
}

/// The same on the map.
pub(super) fn book_frame(face: &Face, book: &Book) -> Affine3A {
    shelf_frame(face) * posture_frame(book)
}

/// Colour of a book's cover.
pub(super) fn cover(book: &Book) -> Rgb {
    let pick = trait_of(&book.uid, 1);
    let base = srgb(covers::cover(&book.uid));
    // Worn or fresh, a little each.
    let shade = (pick >> 8 & 0xff) as f32 / 255.0;
    if shade < 0.5 {
        mix(base, [0.0; 3], 0.25 * (0.5 - shade))
    } else {
        mix(base, [1.0; 3], 0.12 * (shade - 0.5))
    }
}

/// Colour of print on a cover: light on dark, dark on light, whichever differs more.
pub(super) fn ink(cover: Rgb, pick: u32) -> Rgb {
    let luminance = 0.2126 * cover[0] + 0.7152 * cover[1] + 0.0722 * cover[2];
    match (luminance > 0.2, pick % 3) {
        (true, 0) => srgb(0x5a2320),
        (true, _) => srgb(0x24211f),
        (false, 0) => srgb(0xe6c77a),
        (false, _) => srgb(0xf4efe2),
    }
}

/// Colour of a field behind a title: print stands out on it as on the cover, or better.
pub(super) fn field(cover: Rgb) -> Rgb {
    let luminance = 0.2126 * cover[0] + 0.7152 * cover[1] + 0.0722 * cover[2];
    if luminance > 0.2 { mix(cover, [1.0; 3], 0.35) } else { mix(cover, [0.0; 3], 0.45) }
}

/// How a spine looks.
pub(super) enum Spine {
    /// In one colour, with bands and a label in others.
    Painted,
    /// In one colour throughout: by what is believed of the book, or by its number.
    Flat,
    /// From a texture: upper left and lower right corner in it.
    Textured([[f32; 2]; 2]),
}

/// Adds a book. `colour` is that of its cover, or of all of it where the spine is flat.
pub(super) fn add(solid: &mut Solid, face: &Face, book: &Book, colour: Rgb, spine: &Spine) {
    let at = book_frame(face, book);
    let [t, d, h] = book.size_m.map(|v| v as f32);
    // A hair of air between neighbours.
    let (left, right) = (0.0003f32.min(t / 4.0), t - 0.0003f32.min(t / 4.0));
    let flat = matches!(spine, Spine::Flat);
    let arc: Vec<Vec2> = (0..=SPINE_STEPS)
        .map(|i| {
            let u = i as f32 / SPINE_STEPS as f32;
            let bulge = BULGE * t * (1.0 - (2.0 * u - 1.0).powi(2));
            Vec2::new(left + (right - left) * u, (BULGE * t).min(0.004) - bulge.min(0.004))
        })
        .collect();
    let uv = match spine {
        Spine::Textured(uv) => *uv,
        Spine::Painted | Spine::Flat => [PLAIN; 2],
    };
    let spine_colour = if matches!(spine, Spine::Textured(_)) { [1.0; 3] } else { colour };
    spine_strip(solid, &at, &arc, [0.0, h], spine_colour, uv);
    let front = arc[0].y;
    let sides = [
        [
            Vec3::new(left, d, 0.0),
            Vec3::new(left, front, 0.0),
            Vec3::new(left, front, h),
            Vec3::new(left, d, h),
        ],
        [
            Vec3::new(right, front, 0.0),
            Vec3::new(right, d, 0.0),
            Vec3::new(right, d, h),
            Vec3::new(right, front, h),
        ],
    ];
    for corners in sides {
        solid.quad(&at, corners, colour, [PLAIN; 2]);
    }
    // Paper shows from above between the covers.
    let top: Vec<Vec2> = arc.iter().copied().chain([Vec2::new(right, d), Vec2::new(left, d)]).collect();
    solid.lid(&at, &top, h, colour);
    if book.posture != Posture::Upright {
        underside(solid, &at, &top, colour, flat);
    }
    if !flat {
        let rim = 0.0022f32.min(t / 5.0);
        let inset = [
            Vec2::new(left + rim, front + 0.004),
            Vec2::new(right - rim, front + 0.004),
            Vec2::new(right - rim, d - 0.002),
            Vec2::new(left + rim, d - 0.002),
        ];
        solid.lid(&at, &inset, h + 0.0004, srgb(PAPER));
    }
    if matches!(spine, Spine::Painted) {
        decorate(solid, &at, &arc, book, colour);
    }
}

/// The lower edge, which shows only where a book does not stand on it.
fn underside(solid: &mut Solid, at: &Affine3A, outline: &[Vec2], colour: Rgb, flat: bool) {
    let deepest = outline.iter().map(|p| p.y).fold(0.0, f32::max);
    let turned = Affine3A::from_rotation_translation(Quat::from_rotation_x(PI), Vec3::new(0.0, deepest, 0.0));
    // Seen from below the outline runs the other way round.
    let mirrored: Vec<Vec2> = outline.iter().rev().map(|p| Vec2::new(p.x, deepest - p.y)).collect();
    solid.lid(&(*at * turned), &mirrored, 0.0, colour);
    if !flat {
        let paper: Vec<Vec2> =
            mirrored.iter().map(|p| Vec2::new(p.x, p.y.clamp(0.002, deepest - 0.005))).collect();
        solid.lid(&(*at * turned), &paper, 0.0004, srgb(PAPER));
    }
}

/// The spine: a strip of upright faces along an arc.
fn spine_strip(solid: &mut Solid, at: &Affine3A, arc: &[Vec2], z: [f32; 2], colour: Rgb, uv: [[f32; 2]; 2]) {
    let first = solid.positions.len() as u32;
    let last = arc.len() - 1;
    for (i, p) in arc.iter().enumerate() {
        let along = arc[(i + 1).min(last)] - arc[i.saturating_sub(1)];
        let normal = Vec3::new(along.y, -along.x, 0.0);
        let u = uv[0][0] + (uv[1][0] - uv[0][0]) * i as f32 / last as f32;
        solid.vertex(at, p.extend(z[0]), normal, colour, [u, uv[1][1]]);
        solid.vertex(at, p.extend(z[1]), normal, colour, [u, uv[0][1]]);
    }
    for i in 0..last as u32 {
        let a = first + 2 * i;
        solid.indices.extend([a, a + 2, a + 3, a, a + 3, a + 1]);
    }
}

/// The label with the call number, and the bands that binders like.
fn decorate(solid: &mut Solid, at: &Affine3A, arc: &[Vec2], book: &Book, colour: Rgb) {
    let [t, _, h] = book.size_m.map(|v| v as f32);
    let before: Vec<Vec2> = arc.iter().map(|p| Vec2::new(p.x, p.y - 0.0004)).collect();
    let mut strip = |z: [f32; 2], colour: Rgb| spine_strip(solid, at, &before, z, colour, [PLAIN; 2]);
    if !book.call_number.is_empty() {
        strip([LABEL_M[0], LABEL_M[0] + LABEL_M[1]], srgb(LABEL));
    }
    let pick = trait_of(&book.uid, 2);
    let ink = mix(colour, ink(colour, pick), 0.8);
    match pick >> 4 & 3 {
        0 => {
            strip([0.86 * h, 0.865 * h], ink);
            strip([0.93 * h, 0.935 * h], ink);
        }
        1 => strip([0.62 * h, 0.88 * h], field(colour)),
        2 if t > 0.018 => strip([0.95 * h, 0.965 * h], ink),
        _ => {}
    }
}
