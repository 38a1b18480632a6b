//! Where a robot's antennas are between two steps.

use super::AntennaPose;

/// The antennas' way during one step, straight and at even speed.
pub(super) struct Way<'a> {
    pub(super) from_ns: i64,
    pub(super) to_ns: i64,
    pub(super) from: Vec<AntennaPose>,
    pub(super) to: &'a [AntennaPose],
}

impl Way<'_> {
    /// One antenna at a moment, boresight of unit length.
    pub(super) fn at(&self, t_ns: i64, antenna: usize) -> AntennaPose {
        let (a, b) = (&self.from[antenna % self.from.len()], &self.to[antenna % self.to.len()]);
        let span = (self.to_ns - self.from_ns).max(1) as f64;
        let u = ((t_ns - self.from_ns) as f64 / span).clamp(0.0, 1.0);
        let mix =
            |p: [f64; 3], q: [f64; 3]| -> [f64; 3] { std::array::from_fn(|i| p[i] + u * (q[i] - p[i])) };
        let look = mix(a.boresight, b.boresight);
        let length = look.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-12);
        AntennaPose {
            port: b.port,
            position_m: mix(a.position_m, b.position_m),
            boresight: look.map(|v| v / length),
        }
    }
}
