//! Least squares with a ridge.

use nalgebra::DMatrix;

/// Coefficients, one line a target, of the targets on the features, rows weighted; `ridge` counts as so many rows of unit
/// features that say nothing, and must be more than 0.
pub(super) fn regress(
    features: &[Vec<f64>],
    targets: &[Vec<f64>],
    weights: &[f64],
    ridge: f64,
) -> Vec<Vec<f64>> {
    let table = |rows: &[Vec<f64>]| {
        DMatrix::from_fn(rows.len(), rows.first().map_or(0, Vec::len), |row, column| rows[row][column])
    };
    let (x, y) = (table(features), table(targets));
    let weighed = DMatrix::from_fn(x.nrows(), x.ncols(), |row, column| weights[row] * x[(row, column)]);
    let square = x.transpose() * &weighed + ridge * DMatrix::identity(x.ncols(), x.ncols());
    // The ridge keeps it positive definite; features that are not finite say nothing.
    let laws = square.cholesky().map(|factor| factor.solve(&(weighed.transpose() * y)));
    laws.map_or_else(
        || vec![vec![0.0; x.ncols()]; targets.first().map_or(0, Vec::len)],
        |laws| laws.column_iter().map(|law| law.iter().copied().collect()).collect(),
    )
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
