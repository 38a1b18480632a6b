//! What books are bound in: the cover of each, always the same for its tag, and how much light it gives back.

use domain::Uid;

/// Cloth and paper covers, sRGB `0xrrggbb`.
const COVERS: [u32; 28] = [
    0x8c2f2b, 0xa4463a, 0x6d2231, 0xb9704a, 0xc48a4a, 0xd1a85b, 0xe0c890, 0xe8dfc8, 0x2f4a3a, 0x466b4e,
    0x6f8a62, 0x9aa67b, 0x1f3350, 0x2e4f79, 0x47739c, 0x7ea0b8, 0xa9bcc4, 0x3a3247, 0x5c4666, 0x82688a,
    0x2b2a2c, 0x4a4643, 0x77706a, 0xf1ece0, 0x9a5a62, 0x345e63, 0xbd8f88, 0xd9d2c3,
];

/// A number that is always the same for a tag.
pub(crate) fn trait_of(uid: &Uid, salt: u32) -> u32 {
    // FNV-1a, and a last stir, for its low bits are poor.
    let mut h = 0x811c_9dc5u32 ^ salt.wrapping_mul(0x9e37_79b9);
    for b in uid.as_bytes() {
        h = (h ^ u32::from(*b)).wrapping_mul(0x0100_0193);
    }
    h ^= h >> 15;
    h = h.wrapping_mul(0x2c1b_3c6d);
    h ^ (h >> 12)
}

/// The cover of a book, sRGB `0xrrggbb`.
pub(crate) fn cover(uid: &Uid) -> u32 {
    COVERS[trait_of(uid, 1) as usize % COVERS.len()]
}

/// The share of a laser's light that the cover of a book scatters back, 0 to 1. Lidars look in red or near infrared: the red
/// of the cover stands for it.
pub(crate) fn reflectance(uid: &Uid) -> f32 {
    let red = (cover(uid) >> 16) as f32 / 255.0;
    // As the eye's curve has it; a square is close, and the same on every machine.
    red * red
}
