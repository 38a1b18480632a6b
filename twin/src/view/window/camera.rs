//! The eye: around a place, behind a robot, or above the floor.

use std::f32::consts::FRAC_PI_2;

use bevy::camera::{Exposure, Hdr};
use bevy::core_pipeline::prepass::DepthPrepass;
use bevy::core_pipeline::tonemapping::Tonemapping;
use bevy::input::mouse::{AccumulatedMouseMotion, AccumulatedMouseScroll, MouseScrollUnit};
use bevy::light::ShadowFilteringMethod;
use bevy::prelude::*;
use bevy::render::renderer::RenderAdapterInfo;

use super::super::snapshot::fitted;
use super::super::stage::{BACKGROUND, EV100, vivid};
use super::{Remembered, Shown};

/// How the eye moves.
#[derive(Component)]
pub(super) struct Eye {
    /// Follows this robot.
    pub follows: Option<usize>,
    middle: Vec3,
    yaw: f32,
    pitch: f32,
    away: f32,
}

/// Angle of view, rad.
const FOV: f32 = 0.75;

impl Eye {
    fn overview(shown: &Shown) -> Self {
        let look = Vec3::new(0.42, 1.0, -0.95);
        let at = fitted(&shown.0, look, Vec3::Z, FOV, 1.6);
        let [low, high] = shown.0.extent_m();
        let middle = Vec3::new((low[0] + high[0]) as f32 / 2.0, (low[1] + high[1]) as f32 / 2.0, 0.8);
        let away = at.translation.distance(middle);
        Self {
            follows: None,
            middle,
            yaw: look.y.atan2(look.x),
            pitch: -(look.z / look.length()).asin(),
            away,
        }
    }
}

/// Puts the eye where it sees everything.
pub(super) fn spawn(
    mut commands: Commands<'_, '_>,
    shown: Res<'_, Shown>,
    adapter: Res<'_, RenderAdapterInfo>,
) {
    // Without a graphics card each pixel counts: hard edges are better than a window that lags.
    let (msaa, shadows) = if adapter.device_type == wgpu::DeviceType::Cpu {
        (Msaa::Off, ShadowFilteringMethod::Hardware2x2)
    } else {
        (Msaa::Sample4, ShadowFilteringMethod::Gaussian)
    };
    commands.spawn((
        Camera3d::default(),
        Camera { clear_color: ClearColorConfig::Custom(BACKGROUND), ..Camera::default() },
        Hdr,
        Tonemapping::AgX,
        Exposure { ev100: EV100 },
        vivid(),
        msaa,
        shadows,
        // Much of a library is behind books: it need not be lit.
        DepthPrepass,
        Projection::Perspective(PerspectiveProjection {
            fov: FOV,
            near: 0.05,
            far: 500.0,
            ..PerspectiveProjection::default()
        }),
        Transform::default(),
        Eye::overview(&shown),
    ));
}

#[expect(clippy::too_many_arguments, reason = "a system's parameters are what it reads")]
/// Moves the eye by keys and mouse, and after the robot that it follows.
pub(super) fn steer(
    eye: Single<'_, '_, (&mut Eye, &mut Transform)>,
    keys: Res<'_, ButtonInput<KeyCode>>,
    buttons: Res<'_, ButtonInput<MouseButton>>,
    motion: Res<'_, AccumulatedMouseMotion>,
    scroll: Res<'_, AccumulatedMouseScroll>,
    shown: Res<'_, Shown>,
    memory: Res<'_, Remembered>,
    time: Res<'_, Time>,
) {
    let (mut eye, mut at) = eye.into_inner();
    if keys.just_pressed(KeyCode::Digit1) {
        *eye = Eye::overview(&shown);
    }
    if keys.just_pressed(KeyCode::Digit2) {
        let robots = memory.0.now.robots.len().max(1);
        let next = eye.follows.map_or(0, |r| (r + 1) % robots);
        let yaw = memory.0.now.robots.get(next).map_or(0.0, |r| r[2]) as f32;
        *eye = Eye { follows: Some(next), yaw, pitch: 0.55, away: 2.9, ..Eye::overview(&shown) };
    }
    if keys.just_pressed(KeyCode::Digit3) {
        *eye = Eye { yaw: FRAC_PI_2, pitch: FRAC_PI_2 - 0.001, ..Eye::overview(&shown) };
    }
    if buttons.pressed(MouseButton::Left) {
        eye.yaw -= motion.delta.x * 0.005;
        eye.pitch = (eye.pitch + motion.delta.y * 0.005).clamp(-0.2, FRAC_PI_2 - 0.001);
    }
    if buttons.pressed(MouseButton::Right) || buttons.pressed(MouseButton::Middle) {
        let (s, c) = eye.yaw.sin_cos();
        let scale = eye.away * 0.0012;
        let shift =
            motion.delta.x * Vec3::new(s, -c, 0.0) * -scale + motion.delta.y * Vec3::new(c, s, 0.0) * scale;
        eye.middle += shift;
        eye.follows = None;
    }
    let notches = scroll.delta.y * if scroll.unit == MouseScrollUnit::Pixel { 0.01 } else { 1.0 };
    eye.away = (eye.away * 0.88f32.powf(notches)).clamp(0.4, 400.0);
    if let Some([x, y, yaw]) = eye.follows.and_then(|r| memory.0.now.robots.get(r)).copied() {
        eye.middle = Vec3::new(x as f32, y as f32, 0.95);
        // It swings round behind the robot, gently, unless a hand holds it.
        if !buttons.pressed(MouseButton::Left) {
            let off = yaw as f32 - eye.yaw;
            let off = off.sin().atan2(off.cos());
            eye.yaw += off * (1.0 - (-1.5 * time.delta_secs()).exp());
        }
    }
    let (sy, cy) = eye.yaw.sin_cos();
    let (sp, cp) = eye.pitch.sin_cos();
    let look = Vec3::new(cy * cp, sy * cp, -sp);
    let up = if eye.pitch > 1.55 { Vec3::new(cy, sy, 0.0) } else { Vec3::Z };
    *at = Transform::from_translation(eye.middle - look * eye.away).looking_to(look, up);
}
