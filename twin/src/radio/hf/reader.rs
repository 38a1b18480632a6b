//! HF readers of one robot in time: one at each antenna, and the reads that come of them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::inventory::{ANSWERED_NS, EMPTY_NS, Mask, Round, Slot, request_ns};
use super::near_field::{CARRIER_HZ, Coil, chip_fields};
use super::settings::HfSettings;
use crate::radio::error::RadioError;
use crate::radio::field::{TagField, TagPlacement};
use crate::radio::rng::stream;
use crate::radio::settings::RadioSettings;
use crate::radio::track::{Track, Went};
use crate::radio::way::Way;
use crate::radio::{AntennaPose, RadioRead};

/// No tag farther from a plate's centre than this answers, and none farther takes field from one that does, m.
const REACH_M: f64 = 0.40;

/// HF readers with an antenna each, moving through a [`TagField`].
#[derive(Debug, Serialize, Deserialize)]
pub struct HfReader {
    settings: HfSettings,
    seed: u64,
    ports: Vec<Port>,
    track: Track,
    /// By tag of the field, made when first met.
    tags: Vec<Option<HfTag>>,
}

/// One antenna with its reader.
#[derive(Debug, Serialize, Deserialize)]
struct Port {
    clock_ns: i64,
    rng: ChaCha8Rng,
    masks: Vec<Mask>,
    round: Option<Round>,
}

/// What a tag brings along.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct HfTag {
    uid: u64,
    resonance_mhz: f64,
    threshold_a_per_m: f64,
    /// Tilt of the coil's axis against the shelf, rad: out of it, and up.
    tilt: [f64; 2],
}

impl HfReader {
    /// Readers that start at `start_ns`. `seed` sets their noise; what a tag is like hangs on `tags_seed` and the tag.
    ///
    /// # Errors
    /// A setting out of range.
    pub fn new(
        settings: &RadioSettings,
        seed: u64,
        tags_seed: u64,
        start_ns: i64,
        antennas: usize,
    ) -> Result<Self, RadioError> {
        settings.check()?;
        let port = |i: usize| Port {
            clock_ns: start_ns,
            rng: stream(seed, "hf port", &(i as u64).to_le_bytes()),
            masks: Vec::new(),
            round: None,
        };
        Ok(Self {
            settings: settings.hf.clone(),
            seed: tags_seed,
            ports: (0..antennas).map(port).collect(),
            track: Track::new(start_ns),
            tags: Vec::new(),
        })
    }

    /// Runs the readers up to `to_ns` and appends their reads, port by port. `antennas` are where they are at `to_ns`; the
    /// rest as [`crate::radio::Reader::advance`].
    pub fn advance(
        &mut self,
        field: &TagField,
        to_ns: i64,
        antennas: &[AntennaPose],
        reads: &mut Vec<RadioRead>,
    ) {
        match self.track.go(to_ns, antennas) {
            Went::Nowhere => {}
            Went::Along(way) if self.ports.len() == antennas.len() => {
                for port in 0..self.ports.len() {
                    while self.one_step(port, field, &way, reads) {}
                }
            }
            Went::Along(_) | Went::Appeared => {
                for port in &mut self.ports {
                    (port.clock_ns, port.round) = (to_ns, None);
                    port.masks.clear();
                }
            }
        }
    }

    /// Feeds the readers' state into a state hash.
    pub fn hash_into(&self, hash: &mut Sha256) {
        hash.update(self.track.last_ns().to_le_bytes());
        for port in &self.ports {
            hash.update(port.clock_ns.to_le_bytes());
            hash.update(port.rng.get_word_pos().to_le_bytes());
            hash.update([port.round.as_ref().map_or(255, |r| r.slot)]);
            for mask in port.masks.iter().chain(port.round.as_ref().map(|r| &r.mask)) {
                hash.update(mask.value.to_le_bytes());
                hash.update(mask.bits.to_le_bytes());
            }
        }
    }

    /// Does the next thing of a port that ends by the end of the way; false when nothing more fits.
    fn one_step(&mut self, port: usize, field: &TagField, way: &Way<'_>, reads: &mut Vec<RadioRead>) -> bool {
        let this = &self.ports[port];
        let left = way.to_ns - this.clock_ns;
        let Some(round) = this.round.as_ref().filter(|r| !r.over()) else {
            return self.next_round(port, field, way);
        };
        let slot = round.peek();
        let own = (self.settings.turnaround_s * 1e9) as i64;
        let takes = match slot {
            Slot::Empty => EMPTY_NS,
            Slot::Answer(_) => ANSWERED_NS + own,
            Slot::Collision => ANSWERED_NS,
        };
        if takes > left {
            return false;
        }
        let this = &mut self.ports[port];
        this.clock_ns += takes;
        let Some(round) = &mut this.round else { return false };
        let deeper = round.mask.slot(round.slot);
        round.slot += 1;
        match slot {
            Slot::Collision if deeper.bits < self.settings.mask_bits => this.masks.push(deeper),
            Slot::Answer(tag)
                if field.is_present(tag) && this.rng.random::<f64>() >= self.settings.loss_share =>
            {
                reads.push(RadioRead {
                    stamp_ns: this.clock_ns,
                    tag,
                    port: way.to[port].port,
                    frequency_hz: CARRIER_HZ,
                    rssi_dbm: f32::NAN,
                    phase_rad: f32::NAN,
                });
            }
            _ => {}
        }
        true
    }

    /// Sends the next request: the mask of a slot in which several tags answered, or none.
    fn next_round(&mut self, port: usize, field: &TagField, way: &Way<'_>) -> bool {
        let this = &self.ports[port];
        let mask = this.masks.last().copied().unwrap_or_default();
        let gap = if this.masks.is_empty() { (self.settings.round_gap_s * 1e9) as i64 } else { 0 };
        let takes = gap + request_ns(mask.bits);
        if takes > way.to_ns - this.clock_ns {
            return false;
        }
        let now_ns = this.clock_ns + takes;
        let awake = self.awake(port, field, &way.at(now_ns, port));
        let this = &mut self.ports[port];
        this.clock_ns = now_ns;
        this.masks.pop();
        this.round = Some(Round::new(mask, awake.into_iter()));
        true
    }

    /// The tags whose chips the antenna's field wakes, with their identifiers as numbers.
    fn awake(&mut self, port: usize, field: &TagField, antenna: &AntennaPose) -> Vec<(u32, u64)> {
        let mut near = Vec::new();
        let mut coils = Vec::new();
        for tag in field.nearby(antenna.position_m, REACH_M) {
            let Some(placement) = field.placement(tag) else { continue };
            let own = self.tag(tag, placement);
            let out = placement.outward;
            let along = [-out[1], out[0], 0.0];
            let axis: [f64; 3] = std::array::from_fn(|i| {
                along[i] + own.tilt[0] * out[i] + if i == 2 { own.tilt[1] } else { 0.0 }
            });
            let length = axis.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-9);
            coils.push(Coil {
                position_m: placement.position_m,
                axis: axis.map(|v| v / length),
                resonance_mhz: own.resonance_mhz,
            });
            near.push((tag, own));
        }
        let fields = chip_fields(&self.settings, antenna, &coils);
        let rng = &mut self.ports[port].rng;
        near.iter()
            .zip(fields)
            .filter(|((_, own), field)| {
                let jitter: f64 = rng.sample(StandardNormal);
                field * libm::exp10(self.settings.jitter_db * jitter / 20.0) >= own.threshold_a_per_m
            })
            .map(|((tag, own), _)| (*tag, own.uid))
            .collect()
    }

    fn tag(&mut self, tag: u32, placement: &TagPlacement) -> HfTag {
        let (index, uid) = (tag as usize, placement.uid.as_bytes());
        if self.tags.len() <= index {
            self.tags.resize(index + 1, None);
        }
        let (s, seed) = (&self.settings, self.seed);
        *self.tags[index].get_or_insert_with(|| {
            let mut rng = stream(seed, "hf tag", uid);
            let mut normal = || rng.sample::<f64, _>(StandardNormal);
            let spread = s.angle_spread_deg.to_radians();
            HfTag {
                uid: uid.iter().fold(0, |n, b| n << 8 | u64::from(*b)),
                resonance_mhz: (s.resonance_mhz + s.resonance_spread_mhz * normal()).clamp(5.0, 40.0),
                threshold_a_per_m: s.threshold_a_per_m
                    * libm::exp10((s.threshold_spread_db * normal() + placement.needs_db) / 20.0),
                tilt: [spread * normal(), spread * normal()],
            }
        })
    }
}
