//! The rail: one antenna, 50 stops of 2 cm, tags in the open at 45 to 105 cm.

use std::f64::consts::TAU;

use num_complex::Complex64;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use twin::radio::{
    AntennaPose, RadioError, RadioRead, RadioSettings, Reader, SPEED_OF_LIGHT, TagField, TagPlacement,
};

const STOPS: usize = 50;
const STEP_M: f64 = 0.02;
const SCENES: u64 = 32;
/// The rail's reader sends more than the robot's: 97% of stops are read even at 4 cm.
const POWER_DBM: f64 = 30.0;

/// Pitch, tags a row, rows, and the residual RMS that the rail's own reads give by the same reckoning.
const LAYOUTS: [(f64, usize, usize, &str); 6] = [
    (0.20, 4, 1, "0.43-0.48"),
    (0.10, 8, 1, "0.63-0.71"),
    (0.08, 8, 1, "0.82"),
    (0.06, 8, 1, "0.94-1.00"),
    (0.04, 8, 1, "0.99"),
    (0.04, 7, 3, "1.02-1.13"),
];

/// One tag's reads, gathered by carrier and stop.
struct Gathered {
    sum: Complex64,
    rssi: f64,
    reads: u32,
}

/// Residual phase along the rail of one tag, averaged over carriers, by stop; `None` where it was not read.
type Profile = Vec<Option<f64>>;

#[derive(Default)]
struct Figures {
    rms: Vec<f64>,
    half_correlation_m: Vec<f64>,
    halves: Vec<f64>,
    second_pass: Vec<f64>,
    stops_read: Vec<f64>,
    peak_dbm: Vec<f64>,
    fall_db: Vec<f64>,
    swapped: usize,
    pairs: usize,
}

pub fn report(settings: &RadioSettings) -> Result<(), RadioError> {
    println!(
        "Rail: {SCENES} scenes a layout; phase residuals at the true position, within 15 dB of the peak, rad"
    );
    println!(
        "{:>10} {:>6} {:>10} {:>6} {:>9} {:>8} {:>8} {:>7} {:>8} {:>9} {:>8}",
        "layout",
        "median",
        "measured",
        "p90",
        "half-corr",
        "halves",
        "2nd pass",
        "stops",
        "peak dBm",
        "edge dB",
        "swapped"
    );
    let mut noise = Noise::default();
    for (pitch, tags, rows, measured) in LAYOUTS {
        let mut f = Figures::default();
        for scene in 0..SCENES {
            one_scene(settings, pitch, tags, rows, scene, &mut f, &mut noise)?;
        }
        let name = format!("{:.0} cm{}", pitch * 100.0, if rows > 1 { " x3" } else { "" });
        println!(
            "{name:>10} {:>6.2} {measured:>10} {:>6.2} {:>6.1} cm {:>8.2} {:>8.2} {:>6.1}% {:>8.1} {:>9.1} {:>7.1}%",
            quantile(&mut f.rms, 0.5),
            quantile(&mut f.rms, 0.9),
            100.0 * quantile(&mut f.half_correlation_m, 0.5),
            quantile(&mut f.halves, 0.5),
            quantile(&mut f.second_pass, 0.5),
            100.0 * f.stops_read.iter().sum::<f64>() / f.stops_read.len() as f64,
            quantile(&mut f.peak_dbm, 0.5),
            quantile(&mut f.fall_db, 0.5),
            100.0 * f.swapped as f64 / f.pairs.max(1) as f64,
        );
    }
    println!(
        "  (half-corr measured about 8 cm; halves: RMS between even and odd carriers; 2nd pass: RMS to a pass with"
    );
    println!(
        "   another reader seed; edge dB: fall of RSSI 40 cm off the peak; swapped: neighbours whose phase minima are in the wrong order)"
    );
    noise.print();
    Ok(())
}

fn one_scene(
    settings: &RadioSettings,
    pitch: f64,
    tags: usize,
    rows: usize,
    scene: u64,
    f: &mut Figures,
    noise: &mut Noise,
) -> Result<(), RadioError> {
    let mut rng = ChaCha8Rng::seed_from_u64(scene * 1000 + (pitch * 1000.0) as u64 + rows as u64);
    let range = 0.45 + 0.5 * rng.random::<f64>();
    let centre = 0.5 + 0.02 * rng.sample::<f64, _>(StandardNormal);
    let mut placements = Vec::new();
    for row in 0..rows {
        let z = 1.0 + [0.0, 0.125, -0.125][row];
        for i in 0..tags {
            let x = centre + pitch * (i as f64 - (tags - 1) as f64 / 2.0);
            let depth = 0.004 * rng.sample::<f64, _>(StandardNormal);
            placements.push(TagPlacement {
                uid: domain::Uid::new(&[0xE2, row as u8, i as u8])
                    .map_err(|_| RadioError::NoSuchTag { index: 0, count: 0 })?,
                position_m: [x, range + depth, z],
                axis: [0.0, 0.0, 1.0],
                outward: [0.0, -1.0, 0.0],
                front: None,
                needs_db: 0.0,
            });
        }
    }
    let mut settings = settings.clone();
    settings.reader.power_dbm = POWER_DBM;
    settings.reader.carrier_dwell_s = 0.05;
    settings.reader.port_dwell_s = 10.0;
    let field = TagField::new(&settings, placements.clone(), Vec::new(), Vec::new(), scene)?;
    let first = pass(&settings, &field, scene)?;
    let second = pass(&settings, &field, scene + 1_000_000)?;

    noise.gather(&first, placements.len());
    let carriers = settings.reader.plan.carriers_hz();
    let mut minima = Vec::new();
    for (i, p) in placements.iter().enumerate() {
        let profile = |pass: &[Vec<RadioRead>], choose: &dyn Fn(usize) -> bool| {
            residual(pass, i as u32, p.position_m, &carriers, choose)
        };
        let (all, rms, rssi) = profile(&first, &|_| true);
        let read = all.iter().flatten().count();
        f.stops_read.push(rssi.iter().flatten().count() as f64 / STOPS as f64);
        if read < 6 {
            continue;
        }
        f.rms.push(rms);
        if let Some(length) = half_correlation(&all) {
            f.half_correlation_m.push(length);
        }
        f.halves.push(between(&profile(&first, &|c| c % 2 == 0).0, &profile(&first, &|c| c % 2 == 1).0));
        f.second_pass.push(between(&all, &profile(&second, &|_| true).0));
        let peak = rssi.iter().flatten().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        f.peak_dbm.push(peak);
        let near = ((p.position_m[0] / STEP_M).round() as usize).clamp(1, STOPS) - 1;
        for edge in [near.wrapping_sub(20), near + 20] {
            if let Some(Some(value)) = rssi.get(edge) {
                f.fall_db.push(peak - value);
            }
        }
        if i < tags {
            minima.push(nadir(&all, p.position_m));
        }
    }
    for pair in minima.windows(2) {
        f.pairs += 1;
        f.swapped += usize::from(pair[1] < pair[0]);
    }
    Ok(())
}

/// Reads by stop.
fn pass(settings: &RadioSettings, field: &TagField, seed: u64) -> Result<Vec<Vec<RadioRead>>, RadioError> {
    let mut reader = Reader::new(settings, seed, 0)?;
    let mut now = 0;
    let mut stops = Vec::new();
    for stop in 1..=STOPS {
        let pose =
            AntennaPose { port: 1, position_m: [STEP_M * stop as f64, 0.0, 1.0], boresight: [0.0, 1.0, 0.0] };
        let mut reads = Vec::new();
        // The first call with a new place would be a way there: standing starts with the second.
        now += 1_000_000;
        reader.advance(field, now, &[pose], &mut Vec::new());
        now += 832_000_000;
        reader.advance(field, now, &[pose], &mut reads);
        stops.push(reads);
    }
    Ok(stops)
}

/// Residual profile over the chosen carriers, its RMS over carriers and stops, and mean RSSI by stop.
fn residual(
    pass: &[Vec<RadioRead>],
    tag: u32,
    at: [f64; 3],
    carriers: &[f64],
    choose: &dyn Fn(usize) -> bool,
) -> (Profile, f64, Profile) {
    let mut table: Vec<Vec<Gathered>> = Vec::new();
    for (stop, reads) in pass.iter().enumerate() {
        let antenna = [STEP_M * (stop + 1) as f64, 0.0, 1.0];
        let d = (0..3).map(|i| (at[i] - antenna[i]).powi(2)).sum::<f64>().sqrt();
        let mut line: Vec<Gathered> = carriers
            .iter()
            .map(|_| Gathered { sum: Complex64::new(0.0, 0.0), rssi: 0.0, reads: 0 })
            .collect();
        for r in reads.iter().filter(|r| r.tag == tag) {
            let Some(c) = carriers.iter().position(|&f| (f - r.frequency_hz).abs() < 1.0) else { continue };
            let k = 2.0 * TAU * r.frequency_hz / SPEED_OF_LIGHT;
            line[c].sum += Complex64::from_polar(1.0, f64::from(r.phase_rad) - k * d);
            line[c].rssi += f64::from(r.rssi_dbm);
            line[c].reads += 1;
        }
        table.push(line);
    }
    let rssi: Profile = table
        .iter()
        .map(|line| {
            let reads: u32 = line.iter().map(|g| g.reads).sum();
            (reads > 0).then(|| line.iter().map(|g| g.rssi).sum::<f64>() / f64::from(reads))
        })
        .collect();
    let peak = rssi.iter().flatten().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    let strong: Vec<bool> = rssi.iter().map(|r| r.is_some_and(|r| r >= peak - 15.0)).collect();
    let mut square = 0.0;
    let mut number = 0.0;
    let mut sums = vec![Complex64::new(0.0, 0.0); STOPS];
    for c in (0..carriers.len()).filter(|&c| choose(c)) {
        let unit = |s: usize| table[s][c].sum / table[s][c].sum.norm();
        let here: Vec<usize> = (0..STOPS).filter(|&s| strong[s] && table[s][c].reads > 0).collect();
        let mean: Complex64 = here.iter().map(|&s| unit(s)).sum();
        for &s in &here {
            let turned = unit(s) * mean.conj() / mean.norm();
            square += turned.arg().powi(2);
            number += 1.0;
            sums[s] += turned;
        }
    }
    let profile = sums.iter().map(|s| (s.norm() > 0.0).then(|| s.arg())).collect();
    (profile, (square / f64::max(number, 1.0)).sqrt(), rssi)
}

/// RMS difference of two profiles, rad.
fn between(a: &Profile, b: &Profile) -> f64 {
    let both: Vec<f64> = a
        .iter()
        .zip(b)
        .filter_map(|(a, b)| Some(((*a)? - (*b)? + 9.0 * TAU / 2.0).rem_euclid(TAU) - TAU / 2.0))
        .collect();
    (both.iter().map(|d| d * d).sum::<f64>() / both.len().max(1) as f64).sqrt()
}

/// Distance at which the profile's autocorrelation has fallen to a half, m.
fn half_correlation(profile: &Profile) -> Option<f64> {
    let mean = profile.iter().flatten().sum::<f64>() / profile.iter().flatten().count() as f64;
    let at = |lag: usize| {
        let pairs: Vec<f64> = (0..profile.len() - lag)
            .filter_map(|i| Some((profile[i]? - mean) * (profile[i + lag]? - mean)))
            .collect();
        (pairs.len() > 5).then(|| pairs.iter().sum::<f64>() / pairs.len() as f64)
    };
    let whole = at(0)?;
    let mut before = 1.0;
    for lag in 1..25 {
        let now = at(lag)? / whole;
        if now < 0.5 {
            return Some(STEP_M * (lag as f64 - 1.0 + (before - 0.5) / (before - now)));
        }
        before = now;
    }
    None
}

/// Where along the rail the phase (residual and geometry) is least, m, by the vertex of a parabola through the middle.
fn nadir(profile: &Profile, at: [f64; 3]) -> f64 {
    let k = 2.0 * TAU * 922.5e6 / SPEED_OF_LIGHT;
    let mut points: Vec<(f64, f64)> = Vec::new();
    for (s, r) in profile.iter().enumerate() {
        let x = STEP_M * (s + 1) as f64;
        if let Some(r) = r
            && (x - at[0]).abs() < 0.25
        {
            points.push((x - at[0], r + k * ((x - at[0]).powi(2) + at[1].powi(2)).sqrt()));
        }
    }
    // With the curvature of the true range, least squares for the vertex is the slope at the middle.
    let n = points.len() as f64;
    let (mx, my) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let slope = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum::<f64>()
        / points.iter().map(|p| (p.0 - mx).powi(2)).sum::<f64>();
    at[0] + mx - slope * at[1] / k
}

/// Thermal noise by RSSI.
#[derive(Default)]
struct Noise {
    bins: [Vec<f64>; 6],
}

impl Noise {
    const NAMES: [&'static str; 6] =
        ["-45..-30", "-50..-45", "-55..-50", "-60..-55", "-65..-60", "below -65"];
    const MEASURED: [&'static str; 6] =
        ["0.010-0.013", "0.013-0.017", "0.018-0.025", "0.027-0.040", "0.044-0.069", "0.07-0.12"];

    fn gather(&mut self, pass: &[Vec<RadioRead>], tags: usize) {
        for reads in pass {
            let mut groups: std::collections::BTreeMap<(u32, u64), Vec<RadioRead>> =
                std::collections::BTreeMap::new();
            for r in reads.iter().filter(|r| (r.tag as usize) < tags) {
                groups.entry((r.tag, r.frequency_hz as u64)).or_default().push(*r);
            }
            for group in groups.values().filter(|g| g.len() >= 4) {
                let n = group.len() as f64;
                let sum: Complex64 =
                    group.iter().map(|r| Complex64::from_polar(1.0, f64::from(r.phase_rad))).sum();
                let square: f64 = group
                    .iter()
                    .map(|r| (Complex64::from_polar(1.0, f64::from(r.phase_rad)) * sum.conj()).arg().powi(2))
                    .sum();
                let rssi = group.iter().map(|r| f64::from(r.rssi_dbm)).sum::<f64>() / n;
                let bin = (((-45.0 - rssi) / 5.0).floor() + 1.0).clamp(0.0, 5.0) as usize;
                self.bins[bin].push((square / (n - 1.0)).sqrt());
            }
        }
    }

    fn print(&mut self) {
        println!("\nThermal phase noise by RSSI, median standard deviation, rad");
        for (i, bin) in self.bins.iter_mut().enumerate() {
            println!(
                "{:>10} {:>7.3} {:>12}   ({} groups)",
                Self::NAMES[i],
                quantile(bin, 0.5),
                Self::MEASURED[i],
                bin.len()
            );
        }
    }
}

pub fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(((values.len() as f64 - 1.0) * q).round() as usize).copied().unwrap_or(f64::NAN)
}
