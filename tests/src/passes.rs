//! Simulated passes along single faces, with the places of the tags that they read: for evaluations.

use domain::{FaceId, Scan, Uid};
use positioning::{FaceGeometry, LocateSettings, TierGeometry, locate_face};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use twin::radio::{
    AntennaPose, FaceLesson, FacePrior, HfReader, RadioError, RadioSettings, TagField, TagPlacement,
    face_lesson,
};

use crate::placing::{Figures, Placed, processor_seconds};

/// The twin's own radio along six-tier shelves of books of a mean thickness, m, an antenna at each tier, at a speed, m/s.
pub fn as_the_twin(thickness: f64, speed: f64) -> FacePrior {
    FacePrior {
        distance_m: [0.45, 0.45],
        speed_m_s: [speed, speed],
        thickness_m: [thickness, thickness],
        tiers: [6, 6],
        antenna_each_tier: 1.0,
        ..FacePrior::of_the_twin()
    }
}

/// The face of a lesson.
///
/// # Errors
/// None: the face's name is a good one.
pub fn face_of(lesson: &FaceLesson) -> Result<FaceGeometry, Box<dyn std::error::Error>> {
    let tiers = lesson.tiers.iter().map(|t| TierGeometry { board_m: t[0], clear_m: t[1] }).collect();
    Ok(FaceGeometry {
        face: "1F/R01A".parse::<FaceId>()?,
        length_m: lesson.length_m,
        depth_m: lesson.depth_m,
        tiers,
    })
}

/// Where the tags of a lesson were.
pub fn places_of(lesson: &FaceLesson) -> Vec<Placed> {
    lesson.truth.iter().map(|t| Placed { x_m: t.x_m, tier: t.tier }).collect()
}

/// Locates the first passes of a prior and a seed, by fit alone or with the decoder.
///
/// # Errors
/// A prior that the radio refuses.
pub fn locate_passes(
    prior: &FacePrior,
    passes: u64,
    seed: u64,
    decode: bool,
) -> Result<Figures, Box<dyn std::error::Error>> {
    let mut figures = Figures::default();
    for number in 0..passes {
        let lesson = face_lesson(prior, seed, number)?;
        let face = face_of(&lesson)?;
        let settings = LocateSettings { aisle_m: lesson.aisle_m, decode, ..LocateSettings::default() };
        let started = processor_seconds();
        let found = locate_face(&lesson.scan, &face, &settings);
        figures.seconds += processor_seconds() - started;
        figures.reads += lesson.scan.reads.len() as f64;
        figures.add(&places_of(&lesson), lesson.tiers.len(), &found.sightings);
    }
    Ok(figures)
}

const TIERS: usize = 6;
const PITCH_M: f64 = 0.33;
const LENGTH_M: f64 = 3.0;
/// From the plates to the shelf's front edge, m.
const GAP_M: f64 = 0.08;
/// Plates above the boards, m.
const PLATE_UP_M: f64 = 0.12;
/// Error of the robot's place: standard deviation, m, and over what distance it stays alike, m.
const POSE_STD_M: f64 = 0.003;
const POSE_ALIKE_M: f64 = 0.5;

/// One pass of HF plates along a face of its own.
pub struct HfPass {
    /// The face.
    pub face: FaceGeometry,
    /// The reads.
    pub scan: Scan,
    /// Of the tags that were read.
    pub truth: Vec<Placed>,
    /// Books on the face, read or not.
    pub books: usize,
}

fn board(tier: usize) -> f64 {
    0.10 + PITCH_M * tier as f64
}

impl HfPass {
    /// Drives past shelves of a mean thickness, m, at a speed, m/s; a share of the tags sits at the fore edge.
    ///
    /// # Errors
    /// Radio settings that the radio refuses.
    pub fn drive(
        thickness: f64,
        speed: f64,
        fore_edge: f64,
        seed: u64,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut truth, mut tags) = (Vec::new(), Vec::new());
        for tier in 0..TIERS {
            let mut x = 0.02;
            while x < LENGTH_M - 0.05 {
                let deep = rng.random::<f64>() < fore_edge;
                let behind = if deep { rng.random_range(0.10..0.13) } else { rng.random_range(0.025..0.045) };
                let recess = rng.random_range(0.0..0.012);
                let number = rng.random::<u64>().to_be_bytes();
                truth.push(Placed { x_m: x, tier: Some(tier) });
                tags.push(TagPlacement {
                    uid: Uid::new(&[&[0xE0, 0x04, 0x01][..], &number[..5]].concat())?,
                    position_m: [x, -(recess + behind), board(tier) + rng.random_range(0.04..0.12)],
                    axis: [0.0, 0.0, 1.0],
                    outward: [0.0, 1.0, 0.0],
                    front: None,
                    needs_db: 0.0,
                });
                let next = thickness * (0.45 * normal(&mut rng)).exp();
                x += next.clamp(0.4 * thickness, 2.5 * thickness);
            }
        }
        let books = tags.len();
        let scan = read(speed, seed, tags, &mut rng)?;
        let tiers = (0..TIERS).map(|t| TierGeometry { board_m: board(t), clear_m: PITCH_M - 0.03 }).collect();
        let face =
            FaceGeometry { face: "1F/R01A".parse::<FaceId>()?, length_m: LENGTH_M, depth_m: 0.25, tiers };
        Ok(Self { face, scan, truth, books }.of_read_tags())
    }

    /// Leaves out what was never read.
    fn of_read_tags(mut self) -> Self {
        let mut index = vec![None; self.truth.len()];
        let (mut tags, mut truth) = (Vec::new(), Vec::new());
        for r in &mut self.scan.reads {
            let tag = r.tag as usize;
            r.tag = *index[tag].get_or_insert_with(|| {
                tags.push(self.scan.tags[tag].clone());
                truth.push(self.truth[tag]);
                tags.len() as u32 - 1
            });
        }
        (self.scan.tags, self.truth) = (tags, truth);
        self
    }
}

/// The reads of one pass; the scan's tags are those of the field, read or not.
fn read(speed: f64, seed: u64, tags: Vec<TagPlacement>, rng: &mut ChaCha8Rng) -> Result<Scan, RadioError> {
    const STEP_S: f64 = 0.01;
    let settings = RadioSettings::default();
    let uids = tags.iter().map(|t| t.uid.clone()).collect();
    let field = TagField::new(&settings, tags, vec![], vec![], seed)?;
    let mut readers = HfReader::new(&settings, seed, seed, 0, TIERS)?;
    let mut scan = Scan { name: "hf".into(), tags: uids, ..Scan::default() };
    let (mut x, mut off, mut now_ns) = (-0.6, 0.0, 0i64);
    let stays = (-speed * STEP_S / POSE_ALIKE_M).exp();
    let mut reads = Vec::new();
    while x < LENGTH_M + 0.6 {
        let pose = |tier: usize| AntennaPose {
            port: tier as u8 + 1,
            position_m: [x, GAP_M, board(tier) + PLATE_UP_M],
            boresight: [0.0, -1.0, 0.0],
        };
        let poses: Vec<AntennaPose> = (0..TIERS).map(pose).collect();
        reads.clear();
        readers.advance(&field, now_ns, &poses, &mut reads);
        for r in &reads {
            let at = x + speed * (r.stamp_ns - now_ns) as f64 * 1e-9 + off;
            let z = poses[usize::from(r.port) - 1].position_m[2];
            scan.reads.push(r.with_antenna_at([at, GAP_M, z]));
        }
        off = stays * off + POSE_STD_M * (1.0 - stays * stays).sqrt() * normal(rng);
        now_ns += (STEP_S * 1e9) as i64;
        x += speed * STEP_S;
    }
    Ok(scan)
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    rng.sample(StandardNormal)
}
