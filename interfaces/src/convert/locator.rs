//! Sightings and coverage.

use domain::{FaceId, Uid};

use super::{ConvertError, at};
use crate::builtin_interfaces::Time;
use crate::shelfwright_msgs::{Coverage, Sighting};
use crate::std_msgs::Header;

impl From<&domain::Sighting> for Sighting {
    fn from(s: &domain::Sighting) -> Self {
        Self {
            uid: s.uid.as_bytes().to_vec(),
            scan: s.scan.clone(),
            face: s.face.as_ref().map(FaceId::to_string).unwrap_or_default(),
            stamp: s.stamp_ns.map(Time::from_ns).unwrap_or_default(),
            along_m: s.along_m,
            along_std_m: s.along_std_m,
            range_m: s.range_m,
            height_m: s.height_m,
            tier_probability: s.tier_probability.clone(),
            face_probability: s.face_probability,
            rank: s.rank,
            rank_confidence: s.rank_confidence,
            reads: s.reads,
            rssi_dbm: s.rssi_dbm,
        }
    }
}

impl TryFrom<&Sighting> for domain::Sighting {
    type Error = ConvertError;

    fn try_from(m: &Sighting) -> Result<Self, ConvertError> {
        let face = match m.face.as_str() {
            "" => None,
            text => Some(text.parse().map_err(at::<Sighting, _>("face"))?),
        };
        Ok(Self {
            uid: Uid::new(&m.uid).map_err(at::<Sighting, _>("uid"))?,
            scan: m.scan.clone(),
            face,
            stamp_ns: (m.stamp != Time::default()).then(|| m.stamp.to_ns()),
            along_m: m.along_m,
            along_std_m: m.along_std_m,
            range_m: m.range_m,
            height_m: m.height_m,
            tier_probability: m.tier_probability.clone(),
            face_probability: m.face_probability,
            rank: m.rank,
            rank_confidence: m.rank_confidence,
            reads: m.reads,
            rssi_dbm: m.rssi_dbm,
        })
    }
}

impl Coverage {
    /// Coverage of one tier after a pass of a robot that ended at `stamp_ns`.
    pub fn from_domain(coverage: &domain::Coverage, robot: &str, stamp_ns: i64) -> Self {
        Self {
            header: Header::new(stamp_ns, "map"),
            robot: robot.to_owned(),
            scan: coverage.scan.clone(),
            face: coverage.face.to_string(),
            tier: coverage.tier,
            bin_m: coverage.bin_m,
            read_probability: coverage.read_probability.clone(),
        }
    }
}

impl TryFrom<&Coverage> for domain::Coverage {
    type Error = ConvertError;

    fn try_from(m: &Coverage) -> Result<Self, ConvertError> {
        if !(m.bin_m.is_finite() && m.bin_m > 0.0) {
            return Err(at::<Coverage, _>("bin_m")(format!("found {}, expected a width above 0 m", m.bin_m)));
        }
        Ok(Self {
            scan: m.scan.clone(),
            face: m.face.parse().map_err(at::<Coverage, _>("face"))?,
            tier: m.tier,
            bin_m: m.bin_m,
            read_probability: m.read_probability.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting() -> domain::Sighting {
        domain::Sighting {
            uid: "E28011700000020A".parse().unwrap(),
            scan: "inv_1/1F/R01A/1".into(),
            face: Some("1F/R01A".parse().unwrap()),
            stamp_ns: Some(12_345_678_901),
            along_m: 1.25,
            along_std_m: 0.01,
            range_m: 0.6,
            height_m: 0.85,
            tier_probability: vec![0.1, 0.9],
            face_probability: 0.98,
            rank: 7,
            rank_confidence: 0.8,
            reads: 321,
            rssi_dbm: -51.5,
        }
    }

    #[test]
    fn a_sighting_survives_the_message() {
        for s in [sighting(), domain::Sighting { face: None, stamp_ns: None, ..sighting() }] {
            assert_eq!(domain::Sighting::try_from(&Sighting::from(&s)).unwrap(), s);
        }
    }

    #[test]
    fn coverage_survives_the_message() {
        let coverage = domain::Coverage {
            scan: "s".into(),
            face: "1F/R01B".parse().unwrap(),
            tier: 3,
            bin_m: 0.1,
            read_probability: vec![0.0, 0.5, 1.0],
        };
        let message = Coverage::from_domain(&coverage, "inv_1", 5);
        assert_eq!(domain::Coverage::try_from(&message).unwrap(), coverage);
        let bad = Coverage { bin_m: f32::NAN, ..message };
        assert!(domain::Coverage::try_from(&bad).unwrap_err().to_string().contains("bin_m"));
    }

    #[test]
    fn a_malformed_sighting_names_its_field() {
        let message = Sighting { face: "nowhere".into(), ..Sighting::from(&sighting()) };
        let error = domain::Sighting::try_from(&message).unwrap_err().to_string();
        assert!(error.contains("field face") && error.contains("nowhere"), "{error}");
        let message = Sighting { uid: vec![], ..Sighting::from(&sighting()) };
        assert_eq!(domain::Sighting::try_from(&message).unwrap_err().field, "uid");
    }
}
