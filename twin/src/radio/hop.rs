//! Carrier plans: which carriers a region allows, and for how long at a stretch.

use serde::{Deserialize, Serialize};

/// A regional carrier plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HopPlan {
    /// China, 920–925 MHz: the 16 carriers 920.625…924.375 MHz with full power, at most 2 s each.
    #[default]
    Cn,
    /// United States, FCC part 15.247: 50 carriers 902.75…927.25 MHz, at most 0.4 s each within 20 s.
    Fcc,
    /// Europe, EN 302 208 lower band: four carriers; no hopping duty, at most 4 s each.
    Etsi,
}

impl HopPlan {
    /// Carriers in rising order, Hz.
    pub fn carriers_hz(self) -> Vec<f64> {
        match self {
            Self::Cn => (0..16).map(|i| 920.625e6 + 0.25e6 * f64::from(i)).collect(),
            Self::Fcc => (0..50).map(|i| 902.75e6 + 0.5e6 * f64::from(i)).collect(),
            Self::Etsi => vec![865.7e6, 866.3e6, 866.9e6, 867.5e6],
        }
    }

    /// Whether carriers come in one order again and again. A carrier of the FCC's plan may send 0.4 s in any 20 s, which a new
    /// order after each turn would break where one turn ends and the next begins with it.
    pub fn keeps_order(self) -> bool {
        self == Self::Fcc
    }

    /// The longest that a carrier may be held, s.
    pub fn max_dwell_s(self) -> f64 {
        match self {
            Self::Cn => 2.0,
            Self::Fcc => 0.4,
            Self::Etsi => 4.0,
        }
    }
}
