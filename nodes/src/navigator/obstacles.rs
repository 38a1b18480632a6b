//! What stands in the way: echoes of the last scan, and how far the robot can go among them.

use positioning::Pose2;
use positioning::localizer::RangeScan;

/// Echoes of one scan in the odom frame, so that they stay put while the robot moves on.
#[derive(Debug, Clone, Default)]
pub struct Echoes {
    /// Stamp of the scan, ns; `None` before the first.
    pub stamp_ns: Option<i64>,
    points: Vec<[f64; 2]>,
}

/// Spacing of the places along an arc at which contact is looked for, m.
const STEP_M: f64 = 0.04;

impl Echoes {
    /// The echoes of a scan, with the pose of the laser in the odom frame.
    pub fn new(scan: &RangeScan, odom_from_laser: Pose2) -> Self {
        let points = scan
            .ranges
            .iter()
            .enumerate()
            .filter(|(_, r)| {
                let r = f64::from(**r);
                r.is_finite() && r >= scan.range_m[0] && r <= scan.range_m[1]
            })
            .map(|(i, r)| {
                let angle = scan.angle_min + i as f64 * scan.angle_increment;
                odom_from_laser.transform([f64::from(*r) * angle.cos(), f64::from(*r) * angle.sin()])
            })
            .collect();
        Self { stamp_ns: Some(scan.stamp_ns), points }
    }

    /// Adds places, in the odom frame, at which something is known to be.
    pub(super) fn add(&mut self, places: impl Iterator<Item = [f64; 2]>) {
        self.points.extend(places);
    }

    /// The echoes on the map.
    pub fn on_map(&self, map_from_odom: Pose2) -> impl Iterator<Item = [f64; 2]> {
        self.points.iter().map(move |&p| map_from_odom.transform(p))
    }

    /// How far a round robot can drive before it touches an echo, m, up to `horizon_m`, when it keeps its speed
    /// and turn rate. What it touches already counts only where the way leads towards it.
    pub fn free_way(
        &self,
        odom_from_base: Pose2,
        speed_mps: f64,
        turn_radps: f64,
        radius_m: f64,
        horizon_m: f64,
    ) -> f64 {
        let reach = horizon_m + radius_m;
        let near: Vec<[f64; 2]> = self
            .points
            .iter()
            .map(|&p| odom_from_base.inverse_transform(p))
            .filter(|p| p[0].hypot(p[1]) <= reach)
            .collect();
        if near.iter().any(|p| p[0].hypot(p[1]) < radius_m && p[0] > 0.5 * p[1].abs()) {
            return 0.0;
        }
        let ahead: Vec<[f64; 2]> = near.into_iter().filter(|p| p[0].hypot(p[1]) >= radius_m).collect();
        let curvature = if speed_mps.abs() > 1e-3 { turn_radps / speed_mps } else { 0.0 };
        let mut way = 0.0;
        while way < horizon_m {
            let next = way + STEP_M;
            let centre = arc(curvature, next);
            if ahead.iter().any(|p| (p[0] - centre[0]).hypot(p[1] - centre[1]) < radius_m) {
                return way;
            }
            way = next;
        }
        horizon_m
    }
}

/// The point after `way` metres on an arc that starts along x.
fn arc(curvature: f64, way: f64) -> [f64; 2] {
    if curvature.abs() < 1e-6 {
        return [way, 0.0];
    }
    let angle = curvature * way;
    [angle.sin() / curvature, (1.0 - angle.cos()) / curvature]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(x: f64, y: f64) -> Echoes {
        let range = x.hypot(y) as f32;
        let scan = RangeScan {
            stamp_ns: 0,
            angle_min: y.atan2(x),
            angle_increment: 0.1,
            time_increment: 0.0,
            range_m: [0.05, 10.0],
            ranges: vec![range, f32::INFINITY, f32::NAN],
        };
        Echoes::new(&scan, Pose2::default())
    }

    #[test]
    fn the_way_ends_before_a_person_and_passes_beside_one() {
        let free = |e: &Echoes, turn: f64| e.free_way(Pose2::default(), 0.5, turn, 0.3, 1.5);
        let front = free(&echo(1.0, 0.0), 0.0);
        assert!((front - 0.7).abs() <= STEP_M, "{front}");
        assert_eq!(free(&echo(1.0, 0.4), 0.0), 1.5);
        assert!(free(&echo(1.0, 0.4), 0.4) < 1.0);
        assert_eq!(free(&echo(-0.5, 0.0), 0.0), 1.5);
    }

    #[test]
    fn contact_behind_does_not_hold_the_robot() {
        let free = |e: &Echoes| e.free_way(Pose2::default(), 0.5, 0.0, 0.3, 1.5);
        assert_eq!(free(&echo(0.25, 0.0)), 0.0);
        assert_eq!(free(&echo(-0.25, 0.0)), 1.5);
    }
}
