//! The little statistics that the audit needs: normal tails, robust location and scale, logits.

/// Φ(z), the normal distribution's lower tail; relative error below 1.2e-7 in the tail too (Numerical Recipes,
/// `erfcc`).
pub fn normal_cdf(z: f64) -> f64 {
    let x = -z / std::f64::consts::SQRT_2;
    let a = x.abs();
    let t = 1.0 / (1.0 + 0.5 * a);
    const C: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let poly = C.iter().rev().fold(0.0, |sum, c| sum * t + c);
    let erfc = t * (-a * a + poly).exp();
    0.5 * if x >= 0.0 { erfc } else { 2.0 - erfc }
}

/// ln Φ(z), finite for any finite z.
pub fn ln_normal_cdf(z: f64) -> f64 {
    if z > -30.0 {
        normal_cdf(z).ln()
    } else {
        // The first term of the asymptotic series; beyond 30 standard deviations the rest is below 0.2%.
        -0.5 * z * z - (-z).ln() - 0.5 * std::f64::consts::TAU.ln()
    }
}

/// Density of a normal distribution at `d` from its mean.
pub fn normal_density(d: f64, std: f64) -> f64 {
    (-0.5 * (d / std).powi(2)).exp() / (std * std::f64::consts::TAU.sqrt())
}

/// ln(p / (1 - p)), kept off the infinities.
pub fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    (p / (1.0 - p)).ln()
}

/// The median; `None` of nothing. Reorders its input.
pub fn median(values: &mut [f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The value below which a share `q` of the values lies; `None` of nothing. Reorders its input.
pub fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let at = q * last as f64;
    let (low, high) = (values[at.floor() as usize], values[at.ceil() as usize]);
    Some(low + (high - low) * at.fract())
}

/// The value at which half the weight is reached, and the weights' sum; `None` without weight.
pub fn weighted_median(pairs: &mut [(f64, f64)]) -> Option<(f64, f64)> {
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = pairs.iter().map(|p| p.1).sum();
    if total.is_nan() || total <= 0.0 {
        return None;
    }
    let mut sum = 0.0;
    for &(value, weight) in pairs.iter() {
        sum += weight;
        if sum >= 0.5 * total {
            return Some((value, total));
        }
    }
    None
}

/// How far `passes` passes over one layout count, in independent passes.
pub fn effective_passes(passes: usize, independence: f64) -> f64 {
    if passes == 0 { 0.0 } else { 1.0 + (passes - 1) as f64 * independence }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_of_the_normal_distribution_stay_right_far_out() {
        for (z, p) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746),
            (-1.959_964, 0.025),
            (-5.0, 2.866_516e-7),
            (-8.0, 6.220_961e-16),
        ] {
            assert!((normal_cdf(z) / p - 1.0).abs() < 1e-5, "{z}");
        }
        assert!((ln_normal_cdf(-29.999) / ln_normal_cdf(-30.001) - 1.0).abs() < 1e-3);
        assert!(ln_normal_cdf(-1e6).is_finite());
    }

    #[test]
    fn medians_take_the_middle() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0]), Some(2.0));
        assert_eq!(weighted_median(&mut [(1.0, 1.0), (9.0, 5.0)]), Some((9.0, 6.0)));
    }
}
