//! What moves or stands about: robots, people, trolleys and other things in the way.

use bevy::math::{Affine3A, Quat, Vec2, Vec3};

use super::solid::{Rgb, Sides, Solid, mix, rounded, srgb};
use crate::furniture::{SHELF_M, half_m};
use crate::scenario::{FurnitureKind, ObstacleSettings, RobotSettings};

const SHELL: u32 = 0xf1f2f0;
const DARK: u32 = 0x2b2e33;
const ACCENT: u32 = 0x1f8a8c;
const RUBBER: u32 = 0x1c1d1f;

/// A robot by how its parts take the light.
#[derive(Default)]
pub(super) struct Robot {
    /// Painted shell, antennas, mast.
    pub shell: Solid,
    /// Light ring and screens.
    pub bright: Solid,
}

/// A robot in base_link: the chassis and the mast that the twin's physics has, with what is mounted on them.
pub(super) fn robot(s: &RobotSettings) -> Robot {
    let mut r = Robot::default();
    let at = Affine3A::IDENTITY;
    let radius = s.base.radius_m as f32;
    let (shell, dark, accent) = (srgb(SHELL), srgb(DARK), srgb(ACCENT));
    // Skirt, shell with a soft shoulder, and a ring of light between them.
    let body = &mut r.shell;
    body.turned(
        &at,
        Vec3::ZERO,
        &[[radius - 0.03, 0.03], [radius - 0.015, 0.035], [radius - 0.012, 0.085]],
        dark,
    );
    let shoulder = [
        [radius, 0.1],
        [radius, 0.185],
        [radius - 0.004, 0.203],
        [radius - 0.016, 0.215],
        [radius - 0.035, 0.22],
        [0.0, 0.22],
    ];
    body.turned(&at, Vec3::ZERO, &shoulder, shell);
    r.bright.turned(
        &at,
        Vec3::ZERO,
        &[[radius - 0.004, 0.086], [radius - 0.001, 0.09], [radius - 0.004, 0.099]],
        srgb(0x7ff0e0),
    );
    // Wheels show at the sides of the skirt.
    let (wheel, track) = (s.base.wheel_radius_m as f32, s.base.track_m as f32);
    for side in [-1.0, 1.0] {
        let turn = Quat::from_rotation_x(std::f32::consts::FRAC_PI_2);
        let hub = Vec3::new(0.0, side * track / 2.0 + 0.02, wheel);
        let axle = Affine3A::from_rotation_translation(turn, hub);
        body.cylinder(&axle, Vec2::ZERO, wheel, [0.0, 0.04], srgb(RUBBER));
    }
    // Lidar: a puck on a neck, its scan plane where the twin casts the rays.
    let scan = s.lidar.height_m as f32;
    if scan > 0.22 {
        body.cylinder(&at, Vec2::ZERO, 0.03, [0.22, scan - 0.025], dark);
        body.turned(
            &at,
            Vec3::new(0.0, 0.0, scan - 0.028),
            &[[0.045, 0.0], [0.048, 0.01], [0.048, 0.045], [0.042, 0.055], [0.0, 0.056]],
            dark,
        );
        r.bright.turned(
            &at,
            Vec3::new(0.0, 0.0, scan - 0.003),
            &[[0.0485, 0.0], [0.0488, 0.003], [0.0485, 0.006]],
            srgb(0xff5a3c),
        );
    }
    mast(&mut r, s, [shell, dark, accent]);
    r
}

/// The mast behind the lidar, the arms to the antennas, and the battery at its foot.
fn mast(r: &mut Robot, s: &RobotSettings, [shell, dark, accent]: [Rgb; 3]) {
    let at = Affine3A::IDENTITY;
    let top = s.antennas_m.iter().map(|a| a[2]).fold(1.78, f64::max) as f32 + 0.12;
    let body = &mut r.shell;
    let foot = rounded(Vec2::new(-0.23, -0.11), Vec2::new(-0.07, 0.11), 0.03);
    body.prism(&at, &foot, [0.22, 0.34], Sides::Smooth, dark);
    let profile = rounded(Vec2::new(-0.185, -0.035), Vec2::new(-0.115, 0.035), 0.012);
    body.prism(&at, &profile, [0.34, top], Sides::Smooth, mix(shell, dark, 0.25));
    body.turned(
        &at,
        Vec3::new(-0.15, 0.0, top),
        &[[0.04, 0.0], [0.04, 0.02], [0.02, 0.045], [0.0, 0.05]],
        accent,
    );
    r.bright.turned(
        &at,
        Vec3::new(-0.15, 0.0, top + 0.006),
        &[[0.041, 0.0], [0.0415, 0.005], [0.041, 0.01]],
        srgb(0x7ff0e0),
    );
    for a in &s.antennas_m {
        let [x, y, z] = a.map(|v| v as f32);
        // Patch antennas look to the left; their phase centre is just behind the cover.
        let panel = rounded(Vec2::new(-0.1, -0.1), Vec2::new(0.1, 0.1), 0.018);
        let turn = Quat::from_rotation_x(-std::f32::consts::FRAC_PI_2);
        let front = Affine3A::from_rotation_translation(turn, Vec3::new(x, y, z));
        body.prism(&front, &panel, [-0.03, 0.006], Sides::Smooth, shell);
        let dot = rounded(Vec2::new(-0.012, 0.06), Vec2::new(0.012, 0.072), 0.005);
        body.prism(&front, &dot, [0.006, 0.0075], Sides::Smooth, accent);
        let (from, to) = (Vec2::new(-0.13, 0.0), Vec2::new(x, y - 0.03));
        let along = to - from;
        let arm = Affine3A::from_rotation_translation(
            Quat::from_rotation_z(along.y.atan2(along.x)),
            from.extend(z),
        );
        body.cuboid(
            &arm,
            Vec3::new(0.0, -0.011, -0.011),
            Vec3::new(along.length(), 0.011, 0.011),
            mix(dark, shell, 0.15),
        );
    }
    // A tablet for staff, looking forward.
    let tilt = Affine3A::from_rotation_translation(Quat::from_rotation_y(0.35), Vec3::new(-0.1, 0.0, 1.25));
    body.cuboid(&tilt, Vec3::new(0.0, -0.09, -0.065), Vec3::new(0.012, 0.09, 0.065), dark);
    r.bright.cuboid(&tilt, Vec3::new(0.0121, -0.08, -0.055), Vec3::new(0.0125, 0.08, 0.055), srgb(0x4fb3bf));
}

/// A person, looking along x. `look` chooses clothes and hair.
pub(super) fn person(look: u32) -> Solid {
    const COATS: [u32; 6] = [0x3f5d7d, 0x9c4f3f, 0x5f7a4f, 0xd0a04f, 0x6a4f75, 0x4a4f57];
    const TROUSERS: [u32; 4] = [0x2d3442, 0x54483c, 0x3b3b3d, 0x26303b];
    const SKIN: [u32; 4] = [0xe8bf9c, 0xc98f66, 0x8d5a3b, 0xf0cdb0];
    const HAIR: [u32; 4] = [0x2a211c, 0x5a3a22, 0x17161a, 0x8f8a84];
    let of = |list: &[u32], salt: u32| {
        srgb(list[(look.wrapping_mul(31).wrapping_add(salt)) as usize % list.len()])
    };
    let (coat, trousers, skin, hair) = (of(&COATS, 1), of(&TROUSERS, 2), of(&SKIN, 3), of(&HAIR, 5));
    let mut s = Solid::default();
    let at = Affine3A::IDENTITY;
    for side in [-1.0, 1.0] {
        let leg = [[0.06, 0.06], [0.066, 0.4], [0.082, 0.75], [0.088, 0.9]];
        s.turned(&at, Vec3::new(0.0, side * 0.085, 0.0), &leg, trousers);
        let shoe =
            rounded(Vec2::new(-0.08, side * 0.085 - 0.045), Vec2::new(0.15, side * 0.085 + 0.045), 0.04);
        s.prism(&at, &shoe, [0.0, 0.07], Sides::Smooth, srgb(0x2a2523));
        // Arms hang, forearms bent as if they held a book.
        let arm = [[0.03, 0.0], [0.042, 0.1], [0.047, 0.25], [0.05, 0.33], [0.0, 0.36]];
        let lean = Affine3A::from_rotation_translation(
            Quat::from_rotation_x(side * 0.1),
            Vec3::new(0.0, side * 0.24, 1.06),
        );
        s.turned(&lean, Vec3::ZERO, &arm, mix(coat, [0.0; 3], 0.08));
        let fore = Affine3A::from_rotation_translation(
            Quat::from_rotation_y(1.25),
            Vec3::new(0.0, side * 0.24, 1.1),
        );
        s.turned(&fore, Vec3::ZERO, &[[0.038, 0.0], [0.036, 0.12], [0.03, 0.22]], mix(coat, [0.0; 3], 0.08));
        s.ball(&fore, Vec3::new(0.0, 0.0, 0.25), 0.042, skin);
    }
    // Torso: wider across than deep.
    let wide = Affine3A::from_scale(Vec3::new(0.72, 1.15, 1.0));
    s.turned(
        &wide,
        Vec3::ZERO,
        &[[0.15, 0.84], [0.155, 0.95], [0.165, 1.15], [0.175, 1.32], [0.15, 1.42], [0.06, 1.46]],
        coat,
    );
    s.turned(&at, Vec3::ZERO, &[[0.05, 1.42], [0.05, 1.52]], skin);
    s.turned(
        &at,
        Vec3::new(0.0, 0.0, 1.6),
        &[
            [0.0, -0.115],
            [0.05, -0.105],
            [0.078, -0.05],
            [0.088, 0.0],
            [0.085, 0.05],
            [0.06, 0.095],
            [0.0, 0.112],
        ],
        skin,
    );
    s.turned(
        &at,
        Vec3::new(-0.012, 0.0, 1.615),
        &[[0.088, -0.03], [0.096, 0.02], [0.088, 0.065], [0.06, 0.1], [0.0, 0.115]],
        hair,
    );
    // The open book.
    let book = Affine3A::from_rotation_translation(Quat::from_rotation_y(-0.6), Vec3::new(0.27, 0.0, 1.2));
    s.cuboid(&book, Vec3::new(-0.1, -0.15, 0.0), Vec3::new(0.1, 0.15, 0.012), srgb(0x7d2f2b));
    s.cuboid(&book, Vec3::new(-0.095, -0.145, 0.012), Vec3::new(0.095, 0.145, 0.02), srgb(0xf3ecd9));
    s
}

/// Something on the floor, as big as the box that the robot meets: a book trolley, or a crate where it is too small or
/// too large for one.
pub(super) fn obstacle(o: &ObstacleSettings) -> Solid {
    let mut s = Solid::default();
    let [w, d] = o.size_m.map(|v| v as f32);
    let h = o.height_m as f32;
    let at = Affine3A::from_translation(Vec3::new(o.at_m[0] as f32, o.at_m[1] as f32, 0.0));
    if (0.35..=1.6).contains(&w.max(d)) && w.min(d) >= 0.25 && (0.6..=1.5).contains(&h) {
        // Lay it along its longer side.
        let turn = if w >= d { 0.0 } else { std::f32::consts::FRAC_PI_2 };
        trolley(&mut s, &(at * Affine3A::from_rotation_z(turn)), w.max(d), w.min(d), h);
    } else {
        let half = Vec2::new(w, d) / 2.0;
        let soft = rounded(-half, half, 0.02f32.min(w.min(d) / 4.0));
        s.prism(&at, &soft, [0.0, h], Sides::Smooth, srgb(0xa8814f));
        let band = rounded(-half - 0.001, half + 0.001, 0.02f32.min(w.min(d) / 4.0));
        s.walls(&at, &band, [0.42 * h, 0.5 * h], Sides::Smooth, srgb(0x8a6435));
    }
    s
}

/// A trolley or chair as big as the box that the twin moves, about that box's middle.
pub(super) fn furniture(kind: FurnitureKind) -> Solid {
    let mut s = Solid::default();
    let [x, y, z] = half_m(kind).map(|v| v as f32);
    let at = Affine3A::from_translation(Vec3::new(0.0, 0.0, -z));
    match kind {
        FurnitureKind::Trolley => trolley(&mut s, &at, 2.0 * x, 2.0 * y, 2.0 * z),
        FurnitureKind::Chair => chair(&mut s, &at, [2.0 * x, 2.0 * y, 2.0 * z]),
    }
    s
}

/// A reading-room chair that looks along x.
fn chair(s: &mut Solid, at: &Affine3A, [length, width, height]: [f32; 3]) {
    let (wood, seat) = (srgb(0x8a5f3c), srgb(0x3f6a6c));
    let (x, y) = (length / 2.0 - 0.02, width / 2.0 - 0.02);
    for side in [-y, y] {
        s.cylinder(at, Vec2::new(x, side), 0.016, [0.0, 0.43], wood);
        s.cylinder(at, Vec2::new(-x, side), 0.016, [0.0, height], wood);
    }
    let plate = rounded(Vec2::new(-x - 0.02, -y - 0.02), Vec2::new(x + 0.02, y + 0.02), 0.04);
    s.prism(at, &plate, [0.42, 0.45], Sides::Smooth, seat);
    for z in [0.58, 0.72] {
        s.cuboid(at, Vec3::new(-x - 0.01, -y, z), Vec3::new(-x + 0.01, y, z + 0.07), wood);
    }
    // From below a seat is wood, too: a chair may lie on its side.
    s.cuboid(at, Vec3::new(-x, -y, 0.40), Vec3::new(x, y, 0.42), wood);
}

fn trolley(s: &mut Solid, at: &Affine3A, length: f32, width: f32, height: f32) {
    let (x, y) = (length / 2.0, width / 2.0);
    let (frame, tray) = (srgb(0x39424a), srgb(0xc9453a));
    for (i, j) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0f32)] {
        let corner = Vec2::new(i * (x - 0.04), j * (y - 0.06));
        s.cylinder(at, corner, 0.016, [0.1, height], frame);
        let wheel = Affine3A::from_rotation_translation(
            Quat::from_rotation_x(std::f32::consts::FRAC_PI_2),
            corner.extend(0.05) + Vec3::new(0.0, 0.015, 0.0),
        );
        s.cylinder(&(*at * wheel), Vec2::ZERO, 0.05, [0.0, 0.03], srgb(RUBBER));
        s.cylinder(&(*at * wheel), Vec2::ZERO, 0.02, [-0.001, 0.031], srgb(0x8d9298));
    }
    let levels = if height > 0.9 { 3 } else { 2 };
    let lowest = SHELF_M as f32;
    let clear = (height - lowest - 0.08) / levels as f32;
    for level in 0..levels {
        let z = lowest + clear * level as f32;
        let plate = rounded(Vec2::new(-x, -y), Vec2::new(x, y), 0.03);
        s.prism(at, &plate, [z, z + 0.022], Sides::Smooth, tray);
        // Seen from below where it lies on its side.
        s.cuboid(
            at,
            Vec3::new(-x + 0.02, -y + 0.02, z - 0.002),
            Vec3::new(x - 0.02, y - 0.02, z + 0.002),
            tray,
        );
        // Books wait on it, spines out, with a gap at the end.
        let mut left = -x + 0.06;
        let mut pick = level as u32 * 977 + 13;
        while left < x - 0.22 {
            pick = pick.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let thick = 0.016 + 0.03 * (pick >> 24) as f32 / 255.0;
            let tall = (0.18 + 0.09 * (pick >> 16 & 0xff) as f32 / 255.0).min(clear - 0.06);
            const CLOTH: [u32; 7] = [0x8c2f2b, 0x2e4f79, 0x466b4e, 0xd1a85b, 0x5c4666, 0xe8dfc8, 0x345e63];
            let colour = srgb(CLOTH[(pick >> 8) as usize % CLOTH.len()]);
            s.cuboid(
                at,
                Vec3::new(left, -y + 0.03, z + 0.022),
                Vec3::new(left + thick - 0.001, y - 0.03, z + 0.022 + tall),
                colour,
            );
            left += thick;
        }
    }
    let handle = Vec3::new(x - 0.03, 0.0, height - 0.02);
    s.cuboid(at, handle - Vec3::new(0.014, y, 0.014), handle + Vec3::new(0.014, y, 0.014), frame);
}
