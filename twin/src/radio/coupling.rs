//! The currents' dependence on the fields around one tag: its row of `(Z + diag Z_L)⁻¹`, from its neighbourhood.

use nalgebra::{DMatrix, DVector};
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
    /// `Z` is symmetric, so the row is the solution for a unit right-hand side.
    pub(super) fn row(&self, window: &[Dipole]) -> Vec<Complex64> {
        let n = window.len();
        let mut z = DMatrix::from_element(n, n, Complex64::new(0.0, 0.0));
        for i in 0..n {
            z[(i, i)] = self.own + window[i].load;
            for j in 0..i {
                let mutual = self.mutual(&window[i], &window[j]);
                z[(i, j)] = mutual;
                z[(j, i)] = mutual;
            }
        }
        let mut unit = DVector::from_element(n, Complex64::new(0.0, 0.0));
        unit[0] = self.own + self.nominal;
        let lone = unit[0] / (self.own + window[0].load);
        match z.lu().solve(&unit) {
            Some(row) => row.iter().copied().collect(),
            // A singular system takes loads without resistance at exact resonance: the tag is then left uncoupled.
            None => (0..n).map(|i| if i == 0 { lone } else { Complex64::new(0.0, 0.0) }).collect(),
        }
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
