//! Repeats a measured scan in the radio: the same tags at the same places, an antenna at the same stops.

use domain::Scan;
use sha2::{Digest, Sha256};

use super::RailScan;
use super::fit::Rig;
use crate::radio::{AntennaPose, RadioError, RadioSettings, Reader, TagField, TagPlacement};

/// Height of rail and middle row above the floor, m.
const RAIL_M: f64 = 1.0;
/// Time at a stop, ns: each of the plan's carriers comes once or twice.
const STOP_NS: i64 = 600_000_000;
const DWELL_S: f64 = 0.025;
/// From one draw's seed to the next's.
const DRAW: u64 = 0x9e37_79b9_7f4a_7c15;

/// The scan as the radio would have had it. Scans of the same tags share their scene, as passes over one layout do; the
/// reader's noise is another one in each. Another draw is another scene and other noise; the same draw is the same whatever
/// the settings.
///
/// # Errors
/// Settings out of range.
pub fn simulate(
    settings: &RadioSettings,
    rig: &Rig,
    measured: &RailScan,
    number: u64,
    draw: u64,
) -> Result<RailScan, RadioError> {
    let mut settings = settings.clone();
    settings.reader.power_dbm = rig.power_dbm;
    settings.reader.carrier_dwell_s = DWELL_S;
    settings.reader.port_dwell_s = 60.0;
    let tags: Vec<TagPlacement> = measured
        .scan
        .tags
        .iter()
        .zip(&measured.places)
        .map(|(uid, p)| TagPlacement {
            uid: uid.clone(),
            position_m: [p[0], p[1], RAIL_M + p[2]],
            axis: [0.0, 0.0, 1.0],
            outward: [0.0, -1.0, 0.0],
            front: None,
            needs_db: 0.0,
        })
        .collect();
    let field = TagField::new(
        &settings,
        tags,
        Vec::new(),
        Vec::new(),
        scene(measured).wrapping_add(draw.wrapping_mul(DRAW)),
    )?;
    let mut reader = Reader::new(&settings, number.wrapping_add(draw.wrapping_mul(DRAW)), 0)?;
    let mut stops: Vec<i64> =
        measured.scan.reads.iter().map(|r| (f64::from(r.antenna_m[0]) * 1e3).round() as i64).collect();
    stops.sort_unstable();
    stops.dedup();
    let mut scan = Scan { name: measured.scan.name.clone(), tags: measured.scan.tags.clone(), reads: vec![] };
    let mut now = 0;
    for stop in stops {
        let x = stop as f64 * 1e-3;
        let pose = AntennaPose { port: 1, position_m: [x, 0.0, RAIL_M], boresight: [0.0, 1.0, 0.0] };
        // The first call with a new place would be a way there: standing starts with the second.
        now += 1_000_000;
        reader.advance(&field, now, &[pose], &mut Vec::new());
        now += STOP_NS;
        let mut reads = Vec::new();
        reader.advance(&field, now, &[pose], &mut reads);
        scan.reads.extend(reads.iter().map(|r| r.with_antenna_at([x, 0.0, 0.0])));
    }
    Ok(RailScan { scan, ..measured.clone() })
}

/// The room that scans of the same tags at the same distance share.
fn scene(scan: &RailScan) -> u64 {
    let mut hash = Sha256::new();
    let mut tags: Vec<&[u8]> = scan.scan.tags.iter().map(|t| t.as_bytes()).collect();
    tags.sort_unstable();
    tags.iter().for_each(|t| hash.update(t));
    let range: f64 = scan.places.iter().map(|p| p[1]).sum::<f64>() / scan.places.len().max(1) as f64;
    hash.update(((range * 200.0).round() as i64).to_le_bytes());
    hash.update(scan.layout());
    let bytes = hash.finalize();
    bytes.iter().take(8).fold(0, |n, b| n << 8 | u64::from(*b))
}
