//! Colours: calm ones for what stands in place, strong ones for what does not.

use interfaces::shelfwright_msgs::ShelfError;

/// Red, green, blue, opacity.
pub(super) type Colour = [u8; 4];

pub(super) const WALL: Colour = [120, 126, 138, 255];
pub(super) const BOARD: Colour = [134, 112, 88, 255];
pub(super) const UPRIGHT: Colour = [104, 96, 88, 255];
pub(super) const NO_GO: Colour = [196, 74, 60, 255];
pub(super) const DOCK: Colour = [86, 156, 120, 255];
pub(super) const NAME: Colour = [220, 222, 228, 255];
pub(super) const CHASSIS: Colour = [72, 118, 168, 255];
pub(super) const WHEEL: Colour = [52, 54, 60, 255];
pub(super) const MAST: Colour = [150, 156, 166, 255];
pub(super) const ANTENNA: Colour = [236, 240, 246, 255];
pub(super) const LIDAR: Colour = [255, 122, 66, 255];
pub(super) const DRIVEN: Colour = [88, 196, 255, 255];
pub(super) const PLANNED: Colour = [190, 130, 255, 255];
pub(super) const REFERENCE: Colour = [255, 215, 80, 255];
pub(super) const DIFFERENCE: Colour = [255, 64, 200, 255];
pub(super) const DEVIATION: Colour = [120, 165, 215, 255];
pub(super) const CURVE: Colour = [245, 245, 245, 255];
pub(super) const OK: Colour = [76, 175, 110, 255];
pub(super) const WARN: Colour = [240, 180, 50, 255];
pub(super) const ERROR: Colour = [226, 72, 66, 255];
pub(super) const STALE: Colour = [130, 134, 144, 255];

/// Cloth, paper and leather: which one says nothing, but neighbours can be told apart.
const SPINES: [Colour; 6] = [
    [146, 132, 112, 255],
    [110, 122, 138, 255],
    [128, 112, 116, 255],
    [116, 130, 116, 255],
    [158, 146, 128, 255],
    [104, 108, 124, 255],
];

/// Of a book that stands in place.
pub(super) fn spine(uid: &[u8]) -> Colour {
    let sum = uid.iter().fold(7_usize, |h, b| h.wrapping_mul(31).wrapping_add(usize::from(*b)));
    SPINES[sum % SPINES.len()]
}

/// Of a finding.
pub(super) fn finding(kind: u8) -> Colour {
    match kind {
        ShelfError::MISSING => [226, 72, 66, 255],
        ShelfError::MISPLACED_FLOOR | ShelfError::MISPLACED_ROW => [255, 120, 40, 255],
        ShelfError::MISPLACED_BAY | ShelfError::MISPLACED_TIER => [255, 164, 46, 255],
        ShelfError::OUT_OF_ORDER => [250, 220, 70, 255],
        ShelfError::NOT_IN_CATALOGUE => [200, 110, 240, 255],
        ShelfError::ON_LOAN => [70, 170, 250, 255],
        _ => STALE,
    }
}

/// From red at 0 over amber to green at 1.
pub(super) fn good(share: f32) -> Colour {
    let t = share.clamp(0.0, 1.0);
    let between = |a: Colour, b: Colour, t: f32| {
        std::array::from_fn(|i| (f32::from(a[i]) + t * (f32::from(b[i]) - f32::from(a[i]))) as u8)
    };
    if t < 0.5 { between(ERROR, WARN, 2.0 * t) } else { between(WARN, OK, 2.0 * t - 1.0) }
}

/// Of a read: the stronger, the brighter.
pub(super) fn read(rssi_dbm: f32) -> Colour {
    // From what a reader just hears to what stands right before the antenna.
    let t = if rssi_dbm.is_nan() { 0.5 } else { ((rssi_dbm + 75.0) / 35.0).clamp(0.0, 1.0) };
    let ramp = |low: f32, high: f32| (low + t * (high - low)) as u8;
    [ramp(50.0, 190.0), ramp(150.0, 255.0), ramp(120.0, 220.0), 255]
}

/// One of a row of colours that can be told apart, for carriers and antennas.
pub(super) fn hue(i: usize, of: usize) -> Colour {
    let h = 6.0 * (i as f32 / of.max(1) as f32);
    let channel = |shift: f32| {
        let d = ((h + shift) % 6.0 - 3.0).abs();
        (90.0 + 165.0 * (d - 1.0).clamp(0.0, 1.0)) as u8
    };
    [channel(0.0), channel(4.0), channel(2.0), 255]
}
