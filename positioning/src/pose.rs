//! Poses in the plane: `a_from_b` values that compose, invert and interpolate.
//!
//! The robot drives on a floor, so what localizes and steers it thinks in the plane; [`crate::tf`] and what
//! joins antennas to reads think in space.

use std::ops::Mul;

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};
use serde::{Deserialize, Serialize};

/// A pose in the plane, read as `parent_from_child`: metres, radians counter-clockwise (REP-103).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pose2 {
    /// Metres along the parent's x.
    pub x: f64,
    /// Metres along the parent's y.
    pub y: f64,
    /// Heading, radians, in [−π, π) for every pose that came out of an operation.
    pub theta: f64,
}

/// An angle in [−π, π), radians.
pub fn wrap_angle(angle: f64) -> f64 {
    let full = std::f64::consts::TAU;
    let wrapped = (angle + std::f64::consts::PI).rem_euclid(full) - std::f64::consts::PI;
    // rem_euclid of a tiny negative number may round up to the modulus itself.
    if wrapped >= std::f64::consts::PI { wrapped - full } else { wrapped }
}

impl Pose2 {
    /// A pose from metres and radians.
    pub fn new(x: f64, y: f64, theta: f64) -> Self {
        Self { x, y, theta: wrap_angle(theta) }
    }

    /// The child's pose of the parent: `child_from_parent`.
    pub fn inverse(self) -> Self {
        let (s, c) = self.theta.sin_cos();
        Self::new(-c * self.x - s * self.y, s * self.x - c * self.y, -self.theta)
    }

    /// A point of the child frame in the parent frame, m.
    pub fn transform(self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (s, c) = self.theta.sin_cos();
        [self.x + c * x - s * y, self.y + s * x + c * y]
    }

    /// A point of the parent frame in the child frame, m.
    pub fn inverse_transform(self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (s, c) = self.theta.sin_cos();
        let (dx, dy) = (x - self.x, y - self.y);
        [c * dx + s * dy, -s * dx + c * dy]
    }

    /// Distance between two origins, m.
    pub fn distance(self, other: Self) -> f64 {
        (other.x - self.x).hypot(other.y - self.y)
    }

    /// Between two poses of one frame: `share` 0 gives `self`, 1 gives `other`; the heading takes the short way.
    pub fn interpolate(self, other: Self, share: f64) -> Self {
        Self::new(
            self.x + share * (other.x - self.x),
            self.y + share * (other.y - self.y),
            self.theta + share * wrap_angle(other.theta - self.theta),
        )
    }

    /// The same pose in space: z = 0, turned about z.
    pub fn to_isometry(self) -> Isometry3<f64> {
        Isometry3::from_parts(
            Translation3::new(self.x, self.y, 0.0),
            UnitQuaternion::from_axis_angle(&Vector3::z_axis(), self.theta),
        )
    }

    /// A pose in space, seen from above: its x, y and yaw.
    pub fn from_isometry(isometry: &Isometry3<f64>) -> Self {
        let t = isometry.translation.vector;
        let (_, _, yaw) = isometry.rotation.euler_angles();
        Self::new(t.x, t.y, yaw)
    }

    /// All three numbers are finite.
    pub fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite() && self.theta.is_finite()
    }
}

impl Mul for Pose2 {
    type Output = Self;

    // Headings add where poses compose.
    #[allow(clippy::suspicious_arithmetic_impl)]
    fn mul(self, child: Self) -> Self {
        let [x, y] = self.transform([child.x, child.y]);
        Self::new(x, y, self.theta + child.theta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_pose_and_its_inverse_cancel(x in -50.0..50.0, y in -50.0..50.0, theta in -9.0..9.0) {
            let pose = Pose2::new(x, y, theta);
            let id = pose * pose.inverse();
            prop_assert!(id.x.abs() < 1e-9 && id.y.abs() < 1e-9 && id.theta.abs() < 1e-9);
            let back = Pose2::from_isometry(&pose.to_isometry());
            prop_assert!(back.distance(pose) < 1e-9 && wrap_angle(back.theta - pose.theta).abs() < 1e-9);
            let p = pose.transform([0.3, -2.0]);
            let q = pose.inverse_transform(p);
            prop_assert!((q[0] - 0.3).abs() < 1e-9 && (q[1] + 2.0).abs() < 1e-9);
        }
    }

    #[test]
    fn headings_interpolate_across_the_half_turn() {
        let a = Pose2::new(0.0, 0.0, 3.1);
        let b = Pose2::new(0.0, 0.0, -3.1);
        let middle = a.interpolate(b, 0.5).theta;
        assert!((middle.abs() - std::f64::consts::PI).abs() < 1e-9, "{middle}");
    }
}
