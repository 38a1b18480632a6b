//! How an image of a robot's camera comes about, and for each pixel the truth about it.
//!
//! Each image is drawn by a lens without errors, somewhat wider and finer than asked for. The errors come after: several
//! moments while the shutter is open are averaged, the lens bends the picture, and the sensor counts photons. The truth is
//! drawn with a colour for each thing and goes through the same lens.
//!
//! Noise depends on seed, camera and number of the image alone.

use std::sync::Arc;

use bevy::camera::visibility::RenderLayers;
use bevy::camera::{CameraOutputMode, Exposure};
use bevy::core_pipeline::prepass::DepthPrepass;
use bevy::core_pipeline::tonemapping::Tonemapping;
use bevy::math::{Quat, Vec3};
use bevy::prelude::*;
use rand::Rng;

use super::dress::Wardrobe;
use super::furnish::{IDS_LAYER, Light, shelve};
use super::scene::{Moment, Scene};
use super::solid::linear;
use super::stage::{Picture, Shot, Stage, ViewError, encode};
use crate::rng::stream;
use crate::sensors::CameraSettings;

/// Rendered so much finer than the image: the lens interpolates.
const FINER: f64 = 1.5;
/// A moving picture is averaged of moments at most so far apart, pixels, and of so many at most.
const BLUR_PX: f64 = 1.5;
const MOST_MOMENTS: u32 = 8;
/// The nearest thing that is thought of when blur is estimated, m.
const NEAR_M: f64 = 0.4;
/// Exposure at which a white page in the lit library is just short of white.
const REFERENCE_EV: f32 = 10.0;
/// Print of spines is drawn so fine, pixels a metre, on shelves no farther than this, m.
const PRINT_PER_M: f32 = 2_000.0;
const PRINT_WITHIN_M: f64 = 2.2;
const PRINT_BAYS: usize = 6;

/// One image with the truth about it.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The image.
    pub image: Picture,
    /// For each pixel, row by row, what it shows; see [`super::Cameras::seen`].
    pub mask: Vec<u32>,
}

/// A renderer for all cameras of all robots.
pub(super) struct Studio {
    scene: Arc<Scene>,
    stage: Stage,
    wardrobe: Wardrobe,
    rigs: Vec<Rig>,
}

/// One camera.
struct Rig {
    robot: usize,
    settings: CameraSettings,
    lens: Lens,
    /// Name of its noise.
    stream: String,
}

/// How the finer picture becomes the image.
struct Lens {
    /// Size of the finer picture, pixels.
    width: u32,
    height: u32,
    /// Its vertical angle of view, rad.
    fov: f32,
    /// For each pixel of the image, where it is in the finer picture.
    from: Vec<[f32; 2]>,
}

impl Studio {
    /// For the cameras of a scene's robots, robot by robot.
    pub fn new(scene: Arc<Scene>, now: &Moment) -> Result<Self, ViewError> {
        let wardrobe = Wardrobe::new(PRINT_PER_M, PRINT_BAYS)?;
        let stage = Stage::new(&scene, now, Light { shadows_m: 8.0, shadow_map: 2048, ids: true })?;
        let mut rigs = Vec::new();
        for (robot, r) in scene.robots.iter().enumerate() {
            for (settings, n) in r.cameras.iter().zip(1..) {
                let stream = format!("{}/camera_{n}", r.name);
                rigs.push(Rig { robot, settings: settings.clone(), lens: Lens::new(settings), stream });
            }
        }
        Ok(Self { scene, stage, wardrobe, rigs })
    }

    /// Puts the books where they are in another scene of the same floor.
    pub fn shelve(&mut self, scene: Arc<Scene>) {
        self.wardrobe.empty();
        shelve(self.stage.world(), &scene);
        self.scene = scene;
    }

    /// The image of a camera, counted over all robots from 0, at a moment; `before` is one step earlier.
    pub fn draw(&mut self, rig: usize, before: &Moment, now: &Moment) -> Result<Frame, ViewError> {
        let rig = &self.rigs[rig];
        let (c, lens) = (&rig.settings, &rig.lens);
        let number = now.steps() / c.every();
        let stream = format!("{}/{number}", rig.stream);
        if now.dark.get(rig.robot).copied().unwrap_or_default() {
            let pixels = (c.width * c.height) as usize;
            let rgba = develop(&vec![[0.0; 3]; pixels], c, self.scene.seed, &stream);
            // Nothing is seen of anything.
            return Ok(Frame {
                image: Picture { width: c.width, height: c.height, rgba },
                mask: vec![0; pixels],
            });
        }
        let [x, y, yaw] = now.robots[rig.robot];
        let [bx, by, byaw] = before.robots.get(rig.robot).copied().unwrap_or([x, y, yaw]);
        let dt = ((now.now_ns - before.now_ns) as f64 * 1e-9).max(crate::STEP_NS as f64 * 1e-9);
        let turn = libm::atan2(libm::sin(yaw - byaw), libm::cos(yaw - byaw)) / dt;
        // What is carried off jumps; it does not smear over the room.
        let speed = [(x - bx) / dt, (y - by) / dt].map(|v| v.clamp(-3.0, 3.0));
        let smear = (libm::hypot(speed[0], speed[1]) / NEAR_M + turn.abs()) * c.shutter_s * c.focal_px();
        let moments = ((smear / BLUR_PX).ceil() as u32).clamp(1, MOST_MOMENTS);
        let eye = transform([x, y, yaw], c).translation;
        self.wardrobe.dress(self.stage.world(), &self.scene, eye, PRINT_WITHIN_M, PRINT_BAYS);

        let mut light = vec![[0.0f32; 3]; (c.width * c.height) as usize];
        let mut mask = Vec::new();
        let mut then = now.clone();
        for k in 0..moments {
            // The stamp is the end of the exposure; the last moment is the one of the mask.
            let ago = c.shutter_s * f64::from(moments - 1 - k) / f64::from(moments.max(2) - 1);
            let pose = [x - speed[0] * ago, y - speed[1] * ago, yaw - turn * ago];
            then.robots[rig.robot] = pose;
            self.stage.arrange(&then);
            let shot = Shot {
                from: transform(pose, c),
                fov: lens.fov,
                width: lens.width,
                height: lens.height,
                finer: 1,
            };
            let ids = k + 1 == moments;
            let [picture, truth] = shoot(&mut self.stage, &shot, c.brightness(), ids)?;
            if let Some(picture) = picture {
                lens.add(&picture, 1.0 / moments as f32, &mut light);
            }
            if let Some(truth) = truth {
                mask = lens.ids(&truth);
            }
        }
        let rgba = develop(&light, c, self.scene.seed, &stream);
        Ok(Frame { image: Picture { width: c.width, height: c.height, rgba }, mask })
    }
}

/// Where a camera is and where it looks, as Bevy wants it: along −z, y up.
fn transform([x, y, yaw]: [f64; 3], c: &CameraSettings) -> Transform {
    let [qx, qy, qz, qw] = c.rotation().map(|v| v as f32);
    let base = Quat::from_rotation_z(yaw as f32);
    let at = Vec3::new(x as f32, y as f32, 0.0) + base * Vec3::from(c.at_m.map(|v| v as f32));
    let optical = Quat::from_xyzw(qx, qy, qz, qw);
    Transform::from_translation(at)
        .with_rotation(base * optical * Quat::from_rotation_x(std::f32::consts::PI))
}

/// The picture, and the truth where it is asked for, in one go.
fn shoot(
    stage: &mut Stage,
    shot: &Shot,
    brightness: f64,
    ids: bool,
) -> Result<[Option<Picture>; 2], ViewError> {
    let target = stage.target(shot.width, shot.height);
    let camera = stage.camera(shot, &target);
    stage.world().entity_mut(camera).insert((
        Tonemapping::None,
        // Most of what is in view of a shelf is behind its books: without a look at depths first it would all be lit in vain.
        DepthPrepass,
        Exposure { ev100: REFERENCE_EV - (brightness as f32).log2() },
    ));
    let mut takes = vec![(camera, target)];
    if ids {
        let target = stage.target(shot.width, shot.height);
        let camera = stage.camera(shot, &target);
        let black = Camera {
            clear_color: ClearColorConfig::Custom(Color::BLACK),
            order: 1,
            output_mode: CameraOutputMode::default(),
            ..Camera::default()
        };
        stage.world().entity_mut(camera).insert((Tonemapping::None, RenderLayers::layer(IDS_LAYER), black));
        takes.push((camera, target));
    }
    let taken = stage.take(&takes, shot.width, shot.height);
    for (camera, _) in takes {
        stage.world().despawn(camera);
    }
    let mut taken = taken?.into_iter();
    Ok([taken.next(), taken.next()])
}

impl Lens {
    fn new(c: &CameraSettings) -> Self {
        let rays: Vec<[f64; 2]> = (0..c.height)
            .flat_map(|v| (0..c.width).map(move |u| [f64::from(u), f64::from(v)]))
            // A scenario is checked for this: each pixel has its ray.
            .map(|at| c.ray(at).unwrap_or_default())
            .collect();
        let reach = |axis: usize| rays.iter().map(|r| r[axis].abs()).fold(0.01, f64::max);
        let (right, up) = (reach(0), reach(1));
        let f = c.focal_px() * FINER;
        let width = ((2.0 * right * f).ceil() as u32 + 4).min(8192);
        let height = ((2.0 * up * f).ceil() as u32 + 4).min(8192);
        // Both from one focal length, so that pixels stay square.
        let f = f64::from(height) / 2.0 / (up * (1.0 + 4.0 / f64::from(height)));
        let fov = 2.0 * libm::atan(f64::from(height) / 2.0 / f);
        let middle = [(f64::from(width) - 1.0) / 2.0, (f64::from(height) - 1.0) / 2.0];
        let from = rays.iter().map(|r| [0, 1].map(|i| (middle[i] + f * r[i]) as f32)).collect();
        Self { width, height, fov: fov as f32, from }
    }

    /// Adds a share of a finer picture to the image, in linear light.
    fn add(&self, picture: &Picture, share: f32, light: &mut [[f32; 3]]) {
        let decode: Vec<f32> = (0..256).map(|v| linear(v as f32 / 255.0)).collect();
        let at = |x: usize, y: usize| {
            let i = (y * picture.width as usize + x) * 4;
            [0, 1, 2].map(|c| decode[usize::from(picture.rgba[i + c])])
        };
        let (last_x, last_y) = (picture.width as usize - 1, picture.height as usize - 1);
        for (sum, &[x, y]) in light.iter_mut().zip(&self.from) {
            let (x, y) = (x.clamp(0.0, last_x as f32), y.clamp(0.0, last_y as f32));
            let (x0, y0) = (x as usize, y as usize);
            let (x1, y1) = ((x0 + 1).min(last_x), (y0 + 1).min(last_y));
            let (fx, fy) = (x - x0 as f32, y - y0 as f32);
            let (a, b, c, d) = (at(x0, y0), at(x1, y0), at(x0, y1), at(x1, y1));
            for i in 0..3 {
                let top = a[i] + (b[i] - a[i]) * fx;
                let low = c[i] + (d[i] - c[i]) * fx;
                sum[i] += share * (top + (low - top) * fy);
            }
        }
    }

    /// The numbers of a picture of truth, as the image has them.
    fn ids(&self, truth: &Picture) -> Vec<u32> {
        let (w, h) = (truth.width as usize, truth.height as usize);
        self.from
            .iter()
            .map(|&[x, y]| {
                let (x, y) =
                    ((x.round().max(0.0) as usize).min(w - 1), (y.round().max(0.0) as usize).min(h - 1));
                let p = &truth.rgba[(y * w + x) * 4..][..3];
                u32::from(p[0]) << 16 | u32::from(p[1]) << 8 | u32::from(p[2])
            })
            .collect()
    }
}

/// Counts photons: shot noise, noise of reading out, clipping, and the curve of the eye.
fn develop(light: &[[f32; 3]], c: &CameraSettings, seed: u64, label: &str) -> Vec<u8> {
    let mut rng = stream(seed, label);
    let full = (c.full_well_e / c.gain) as f32;
    let read = c.read_noise_e as f32;
    // Four bytes added up are normal enough for a pixel, and quick.
    let spread = (4.0 * (256.0f32 * 256.0 - 1.0) / 12.0).sqrt();
    let mut rgba = Vec::with_capacity(light.len() * 4);
    for pixel in light {
        for v in pixel {
            let bytes = rng.next_u32().to_le_bytes();
            let normal = (bytes.iter().map(|b| f32::from(*b)).sum::<f32>() - 510.0) / spread;
            let electrons = v * full;
            let counted = electrons + normal * (electrons + read * read).sqrt();
            rgba.push(encode(counted / full));
        }
        rgba.push(255);
    }
    rgba
}
