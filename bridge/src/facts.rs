//! What a run was: its name, robot, clock and effort, and the counts that sum up its audit.

use std::collections::BTreeMap;

use domain::audit::Audit;
use domain::{Coverage, ErrorKind, FaceId};
use serde::{Deserialize, Serialize};

/// What is known of a run besides its audit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunFacts {
    /// Name of the run; unique within one store.
    pub run: String,
    /// Name of the robot, `inv_1`.
    pub robot: String,
    /// Name of the site, for people.
    pub site: String,
    /// First stamp of the run on its own clock (`/clock` in simulation), ns.
    pub started_ns: i64,
    /// Last stamp of the run on the same clock, ns.
    pub finished_ns: i64,
    /// Civil time of `started_ns`, ns since 1970 UTC; `None` where only simulated time is known.
    pub wall_started_ns: Option<i64>,
    /// Tag reads in all.
    pub reads: u64,
    /// Different tags read.
    pub tags: u32,
    /// Passes along row faces.
    pub passes: u32,
    /// Way driven, m.
    pub distance_m: f64,
    /// How well each face was covered.
    pub coverage: Vec<FaceCoverage>,
    /// Seed of the scenario; `None` for a real library.
    pub seed: Option<u64>,
}

/// How surely one face's tags would have been read, all passes together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaceCoverage {
    /// The row face.
    pub face: FaceId,
    /// Mean over tiers and bins of the probability that a tag there was read at least once.
    pub mean_read_probability: f32,
    /// Share of tiers and bins where that probability is below 0.9.
    pub weak_share: f32,
}

/// Counts of one audit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Row faces audited.
    pub faces: Vec<FaceId>,
    /// Books expected on them.
    pub expected: u32,
    /// Of these, found where they belong.
    pub in_place: u32,
    /// Tags seen in all.
    pub seen: u32,
    /// Findings of every kind, kinds without any left out.
    pub findings: BTreeMap<ErrorKind, u32>,
}

impl Summary {
    /// Counts an audit's findings.
    pub fn of(audit: &Audit) -> Self {
        let mut findings = BTreeMap::new();
        for error in &audit.errors {
            *findings.entry(error.kind).or_default() += 1;
        }
        Self {
            faces: audit.faces.clone(),
            expected: audit.expected,
            in_place: audit.in_place,
            seen: audit.seen,
            findings,
        }
    }

    /// Findings of one kind.
    pub fn count(&self, kind: ErrorKind) -> u32 {
        self.findings.get(&kind).copied().unwrap_or(0)
    }

    /// Findings of all kinds.
    pub fn total(&self) -> u32 {
        self.findings.values().sum()
    }
}

impl RunFacts {
    /// Length of the run on its own clock, s; never negative.
    pub fn duration_s(&self) -> f64 {
        (self.finished_ns.saturating_sub(self.started_ns)).max(0) as f64 * 1e-9
    }

    /// Civil time of a stamp of the run's clock, ns since 1970 UTC, where it is known.
    pub fn wall_ns(&self, stamp_ns: i64) -> Option<i64> {
        self.wall_started_ns.map(|wall| wall.saturating_add(stamp_ns.saturating_sub(self.started_ns)))
    }
}

/// Joins the passes' coverage face by face: a tag is read when any pass reads it, the passes taken as
/// independent. Faces come in the order of their names; passes with other bin widths are sampled at the
/// finest one's bin centres.
pub fn join_coverage(passes: &[Coverage]) -> Vec<FaceCoverage> {
    let mut by_tier: BTreeMap<(FaceId, u8), Vec<&Coverage>> = BTreeMap::new();
    for pass in passes.iter().filter(|c| c.bin_m > 0.0 && !c.read_probability.is_empty()) {
        by_tier.entry((pass.face.clone(), pass.tier)).or_default().push(pass);
    }
    let mut by_face: BTreeMap<FaceId, (f64, u32, u32)> = BTreeMap::new();
    for ((face, _), passes) in by_tier {
        let bin_m = passes.iter().map(|c| c.bin_m).fold(f32::INFINITY, f32::min);
        let end_m = passes.iter().map(|c| c.bin_m * c.read_probability.len() as f32).fold(0.0, f32::max);
        let sum = by_face.entry(face).or_default();
        for bin in 0..(end_m / bin_m).round() as usize {
            let along_m = (bin as f32 + 0.5) * bin_m;
            let unread: f32 = passes.iter().map(|c| 1.0 - c.at(along_m).clamp(0.0, 1.0)).product();
            sum.0 += f64::from(1.0 - unread);
            sum.1 += u32::from(1.0 - unread < 0.9);
            sum.2 += 1;
        }
    }
    by_face
        .into_iter()
        .filter(|(_, (_, _, bins))| *bins > 0)
        .map(|(face, (sum, weak, bins))| FaceCoverage {
            face,
            mean_read_probability: (sum / f64::from(bins)) as f32,
            weak_share: weak as f32 / bins as f32,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_weak_passes_make_a_stronger_coverage() {
        let pass = |scan: &str, p: Vec<f32>| Coverage {
            scan: scan.into(),
            face: "1F/R01A".parse().unwrap(),
            tier: 1,
            bin_m: 0.1,
            read_probability: p,
        };
        let joined = join_coverage(&[pass("a", vec![0.8, 0.5]), pass("b", vec![0.8, 0.5])]);
        assert_eq!(joined.len(), 1);
        assert!((joined[0].mean_read_probability - 0.855).abs() < 1e-5, "{joined:?}");
        assert!((joined[0].weak_share - 0.5).abs() < 1e-6);
    }
}
