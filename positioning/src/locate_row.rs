//! Reads from outside any site: where the tags of one pass are along the track, and in which order.
//!
//! The antenna goes along x, the tags hang or stand in a row beside it (several stacked rows do no harm: their ranges
//! differ little). Steps: cells, a folded profile per tag and antenna, a coarse hologram, the joint fit with a shared
//! range, the power's say in the order, standard deviations from the correlated residuals, and last the decoder, which
//! moves each tag by what its neighbours' profiles say. Every tag
//! in the scan's list gets an answer.

use domain::{Scan, Sighting};

use crate::cells::{Cells, ReadProblems, TagReads};
use crate::decoder::{self, RowWindow, Weights};
use crate::hf::{self, HfPass, Shelf};
use crate::hologram;
use crate::normal;
use crate::power;
use crate::profile::{self, Profile};
use crate::range_fit::{self, TagFit};
use crate::settings::LocateSettings;

/// Start places that are tried for each tag.
const STARTS: usize = 3;
/// Points that a profile needs before its phase counts at all.
const FEWEST_POINTS: usize = 4;

/// The error that a fit leaves is this much smaller than the one it had to take (measured on the `train` scans of the
/// rail, 20 to 4 cm): what looks like a shift goes into the place and not into the residual.
const SWALLOWED: f64 = 2.5;

/// Standard deviation over the mean error that the decoder states: 1.25 for a normal error, less what a mean of two
/// windows gains (chosen on the `train` scans of the rail, where two of it then hold 93 to 97% of the errors).
const DECODED: f64 = 1.0;

/// Locates the tags of one pass: one [`Sighting`] for each of `scan.tags`, in that order, without face and tier.
///
/// `along_m` is x of the track, `range_m` the distance from it. Reads that cannot be used are left out and
/// counted by [`check_reads`]. Never fails: a tag without usable reads gets the middle of the track with a
/// standard deviation of the whole of it.
pub fn locate_row(scan: &Scan, settings: &LocateSettings) -> Vec<Sighting> {
    if hf::is_hf(scan) {
        return locate_hf(scan);
    }
    let cells = Cells::build(scan, settings.cell_m, settings.pi_ambiguous);
    let mut row = Row::fit(&cells, settings);
    if let Some(weights) = decoder::row_weights().filter(|_| settings.decode) {
        row.decode(weights, cells.antennas.len());
    }
    row.sightings(scan, &cells)
}

/// The same from the plates of HF readers. Which of several plates a tag stands at goes into its height.
fn locate_hf(scan: &Scan) -> Vec<Sighting> {
    let pass = HfPass::new(scan, &Shelf::row());
    let answers = pass.answers(&pass.learn());
    let spots = answers.iter().map(|a| Spot { x: a.x, x_std: a.x_std, range: a.range, height: a.z });
    ranked(scan, &pass.tags, &spots.collect::<Vec<_>>())
}

/// What is wrong with a scan's reads, by kind.
pub fn check_reads(scan: &Scan) -> ReadProblems {
    if hf::is_hf(scan) {
        return HfPass::new(scan, &Shelf::row()).problems;
    }
    Cells::build(scan, 0.01, false).problems
}

struct Row {
    /// By tag.
    fits: Vec<TagFit>,
    /// By tag, one for each antenna that read it often enough.
    profiles: Vec<Vec<Profile>>,
}

/// Windows of the decoder over the fitted row, antenna by antenna.
pub(crate) fn fit_windows(scan: &Scan, settings: &LocateSettings) -> Vec<RowWindow> {
    let cells = Cells::build(scan, settings.cell_m, settings.pi_ambiguous);
    let row = Row::fit(&cells, settings);
    (0..cells.antennas.len()).flat_map(|a| decoder::windows(&row.profiles, &row.fits, a)).collect()
}

impl Row {
    fn fit(cells: &Cells, settings: &LocateSettings) -> Self {
        let n = cells.tags.len();
        let track = profile::mean_track(cells);
        let ends = ends(cells);
        let antennas = cells.antennas.len();
        let middle = (ends[0] + ends[1]) / 2.0;
        let guess = (settings.range_m[0] + settings.range_m[1]).min(1.3) / 2.0;
        let fold = |place: &dyn Fn(usize, usize) -> (f64, f64)| -> Vec<Vec<Profile>> {
            (0..n)
                .map(|t| {
                    let mut p = profile::fold(cells, t, track, settings.cell_m, settings.pi_ambiguous, |a| {
                        place(t, a)
                    });
                    p.retain(|p| p.points.iter().filter(|p| p.weight > 0.0).count() >= FEWEST_POINTS);
                    p
                })
                .collect()
        };
        let mut profiles = fold(&|_, _| (middle, guess));

        let xs = hologram::grid_x(ends, settings.beyond_track_m);
        let grid = hologram::grid_range(settings.range_m);
        let mut ranges: Vec<f64> = (0..antennas)
            .map(|a| {
                let of_antenna: Vec<&Profile> =
                    profiles.iter().flatten().filter(|p| p.antenna == a).collect();
                hologram::common_range(&of_antenna, &xs, &grid).unwrap_or(guess)
            })
            .collect();
        let mut fits: Vec<TagFit> = (0..n)
            .map(|t| {
                let start = |x: f64| TagFit { x, ranges: ranges.clone(), x_std: f64::INFINITY };
                let mut best = (f64::INFINITY, start(middle));
                for x in hologram::peaks(&profiles[t], &ranges, &xs, STARTS) {
                    let mut fit = start(x);
                    let loss = range_fit::refine_x(&profiles[t], &mut fit, settings);
                    if loss < best.0 {
                        best = (loss, fit);
                    }
                }
                best.1
            })
            .collect();
        range_fit::fit_row(&profiles, &mut fits, &mut ranges, settings);
        if cells.carriers.len() > 1 {
            // Once more with the carriers folded at the places found.
            profiles = fold(&|t, a| (fits[t].x, fits[t].ranges[a]));
            range_fit::fit_row(&profiles, &mut fits, &mut ranges, settings);
        }
        deviations(&profiles, &mut fits, settings);
        let moves = power::moves(&profiles, &fits);
        for (t, (fit, step)) in fits.iter_mut().zip(moves).enumerate() {
            fit.x += settings.power_weight * step;
            if profiles[t].is_empty() || !fit.x_std.is_finite() {
                fit.x = cells_centroid(cells, t).unwrap_or(middle);
                fit.x_std = fallback_std(cells, t, ends);
            }
            fit.x = fit.x.clamp(ends[0] - settings.beyond_track_m, ends[1] + settings.beyond_track_m);
        }
        Self { fits, profiles }
    }

    /// Moves each tag to where the decoder puts it; where several antennas saw it, to the mean of their answers.
    fn decode(&mut self, weights: &Weights, antennas: usize) {
        let mut sums = vec![(0.0, 0.0); self.fits.len()];
        for window in (0..antennas).flat_map(|a| decoder::windows(&self.profiles, &self.fits, a)) {
            let answers = weights.answers(&window);
            for ((&tag, answer), _) in window.tags.iter().zip(&answers).zip(&window.home).filter(|(_, h)| **h)
            {
                let trust = answer.error_m.powi(-2);
                sums[tag].0 += trust * answer.move_m;
                sums[tag].1 += trust;
            }
        }
        for (fit, (sum, trust)) in self.fits.iter_mut().zip(sums) {
            if trust > 0.0 {
                fit.x += sum / trust;
                // Antennas err alike: their number makes nothing surer.
                let n = trust.sqrt().recip() * (antennas as f64).sqrt().max(1.0);
                fit.x_std = DECODED * n;
            }
        }
    }

    fn sightings(&self, scan: &Scan, cells: &Cells) -> Vec<Sighting> {
        let spots = self.fits.iter().map(|fit| Spot {
            x: fit.x,
            x_std: fit.x_std,
            range: fit.ranges.iter().copied().fold(f64::INFINITY, f64::min),
            height: f64::NAN,
        });
        ranked(scan, &cells.tags, &spots.collect::<Vec<_>>())
    }
}

/// Where a tag of a row is, m.
struct Spot {
    x: f64,
    x_std: f64,
    range: f64,
    height: f64,
}

/// Sightings without face and tier, ranked along x; tags, what was read of them and spots in one order.
fn ranked(scan: &Scan, tags: &[TagReads], spots: &[Spot]) -> Vec<Sighting> {
    let mut order: Vec<usize> = (0..spots.len()).collect();
    order.sort_by(|&a, &b| spots[a].x.total_cmp(&spots[b].x).then(scan.tags[a].cmp(&scan.tags[b])));
    let mut rank = vec![(0u32, 1.0f32); order.len()];
    for (i, &t) in order.iter().enumerate() {
        let sure = match i.checked_sub(1).map(|j| &spots[order[j]]) {
            None => 1.0,
            Some(left) => normal::below((spots[t].x - left.x) / left.x_std.hypot(spots[t].x_std)),
        };
        rank[t] = (i as u32, sure as f32);
    }
    spots
        .iter()
        .enumerate()
        .map(|(t, spot)| Sighting {
            uid: scan.tags[t].clone(),
            scan: scan.name.clone(),
            face: None,
            stamp_ns: tags[t].last_stamp,
            along_m: spot.x as f32,
            along_std_m: spot.x_std as f32,
            range_m: spot.range as f32,
            height_m: spot.height as f32,
            tier_probability: Vec::new(),
            face_probability: 1.0,
            rank: rank[t].0,
            rank_confidence: rank[t].1,
            reads: tags[t].reads,
            rssi_dbm: tags[t].rssi_max,
        })
        .collect()
}

/// Standard deviations: the row's residuals tell how strong the error is, what is known of coupling tells how much
/// of it the fit has swallowed.
fn deviations(profiles: &[Vec<Profile>], fits: &mut [TagFit], settings: &LocateSettings) {
    for (profiles, fit) in profiles.iter().zip(fits) {
        let (rms, weight) = range_fit::residual(profiles, fit, settings);
        let known = settings.coupling_rms_rad;
        // The prior counts as much as ten points.
        let rms = if weight > 0.0 {
            ((rms * rms * weight + known * known * 10.0) / (weight + 10.0)).sqrt()
        } else {
            known
        };
        fit.x_std = SWALLOWED * range_fit::x_std(profiles, fit, rms, settings);
    }
}

fn cells_centroid(cells: &Cells, tag: usize) -> Option<f64> {
    power::centroid(cells.of(tag).iter().map(|c| (c.at[0], c.rssi().unwrap_or(f64::NAN))))
}

/// A tag without a phase profile is somewhere near where it was read; without reads, anywhere on the track.
fn fallback_std(cells: &Cells, tag: usize, ends: [f64; 2]) -> f64 {
    let length = (ends[1] - ends[0]).max(0.1);
    let reads = cells.of(tag).len();
    if reads == 0 { length } else { (0.5 / (reads as f64).sqrt()).clamp(0.1, length.max(0.1)) }
}

fn ends(cells: &Cells) -> [f64; 2] {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for cell in &cells.cells {
        low = low.min(cell.at[0]);
        high = high.max(cell.at[0]);
    }
    if low <= high { [low, high] } else { [0.0, 0.0] }
}
