//! Quick sine, cosine and logarithm in single precision, free of branches so that loops over them become vector code,
//! and the widest vectors that the machine has for such loops.

/// Runs loops compiled for the widest vectors of this machine. What they compute is the same on each: element by element,
/// nothing is contracted or summed in another order. `work` and what it calls must be `#[inline(always)]`.
#[inline(always)]
pub(crate) fn widest<R>(work: impl FnOnce() -> R) -> R {
    struct Job<F>(F);
    impl<R, F: FnOnce() -> R> pulp::WithSimd for Job<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> R {
            (self.0)()
        }
    }
    pulp::Arch::new().dispatch(Job(work))
}

/// Sine and cosine of an angle in turns, error under 2e-4; for angles under some thousand turns.
#[inline(always)]
pub(crate) fn sin_cos_turns(t: f32) -> (f32, f32) {
    // Adding and taking away 1.5·2^23 rounds to the nearest integer, which SSE2 has no instruction for.
    const ROUND: f32 = 12_582_912.0;
    let r = t - ((t + ROUND) - ROUND);
    let q = ((r * 2.0 + ROUND) - ROUND) * 0.5; // nearest half turn: -0.5, 0 or 0.5
    let a = (r - q) * std::f32::consts::TAU; // within a quarter turn
    let sign = 1.0 - 4.0 * q.abs();
    let a2 = a * a;
    let s = a * (1.0 - a2 * (1.0 / 6.0 - a2 * (1.0 / 120.0 - a2 * (1.0 / 5040.0))));
    let c = 1.0 - a2 * (0.5 - a2 * (1.0 / 24.0 - a2 * (1.0 / 720.0 - a2 * (1.0 / 40320.0))));
    (sign * s, sign * c)
}

/// Base-2 logarithm of a positive number, error under 0.01.
#[inline(always)]
pub(crate) fn log2(v: f32) -> f32 {
    let bits = v.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let m = f32::from_bits((bits & 0x007F_FFFF) | 0x3F80_0000);
    exponent as f32 + (-1.674_873 + m * (2.024_661 - m * 0.344_845))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_sine_cosine_and_logarithm_are_close_to_the_true_ones() {
        for i in -4000..4000 {
            let t = i as f32 * 0.013;
            let (s, c) = sin_cos_turns(t);
            let a = f64::from(t) * std::f64::consts::TAU;
            assert!((f64::from(s) - a.sin()).abs() < 5e-4, "sin {t}: {s}");
            assert!((f64::from(c) - a.cos()).abs() < 5e-4, "cos {t}: {c}");
        }
        for i in 1..3000 {
            let v = i as f32 * 0.004;
            assert!((log2(v) - v.log2()).abs() < 0.01, "{v}: {} {}", log2(v), v.log2());
        }
    }
}
