//! HF tags (ISO 15693): no phase, no power, only whether a plate's near field reached a tag.
//!
//! What a plate reads as it goes along the shelf outlines the tag: the read zone is the same for all tags, so the pass itself
//! teaches it. Zone and places are found in turns (an EM algorithm with Poisson counts): from the places so far, how often a tag
//! is read by a plate so far along and so far above or below it ([`zone`]), against how long plates were there
//! ([`exposure`]); from the zone, the likelihood of each place and tier given where a tag was read and where, though plates
//! were there, it was not. The zone may be dark in front of the plate and bright beside it, as upright tags see it.

mod exposure;
mod locate;
mod zone;

use domain::Scan;

pub(crate) use locate::{HfPass, Shelf};
pub(crate) use zone::Zone;

/// Carriers below this are HF, Hz.
const HF_BELOW_HZ: f64 = 100e6;

/// Whether a pass was made by HF readers: by the most of its first thousand reads.
pub(crate) fn is_hf(scan: &Scan) -> bool {
    let first = &scan.reads[..scan.reads.len().min(1_000)];
    let hf = first.iter().filter(|r| is_hf_carrier(r.frequency_hz)).count();
    2 * hf > first.len()
}

fn is_hf_carrier(frequency_hz: f64) -> bool {
    (1e6..HF_BELOW_HZ).contains(&frequency_hz)
}
