//! Quick sine, cosine, logarithm and exponential in single precision, free of branches so that loops over them become vector code,
//! and the widest vectors that the machine has for such loops.

use std::f32::consts::{LN_2, LOG2_E};

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

/// Sine and cosine of an angle in turns, error under 3e-4; for angles under some thousand turns. Products are fused with
/// sums, which is exact in the same way on every machine; call it under [`widest`], where that is one instruction.
#[inline(always)]
pub(crate) fn sin_cos_turns(t: f32) -> (f32, f32) {
    // Adding and taking away 1.5·2^23 rounds to the nearest integer, which SSE2 has no instruction for.
    const ROUND: f32 = 12_582_912.0;
    let r = t - ((t + ROUND) - ROUND);
    let u = r * r;
    // Chebyshev series over the whole turn, cut off.
    let s = r * series(u, [6.278_554, -41.091_118, 77.909_4, -56.038_47]);
    let c = series(u, [0.999_959, -19.730_942, 64.671_44, -82.390_81, 45.621_05]);
    (s, c)
}

/// Base-2 logarithm of a positive number, error under 0.01.
#[inline(always)]
pub(crate) fn log2(v: f32) -> f32 {
    let bits = v.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let m = f32::from_bits((bits & 0x007F_FFFF) | 0x3F80_0000);
    exponent as f32 + series(m, [-1.674_873, 2.024_661, -0.344_845])
}

/// Exponential of a number that is not positive, error under 1e-5 of it; 1e-38 from about -87 on.
#[inline(always)]
pub(crate) fn exp(v: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let t = (v * LOG2_E).max(-126.0);
    let whole = (t + ROUND) - ROUND;
    let part = series(t - whole, [1.0, LN_2, 0.240_226_5, 0.055_504_1, 0.009_618_1, 0.001_333_4]);
    part * f32::from_bits(((whole as i32 + 127) << 23) as u32)
}

/// Sum of `factors[k] * v^k`.
#[inline(always)]
fn series<const N: usize>(v: f32, factors: [f32; N]) -> f32 {
    let mut sum = factors[N - 1];
    for k in (0..N - 1).rev() {
        sum = sum.mul_add(v, factors[k]);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_functions_are_close_to_the_true_ones() {
        for i in -4000..4000 {
            let t = i as f32 * 0.013;
            let (s, c) = sin_cos_turns(t);
            let a = f64::from(t) * std::f64::consts::TAU;
            assert!((f64::from(s) - a.sin()).abs() < 5e-4, "sin {t}: {s}");
            assert!((f64::from(c) - a.cos()).abs() < 5e-4, "cos {t}: {c}");
        }
        for i in 0..3000 {
            let v = -0.029 * i as f32;
            assert!((exp(v) - v.exp()).abs() <= 1e-5 * v.exp(), "exp {v}: {}", exp(v));
        }
        for i in 1..3000 {
            let v = i as f32 * 0.004;
            assert!((log2(v) - v.log2()).abs() < 0.01, "{v}: {} {}", log2(v), v.log2());
        }
    }
}
