//! How much of a face was read poorly.

use interfaces::shelfwright_msgs::Coverage;

/// Share of the bins along a face, over all tiers, in which a tag would have been read with less than the wanted
/// probability.
pub(super) fn poor_share<'a>(
    coverage: impl Iterator<Item = &'a Coverage>,
    length_m: f64,
    wanted: f32,
) -> f32 {
    let (mut poor, mut all) = (0u32, 0u32);
    for tier in coverage {
        let bin_m = f64::from(tier.bin_m);
        if bin_m.is_nan() || bin_m <= 0.0 {
            continue;
        }
        // Bins that the locator did not report were not read.
        let bins = ((length_m / bin_m).ceil() as usize).min(1_000_000);
        for bin in 0..bins {
            let p = tier.read_probability.get(bin).copied().unwrap_or(0.0);
            all += 1;
            poor += u32::from(p.is_nan() || p < wanted);
        }
    }
    if all == 0 { 1.0 } else { poor as f32 / all as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(bin_m: f32, p: &[f32]) -> Coverage {
        Coverage { bin_m, read_probability: p.to_vec(), ..Coverage::default() }
    }

    #[test]
    fn places_that_no_coverage_speaks_of_count_as_not_read() {
        let all = [tier(0.5, &[1.0, 1.0]), tier(0.5, &[1.0])];
        assert_eq!(poor_share(all.iter(), 1.0, 0.9), 0.25);
        assert_eq!(poor_share([tier(0.5, &[f32::NAN, 0.95])].iter(), 1.0, 0.9), 0.5);
        assert_eq!(poor_share([tier(0.0, &[])].iter(), 1.0, 0.9), 1.0);
    }
}
