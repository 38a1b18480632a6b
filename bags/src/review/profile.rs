//! The reads of single books over the antenna's place along the shelf: phase beside a fitted curve, what is left of it,
//! and RSSI. The place is a timeline of its own, so that the viewer's plots have it as their axis.
//!
//! Phases of all carriers are unrolled along the curve of the locator's place and laid on each other: what a carrier and
//! an antenna add to all phases is taken off. Only the distance of the track is fitted here, antenna by antenna.

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::TAU;

use interfaces::shelfwright_msgs::TagRead;
use re_sdk::log::TimeColumn;
use re_sdk::time::Timeline;
use re_sdk_types::archetypes::Scalars;

use super::error::ReviewError;
use super::log::{Log, Style, path};
use super::palette::{CURVE, hue};
use super::spots::{Spot, Uid, hex};

/// The timeline of places along the shelf, mm.
pub(super) const ALONG: &str = "along_mm";

const LIGHT_MPS: f64 = 299_792_458.0;
/// Reads so far from the tag do not belong to its profile, m.
const APERTURE_M: f64 = 1.0;
/// Distances of the track that are tried, m.
const NEAREST_M: f64 = 0.10;
const STEP_M: f64 = 0.01;
const STEPS: u32 = 140;
/// Reads kept of one tag in one pass; more say nothing new.
const READS: usize = 20_000;
/// Points of a fitted curve lie so far apart, m.
const CURVE_M: f64 = 0.005;

/// One read of a tag under review.
#[derive(Clone, Copy)]
struct Sample {
    stamp_ns: i64,
    /// Antenna's place along the face, m.
    x_m: f64,
    phase_rad: f64,
    rssi_dbm: f64,
    frequency_hz: f64,
    antenna: u8,
}

/// Tags under review.
#[derive(Default)]
pub(super) struct Profiles {
    watched: BTreeSet<Uid>,
    samples: BTreeMap<(Uid, String), Vec<Sample>>,
    /// Passes told so far, by tag and face.
    passes: BTreeMap<(Uid, String), u32>,
}

/// How well a tag's reads follow its curve.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    pub reads: usize,
    pub carriers: usize,
    /// RMS of what is left of the phase, rad; NaN without phases.
    pub residual_rad: f64,
}

impl Profiles {
    pub fn new(watched: impl IntoIterator<Item = Uid>) -> Self {
        Self { watched: watched.into_iter().collect(), ..Self::default() }
    }

    /// Takes a read in; `antenna_m` is in face coordinates.
    pub fn take(&mut self, face: &str, stamp_ns: i64, read: &TagRead, antenna_m: [f64; 3]) {
        if !self.watched.contains(&read.uid) {
            return;
        }
        let samples = self.samples.entry((read.uid.clone(), face.to_owned())).or_default();
        if samples.len() < READS {
            samples.push(Sample {
                stamp_ns,
                x_m: antenna_m[0],
                phase_rad: f64::from(read.phase_rad),
                rssi_dbm: f64::from(read.rssi_dbm),
                frequency_hz: read.frequency_hz,
                antenna: read.antenna,
            });
        }
    }

    /// Draws the profiles of a face; the pass along it is over. `spot` says where a tag is held to be.
    pub fn tell(
        &mut self,
        log: &mut Log,
        face: &str,
        spot: impl Fn(&[u8]) -> Option<Spot>,
    ) -> Result<Vec<(Uid, Fit)>, ReviewError> {
        let keys: Vec<(Uid, String)> = self.samples.keys().filter(|(_, f)| f == face).cloned().collect();
        let mut fits = Vec::new();
        for key in keys {
            let Some(samples) = self.samples.remove(&key) else { continue };
            let Some(spot) = spot(&key.0).filter(|s| s.face == face) else { continue };
            let pass = self.passes.entry(key.clone()).or_default();
            *pass += 1;
            let name = format!("{} pass {pass}", face.replace('/', " "));
            fits.push((key.0.clone(), draw(log, &key.0, &name, samples, f64::from(spot.along_m))?));
        }
        Ok(fits)
    }

    /// Faces that have samples left.
    pub fn faces(&self) -> BTreeSet<String> {
        self.samples.keys().map(|(_, face)| face.clone()).collect()
    }
}

/// Phase that the way there and back adds, rad.
fn turns(frequency_hz: f64, along_m: f64, across_m: f64) -> f64 {
    2.0 * TAU * frequency_hz / LIGHT_MPS * along_m.hypot(across_m)
}

/// By how much the phase has grown since the antenna was nearest, rad.
fn grown(frequency_hz: f64, along_m: f64, across_m: f64) -> f64 {
    turns(frequency_hz, along_m, across_m) - turns(frequency_hz, 0.0, across_m)
}

/// One carrier of one antenna.
struct Carrier {
    frequency_hz: f64,
    offset_rad: f64,
    /// 2π, or π of a reader that cannot tell half a turn.
    period_rad: f64,
}

fn draw(
    log: &mut Log,
    uid: &[u8],
    pass: &str,
    mut samples: Vec<Sample>,
    along_m: f64,
) -> Result<Fit, ReviewError> {
    samples.retain(|s| (s.x_m - along_m).abs() <= APERTURE_M);
    samples.sort_by(|a, b| a.x_m.total_cmp(&b.x_m));
    let tag = hex(uid);
    let at = |what: &str, parts: &[&str]| {
        path(["tags", &tag, what, pass].into_iter().chain(parts.iter().copied()))
    };
    let antennas: BTreeSet<u8> = samples.iter().map(|s| s.antenna).collect();
    let carriers: BTreeSet<u64> = samples.iter().map(|s| s.frequency_hz as u64).collect();
    let (mut squares, mut count) = (0.0, 0_usize);
    for antenna in &antennas {
        let of_antenna: Vec<Sample> = samples.iter().filter(|s| s.antenna == *antenna).copied().collect();
        let name = format!("antenna {antenna}");
        let colour = hue(usize::from(*antenna), 6);
        let rssi = at("rssi", &[&name]);
        log.style(&rssi, Style::Points(name.clone(), colour))?;
        send(
            log,
            &rssi,
            of_antenna.iter().filter(|s| s.rssi_dbm.is_finite()).map(|s| (s.stamp_ns, s.x_m, s.rssi_dbm)),
        )?;
        let phased: Vec<Sample> = of_antenna.iter().filter(|s| s.phase_rad.is_finite()).copied().collect();
        let Some((across_m, fitted)) = fit(&phased, along_m) else { continue };
        for (i, carrier) in carriers.iter().enumerate() {
            let Some(c) = fitted.iter().find(|c| c.frequency_hz as u64 == *carrier) else { continue };
            let left: Vec<(Sample, f64)> = phased
                .iter()
                .filter(|s| s.frequency_hz as u64 == *carrier)
                .map(|s| {
                    let model = turns(s.frequency_hz, s.x_m - along_m, across_m) + c.offset_rad;
                    (*s, wrapped(s.phase_rad - model, c.period_rad))
                })
                .collect();
            squares += left.iter().map(|(_, r)| r * r).sum::<f64>();
            count += left.len();
            let name = format!("antenna {antenna}, {:.3} MHz", c.frequency_hz * 1e-6);
            let parts = [format!("antenna {antenna}"), format!("{:.3} MHz", c.frequency_hz * 1e-6)];
            let parts = [parts[0].as_str(), parts[1].as_str()];
            let (phase, residual) = (at("phase", &parts), at("residual", &parts));
            for entity in [&phase, &residual] {
                log.style(entity, Style::Points(name.clone(), hue(i, carriers.len())))?;
            }
            let unrolled = |(s, r): &(Sample, f64)| {
                (s.stamp_ns, s.x_m, grown(s.frequency_hz, s.x_m - along_m, across_m) + r)
            };
            send(log, &phase, left.iter().map(unrolled))?;
            send(log, &residual, left.iter().map(|(s, r)| (s.stamp_ns, s.x_m, *r)))?;
        }
        let (Some(first), Some(last)) = (phased.first(), phased.last()) else { continue };
        let middle_hz = fitted.iter().map(|c| c.frequency_hz).sum::<f64>() / fitted.len() as f64;
        let steps = ((last.x_m - first.x_m) / CURVE_M) as u32;
        let curve = (0..=steps).map(|i| first.x_m + f64::from(i) * CURVE_M);
        let entity = at("curve", &[&name]);
        log.style(&entity, Style::Exact(format!("curve at {across_m:.2} m, antenna {antenna}"), CURVE))?;
        send_along(log, &entity, curve.map(|x| (x, grown(middle_hz, x - along_m, across_m))))?;
    }
    let residual_rad = (squares / count as f64).sqrt();
    Ok(Fit { reads: samples.len(), carriers: carriers.len(), residual_rad })
}

/// Distance of the track under which the phases of each carrier agree best, and what each carrier adds.
fn fit(samples: &[Sample], along_m: f64) -> Option<(f64, Vec<Carrier>)> {
    if samples.is_empty() {
        return None;
    }
    let mut by_carrier: BTreeMap<u64, Vec<&Sample>> = BTreeMap::new();
    for s in samples {
        by_carrier.entry(s.frequency_hz as u64).or_default().push(s);
    }
    // Sum of unit vectors of what is left, each multiplied by `fold`: 1 for whole turns, 2 for half ones.
    let sum = |of: &[&Sample], across: f64, fold: f64| {
        of.iter().fold((0.0, 0.0), |(x, y), s| {
            let (sin, cos) =
                (fold * (s.phase_rad - turns(s.frequency_hz, s.x_m - along_m, across))).sin_cos();
            (x + cos, y + sin)
        })
    };
    let agreement = |across: f64, fold: f64| -> f64 {
        by_carrier.values().map(|of| sum(of, across, fold)).map(|(x, y)| x.hypot(y)).sum()
    };
    let best = |fold: f64| {
        (0..STEPS)
            .map(|i| NEAREST_M + f64::from(i) * STEP_M)
            .map(|across| (agreement(across, fold), across))
            .max_by(|a, b| a.0.total_cmp(&b.0))
    };
    let (whole, half) = (best(1.0)?, best(2.0)?);
    // Doubled phases agree worse where whole turns are told, and far better where only half ones are.
    let fold = if half.0 > 1.3 * whole.0 { 2.0 } else { 1.0 };
    let across = if fold > 1.5 { half.1 } else { whole.1 };
    let carriers = by_carrier.values().filter_map(|of| {
        let (x, y) = sum(of, across, fold);
        Some(Carrier {
            frequency_hz: of.first()?.frequency_hz,
            offset_rad: y.atan2(x) / fold,
            period_rad: TAU / fold,
        })
    });
    Some((across, carriers.collect()))
}

/// An angle brought to half a period around zero.
fn wrapped(angle: f64, period: f64) -> f64 {
    let half = 0.5 * period;
    (angle + half).rem_euclid(period) - half
}

/// Sends values over place and time.
fn send(
    log: &mut Log,
    entity: &re_sdk::EntityPath,
    of: impl Iterator<Item = (i64, f64, f64)>,
) -> Result<(), ReviewError> {
    let mut all: Vec<(i64, f64, f64)> = of.collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    let Some(first) = all.first() else { return Ok(()) };
    let time = log.timeline(first.0);
    let stamps: Vec<i64> = all.iter().map(|v| v.0).collect();
    let along: Vec<i64> = all.iter().map(|v| millimetres(v.1)).collect();
    let values: Vec<f64> = all.iter().map(|v| v.2).collect();
    let times = [
        TimeColumn::new(Some(true), Timeline::new_sequence(ALONG), along.into()),
        TimeColumn::new(None, time, stamps.into()),
    ];
    let columns = Scalars::new(values).columns_of_unit_batches()?;
    Ok(log.stream().send_columns(entity.clone(), times, columns)?)
}

/// Sends values over place alone.
fn send_along(
    log: &Log,
    entity: &re_sdk::EntityPath,
    of: impl Iterator<Item = (f64, f64)>,
) -> Result<(), ReviewError> {
    let (along, values): (Vec<i64>, Vec<f64>) = of.map(|(x, v)| (millimetres(x), v)).unzip();
    let times = TimeColumn::new(Some(true), Timeline::new_sequence(ALONG), along.into());
    let columns = Scalars::new(values).columns_of_unit_batches()?;
    Ok(log.stream().send_columns(entity.clone(), [times], columns)?)
}

fn millimetres(m: f64) -> i64 {
    (1e3 * m).round() as i64
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    /// Reads of a tag at 1.0 m, 0.4 m from the track, on two carriers that add other phases.
    fn reads(period: f64) -> Vec<Sample> {
        (0..400)
            .map(|i| {
                let (x, carrier) = (0.5 + f64::from(i) * 0.0025, i % 2);
                let frequency_hz = 920.625e6 + f64::from(carrier) * 1e6;
                let phase = turns(frequency_hz, x - 1.0, 0.4) + 1.0 + f64::from(carrier);
                let phase_rad = phase.rem_euclid(period);
                Sample {
                    stamp_ns: i64::from(i),
                    x_m: x,
                    phase_rad,
                    rssi_dbm: -60.0,
                    frequency_hz,
                    antenna: 1,
                }
            })
            .collect()
    }

    #[test]
    fn the_curve_lies_on_the_phases_of_every_carrier() {
        for period in [TAU, PI] {
            let samples = reads(period);
            let (across, carriers) = fit(&samples, 1.0).unwrap();
            assert!((across - 0.4).abs() < 0.006, "{across}");
            assert_eq!(carriers.len(), 2);
            for s in &samples {
                let c = carriers.iter().find(|c| c.frequency_hz == s.frequency_hz).unwrap();
                assert!((c.period_rad - period).abs() < 1e-9, "{}", c.period_rad);
                let model = turns(s.frequency_hz, s.x_m - 1.0, across) + c.offset_rad;
                assert!(wrapped(s.phase_rad - model, c.period_rad).abs() < 0.1);
            }
        }
    }

    #[test]
    fn a_tag_without_phases_has_no_curve() {
        assert!(fit(&[], 1.0).is_none());
    }
}
