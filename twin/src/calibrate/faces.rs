//! Row faces that a robot drove past, their books where the catalogue has them: the numbers of [`FacePrior`].

use domain::Scan;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::figures::{Figures, Level, Reference, shapes};
pub use super::known_face::{KnownFace, TagSide};
use super::narrow::{Draw, Narrowed};
use super::part::{Part, even, parts_of};
use super::{FEWEST_TAGS, Parameter, Study, StudyError};
use crate::radio::{FacePrior, HopPlan, RadioError, Reader, TagField, face_radio};
use crate::rng::stream;

/// Known faces, to be passed again with any radio.
pub struct FaceStudy {
    prior: FacePrior,
    parts: Vec<Part>,
    parameters: Vec<Parameter>,
    references: Vec<Reference>,
    names: Vec<String>,
    measured: Vec<f64>,
}

impl FaceStudy {
    /// Makes ready to pass at most `parts` parts of faces again with radios of a prior.
    ///
    /// # Errors
    /// Too few books, or a prior that the radio refuses.
    pub fn new(prior: FacePrior, faces: &[KnownFace], parts: usize) -> Result<Self, StudyError> {
        let mut all: Vec<Part> = faces.iter().flat_map(parts_of).collect();
        // Evenly over all that there are, so that no face counts alone.
        let (have, want) = (all.len(), parts.max(1));
        let mut number = 0;
        all.retain(|_| {
            number += 1;
            number * want / have.max(1) > (number - 1) * want / have.max(1) || have <= want
        });
        let mut study = Self {
            parameters: parameters(&prior),
            prior,
            parts: all,
            references: Vec::new(),
            names: Vec::new(),
            measured: Vec::new(),
        };
        study.references = study.make_references()?;
        study.names = Figures::new(&study.references, Level::Absolute).names();
        if study.books() < FEWEST_TAGS {
            return Err(StudyError::TooFew { found: study.books(), needed: FEWEST_TAGS });
        }
        let scans: Vec<&Scan> = study.parts.iter().map(|p| &p.scan).collect();
        study.measured = study.figures(&scans);
        Ok(study)
    }

    /// Books at known places in the parts that are passed again.
    pub fn books(&self) -> usize {
        self.parts.iter().map(|p| p.within).sum()
    }

    /// Parts of faces that are passed again.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// The prior with the ranges found.
    pub fn narrowed(&self, found: &Narrowed) -> FacePrior {
        let mut prior = self.prior.clone();
        for (f, p) in found.findings.iter().zip(&self.parameters) {
            if let Some(range) = range_of(&mut prior, p.key) {
                *range = f.range;
            }
        }
        prior
    }

    /// The radio of a draw as a prior of one point.
    pub fn radio(&self, shares: &[f64]) -> FacePrior {
        let mut prior = self.prior.clone();
        for (p, share) in self.parameters.iter().zip(shares) {
            if let Some(range) = range_of(&mut prior, p.key) {
                *range = [p.at(*share); 2];
            }
        }
        prior
    }

    fn figures(&self, scans: &[&Scan]) -> Vec<f64> {
        let mut figures = Figures::new(&self.references, Level::Absolute);
        for (pass, (scan, part)) in scans.iter().zip(&self.parts).enumerate() {
            figures.add(pass, &part.seen(scan), &part.known[..part.within], &self.references);
        }
        figures.give()
    }

    /// Passes all parts with a radio. Heights and depths of the tags, and the robot's error, are drawn where `drawn`.
    fn pass(&self, prior: &FacePrior, rng: &mut ChaCha8Rng, drawn: bool) -> Result<Vec<Scan>, RadioError> {
        let mut settings = face_radio(prior, rng);
        let (mut tags, mut panels, mut fronts) = (Vec::new(), Vec::new(), Vec::new());
        for (i, part) in self.parts.iter().enumerate() {
            part.build(i, drawn, rng, &mut tags, &mut panels, &mut fronts);
        }
        let plan = self.parts.first().map_or(HopPlan::default(), |p| p.plan);
        settings.reader.plan = plan;
        settings.reader.carrier_dwell_s = settings.reader.carrier_dwell_s.min(plan.max_dwell_s());
        let field = TagField::new(&settings, tags, panels, fronts, rng.random())?;
        let wander = even(rng, prior.pose_std_m);
        let port = rng.random();
        let mut first = 0;
        self.parts
            .iter()
            .enumerate()
            .map(|(i, part)| {
                let mut reader = Reader::new(&settings, port, part.time_ns[0])?;
                let scan = part.drive(&field, &mut reader, [i, first], wander, rng);
                first += part.known.len();
                Ok(scan)
            })
            .collect()
    }

    fn make_references(&self) -> Result<Vec<Reference>, RadioError> {
        let at = |v: f64| [v, v];
        [100.0, 200.0]
            .into_iter()
            .flat_map(|ohm| [-75.0, -45.0, -15.0].map(|deg| (ohm, deg)))
            .map(|(ohm, deg)| {
                let radio = FacePrior {
                    impedance_ohm: at(ohm),
                    impedance_deg: at(deg),
                    load_spread: at(0.0),
                    scatter_gain: at(0.0),
                    power_dbm: at(27.0),
                    pose_std_m: at(0.0),
                    ..FacePrior::of_the_twin()
                };
                let scans = self.pass(&radio, &mut stream(0, "calibrate/reference"), false)?;
                let passes =
                    scans.iter().zip(&self.parts).map(|(scan, part)| shapes(&part.seen(scan))).collect();
                Ok(Reference { name: format!("{ohm} Ω at {deg}°"), stacked: false, passes })
            })
            .collect()
    }
}

impl Study for FaceStudy {
    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn measured(&self) -> &[f64] {
        &self.measured
    }

    fn draw(&self, seed: u64, number: u64) -> Result<Draw, RadioError> {
        let mut rng = stream(seed, &format!("calibrate/faces/{number}"));
        let shares: Vec<f64> = self.parameters.iter().map(|_| rng.random::<f64>()).collect();
        let radio = self.radio(&shares);
        let scans = self.pass(&radio, &mut rng, true)?;
        Ok(Draw { shares, figures: self.figures(&scans.iter().collect::<Vec<_>>()) })
    }
}

fn parameters(prior: &FacePrior) -> Vec<Parameter> {
    let p = |key, range, by_log| Parameter { key, range, by_log };
    vec![
        p("impedance_ohm", prior.impedance_ohm, true),
        p("impedance_deg", prior.impedance_deg, false),
        p("load_spread", prior.load_spread, false),
        p("coupling", prior.coupling, false),
        p("dipole_m", prior.dipole_m, false),
        p("scatter_gain", prior.scatter_gain, false),
        p("beam_exponent", prior.beam_exponent, false),
        p("rssi_slope", prior.rssi_slope, false),
        p("book_loss_db_per_m", prior.book_loss_db_per_m, false),
        p("power_dbm", prior.power_dbm, false),
    ]
}

fn range_of<'a>(prior: &'a mut FacePrior, key: &str) -> Option<&'a mut [f64; 2]> {
    Some(match key {
        "impedance_ohm" => &mut prior.impedance_ohm,
        "impedance_deg" => &mut prior.impedance_deg,
        "load_spread" => &mut prior.load_spread,
        "coupling" => &mut prior.coupling,
        "dipole_m" => &mut prior.dipole_m,
        "scatter_gain" => &mut prior.scatter_gain,
        "beam_exponent" => &mut prior.beam_exponent,
        "rssi_slope" => &mut prior.rssi_slope,
        "book_loss_db_per_m" => &mut prior.book_loss_db_per_m,
        "power_dbm" => &mut prior.power_dbm,
        _ => return None,
    })
}
