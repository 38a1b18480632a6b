//! What a simulated figure is worth: a rail is one draw of its tags' impedances and of the room, a simulation another, so that
//! each figure is told as the median over several draws, with the range from the tenth to the ninetieth percentile.

use super::figures::{Group, quantile};

/// The same scans, simulated with several draws of tags and room.
#[derive(Debug, Clone, Default)]
pub struct Draws(pub Vec<Group>);

/// A figure over the draws; NaN where no draw has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Median.
    pub median: f64,
    /// A tenth of the draws lies below.
    pub low: f64,
    /// A tenth lies above.
    pub high: f64,
}

impl Draws {
    /// A figure of each draw, as its spread.
    pub fn spread(&self, figure: impl Fn(&Group) -> f64) -> Spread {
        let values: Vec<f64> = self.0.iter().map(figure).filter(|v| v.is_finite()).collect();
        let at = |share| quantile(&values, share).unwrap_or(f64::NAN);
        Spread { median: at(0.5), low: at(0.1), high: at(0.9) }
    }
}

impl Spread {
    /// Whether a value lies in the range of the draws.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_draw_moves_neither_median_nor_range() {
        let draws = Draws(vec![Group::default(); 9]);
        let next = std::cell::Cell::new(0.0);
        let spread = draws.spread(|_| {
            next.set(next.get() + 1.0);
            if next.get() < 9.0 { next.get() } else { 1e9 }
        });
        assert_eq!(spread, Spread { median: 5.0, low: 2.0, high: 8.0 });
        assert!(spread.holds(2.0) && !spread.holds(9.0));
        let none = draws.spread(|_| f64::NAN);
        assert!(none.median.is_nan() && !none.holds(1.0));
    }
}
