//! Fits a lidar scan to a [`FloorMap`]: a coarse search over poses, and the robust least squares that the
//! localizer's filter updates with.
//!
//! Residuals are point-to-segment distances. People and carts are in no map, so residuals are weighted after
//! Cauchy and cut off; what is left of the beams' information says which directions were observed: along a
//! bare aisle next to none, and the filter's prediction stands there.

use nalgebra::{Matrix3, Vector3};
use serde::{Deserialize, Serialize};

use crate::floor_map::FloorMap;
use crate::pose::Pose2;

/// How scans are matched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatchSettings {
    /// Standard deviation of one beam against the map, m. 0.03: 1 cm of lidar noise, and spines that stand
    /// up to 3 cm behind the shelves' front edge.
    pub beam_std_m: f64,
    /// Residual at which a beam's weight has fallen to one half, m. 0.06: twice `beam_std_m`.
    pub robust_m: f64,
    /// Beams farther than this from all that is mapped are left out, m. 0.3: a leg in front of a shelf.
    pub cutoff_m: f64,
    /// Independent beams that a scan counts for. 40: neighbouring beams share the map's errors, so 360 beams
    /// must not claim a sixth of the error of ten.
    pub effective_beams: f64,
    /// Share of the beams that must fit for a match to count. 0.4: half the view may be blocked by people.
    pub min_inlier_share: f64,
    /// The same for a pose that a search proposes against the prediction. 0.7: a ring of people around the
    /// robot fits a corner somewhere by half.
    pub min_search_share: f64,
    /// Fewest beams with an echo for a match. 30: a twelfth of the usual lidar's.
    pub min_beams: usize,
}

impl Default for MatchSettings {
    fn default() -> Self {
        Self {
            beam_std_m: 0.03,
            robust_m: 0.06,
            cutoff_m: 0.3,
            effective_beams: 40.0,
            min_inlier_share: 0.4,
            min_search_share: 0.7,
            min_beams: 30,
        }
    }
}

/// The weighted normal equations of a scan at one pose, in map coordinates (x, y, θ).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normal {
    /// Information, `Jᵀ W J`; rank-deficient where the scan does not fix a direction.
    pub information: Matrix3<f64>,
    /// `Jᵀ W r`.
    pub gradient: Vector3<f64>,
    /// Share of the points within twice `robust_m` of the map.
    pub inlier_share: f64,
}

/// Normal equations of points (base frame, m) at a pose; `robust_m` overrides the settings' to widen the basin.
pub fn normal(
    map: &FloorMap,
    points: &[[f64; 2]],
    map_from_base: Pose2,
    settings: &MatchSettings,
    robust_m: f64,
) -> Normal {
    let mut information = Matrix3::zeros();
    let mut gradient = Vector3::zeros();
    let (mut weights, mut inliers) = (0.0, 0u32);
    let (s, c) = map_from_base.theta.sin_cos();
    let cutoff = settings.cutoff_m * robust_m / settings.robust_m;
    for &[px, py] in points {
        let turned = [c * px - s * py, s * px + c * py];
        let Some(near) = map.nearest([map_from_base.x + turned[0], map_from_base.y + turned[1]]) else {
            continue;
        };
        let r = near.signed_m;
        if r.abs() < 2.0 * settings.robust_m {
            inliers += 1;
        }
        if r.abs() > cutoff {
            continue;
        }
        let weight = 1.0 / (1.0 + (r / robust_m).powi(2));
        let [gx, gy] = near.gradient;
        let jacobian = Vector3::new(gx, gy, gy * turned[0] - gx * turned[1]);
        information += weight * jacobian * jacobian.transpose();
        gradient += weight * r * jacobian;
        weights += weight;
    }
    let scale = if weights > 0.0 { (settings.effective_beams / weights).min(1.0) } else { 0.0 };
    let scale = scale / settings.beam_std_m.powi(2);
    Normal {
        information: information * scale,
        gradient: gradient * scale,
        inlier_share: f64::from(inliers) / points.len().max(1) as f64,
    }
}

/// Half-widths of a search around a pose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// In x and y, m.
    pub half_m: f64,
    /// In the heading, radians.
    pub half_rad: f64,
}

/// No robot stands with its middle nearer than this to a wall, or inside a shelf, m.
pub(crate) const BODY_M: f64 = 0.2;
const COARSE_POINTS: usize = 120;
const COARSE_STEP_M: f64 = 0.1;
const COARSE_STEP_RAD: f64 = 1.0 * std::f64::consts::PI / 180.0;

/// The pose around `centre` at which the points fit best, to about 2 cm and 0.2°, and the share of the points
/// that fit. Ties go to the pose found first, so the result is a function of the inputs.
pub fn search(map: &FloorMap, points: &[[f64; 2]], centre: Pose2, window: Window) -> (Pose2, f64) {
    let stride = points.len().div_ceil(COARSE_POINTS).max(1);
    let sparse: Vec<[f64; 2]> = points.iter().step_by(stride).copied().collect();
    let coarse = sweep(map, &sparse, centre, window, COARSE_STEP_M, COARSE_STEP_RAD, 0.3);
    let fine = Window { half_m: COARSE_STEP_M, half_rad: COARSE_STEP_RAD };
    let (pose, _) = sweep(map, &sparse, coarse.0, fine, COARSE_STEP_M / 5.0, COARSE_STEP_RAD / 5.0, 0.1);
    let fits = points
        .iter()
        .filter(|p| map.nearest(pose.transform(**p)).is_some_and(|n| n.signed_m.abs() < 0.1))
        .count();
    (pose, fits as f64 / points.len().max(1) as f64)
}

fn sweep(
    map: &FloorMap,
    points: &[[f64; 2]],
    centre: Pose2,
    window: Window,
    step_m: f64,
    step_rad: f64,
    kernel_m: f64,
) -> (Pose2, f64) {
    let steps = |half: f64, step: f64| (half / step).round() as i32;
    let (n, m) = (steps(window.half_m, step_m), steps(window.half_rad, step_rad));
    let mut best = (centre, f64::NEG_INFINITY);
    for k in -m..=m {
        let theta = centre.theta + f64::from(k) * step_rad;
        let turned: Vec<[f64; 2]> = {
            let turn = Pose2::new(0.0, 0.0, theta);
            points.iter().map(|&p| turn.transform(p)).collect()
        };
        for i in -n..=n {
            for j in -n..=n {
                let (x, y) = (centre.x + f64::from(i) * step_m, centre.y + f64::from(j) * step_m);
                if map.nearest([x, y]).is_some_and(|near| near.signed_m.abs() < BODY_M) {
                    continue;
                }
                let score = closeness(map, &turned, [x, y], kernel_m);
                if score > best.1 {
                    best = (Pose2::new(x, y, theta), score);
                }
            }
        }
    }
    best
}

/// How many of the points, turned already, end near an obstacle when they are seen from `at`, m; one at the kernel's end
/// counts 0.
pub(crate) fn closeness(map: &FloorMap, turned: &[[f64; 2]], at: [f64; 2], kernel_m: f64) -> f64 {
    turned
        .iter()
        .filter_map(|p| map.nearest([at[0] + p[0], at[1] + p[1]]))
        .map(|near| (1.0 - (near.signed_m / kernel_m).powi(2)).max(0.0))
        .sum()
}
