//! Least squares with a ridge, by Cholesky.

/// Coefficients, one line a target, of the targets on the features, rows weighted; `ridge` counts as so many rows of unit
/// features that say nothing.
pub(super) fn regress(
    features: &[Vec<f64>],
    targets: &[Vec<f64>],
    weights: &[f64],
    ridge: f64,
) -> Vec<Vec<f64>> {
    let n = features.first().map_or(0, Vec::len);
    let outputs = targets.first().map_or(0, Vec::len);
    let mut square = vec![0.0; n * n];
    let mut right = vec![vec![0.0; n]; outputs];
    for ((row, target), w) in features.iter().zip(targets).zip(weights) {
        for i in 0..n {
            let scaled = w * row[i];
            for j in 0..=i {
                square[i * n + j] += scaled * row[j];
            }
            for (line, t) in right.iter_mut().zip(target) {
                line[i] += scaled * t;
            }
        }
    }
    for i in 0..n {
        square[i * n + i] += ridge;
    }
    factor(&mut square, n);
    for line in &mut right {
        solve(&square, n, line);
    }
    right
}

/// Cholesky's factor in the lower triangle.
fn factor(a: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
            let left = a[i * n + j] - sum;
            // The ridge keeps it positive but for rounding.
            a[i * n + j] = if i == j { left.max(1e-12).sqrt() } else { left / a[j * n + j] };
        }
    }
}

fn solve(a: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        let sum: f64 = (0..i).map(|k| a[i * n + k] * b[k]).sum();
        b[i] = (b[i] - sum) / a[i * n + i];
    }
    for i in (0..n).rev() {
        let sum: f64 = (i + 1..n).map(|k| a[k * n + i] * b[k]).sum();
        b[i] = (b[i] - sum) / a[i * n + i];
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_law_is_found_again() {
        let features: Vec<Vec<f64>> =
            (0..50).map(|i| vec![1.0, f64::from(i) / 25.0 - 1.0, f64::from(i % 7)]).collect();
        let law = [0.3, -2.0, 0.5];
        let targets: Vec<Vec<f64>> = features.iter().map(|f| vec![dot(f, &law)]).collect();
        let found = regress(&features, &targets, &[1.0; 50], 1e-9);
        assert!(found[0].iter().zip(law).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
    }
}
