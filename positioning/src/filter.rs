//! The localizer's filter: its state, what motion makes of it, and the iterated update with a scan (Bell and Cathey
//! 1993).

use nalgebra::{SMatrix, SVector};

use crate::floor_map::FloorMap;
use crate::localizer::LocalizerSettings;
use crate::motion::Stretch;
use crate::pose::{Pose2, wrap_angle};
use crate::scan_match::{MatchSettings, normal};

pub(crate) type Vector5 = SVector<f64, 5>;
pub(crate) type Matrix5 = SMatrix<f64, 5, 5>;
/// Places in the state: x, y, θ, then these.
pub(crate) const BIAS: usize = 3;
const SCALE: usize = 4;

/// Squared Mahalanobis distance from the prediction beyond which a fit is a chance one: five deviations.
const GATE: f64 = 25.0;
/// Most rounds of one update.
const ROUNDS: usize = 15;

/// What the filter believes: pose, gyro bias, odometry scale, and how sure it is.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub stamp_ns: i64,
    pub x: Vector5,
    pub p: Matrix5,
}

/// A scan fitted to the map with a prediction.
pub(crate) struct Fit {
    pub x: Vector5,
    pub p: Matrix5,
    pub inlier_share: f64,
}

/// Iterated update of the predicted state, with the covariance given, from a first guess. `None` where the
/// covariance is not positive definite; a fit that the prediction rules out has no share of beams.
pub(crate) fn fit(
    map: &FloorMap,
    settings: &MatchSettings,
    points: &[[f64; 2]],
    predicted: &State,
    guess: Vector5,
    covariance: &Matrix5,
) -> Option<Fit> {
    let prior = covariance.cholesky()?.inverse();
    let mut x = guess;
    let mut p = *covariance;
    for round in 0..ROUNDS {
        // From a wide kernel to the true one, so that a first guess 10 cm off is still drawn in.
        let widening = [3.0, 2.0, 1.5].get(round).copied().unwrap_or(1.0);
        let scan = normal(map, points, pose(&x), settings, settings.robust_m * widening);
        let mut information = prior;
        let mut block = information.fixed_view_mut::<3, 3>(0, 0);
        block += scan.information;
        let factor = information.cholesky()?;
        let mut away = x - predicted.x;
        away[2] = wrap_angle(away[2]);
        let mut gradient = prior * away;
        let mut head = gradient.fixed_rows_mut::<3>(0);
        head += scan.gradient;
        let step = factor.solve(&gradient);
        x -= step;
        x[2] = wrap_angle(x[2]);
        p = factor.inverse();
        if round > 3 && step.fixed_rows::<3>(0).norm() < 1e-5 {
            break;
        }
    }
    let mut away = (x - predicted.x).fixed_rows::<3>(0).into_owned();
    away[2] = wrap_angle(away[2]);
    let spread = covariance.fixed_view::<3, 3>(0, 0).into_owned().cholesky()?;
    let inlier_share = if away.dot(&spread.solve(&away)) > GATE {
        0.0
    } else {
        normal(map, points, pose(&x), settings, settings.robust_m).inlier_share
    };
    Some(Fit { x, p: (p + p.transpose()) * 0.5, inlier_share })
}

/// The pose of a state.
pub(crate) fn pose(x: &Vector5) -> Pose2 {
    Pose2::new(x[0], x[1], x[2])
}

/// One stretch of motion into state and covariance.
pub(crate) fn predict(state: &mut State, stretch: &Stretch, s: &LocalizerSettings) {
    let [dx, dy] = stretch.displacement;
    let way = dx.hypot(dy);
    let dt = stretch.seconds;
    // Wheels that stand show the bias alone.
    if let (Some(turn), true) = (stretch.gyro_turn, stretch.stood_still() && !stretch.jumped && dt > 0.0) {
        observe_bias(state, turn / dt, s.gyro_std_rad.powi(2) / dt);
    }
    let (turn, turn_variance) = match stretch.gyro_turn {
        Some(gyro) => (gyro - state.x[BIAS] * dt, s.gyro_std_rad.powi(2) * dt + (0.005 * gyro).powi(2)),
        None => {
            let turn = stretch.wheel_turn;
            (turn, s.wheel_turn_std.powi(2) * (turn.abs() + 0.2 * way) + 1e-8)
        }
    };
    // The chord of an arc points along its half turn: exchange the wheels' half turn for the true one.
    let heading = state.x[2] + 0.5 * (turn - stretch.wheel_turn);
    let (sin, cos) = heading.sin_cos();
    let scale = 1.0 + state.x[SCALE];
    let (mx, my) = (cos * dx - sin * dy, sin * dx + cos * dy);
    state.x[0] += scale * mx;
    state.x[1] += scale * my;
    state.x[2] = wrap_angle(state.x[2] + turn);
    let mut f = Matrix5::identity();
    f[(0, 2)] = -scale * my;
    f[(1, 2)] = scale * mx;
    f[(0, SCALE)] = mx;
    f[(1, SCALE)] = my;
    if stretch.gyro_turn.is_some() {
        f[(2, BIAS)] = -dt;
    }
    // Where wheels and gyro disagree on the turn, the wheels slipped, and the way is wrong by as much.
    let slip = stretch.gyro_turn.map_or(0.0, |_| 0.25 * (stretch.wheel_turn - turn));
    let along = s.odometry_std_m.powi(2) * way + slip * slip;
    let across = (0.3 * s.odometry_std_m).powi(2) * way + slip * slip + 1e-6 * dt;
    let mut q = Matrix5::zeros();
    q[(0, 0)] = cos * cos * along + sin * sin * across;
    q[(1, 1)] = sin * sin * along + cos * cos * across;
    q[(0, 1)] = cos * sin * (along - across);
    q[(1, 0)] = q[(0, 1)];
    q[(2, 2)] = turn_variance;
    q[(BIAS, BIAS)] = s.gyro_bias_walk.powi(2) * dt;
    q[(SCALE, SCALE)] = 1e-6 * way;
    if stretch.jumped {
        q[(0, 0)] += 0.04;
        q[(1, 1)] += 0.04;
        q[(2, 2)] += 0.01;
    }
    let p = f * state.p * f.transpose() + q;
    state.p = (p + p.transpose()) * 0.5;
}

fn observe_bias(state: &mut State, rate: f64, variance: f64) {
    let innovation = rate - state.x[BIAS];
    let spread = state.p[(BIAS, BIAS)] + variance;
    // A robot that is pushed with its wheels locked turns too: that is no bias.
    if innovation * innovation > 25.0 * spread {
        return;
    }
    let gain: Vector5 = state.p.column(BIAS) / spread;
    state.x += gain * innovation;
    let p = state.p - gain * state.p.row(BIAS);
    state.p = (p + p.transpose()) * 0.5;
}
