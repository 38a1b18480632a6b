//! One robot's reader: ports, carriers and inventory rounds in time, and the reads that come of them.

use std::f64::consts::TAU;

use num_complex::Complex64;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::beam::Beam;
use super::error::RadioError;
use super::field::{Air, LIFT_DB, Near, TagField, amplitude_at_1_m};
use super::gen2::{Participant, Round, Session, Slot, SlotCounts, SlotTimes};
use super::noise;
use super::rng::stream;
use super::settings::{Polarisation, RadioSettings, ReaderMode, ReaderSettings};
use super::track::{Track, Went};
use super::way::Way;
use super::{AntennaPose, RadioRead, SPEED_OF_LIGHT};

/// Powered tags are found anew after this long, ns: a centimetre or two of a robot's way.
const REFRESH_NS: i64 = 100_000_000;
/// Chips this many more standard deviations better than the farthest that are looked for do not occur.
const SENSITIVE_SIGMAS: f64 = 3.0;
/// So many tags are worth a second thread.
const SHARED: usize = 64;
/// Replies fail by and by over this range around the weakest that is decoded, dB.
const SENSITIVITY_SOFT_DB: f64 = 1.5;
/// How long an inventoried flag of session S2 or S3 lasts without power, s: the least that the standard allows.
const PERSISTENCE_S: f64 = 2.0;
/// Light over the speed in a coaxial cable.
const CABLE_SLOWNESS: f64 = 1.5;

/// A reader with some antennas, moving through a [`TagField`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Reader {
    settings: ReaderSettings,
    beam: Beam,
    times: SlotTimes,
    carriers_hz: Vec<f64>,
    /// One-way gain of the lone mean tag's path at 1 m, dB, by carrier.
    gain_db: Vec<f64>,
    /// Phase offset by port and carrier, made when a port is first used.
    offsets: Vec<(u8, Vec<f64>)>,
    seed: u64,
    rng: ChaCha8Rng,
    hops: ChaCha8Rng,
    order: Vec<usize>,
    hop: usize,
    carrier_until_ns: i64,
    antenna: usize,
    port_until_ns: i64,
    clock_ns: i64,
    track: Track,
    powered: Vec<Participant>,
    powered_until_ns: i64,
    round: Option<Round>,
    q_float: f64,
    /// By tag: when its inventoried flag is A again, ns (sessions S1 to S3).
    quiet_until_ns: Vec<i64>,
    counts: SlotCounts,
    /// Carriers that somebody else sends on, Hz, and how much noise that brings, dB.
    disturbed: Option<([f64; 2], f64)>,
}

impl Reader {
    /// A reader that starts at `start_ns`. `seed` sets its noise, slots, hops and cables.
    ///
    /// # Errors
    /// A setting out of range.
    pub fn new(settings: &RadioSettings, seed: u64, start_ns: i64) -> Result<Self, RadioError> {
        settings.check()?;
        let r = &settings.reader;
        let carriers_hz = r.plan.carriers_hz();
        let polarised_db =
            if r.polarisation == Polarisation::Circular { r.polarisation_loss_db } else { 0.0 };
        let fixed = r.antenna_gain_dbi - polarised_db + settings.field.tag_gain_dbi;
        let mut this = Self {
            beam: Beam::antenna(r),
            times: r.mode.map_or(r.link, ReaderMode::link).times(),
            gain_db: carriers_hz.iter().map(|&f| fixed + 20.0 * libm::log10(amplitude_at_1_m(f))).collect(),
            offsets: Vec::new(),
            seed,
            rng: stream(seed, "reader", &[]),
            hops: stream(seed, "hops", &[]),
            order: (0..carriers_hz.len()).collect(),
            carriers_hz,
            hop: 0,
            carrier_until_ns: start_ns,
            antenna: 0,
            port_until_ns: start_ns,
            clock_ns: start_ns,
            track: Track::new(start_ns),
            powered: Vec::new(),
            powered_until_ns: start_ns,
            round: None,
            q_float: f64::from(r.q_start),
            quiet_until_ns: Vec::new(),
            counts: SlotCounts::default(),
            disturbed: None,
            settings: r.clone(),
        };
        this.shuffle();
        Ok(this)
    }

    /// Runs the reader up to `to_ns` and appends its reads. `antennas` are where they are at `to_ns`; in between they
    /// go straight from where the last call had them. The first call, and one with another number of antennas, only
    /// notes the places. Time does not run backwards: an earlier `to_ns` does nothing.
    pub fn advance(
        &mut self,
        field: &TagField,
        to_ns: i64,
        antennas: &[AntennaPose],
        reads: &mut Vec<RadioRead>,
    ) {
        match self.track.go(to_ns, antennas) {
            Went::Nowhere => {}
            Went::Along(way) => while self.one_slot(field, &way, reads) {},
            Went::Appeared => {
                self.clock_ns = to_ns;
                self.round = None;
                self.port_until_ns = to_ns;
            }
        }
    }

    /// Lets somebody else send on the carriers between two frequencies, Hz: noise rises there by so much, dB.
    pub fn disturb(&mut self, disturbed: Option<([f64; 2], f64)>) {
        self.disturbed = disturbed;
    }

    /// What happened in the slots so far.
    pub fn slots(&self) -> SlotCounts {
        self.counts
    }

    /// The carrier in use, Hz.
    pub fn carrier_hz(&self) -> f64 {
        self.carriers_hz[self.order[self.hop]]
    }

    /// Feeds the reader's state into a state hash.
    pub fn hash_into(&self, hash: &mut Sha256) {
        for v in [self.clock_ns, self.carrier_until_ns, self.port_until_ns, self.track.last_ns()] {
            hash.update(v.to_le_bytes());
        }
        hash.update((self.order[self.hop] as u64).to_le_bytes());
        hash.update((self.antenna as u64).to_le_bytes());
        hash.update(self.q_float.to_bits().to_le_bytes());
        for v in [self.counts.empty, self.counts.collided, self.counts.read, self.counts.failed] {
            hash.update(v.to_le_bytes());
        }
        for v in &self.quiet_until_ns {
            hash.update(v.to_le_bytes());
        }
        // The stream's position stands for all draws so far.
        hash.update(self.rng.get_word_pos().to_le_bytes());
    }

    /// Does the next thing that ends by the end of the way; false when nothing more fits.
    fn one_slot(&mut self, field: &TagField, way: &Way<'_>, reads: &mut Vec<RadioRead>) -> bool {
        let left = way.to_ns - self.clock_ns;
        if self.clock_ns >= self.carrier_until_ns || self.clock_ns >= self.port_until_ns {
            let pause = seconds(self.settings.switch_s);
            if pause > left {
                return false;
            }
            self.clock_ns += pause;
            self.switch(way.to.len());
            return true;
        }
        let Some(round) = &self.round else {
            let start = seconds(self.settings.round_gap_s) + self.times.query;
            if start > left {
                return false;
            }
            if self.clock_ns + start > self.carrier_until_ns {
                self.clock_ns = self.carrier_until_ns;
                return true;
            }
            self.clock_ns += start;
            self.start_round(field, way);
            return true;
        };
        let slot = round.peek();
        let takes = match slot {
            Slot::FrameOver => self.times.query,
            Slot::Empty => self.times.empty,
            Slot::Collided => self.times.collided,
            Slot::Reply(_) => self.times.read + seconds(self.settings.turnaround_s),
        };
        if takes > left {
            return false;
        }
        if self.clock_ns + takes > self.carrier_until_ns {
            // The rest of the dwell is too short for this slot: the law counts from the carrier's start.
            self.clock_ns = self.carrier_until_ns;
            return true;
        }
        self.clock_ns += takes;
        self.finish_slot(slot, field, way, reads);
        true
    }

    fn finish_slot(&mut self, slot: Slot, field: &TagField, way: &Way<'_>, reads: &mut Vec<RadioRead>) {
        let Some(mut round) = self.round.take() else { return };
        let mut read = false;
        match slot {
            Slot::FrameOver => {
                self.q_float = round.q_float();
                if round.next_frame(&mut self.rng) {
                    self.round = Some(round);
                }
                return;
            }
            Slot::Empty => self.counts.empty += 1,
            Slot::Collided => self.counts.collided += 1,
            Slot::Reply(index) => {
                let tag = round.participant(index).tag;
                let got = self.receive(field, tag, &way.at(self.clock_ns, self.antenna));
                read = got.is_some();
                if let Some(got) = got {
                    reads.push(got);
                    self.counts.read += 1;
                    self.silence(tag);
                } else {
                    self.counts.failed += 1;
                }
            }
        }
        if round.pass(read, &mut self.rng) {
            self.clock_ns += self.times.adjust;
        }
        self.q_float = round.q_float();
        self.round = Some(round);
    }

    /// Goes to the next carrier or port, whichever is due. Power is off meanwhile, so rounds and S0 flags end.
    fn switch(&mut self, antennas: usize) {
        if self.clock_ns >= self.carrier_until_ns {
            self.hop += 1;
            if self.hop >= self.order.len() && self.settings.plan.keeps_order() {
                self.hop = 0;
            } else if self.hop >= self.order.len() {
                self.shuffle();
            }
            self.carrier_until_ns = self.clock_ns + seconds(self.settings.carrier_dwell_s);
        }
        if self.clock_ns >= self.port_until_ns {
            self.antenna = (self.antenna + 1) % antennas;
            self.port_until_ns = self.clock_ns + seconds(self.settings.port_dwell_s);
        }
        self.round = None;
        self.powered_until_ns = self.clock_ns;
    }

    /// A new order of the carriers (Fisher–Yates); never the same carrier twice running, which would stretch its dwell.
    fn shuffle(&mut self) {
        let before = self.order.last().copied();
        for i in (1..self.order.len()).rev() {
            let j = self.hops.random_range(0..=i);
            self.order.swap(i, j);
        }
        if self.order.first().copied() == before && self.order.len() > 1 {
            let end = self.order.len() - 1;
            self.order.swap(0, end);
        }
        self.hop = 0;
    }

    fn start_round(&mut self, field: &TagField, way: &Way<'_>) {
        if self.clock_ns >= self.powered_until_ns {
            self.find_powered(field, &way.at(self.clock_ns, self.antenna));
            self.powered_until_ns = self.clock_ns + REFRESH_NS;
        }
        let awake =
            |p: &Participant| self.quiet_until_ns.get(p.tag as usize).is_none_or(|&t| t <= self.clock_ns);
        let waiting: Vec<Participant> = self.powered.iter().filter(|p| awake(p)).copied().collect();
        self.round = Some(Round::new(waiting, self.q_float, &self.settings, &mut self.rng));
    }

    /// All tags whose chips the antenna's field wakes.
    fn find_powered(&mut self, field: &TagField, antenna: &AntennaPose) {
        let carrier = self.order[self.hop];
        let wave_m = SPEED_OF_LIGHT / self.carriers_hz[carrier];
        let f = field.settings().clone();
        let at_chip = self.settings.power_dbm + self.gain_db[carrier] - f.chip_loss_db;
        let lowest = f.chip_threshold_dbm - 4.0 * f.chip_threshold_spread_db - LIFT_DB;
        // A lone tag farther than this stays dark even on boresight.
        let reach_m = libm::exp10((at_chip - lowest) / 20.0);
        // What even the most sensitive chip needs, for blocks that need no closer look.
        let least = lowest - SENSITIVE_SIGMAS * f.chip_threshold_spread_db;
        let least = libm::exp10((least - at_chip) / 20.0);
        let scale = libm::exp10(-at_chip / 20.0);
        let near = field.within(
            antenna.position_m,
            reach_m,
            scale,
            |distance| -20.0 * libm::log10(least * distance.max(0.1)),
            |place| self.lone_amplitude(antenna, place),
        );
        // What arrives at a tag that is not in too deep a shadow, and what its chip needs; they do not hang on each other.
        let arrives = |near: &Near| {
            let &Near { tag, at, needs } = near;
            let loss = field.loss_db(tag, antenna.position_m, wave_m);
            if self.lone_amplitude(antenna, at) * libm::exp10(-loss / 20.0) < needs * scale {
                return None;
            }
            let one_way = decibel(field.current(tag, carrier, antenna, &self.air())) - loss;
            Some((tag, one_way, field.threshold_dbm(tag)))
        };
        let arrived: Vec<_> = if near.len() < SHARED {
            near.iter().filter_map(arrives).collect()
        } else {
            near.par_iter().with_min_len(SHARED / 2).filter_map(arrives).collect()
        };
        self.powered.clear();
        for (tag, one_way, threshold) in arrived {
            let jitter: f64 = self.rng.sample(StandardNormal);
            if at_chip + one_way + self.settings.power_jitter_db * jitter >= threshold {
                let received = self.received_dbm(carrier, one_way, f.backscatter_loss_db);
                self.powered.push(Participant { tag, rssi_dbm: noise::shown_dbm(&self.settings, received) });
                self.keep_quiet(tag);
            }
        }
    }

    fn air(&self) -> Air<'_> {
        Air { beam: &self.beam, polarisation: self.settings.polarisation }
    }

    fn lone_amplitude(&self, antenna: &AntennaPose, p: [f64; 3]) -> f64 {
        let d: [f64; 3] = std::array::from_fn(|i| p[i] - antenna.position_m[i]);
        let r = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt().max(0.1);
        let b = antenna.boresight;
        self.beam.at(((d[0] * b[0] + d[1] * b[1] + d[2] * b[2]) / r).clamp(-1.0, 1.0)) / r
    }

    fn received_dbm(&self, carrier: usize, one_way_db: f64, backscatter_loss_db: f64) -> f64 {
        self.settings.power_dbm + 2.0 * (self.gain_db[carrier] + one_way_db) - backscatter_loss_db
    }

    /// The reply of a tag, or `None` when it is not decoded.
    fn receive(&mut self, field: &TagField, tag: u32, antenna: &AntennaPose) -> Option<RadioRead> {
        if !field.is_present(tag) {
            return None;
        }
        let carrier = self.order[self.hop];
        let frequency_hz = self.carriers_hz[carrier];
        let loss = field.loss_db(tag, antenna.position_m, SPEED_OF_LIGHT / frequency_hz);
        let current = field.current(tag, carrier, antenna, &self.air());
        let one_way = decibel(current) - loss;
        let received = self.received_dbm(carrier, one_way, field.settings().backscatter_loss_db);
        let shown = noise::shown_dbm(&self.settings, received);
        let rise = match self.disturbed {
            Some(([low, high], rise)) if (low..=high).contains(&frequency_hz) => rise,
            _ => 0.0,
        };
        // Above the noise, as decoding and phase see it.
        let clear = shown - rise;
        let sound = 1.0 / (1.0 + libm::exp((self.settings.sensitivity_dbm - clear) / SENSITIVITY_SOFT_DB));
        if self.rng.random::<f64>() >= sound * (1.0 - self.settings.loss_share) {
            return None;
        }
        let offset = self.offset_rad(antenna.port, carrier) + field.offset_rad(tag);
        let phase = offset - 2.0 * libm::atan2(current.im, current.re);
        Some(RadioRead {
            stamp_ns: self.clock_ns,
            tag,
            port: antenna.port,
            frequency_hz,
            rssi_dbm: noise::report_rssi(&self.settings, shown, &mut self.rng),
            phase_rad: noise::report_phase(&self.settings, phase, clear, &mut self.rng),
        })
    }

    /// Phase offset of cable, port and carrier: 4 to 8 m of cable both ways, and a ripple of the reader's own.
    fn offset_rad(&mut self, port: u8, carrier: usize) -> f64 {
        if let Some((_, offsets)) = self.offsets.iter().find(|o| o.0 == port) {
            return offsets[carrier];
        }
        let mut rng = stream(self.seed, "port", &[port]);
        let cable_m = 4.0 + 4.0 * rng.random::<f64>();
        let wave = 2.0 * TAU * cable_m * CABLE_SLOWNESS / SPEED_OF_LIGHT;
        let mut one =
            |f: &f64| wave * f + self.settings.offset_ripple_rad * rng.sample::<f64, _>(StandardNormal);
        let offsets: Vec<f64> = self.carriers_hz.iter().map(&mut one).collect();
        let found = offsets[carrier];
        self.offsets.push((port, offsets));
        found
    }

    /// A tag that is powered keeps its inventoried flag of session S2 or S3.
    fn keep_quiet(&mut self, tag: u32) {
        let (now, lasts) = (self.clock_ns, matches!(self.settings.session, Session::S2 | Session::S3));
        if let Some(until) = self.quiet_until_ns.get_mut(tag as usize).filter(|t| lasts && **t > now) {
            *until = now + seconds(PERSISTENCE_S);
        }
    }

    /// Sets the inventoried flag of a tag that was read.
    fn silence(&mut self, tag: u32) {
        if self.settings.session != Session::S0 {
            let quiet = match self.settings.session {
                Session::S1 => seconds(0.5 + 4.5 * self.rng.random::<f64>()),
                _ => seconds(PERSISTENCE_S),
            };
            let index = tag as usize;
            if self.quiet_until_ns.len() <= index {
                self.quiet_until_ns.resize(index + 1, i64::MIN);
            }
            self.quiet_until_ns[index] = self.clock_ns + quiet;
        }
    }
}

fn decibel(current: Complex64) -> f64 {
    10.0 * libm::log10(current.norm_sqr().max(1e-30))
}

fn seconds(s: f64) -> i64 {
    (s * 1e9).round() as i64
}
