//! How far positions along the shelf are off, learnt from the run: a core that scatters somewhat more than it claims,
//! and a share of gross errors where the locator took a side minimum for the place.

use super::calibrate::ENOUGH;
use super::fuse::FaceBelief;
use super::stat::{median, normal_cdf, normal_density};

/// The error of one position along the shelf: a mixture of two normal distributions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Standard deviation of the core, m.
    pub std_m: f64,
    /// Share of gross errors.
    pub gross_share: f64,
    /// Standard deviation of gross errors, m.
    pub gross_std_m: f64,
}

impl Spread {
    /// Before anything is learnt.
    pub const DOUBTFUL: Self = Self { std_m: 0.02, gross_share: 0.05, gross_std_m: 0.2 };

    /// Density, per m, of a position `d` from where it should be, itself known to `slot_std_m`.
    pub fn density(&self, d: f64, slot_std_m: f64) -> f64 {
        (1.0 - self.gross_share) * normal_density(d, self.std_m.hypot(slot_std_m))
            + self.gross_share * normal_density(d, self.gross_std_m.hypot(self.std_m))
    }

    /// Probability that a place between `left` and `right` lies behind a position.
    pub fn inside(&self, along: f64, left: f64, right: f64) -> f64 {
        let within = |s: f64| normal_cdf((right - along) / s) - normal_cdf((left - along) / s);
        (1.0 - self.gross_share) * within(self.std_m)
            + self.gross_share * within(self.gross_std_m.hypot(self.std_m))
    }
}

/// A book's residual against its place between neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Residual {
    kind: usize,
    /// m.
    d: f64,
    /// Claimed standard deviation, the neighbours' included, m.
    std_m: f64,
    /// Width of its home shelf, m.
    shelf_m: f64,
    /// Probability that it stands on its home shelf.
    weight: f64,
}

impl Residual {
    pub fn new(f: &FaceBelief, d: f64, slot_std_m: f64, shelf_m: f64, weight: f64) -> Self {
        Self { kind: kind(f), d, std_m: f.along_std_m.hypot(slot_std_m), shelf_m, weight }
    }
}

/// Error model of one face's positions, for few reads, unsure tiers and the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlongModel([Mixture; 3]);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Mixture {
    scale: f64,
    gross_share: f64,
    gross_std_m: f64,
}

/// A tag with so few reads, or a tier less sure than this, is no clear sighting.
const FEW_READS: u32 = 6;
const SURE_TIER: f64 = 0.9;

fn kind(f: &FaceBelief) -> usize {
    let sure = f.ln_tier.as_ref().is_none_or(|ln| ln.iter().any(|l| *l >= SURE_TIER.ln()));
    match (f.reads > FEW_READS, sure) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => 2,
    }
}

impl Default for AlongModel {
    fn default() -> Self {
        let of = |scale, gross_share| Mixture { scale, gross_share, gross_std_m: 0.2 };
        Self([of(2.0, 0.1), of(1.5, 0.05), of(1.0, 0.02)])
    }
}

impl AlongModel {
    pub fn spread(&self, f: &FaceBelief) -> Spread {
        let m = self.0[kind(f)];
        Spread { std_m: f.along_std_m * m.scale, gross_share: m.gross_share, gross_std_m: m.gross_std_m }
    }

    /// By expectation maximisation, kind by kind; `disorder_rate` of the books are really elsewhere on their shelf and
    /// no errors of the locator. A kind with too few books is no better than the next clearer one.
    pub fn learn(residuals: &[Residual], disorder_rate: f64) -> Self {
        let mut model = Self::default();
        for kind in (0..model.0.len()).rev() {
            let of: Vec<Residual> = residuals.iter().copied().filter(|r| r.kind == kind).collect();
            if of.len() >= ENOUGH {
                model.0[kind] = Mixture::fit(&of, disorder_rate);
            } else if let Some(clearer) = model.0.get(kind + 1).copied() {
                let m = &mut model.0[kind];
                m.scale = m.scale.max(clearer.scale);
                m.gross_share = m.gross_share.max(clearer.gross_share);
                m.gross_std_m = m.gross_std_m.max(clearer.gross_std_m);
            }
        }
        model
    }
}

impl Mixture {
    /// Expectation maximisation over three kinds: the core, gross errors, and books really out of order, whose share
    /// is `disorder_rate` and which lie anywhere on their shelf.
    fn fit(residuals: &[Residual], disorder_rate: f64) -> Self {
        // As many books as these say beforehand that one in two hundred is grossly off.
        const PRIOR: f64 = 50.0;
        let mut sizes: Vec<f64> = residuals.iter().map(|r| (r.d / r.std_m).abs()).collect();
        let mut scale = (median(&mut sizes).unwrap_or(1.0) / 0.6745).clamp(1.0, 10.0);
        let (mut share, mut gross_std_m) = (0.02, 0.2);
        for _ in 0..60 {
            let (mut core, mut core_sum, mut gross, mut gross_sum) = (0.0, 0.0, 0.0, 0.0);
            for r in residuals {
                let a = (1.0 - share - disorder_rate) * normal_density(r.d, scale * r.std_m);
                let b = share * normal_density(r.d, gross_std_m);
                let c = disorder_rate * moved_density(r.d, r.shelf_m);
                let all = (a + b + c).max(f64::MIN_POSITIVE);
                core += r.weight * a / all;
                core_sum += r.weight * a / all * (r.d / r.std_m).powi(2);
                gross += r.weight * b / all;
                gross_sum += r.weight * b / all * r.d * r.d;
            }
            scale = (core_sum / core.max(1.0)).sqrt().clamp(1.0, 10.0);
            // Wide gross errors until shown otherwise, as if one book had shown it.
            gross_std_m = ((gross_sum + 0.04) / (gross + 1.0)).sqrt().clamp(0.08, 0.6);
            share = (gross + 0.005 * PRIOR) / (residuals.len() as f64 + PRIOR);
        }
        Self { scale, gross_share: share.max(0.0003), gross_std_m }
    }
}

/// Density, per m, of how far a book out of order lies from its place: both anywhere on the shelf.
fn moved_density(d: f64, shelf_m: f64) -> f64 {
    (1.0 - d.abs() / shelf_m).max(0.0) / shelf_m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gross_errors_are_told_from_a_locator_that_claims_too_little() {
        let residuals: Vec<Residual> = (0..400)
            .map(|i| {
                let core = 0.02 * ((i % 41) as f64 - 20.0) / 11.8;
                let d = if i % 10 == 0 { 0.3 * if i % 20 == 0 { 1.0 } else { -1.0 } } else { core };
                Residual { kind: 2, d, std_m: 0.01, shelf_m: 0.9, weight: 1.0 }
            })
            .collect();
        let m = Mixture::fit(&residuals, 0.0);
        assert!((1.7..2.3).contains(&m.scale), "{m:?}");
        assert!((0.07..0.12).contains(&m.gross_share), "{m:?}");
        assert!((0.25..0.35).contains(&m.gross_std_m), "{m:?}");
    }
}
