//! A robot's camera: where it sits, how its lens bends rays, how its sensor counts light. What it sees is drawn by
//! `twin::view`; here is what holds without a renderer.

use serde::{Deserialize, Serialize};

/// A camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CameraSettings {
    /// Optical centre in base_link, m.
    pub at_m: [f64; 3],
    /// Direction that it looks to in base_link, degrees: 0 is ahead, 90 to the left.
    pub heading_deg: f64,
    /// How far it looks down, degrees.
    pub tilt_deg: f64,
    /// Width of the image, pixels.
    pub width: u32,
    /// Height of the image, pixels.
    pub height: u32,
    /// Horizontal angle of view without distortion, degrees.
    pub fov_deg: f64,
    /// Images a second, at most 30; the twin's step of 10 ms is the finest spacing.
    pub rate_hz: f64,
    /// Distortion k1, k2, p1, p2, k3 (Brown and Conrady; `plumb_bob` in ROS).
    pub distortion: [f64; 5],
    /// How long the shutter is open, s: longer is brighter and blurs more.
    pub shutter_s: f64,
    /// Amplification: brighter, and noisier.
    pub gain: f64,
    /// Electrons of a pixel that is just white at gain 1: their square root is the shot noise.
    pub full_well_e: f64,
    /// Noise of reading a pixel out, electrons.
    pub read_noise_e: f64,
    /// Quality of the JPEG images, 1 to 100.
    pub quality: u8,
}

impl Default for CameraSettings {
    fn default() -> Self {
        Self {
            // Between two antennas and beside them, so that they are out of view; from mid-aisle it sees the spines of two or
            // three tiers.
            at_m: [0.18, 0.16, 1.05],
            heading_deg: 90.0,
            tilt_deg: 0.0,
            width: 1280,
            height: 960,
            fov_deg: 74.0,
            rate_hz: 2.0,
            distortion: [-0.13, 0.025, 0.0004, -0.0003, 0.0],
            shutter_s: 0.006,
            gain: 1.0,
            full_well_e: 9_000.0,
            read_noise_e: 12.0,
            quality: 90,
        }
    }
}

/// At this shutter time and gain 1 a white page in the lit library is just short of white.
pub const REFERENCE_SHUTTER_S: f64 = 0.006;

impl CameraSettings {
    /// Focal length, pixels; pixels are square.
    pub fn focal_px(&self) -> f64 {
        f64::from(self.width) / 2.0 / libm::tan(self.fov_deg.to_radians() / 2.0)
    }

    /// Principal point, pixels from the centre of the upper left pixel.
    pub fn centre_px(&self) -> [f64; 2] {
        [(f64::from(self.width) - 1.0) / 2.0, (f64::from(self.height) - 1.0) / 2.0]
    }

    /// Steps of the twin from image to image.
    pub fn every(&self) -> i64 {
        let step_s = crate::STEP_NS as f64 * 1e-9;
        libm::round(1.0 / (self.rate_hz * step_s)).max(1.0) as i64
    }

    /// How much brighter than at the reference a picture is.
    pub fn brightness(&self) -> f64 {
        self.shutter_s / REFERENCE_SHUTTER_S * self.gain
    }

    /// Where a ray of slopes x (right) and y (down) meets the sensor without lens errors, with them: slopes to slopes.
    pub fn distort(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [k1, k2, p1, p2, k3] = self.distortion;
        let r2 = x * x + y * y;
        let radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
        [
            x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
            y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
        ]
    }

    /// The other way: the ray that the lens brings to a place. `None` where no ray comes, far outside of a real image.
    pub fn undistort(&self, to: [f64; 2]) -> Option<[f64; 2]> {
        // Newton's method with a numeric Jacobian; lenses are smooth, so it needs few rounds.
        let mut at = to;
        for _ in 0..30 {
            let now = self.distort(at);
            let off = [to[0] - now[0], to[1] - now[1]];
            if libm::hypot(off[0], off[1]) < 1e-10 {
                return Some(at);
            }
            let h = 1e-6;
            let (dx, dy) = (self.distort([at[0] + h, at[1]]), self.distort([at[0], at[1] + h]));
            let [a, c] = [0, 1].map(|i| (dx[i] - now[i]) / h);
            let [b, d] = [0, 1].map(|i| (dy[i] - now[i]) / h);
            let det = a * d - b * c;
            // Beyond the fold of a lens model its image turns over: no ray comes from there.
            if det <= 0.0 {
                return None;
            }
            at[0] += (d * off[0] - b * off[1]) / det;
            at[1] += (a * off[1] - c * off[0]) / det;
        }
        None
    }

    /// The ray of a pixel, as slopes to the right and down.
    pub fn ray(&self, [u, v]: [f64; 2]) -> Option<[f64; 2]> {
        let ([cx, cy], f) = (self.centre_px(), self.focal_px());
        self.undistort([(u - cx) / f, (v - cy) / f])
    }

    /// The pixel of a ray.
    pub fn pixel(&self, ray: [f64; 2]) -> [f64; 2] {
        let ([cx, cy], f) = (self.centre_px(), self.focal_px());
        let [x, y] = self.distort(ray);
        [cx + f * x, cy + f * y]
    }

    /// The optical frame in base_link as a quaternion x, y, z, w: z looks out, x to the right, y down.
    pub fn rotation(&self) -> [f64; 4] {
        // Columns of the matrix: where the optical axes lie in base_link.
        let (sh, ch) = (libm::sin(self.heading_deg.to_radians()), libm::cos(self.heading_deg.to_radians()));
        let (st, ct) = (libm::sin(self.tilt_deg.to_radians()), libm::cos(self.tilt_deg.to_radians()));
        let z = [ch * ct, sh * ct, -st];
        let x = [sh, -ch, 0.0];
        let y = [z[1] * x[2] - z[2] * x[1], z[2] * x[0] - z[0] * x[2], z[0] * x[1] - z[1] * x[0]];
        quaternion([x, y, z])
    }
}

/// The rotation whose matrix has these columns (Shepperd 1978).
fn quaternion([x, y, z]: [[f64; 3]; 3]) -> [f64; 4] {
    let trace = x[0] + y[1] + z[2];
    let parts = [x[0], y[1], z[2], trace];
    let largest = (0..4).max_by(|a, b| parts[*a].total_cmp(&parts[*b])).unwrap_or(3);
    let q = match largest {
        0 => [1.0 + x[0] - y[1] - z[2], x[1] + y[0], x[2] + z[0], y[2] - z[1]],
        1 => [x[1] + y[0], 1.0 - x[0] + y[1] - z[2], y[2] + z[1], z[0] - x[2]],
        2 => [x[2] + z[0], y[2] + z[1], 1.0 - x[0] - y[1] + z[2], x[1] - y[0]],
        _ => [y[2] - z[1], z[0] - x[2], x[1] - y[0], 1.0 + trace],
    };
    let length = libm::sqrt(q.iter().map(|v| v * v).sum());
    q.map(|v| v / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_of_the_image_has_its_ray_and_the_ray_its_pixel() {
        let c = CameraSettings::default();
        for u in (0..c.width).step_by(71) {
            for v in (0..c.height).step_by(53) {
                let at = [f64::from(u), f64::from(v)];
                let back = c.pixel(c.ray(at).unwrap());
                assert!((back[0] - at[0]).hypot(back[1] - at[1]) < 1e-6, "{at:?} comes back as {back:?}");
            }
        }
    }

    #[test]
    fn a_camera_to_the_left_sees_the_robots_front_on_its_right() {
        let c = CameraSettings { heading_deg: 90.0, tilt_deg: 0.0, ..CameraSettings::default() };
        let [x, y, z, w] = c.rotation();
        // The optical z axis in base_link, and x.
        let axis_z = [2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y)];
        let axis_x = [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y)];
        for (found, wanted) in [(axis_z, [0.0, 1.0, 0.0]), (axis_x, [1.0, 0.0, 0.0])] {
            assert!(
                found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9),
                "{found:?} is not {wanted:?}"
            );
        }
    }

    #[test]
    fn no_ray_comes_from_beyond_the_fold_of_a_lens() {
        let c = CameraSettings { distortion: [-0.5, 0.0, 0.0, 0.0, 0.0], ..CameraSettings::default() };
        assert!(c.undistort([1.5, 0.0]).is_none());
    }
}
