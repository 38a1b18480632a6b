//! A tag as one antenna saw it along its way, at the place where the tag is known to be: residual phase and power.

use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};

use domain::Scan;
use num_complex::Complex64;

use crate::radio::SPEED_OF_LIGHT;

/// Spots this far below the strongest of a profile count no more, dB.
const LOBE_DB: f64 = 15.0;
/// Shorter profiles say nothing.
pub(super) const FEWEST_SPOTS: usize = 7;
/// How often the offsets of carriers and tags are reckoned in turn; at known places it settles at once.
const ROUNDS: usize = 6;
/// A row or shelf is shifted by at most this when its phases ask for it, m.
const FARTHEST_SHIFT_M: f64 = 0.04;

/// A tag of a scan whose place is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownTag {
    /// Index into [`Scan::tags`].
    pub tag: u32,
    /// Along the face, out of it, and up, m, in the frame of the antennas' places.
    pub place_m: [f64; 3],
    /// Tags of one group are known beside each other better than against the antenna: a row, a shelf.
    pub group: usize,
}

/// What an antenna saw of a tag on one stretch of its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    /// Index of the stretch: antenna's place along the face over the step.
    pub cell: i64,
    /// Antenna's place less the tag's along the face, m.
    pub off_m: f64,
    /// From the antenna to the tag, m.
    pub range_m: f64,
    /// Phase less what the distance gives, unwrapped along the way from where the tag is loudest, rad.
    pub residual: f64,
    /// Mean power, dBm.
    pub dbm: f64,
}

/// A tag as one antenna saw it.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    /// Index into the known tags.
    pub known: usize,
    /// Reader port.
    pub antenna: u8,
    /// By place.
    pub spots: Vec<Spot>,
    /// Spots where it was read, those outside the lobe too.
    pub read: usize,
    /// Power at the weakest spot less that at the strongest, dB.
    pub weakest_db: f64,
}

/// Profiles of a pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Profiles {
    /// In the order of tags and antennas.
    pub all: Vec<Profile>,
    /// The tags' places, shifted group by group as their phases ask, m.
    pub places_m: Vec<[f64; 3]>,
    /// Spots that an antenna passed.
    pub passed: usize,
    /// Length of a spot, m.
    pub step_m: f64,
}

/// Phasors of the residuals, and powers, that fell into one spot.
#[derive(Default, Clone, Copy)]
struct Cell {
    turned: Complex64,
    dbm: f64,
    place: [f64; 3],
    reads: f64,
}

/// Makes the profiles of a pass, on stretches of `step_m`.
pub(super) fn profiles(scan: &Scan, known: &[KnownTag], step_m: f64) -> Profiles {
    let mut places: Vec<[f64; 3]> = known.iter().map(|k| k.place_m).collect();
    let mut made = make(scan, known, &places, step_m);
    // A common shift bends all residuals of a group alike. Twice, as the first one moves what wraps.
    for _ in 0..2 {
        for (group, shift) in shifts(&made.all, known) {
            for (place, k) in places.iter_mut().zip(known).filter(|(_, k)| k.group == group) {
                let whole = place[0] + shift - k.place_m[0];
                place[0] = k.place_m[0] + whole.clamp(-FARTHEST_SHIFT_M, FARTHEST_SHIFT_M);
            }
        }
        made = make(scan, known, &places, step_m);
    }
    made
}

fn make(scan: &Scan, known: &[KnownTag], places: &[[f64; 3]], step_m: f64) -> Profiles {
    let mut of_tag = vec![None; scan.tags.len()];
    for (i, k) in known.iter().enumerate() {
        if let Some(slot) = of_tag.get_mut(k.tag as usize) {
            *slot = Some(i);
        }
    }
    let mut passed = std::collections::BTreeSet::new();
    // By antenna, carrier in kHz, tag and stretch: exact keys in a fixed order.
    let mut cells: BTreeMap<(u8, usize, i64), BTreeMap<i64, Cell>> = BTreeMap::new();
    for r in &scan.reads {
        let at = r.antenna_m.map(f64::from);
        let cell = (at[0] / step_m).round() as i64;
        passed.insert((r.antenna, cell));
        let Some(tag) = of_tag.get(r.tag as usize).copied().flatten() else { continue };
        if !(r.has_phase() && r.has_power()) {
            continue;
        }
        let k = 2.0 * TAU * r.frequency_hz / SPEED_OF_LIGHT;
        let residual = f64::from(r.phase_rad) - k * distance(at, places[tag]);
        let khz = (r.frequency_hz * 1e-3).round() as i64;
        let c = cells.entry((r.antenna, tag, cell)).or_default().entry(khz).or_default();
        c.turned += Complex64::from_polar(1.0, residual);
        c.dbm += f64::from(r.rssi_dbm);
        c.place = std::array::from_fn(|i| c.place[i] + at[i]);
        c.reads += 1.0;
    }
    let offsets = offsets(&cells);
    let mut by_profile: BTreeMap<(usize, u8), Vec<(i64, Cell)>> = BTreeMap::new();
    for ((antenna, tag, cell), by_carrier) in &cells {
        let mut sum = Cell::default();
        for (khz, c) in by_carrier {
            sum.turned += c.turned * offsets.get(&(*antenna, *khz)).copied().unwrap_or(Complex64::ONE).conj();
            sum.dbm += c.dbm;
            sum.place = std::array::from_fn(|i| sum.place[i] + c.place[i]);
            sum.reads += c.reads;
        }
        by_profile.entry((*tag, *antenna)).or_default().push((*cell, sum));
    }
    let all = by_profile
        .into_iter()
        .filter_map(|((known, antenna), cells)| profile(known, antenna, &cells, places[known]))
        .collect();
    Profiles { all, places_m: places.to_vec(), passed: passed.len(), step_m }
}

/// Unit offset of each antenna and carrier: what all tags have in common, each with a constant of its own.
fn offsets(cells: &BTreeMap<(u8, usize, i64), BTreeMap<i64, Cell>>) -> BTreeMap<(u8, i64), Complex64> {
    let unit = |c: Complex64| if c.norm() > 0.0 { c / c.norm() } else { Complex64::ONE };
    let mut of_carrier: BTreeMap<(u8, i64), Complex64> = BTreeMap::new();
    let mut of_tag: BTreeMap<(u8, usize), Complex64> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let mut sums: BTreeMap<(u8, usize), Complex64> = BTreeMap::new();
        for ((antenna, tag, _), by_carrier) in cells {
            for (khz, c) in by_carrier {
                let known = of_carrier.get(&(*antenna, *khz)).copied().unwrap_or(Complex64::ONE);
                *sums.entry((*antenna, *tag)).or_default() += unit(c.turned) * known.conj();
            }
        }
        of_tag.extend(sums.into_iter().map(|(k, v)| (k, unit(v))));
        let mut sums: BTreeMap<(u8, i64), Complex64> = BTreeMap::new();
        for ((antenna, tag, _), by_carrier) in cells {
            for (khz, c) in by_carrier {
                let known = of_tag.get(&(*antenna, *tag)).copied().unwrap_or(Complex64::ONE);
                *sums.entry((*antenna, *khz)).or_default() += unit(c.turned) * known.conj();
            }
        }
        of_carrier.extend(sums.into_iter().map(|(k, v)| (k, unit(v))));
        if of_carrier.len() < 2 {
            break;
        }
    }
    of_carrier
}

fn profile(known: usize, antenna: u8, cells: &[(i64, Cell)], place: [f64; 3]) -> Option<Profile> {
    let dbm = |c: &Cell| c.dbm / c.reads;
    let peak = (0..cells.len()).max_by(|&a, &b| dbm(&cells[a].1).total_cmp(&dbm(&cells[b].1)))?;
    let top = dbm(&cells[peak].1);
    let weakest = cells.iter().map(|c| dbm(&c.1)).fold(f64::INFINITY, f64::min);
    // The lobe: outwards from the loudest spot to the first that is too weak.
    let weak = |c: &(i64, Cell)| dbm(&c.1) < top - LOBE_DB;
    let from = cells[..peak].iter().rposition(weak).map_or(0, |i| i + 1);
    let to = cells[peak..].iter().position(weak).map_or(cells.len(), |i| peak + i);
    let lobe = &cells[from..to];
    if lobe.len() < FEWEST_SPOTS {
        return None;
    }
    let peak = peak - from;
    let angles: Vec<f64> = lobe.iter().map(|c| c.1.turned.arg()).collect();
    let mut residual = vec![0.0; lobe.len()];
    for i in (0..peak).rev() {
        residual[i] = residual[i + 1] + wrap(angles[i] - angles[i + 1]);
    }
    for i in peak + 1..lobe.len() {
        residual[i] = residual[i - 1] + wrap(angles[i] - angles[i - 1]);
    }
    let mean = residual.iter().sum::<f64>() / residual.len() as f64;
    let spots = lobe
        .iter()
        .zip(residual)
        .map(|((cell, c), residual)| {
            let at = c.place.map(|v| v / c.reads);
            Spot {
                cell: *cell,
                off_m: at[0] - place[0],
                range_m: distance(at, place),
                residual: residual - mean,
                dbm: dbm(c),
            }
        })
        .collect();
    Some(Profile { known, antenna, spots, read: cells.len(), weakest_db: weakest - top })
}

/// How much each group would have to be shifted so that its residuals have no slope in common, m: the median over its
/// tags.
fn shifts(profiles: &[Profile], known: &[KnownTag]) -> Vec<(usize, f64)> {
    // At 920 MHz; shifts are of centimetres.
    let k = 2.0 * TAU * 920e6 / SPEED_OF_LIGHT;
    let mut by_group: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for p in profiles {
        let (mut up, mut down) = (0.0, 0.0);
        for pair in p.spots.windows(2) {
            let turn = pair[1].residual - pair[0].residual;
            let bearing = pair[1].off_m / pair[1].range_m - pair[0].off_m / pair[0].range_m;
            up -= turn * k * bearing;
            down += (k * bearing).powi(2);
        }
        if down > 0.0 {
            by_group.entry(known[p.known].group).or_default().push(up / down);
        }
    }
    // A residual that falls with the bearing belongs to a tag farther along than it is held to be.
    by_group
        .into_iter()
        .filter(|(_, v)| v.len() >= 3)
        .filter_map(|(group, v)| Some((group, crate::rail::figures::median(&v)?)))
        .collect()
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2) + (a[2] - b[2]).powi(2)).sqrt()
}

pub(super) fn wrap(x: f64) -> f64 {
    (x + PI).rem_euclid(TAU) - PI
}

#[cfg(test)]
mod tests {
    use domain::{Read, Uid};

    use super::*;

    /// Lone tags 10 cm apart beside a track, read on two carriers with offsets of their own.
    fn lone(shift_m: f64) -> (Scan, Vec<KnownTag>) {
        let mut scan = Scan::default();
        let mut known = Vec::new();
        for tag in 0..5u32 {
            scan.tags.push(Uid::new(&tag.to_be_bytes()).unwrap());
            let at = [0.3 + 0.1 * f64::from(tag), 0.5, 0.0];
            known.push(KnownTag { tag, place_m: [at[0] - shift_m, at[1], at[2]], group: 0 });
            for stop in 0..50 {
                let antenna = [0.02 * f64::from(stop), 0.0, 0.0];
                for (frequency_hz, offset) in [(921e6, 0.4), (924e6, 2.9)] {
                    let r = distance(antenna, at);
                    let phase = 2.0 * TAU * frequency_hz / SPEED_OF_LIGHT * r + offset + f64::from(tag);
                    scan.reads.push(Read {
                        stamp_ns: None,
                        tag,
                        antenna: 1,
                        frequency_hz,
                        rssi_dbm: (-40.0 - 40.0 * r.log10()) as f32,
                        phase_rad: phase.rem_euclid(TAU) as f32,
                        antenna_m: antenna.map(|v| v as f32),
                    });
                }
            }
        }
        (scan, known)
    }

    #[test]
    fn a_lone_tag_at_its_place_leaves_no_residual_whatever_its_carriers_offsets() {
        let (scan, known) = lone(0.0);
        let made = profiles(&scan, &known, 0.02);
        assert_eq!(made.all.len(), 5);
        assert!(made.all.iter().flat_map(|p| &p.spots).all(|s| s.residual.abs() < 0.02));
    }

    #[test]
    fn a_row_that_hangs_beside_where_it_is_held_to_be_is_shifted_there() {
        let (scan, known) = lone(0.02);
        let made = profiles(&scan, &known, 0.02);
        for (place, tag) in made.places_m.iter().zip(0..) {
            assert!((place[0] - 0.3 - 0.1 * f64::from(tag)).abs() < 0.001, "{place:?}");
        }
    }
}
