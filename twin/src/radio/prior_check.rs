//! Priors of lessons, checked before anything is drawn from them.

use super::error::RadioError;
use super::face_lesson::FacePrior;
use super::lesson::RadioPrior;

const RANGE: &str = "two finite numbers, the lower first";
const POSITIVE: &str = "two numbers above 0, the lower first";
const SHARE: &str = "0 to 1";

fn range(key: &'static str, value: [f64; 2]) -> Result<(), RadioError> {
    let good = value.iter().all(|v| v.is_finite()) && value[0] <= value[1];
    refuse(key, &value, RANGE, good)
}

fn positive(key: &'static str, value: [f64; 2]) -> Result<(), RadioError> {
    let good = value.iter().all(|v| v.is_finite() && *v > 0.0) && value[0] <= value[1];
    refuse(key, &value, POSITIVE, good)
}

/// Some values, all between two bounds.
fn list(
    key: &'static str,
    values: &[f64],
    [low, high]: [f64; 2],
    allowed: &'static str,
) -> Result<(), RadioError> {
    let good = !values.is_empty() && values.iter().all(|v| (low..=high).contains(v));
    refuse(key, values, allowed, good)
}

fn refuse(key: &'static str, value: &[f64], allowed: &'static str, good: bool) -> Result<(), RadioError> {
    if good { Ok(()) } else { Err(RadioError::Setting { key, found: format!("{value:?}"), allowed }) }
}

impl RadioPrior {
    /// Whether lessons can be drawn from it.
    ///
    /// # Errors
    /// The first range that holds nothing.
    pub fn check(&self) -> Result<(), RadioError> {
        positive("impedance_ohm", self.impedance_ohm)?;
        range("impedance_deg", self.impedance_deg)?;
        range("impedance_spread", self.impedance_spread)?;
        list("dipole_m", &self.dipole_m, [0.01, 1.0], "some lengths of 0.01 to 1 m")?;
        range("coupling_turn", self.coupling_turn)?;
        positive("stacked_coupling", self.stacked_coupling)?;
        range("stacked_coupling_deg", self.stacked_coupling_deg)?;
        range("scatter_gain", self.scatter_gain)?;
        range("beam_exponent", self.beam_exponent)?;
        range("rssi_slope", self.rssi_slope)?;
        range("read_range_db", self.read_range_db)?;
        list("carriers_hz", &self.carriers_hz, [1e8, 1e10], "some carriers of 1e8 to 1e10 Hz")
    }
}

impl FacePrior {
    /// Whether lessons can be drawn from it; what the radio itself refuses it tells when it is built.
    ///
    /// # Errors
    /// The first range that holds nothing.
    pub fn check(&self) -> Result<(), RadioError> {
        for (key, value) in [
            ("impedance_ohm", self.impedance_ohm),
            ("dipole_m", self.dipole_m),
            ("distance_m", self.distance_m),
            ("speed_m_s", self.speed_m_s),
            ("thickness_m", self.thickness_m),
        ] {
            positive(key, value)?;
        }
        for (key, value) in [
            ("impedance_deg", self.impedance_deg),
            ("load_spread", self.load_spread),
            ("coupling", self.coupling),
            ("scatter_gain", self.scatter_gain),
            ("beam_exponent", self.beam_exponent),
            ("rssi_slope", self.rssi_slope),
            ("book_loss_db_per_m", self.book_loss_db_per_m),
            ("power_dbm", self.power_dbm),
            ("pose_std_m", self.pose_std_m),
        ] {
            range(key, value)?;
        }
        list("antenna_each_tier", &[self.antenna_each_tier], [0.0, 1.0], SHARE)?;
        list("untidy", &[self.untidy], [0.0, 1.0], SHARE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_priors_pass_and_empty_ones_are_named() {
        assert_eq!(RadioPrior::default().check(), Ok(()));
        assert_eq!(FacePrior::default().check(), Ok(()));
        assert_eq!(FacePrior::of_the_twin().check(), Ok(()));
        let none = RadioPrior { carriers_hz: vec![], ..RadioPrior::default() };
        assert!(none.check().unwrap_err().to_string().contains("carriers_hz"));
        let turned = FacePrior { rssi_slope: [0.9, 0.5], ..FacePrior::default() };
        assert!(turned.check().unwrap_err().to_string().contains("rssi_slope"));
    }
}
