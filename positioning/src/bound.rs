//! The Cramér–Rao bound: how small the error of a place can be at all, whatever the method.
//!
//! Twice for each tag. With thermal noise alone: what the reader's receiver allows. With the model error as well: what
//! any method allows that takes coupling for noise of the measured strength and reach. A decoder that knows
//! where that error comes from may be better than the second bound, none can be better than the first.

use domain::Scan;
use nalgebra::{DMatrix, DVector, Matrix2};

use crate::cells::{Cell, Cells};
use crate::profile::{self, wavenumber};
use crate::range_fit::{self, TagFit};
use crate::settings::LocateSettings;

/// Least standard deviations of a tag's x, m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// With the phase noise that repeated reads show.
    pub thermal_m: f64,
    /// With the error of the free-space model too, as the scan shows it.
    pub with_model_m: f64,
}

/// Repeated reads that a tag's phase noise is measured from, at least; with fewer the scan's own counts.
const ENOUGH: f64 = 20.0;
/// Information of nothing at all, so that a matrix is never singular.
const NOTHING: f64 = 1e-9;

/// The bounds of each tag for tags at `[x, range]`, m, by tag; `None` where the reads allow none.
///
/// x and range are unknown, and an offset for each antenna and carrier.
pub fn bounds(scan: &Scan, places: &[Option<[f64; 2]>], settings: &LocateSettings) -> Vec<Option<Bound>> {
    let cells = Cells::build(scan, settings.cell_m, settings.pi_ambiguous);
    let track = profile::mean_track(&cells);
    let all = noise(&cells.cells).unwrap_or(0.1);
    let thermal = |tag: usize| -> Option<f64> {
        let [x, range] = (*places.get(tag)?)?;
        thermal(&cells, tag, track, [x, range], noise(cells.of(tag)).unwrap_or(all), settings)
    };
    let model = model(&cells, track, places, settings);
    (0..cells.tags.len())
        .map(|tag| {
            let thermal_m = thermal(tag)?;
            let with_model_m = thermal_m.hypot(model.get(tag).copied().flatten()?);
            Some(Bound { thermal_m, with_model_m })
        })
        .collect()
}

/// Phase noise of one read, rad, from reads that share a cell; `None` from too few.
fn noise(cells: &[Cell]) -> Option<f64> {
    let (mut spread, mut free) = (0.0, 0.0);
    for c in cells.iter().filter(|c| c.phases >= 3) {
        let n = f64::from(c.phases);
        // For small noise 2(n − |sum|) is the sum of squares around the mean.
        spread += 2.0 * (n - c.phasor.norm()).max(0.0);
        free += n - 1.0;
    }
    // Readers report phases in steps: none is quieter than a 4096th of a turn.
    (free >= ENOUGH).then(|| (spread / free).sqrt().max(std::f64::consts::TAU / 4096.0))
}

fn thermal(
    cells: &Cells,
    tag: usize,
    track: [f64; 3],
    [x, range]: [f64; 2],
    sigma: f64,
    settings: &LocateSettings,
) -> Option<f64> {
    let mut information = Matrix2::from_diagonal_element(NOTHING);
    for run in cells.of(tag).chunk_by(|a, b| (a.antenna, a.carrier) == (b.antenna, b.carrier)) {
        let k = wavenumber(*cells.carriers.get(usize::from(run[0].carrier))?, settings.pi_ambiguous);
        let slopes: Vec<(f64, [f64; 2])> = run
            .iter()
            .map(|c| {
                let s = range + c.at[1] - track[1];
                let d = (c.at[0] - x).hypot(s).max(1e-3);
                (f64::from(c.phases) / sigma.powi(2), [k * (x - c.at[0]) / d, k * s / d])
            })
            .collect();
        let total: f64 = slopes.iter().map(|s| s.0).sum();
        if total <= 0.0 {
            continue;
        }
        let mean = [0, 1].map(|a| slopes.iter().map(|(w, g)| w * g[a]).sum::<f64>() / total);
        for (w, g) in slopes {
            for a in 0..2 {
                (0..2).for_each(|b| information[(a, b)] += w * (g[a] - mean[a]) * (g[b] - mean[b]));
            }
        }
    }
    let variance = information.try_inverse()?[(0, 0)];
    (information[(0, 0)] > 1.0 && variance > 0.0).then(|| variance.sqrt())
}

/// The bound by the model's error alone: residuals of that RMS, alike over the coupling length.
fn model(
    cells: &Cells,
    track: [f64; 3],
    places: &[Option<[f64; 2]>],
    settings: &LocateSettings,
) -> Vec<Option<f64>> {
    let antennas = cells.antennas.len();
    let tags: Vec<_> = places
        .iter()
        .enumerate()
        .map(|(tag, place)| {
            let [x, range] = (*place)?;
            let fit = TagFit { x, ranges: vec![range; antennas], x_std: f64::NAN };
            let profiles =
                profile::fold(cells, tag, track, settings.cell_m, settings.pi_ambiguous, |_| (x, range));
            Some((profiles, fit))
        })
        .collect();
    let (mut sum, mut weight) = (0.0, 0.0);
    for (profiles, fit) in tags.iter().flatten() {
        let (rms, w) = range_fit::residual(profiles, fit, settings);
        if rms.is_finite() {
            sum += w * rms * rms;
            weight += w;
        }
    }
    let variance = if weight > 0.0 { sum / weight } else { return vec![None; places.len()] };
    let alike = -std::f64::consts::LN_2 / settings.coupling_length_m;
    tags.iter()
        .map(|tag| {
            let (profiles, fit) = tag.as_ref()?;
            let mut information = Matrix2::from_diagonal_element(NOTHING);
            for p in profiles {
                let points: Vec<_> = p.points.iter().filter(|p| p.weight > 0.0).collect();
                let n = points.len();
                if n < 4 {
                    continue;
                }
                let covariance = DMatrix::from_fn(n, n, |i, j| {
                    let own = if i == j { 1e-3 } else { 0.0 };
                    variance * ((alike * (points[i].x - points[j].x).abs()).exp() + own)
                });
                let solver = covariance.cholesky()?;
                let column = |of: &dyn Fn(f64, f64) -> f64| -> DVector<f64> {
                    DVector::from_fn(n, |i, _| {
                        let (along, s) = (points[i].x - fit.x, fit.ranges[p.antenna] + points[i].out);
                        of(along, s)
                    })
                };
                let g = [
                    column(&|a, s| -p.k * a / a.hypot(s).max(1e-3)),
                    column(&|a, s| p.k * s / a.hypot(s).max(1e-3)),
                    column(&|_, _| 1.0),
                ];
                let white = [0, 1, 2].map(|c| solver.solve(&g[c]));
                let of = |a: usize, b: usize| g[a].dot(&white[b]);
                for a in 0..2 {
                    for b in 0..2 {
                        information[(a, b)] += of(a, b) - of(a, 2) * of(2, b) / of(2, 2);
                    }
                }
            }
            // Ranges of a row are alike: the fit uses that too.
            information[(1, 1)] += settings.range_spread_m.powi(-2);
            let least = information.try_inverse()?[(0, 0)];
            (least > 0.0 && information[(0, 0)] > 1.0).then(|| least.sqrt())
        })
        .collect()
}
