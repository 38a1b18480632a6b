//! Triangles with normals, colours and texture coordinates: what all that is drawn is made of.
//!
//! Shapes are given in a frame of their own whose z points up, and an [`Affine3A`] puts them on the map. Many shapes go
//! into one [`Solid`], so that a row of books is one draw call.

use std::f32::consts::{PI, TAU};

use bevy::asset::RenderAssetUsages;
use bevy::math::{Affine3A, Vec2, Vec3};
use bevy::mesh::{Indices, Mesh, PrimitiveTopology};

/// A linear colour, red, green, blue.
pub(super) type Rgb = [f32; 3];

/// A colour from its sRGB code, `0xrrggbb`.
pub(super) fn srgb(code: u32) -> Rgb {
    [16, 8, 0].map(|shift| linear(((code >> shift) & 0xff) as f32 / 255.0))
}

/// An sRGB component, 0 to 1, as a linear one.
pub(super) fn linear(v: f32) -> f32 {
    if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

/// Of a colour, a share of another.
pub(super) fn mix(a: Rgb, b: Rgb, share: f32) -> Rgb {
    [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * share)
}

/// Where a vertex looks up a texture; the corner texel is white in every texture that is used here.
pub(super) const PLAIN: [f32; 2] = [0.0, 0.0];

/// A heap of triangles.
#[derive(Debug, Clone, Default)]
pub(super) struct Solid {
    pub positions: Vec<[f32; 3]>,
    pub normals: Vec<[f32; 3]>,
    pub colours: Vec<[f32; 4]>,
    pub uvs: Vec<[f32; 2]>,
    pub indices: Vec<u32>,
}

/// The sides of a prism or of a turned body: whether their edges show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sides {
    Flat,
    Smooth,
}

impl Solid {
    pub fn vertex(&mut self, at: &Affine3A, p: Vec3, normal: Vec3, colour: Rgb, uv: [f32; 2]) -> u32 {
        self.positions.push(at.transform_point3(p).to_array());
        self.normals.push(at.transform_vector3(normal).normalize_or_zero().to_array());
        self.colours.push([colour[0], colour[1], colour[2], 1.0]);
        self.uvs.push(uv);
        self.positions.len() as u32 - 1
    }

    /// A rectangle, its corners counter-clockwise as seen from where it shows; texture coordinates go from the upper
    /// left corner `uv[0]` to the lower right one `uv[1]`, corners being lower left, lower right, upper right, upper left.
    pub fn quad(&mut self, at: &Affine3A, corners: [Vec3; 4], colour: Rgb, uv: [[f32; 2]; 2]) {
        let normal = (corners[1] - corners[0]).cross(corners[3] - corners[0]);
        let [[u0, v0], [u1, v1]] = uv;
        let uvs = [[u0, v1], [u1, v1], [u1, v0], [u0, v0]];
        let first = self.positions.len() as u32;
        for (p, uv) in corners.into_iter().zip(uvs) {
            self.vertex(at, p, normal, colour, uv);
        }
        self.indices.extend([0, 1, 2, 0, 2, 3].map(|i| first + i));
    }

    /// A box from its low corner to its high one.
    pub fn cuboid(&mut self, at: &Affine3A, low: Vec3, high: Vec3, colour: Rgb) {
        let outline = [
            Vec2::new(low.x, low.y),
            Vec2::new(high.x, low.y),
            Vec2::new(high.x, high.y),
            Vec2::new(low.x, high.y),
        ];
        self.prism(at, &outline, [low.z, high.z], Sides::Flat, colour);
        let (l, h) = (low, high);
        let bottom = [(h.x, l.y), (l.x, l.y), (l.x, h.y), (h.x, h.y)];
        self.quad(at, bottom.map(|(x, y)| Vec3::new(x, y, l.z)), colour, [PLAIN; 2]);
    }

    /// A convex outline, counter-clockwise from above, stretched from one height to another; open below.
    pub fn prism(&mut self, at: &Affine3A, outline: &[Vec2], z: [f32; 2], sides: Sides, colour: Rgb) {
        self.walls(at, outline, z, sides, colour);
        self.lid(at, outline, z[1], colour);
    }

    /// The walls of a prism.
    pub fn walls(&mut self, at: &Affine3A, outline: &[Vec2], z: [f32; 2], sides: Sides, colour: Rgb) {
        let n = outline.len();
        let across = |i: usize| {
            let edge = outline[(i + 1) % n] - outline[i % n];
            Vec2::new(edge.y, -edge.x).normalize_or_zero()
        };
        for i in 0..n {
            let (a, b) = (outline[i], outline[(i + 1) % n]);
            let normals = match sides {
                Sides::Flat => [across(i), across(i)],
                Sides::Smooth => [across(i + n - 1) + across(i), across(i) + across(i + 1)],
            };
            let first = self.positions.len() as u32;
            for (p, height, normal) in
                [(a, z[0], normals[0]), (b, z[0], normals[1]), (b, z[1], normals[1]), (a, z[1], normals[0])]
            {
                self.vertex(at, p.extend(height), normal.extend(0.0), colour, PLAIN);
            }
            self.indices.extend([0, 1, 2, 0, 2, 3].map(|i| first + i));
        }
    }

    /// A convex outline at one height, seen from above.
    pub fn lid(&mut self, at: &Affine3A, outline: &[Vec2], z: f32, colour: Rgb) {
        let first = self.positions.len() as u32;
        for p in outline {
            self.vertex(at, p.extend(z), Vec3::Z, colour, PLAIN);
        }
        for i in 2..outline.len() as u32 {
            self.indices.extend([first, first + i - 1, first + i]);
        }
    }

    /// An upright cylinder.
    pub fn cylinder(&mut self, at: &Affine3A, centre: Vec2, radius: f32, z: [f32; 2], colour: Rgb) {
        self.prism(at, &circle(centre, radius, 24), z, Sides::Smooth, colour);
    }

    /// A body turned about the z axis through `centre`: radius and height of its profile from the bottom up.
    pub fn turned(&mut self, at: &Affine3A, centre: Vec3, profile: &[[f32; 2]], colour: Rgb) {
        const N: u32 = 20;
        let first = self.positions.len() as u32;
        for (k, &[r, z]) in profile.iter().enumerate() {
            let before = profile[k.saturating_sub(1)];
            let after = profile[(k + 1).min(profile.len() - 1)];
            let slope = Vec2::new(after[1] - before[1], before[0] - after[0]).normalize_or_zero();
            for i in 0..=N {
                let (s, c) = (i as f32 / N as f32 * TAU).sin_cos();
                let p = centre + Vec3::new(r * c, r * s, z);
                self.vertex(at, p, Vec3::new(slope.x * c, slope.x * s, slope.y), colour, PLAIN);
            }
        }
        let ring = N + 1;
        for k in 0..profile.len() as u32 - 1 {
            for i in 0..N {
                let a = first + k * ring + i;
                self.indices.extend([a, a + 1, a + ring + 1, a, a + ring + 1, a + ring]);
            }
        }
    }

    /// A ball.
    pub fn ball(&mut self, at: &Affine3A, centre: Vec3, radius: f32, colour: Rgb) {
        let profile: Vec<[f32; 2]> = (0..=10)
            .map(|i| {
                let (s, c) = (i as f32 / 10.0 * PI).sin_cos();
                [radius * s, -radius * c]
            })
            .collect();
        self.turned(at, centre, &profile, colour);
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// As a mesh for the renderer.
    pub fn mesh(self) -> Mesh {
        Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default())
            .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, self.positions)
            .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, self.normals)
            .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, self.colours)
            .with_inserted_attribute(Mesh::ATTRIBUTE_UV_0, self.uvs)
            .with_inserted_indices(Indices::U32(self.indices))
    }
}

/// A circle as an outline.
pub(super) fn circle(centre: Vec2, radius: f32, n: u32) -> Vec<Vec2> {
    (0..n)
        .map(|i| {
            let (s, c) = (i as f32 / n as f32 * TAU).sin_cos();
            centre + radius * Vec2::new(c, s)
        })
        .collect()
}

/// A rectangle with round corners as an outline.
pub(super) fn rounded(low: Vec2, high: Vec2, radius: f32) -> Vec<Vec2> {
    const STEPS: u32 = 5;
    let corners = [
        (Vec2::new(high.x - radius, low.y + radius), -0.25),
        (Vec2::new(high.x - radius, high.y - radius), 0.0),
        (Vec2::new(low.x + radius, high.y - radius), 0.25),
        (Vec2::new(low.x + radius, low.y + radius), 0.5),
    ];
    let corner = |(centre, turn): (Vec2, f32)| {
        (0..=STEPS).map(move |i| {
            let (s, c) = (TAU * (turn + 0.25 * i as f32 / STEPS as f32)).sin_cos();
            centre + radius * Vec2::new(c, s)
        })
    };
    corners.into_iter().flat_map(corner).collect()
}
