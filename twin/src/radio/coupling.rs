//! The currents' dependence on the fields around one tag: its row of `(Z + diag Z_L)⁻¹`, from its neighbourhood.

use num_complex::Complex64;

use super::impedance::ImpedanceTable;

/// A tag as a dipole in its neighbourhood.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dipole {
    /// Centre on the map, m.
    pub(super) position_m: [f64; 3],
    /// Unit vector along the dipole.
    pub(super) axis: [f64; 3],
    /// Load, Ω.
    pub(super) load: Complex64,
}

/// Impedances that all tags of a field share.
pub(super) struct Coupling {
    table: ImpedanceTable,
    own: Complex64,
    nominal: Complex64,
    factor: f64,
}

impl Coupling {
    /// `own`: self impedance; `nominal`: load of the mean tag; `factor` scales the mutual impedances.
    pub(super) fn new(table: ImpedanceTable, own: Complex64, nominal: Complex64, factor: f64) -> Self {
        Self { table, own, nominal, factor }
    }

    /// Row of the first dipole: what a unit field at each dipole adds to its current, times `Z_self + Z_L` of the mean
    /// tag, so that a lone mean tag has 1.
    ///
    /// `Z` is symmetric and its real part (radiated and lost power) is positive definite, so it has a factorisation
    /// `L D Lᵀ` that needs no pivots.
    pub(super) fn row(&self, window: &[Dipole]) -> Vec<Complex64> {
        let n = window.len();
        // Lower triangle, row by row, the tag itself last: then the row asked for needs no second substitution.
        let at = |i: usize| &window[n - 1 - i];
        let mut z = Vec::with_capacity(n * (n + 1) / 2);
        for i in 0..n {
            z.extend((0..i).map(|j| self.mutual(at(i), at(j))));
            z.push(self.own + at(i).load);
        }
        factor(&mut z, n);
        let mut row = last_row_of_inverse(&z, n);
        let scale = self.own + self.nominal;
        row.reverse();
        row.iter_mut().for_each(|v| *v *= scale);
        row
    }

    fn mutual(&self, a: &Dipole, b: &Dipole) -> Complex64 {
        let along = dot(a.axis, b.axis);
        if self.factor <= 0.0 || along.abs() < 1e-3 {
            return Complex64::new(0.0, 0.0);
        }
        let d: [f64; 3] = std::array::from_fn(|i| b.position_m[i] - a.position_m[i]);
        let axial = dot(d, a.axis);
        let lateral = (dot(d, d) - axial * axial).max(0.0).sqrt();
        // Tilted pairs couple by the share of one dipole that lies along the other.
        self.table.at(lateral, axial) * (self.factor * along)
    }
}

pub(super) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Turns the lower triangle of a symmetric matrix into `L` (its diagonal of ones left out) and `D`, in place.
pub(super) fn factor(z: &mut [Complex64], n: usize) {
    let start = |i: usize| i * (i + 1) / 2;
    for i in 0..n {
        let (above, rest) = z.split_at_mut(start(i));
        let line = &mut rest[..=i];
        // First L·D, as the inner products need one side with D and one without.
        for j in 0..i {
            let other = &above[start(j)..start(j) + j];
            let sum: Complex64 = line[..j].iter().zip(other).map(|(a, b)| a * b).sum();
            line[j] -= sum;
        }
        let mut own = line[i];
        for j in 0..i {
            let scaled = line[j] / above[start(j) + j];
            own -= scaled * line[j];
            line[j] = scaled;
        }
        line[i] = own;
    }
}

/// Solves `L D Lᵀ x = b` in place, `z` as [`factor`] leaves it.
pub(super) fn solve_factored(z: &[Complex64], b: &mut [Complex64]) {
    let start = |i: usize| i * (i + 1) / 2;
    let n = b.len();
    for i in 0..n {
        let sum: Complex64 = b[..i].iter().zip(&z[start(i)..start(i) + i]).map(|(b, l)| b * l).sum();
        b[i] -= sum;
    }
    for i in 0..n {
        b[i] /= z[start(i) + i];
    }
    for i in (1..n).rev() {
        let value = b[i];
        for (b, l) in b[..i].iter_mut().zip(&z[start(i)..start(i) + i]) {
            *b -= l * value;
        }
    }
}

/// Solves `L D Lᵀ x = (0 … 0 1)`: the last row, and column, of the inverse.
fn last_row_of_inverse(z: &[Complex64], n: usize) -> Vec<Complex64> {
    let start = |i: usize| i * (i + 1) / 2;
    let mut x = vec![Complex64::new(0.0, 0.0); n];
    x[n - 1] = z[start(n - 1) + n - 1].inv();
    for i in (1..n).rev() {
        let value = x[i];
        for (x, l) in x[..i].iter_mut().zip(&z[start(i)..start(i) + i]) {
            *x -= l * value;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::super::impedance::self_impedance;
    use super::*;

    #[test]
    fn a_tags_row_is_the_row_of_the_inverse() {
        let k = std::f64::consts::TAU / 0.325;
        let nominal = Complex64::new(15.0, -60.0);
        let own = self_impedance(0.1625, k);
        let coupling = Coupling::new(
            ImpedanceTable::new(0.1625, super::super::SPEED_OF_LIGHT / 0.325),
            own,
            nominal,
            1.0,
        );
        let window: Vec<Dipole> = [0.0, 0.02, -0.031, 0.047, -0.06, 0.1]
            .iter()
            .enumerate()
            .map(|(i, &x)| Dipole {
                position_m: [x, 0.0, 0.01 * i as f64],
                axis: [0.0, 0.0, 1.0],
                load: nominal * (1.0 + 0.05 * i as f64),
            })
            .collect();
        let row = coupling.row(&window);
        // Row times matrix must be the unit row (times the scale).
        for j in 0..window.len() {
            let column = |i: usize| {
                if i == j { own + window[j].load } else { coupling.mutual(&window[i], &window[j]) }
            };
            let sum: Complex64 = row.iter().enumerate().map(|(i, y)| y * column(i)).sum();
            let expected = if j == 0 { own + nominal } else { Complex64::new(0.0, 0.0) };
            assert!((sum - expected).norm() < 1e-9, "column {j}: {sum}");
        }
    }

    #[test]
    fn a_lone_tag_is_not_touched_by_coupling() {
        let table = ImpedanceTable::new(0.1625, 922.5e6);
        let (own, load) = (Complex64::new(73.0, 42.0), Complex64::new(15.0, -60.0));
        let coupling = Coupling::new(table, own, load, 1.0);
        let row = coupling.row(&[Dipole { position_m: [0.0; 3], axis: [0.0, 0.0, 1.0], load }]);
        assert!((row[0] - 1.0).norm() < 1e-12);
    }
}
