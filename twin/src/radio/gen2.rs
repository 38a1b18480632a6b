//! EPC Gen2 (ISO 18000-63) on the air: how long commands and replies take, and one inventory round's slots.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::settings::ReaderSettings;

/// Bits of the reply to ACK: PC, 96 bits of EPC, CRC-16.
const EPC_REPLY_BITS: f64 = 16.0 + 96.0 + 16.0;

/// Timing of the link.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkMode {
    /// Length of a reader's data-0, µs.
    pub tari_us: f64,
    /// Backscatter link frequency, kHz.
    pub blf_khz: f64,
    /// Subcarrier cycles a bit: 1 is FM0; 2, 4 or 8 Miller.
    pub miller: u8,
    /// Whether replies start with the long pilot tone (TRext).
    pub pilot: bool,
}

impl Default for LinkMode {
    /// FM0 at 640 kHz with the shortest Tari: the fastest that readers offer, for a robot that passes many tags.
    fn default() -> Self {
        Self { tari_us: 6.25, blf_khz: 640.0, miller: 1, pilot: false }
    }
}

/// How long a tag stays quiet once it was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Session {
    /// Until it loses power; the reader asks for A and B flags in turn, so each round reads all powered tags.
    #[default]
    S0,
    /// 0.5 to 5 s (the standard's range; drawn for each read), whether powered or not.
    S1,
    /// As long as it is powered and at least 2 s more.
    S2,
    /// As S2, with a flag of its own for a second reader.
    S3,
}

/// Durations of what happens in a round, ns.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct SlotTimes {
    pub(super) query: i64,
    pub(super) adjust: i64,
    pub(super) empty: i64,
    pub(super) collided: i64,
    pub(super) read: i64,
}

impl LinkMode {
    pub(super) fn times(&self) -> SlotTimes {
        let tari = self.tari_us;
        let rtcal = 2.75 * tari;
        // Data-1 is 1.75 Tari, so a bit takes 1.375 on average.
        let forward = |bits: f64, preamble: f64| 12.5 + tari + rtcal + preamble + bits * 1.375 * tari;
        let link_us = 1e3 / self.blf_khz;
        let bit = link_us * f64::from(self.miller);
        let lead = match (self.miller, self.pilot) {
            (1, false) => 6.0,
            (1, true) => 18.0,
            (_, false) => 10.0,
            (_, true) => 22.0,
        };
        let reply = |bits: f64| (lead + bits + 1.0) * bit;
        let t1 = rtcal.max(10.0 * link_us);
        let t2 = 6.0 * link_us;
        let t3 = t1;
        let trcal = 8.0 / self.blf_khz * 1e3;
        let next = forward(4.0, 0.0);
        let ns = |us: f64| (us * 1e3).round() as i64;
        SlotTimes {
            query: ns(forward(22.0, trcal)),
            adjust: ns(forward(9.0, 0.0)),
            empty: ns(next + t1 + t3),
            collided: ns(next + t1 + reply(16.0) + t2),
            read: ns(next + t1 + reply(16.0) + t2 + forward(18.0, 0.0) + t1 + reply(EPC_REPLY_BITS) + t2),
        }
    }
}

/// Slots since a reader started, by what happened in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotCounts {
    /// No tag answered.
    pub empty: u64,
    /// Several answered and none was decoded.
    pub collided: u64,
    /// A tag was read.
    pub read: u64,
    /// One tag answered (or one was captured) but was not decoded.
    pub failed: u64,
}

impl SlotCounts {
    /// All slots.
    pub fn all(&self) -> u64 {
        self.empty + self.collided + self.read + self.failed
    }
}

/// A tag that takes part in a round.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Participant {
    pub(super) tag: u32,
    /// Expected reply at the reader, dBm as reported.
    pub(super) rssi_dbm: f64,
}

/// What a slot brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Slot {
    /// The frame is over: all slots of this Q are used up.
    FrameOver,
    Empty,
    Collided,
    /// The reply of this participant (index) can be decoded.
    Reply(usize),
}

/// One round: frames of slotted ALOHA with Q after Gen2 annex D.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Round {
    /// Powered tags whose flag is asked for and that were not read yet.
    waiting: Vec<Participant>,
    /// Slot and place in `waiting`, the next slot last.
    drawn: Vec<(u32, usize)>,
    slot: u32,
    q_float: f64,
    q: u8,
    replies: u32,
    capture_db: f64,
    step: f64,
}

impl Round {
    pub(super) fn new(
        waiting: Vec<Participant>,
        q_float: f64,
        settings: &ReaderSettings,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let mut round = Self {
            waiting,
            drawn: Vec::new(),
            slot: 0,
            q_float,
            q: q_float.round() as u8,
            replies: 0,
            capture_db: settings.capture_db,
            step: settings.q_step,
        };
        round.draw(rng);
        round
    }

    /// The Q to start the next round with.
    pub(super) fn q_float(&self) -> f64 {
        self.q_float
    }

    pub(super) fn participant(&self, index: usize) -> Participant {
        self.waiting[index]
    }

    /// What the coming slot brings; changes nothing, so that a slot may wait for the next step.
    pub(super) fn peek(&self) -> Slot {
        if self.slot >> self.q != 0 {
            return Slot::FrameOver;
        }
        let mut here = self.drawn.iter().rev().take_while(|d| d.0 == self.slot).map(|d| d.1);
        let Some(first) = here.next() else { return Slot::Empty };
        let (mut best, mut second) = (first, f64::NEG_INFINITY);
        for other in here {
            let (old, new) = (self.waiting[best].rssi_dbm, self.waiting[other].rssi_dbm);
            if new > old {
                (best, second) = (other, old);
            } else {
                second = second.max(new);
            }
        }
        if self.waiting[best].rssi_dbm - second >= self.capture_db {
            Slot::Reply(best)
        } else {
            Slot::Collided
        }
    }

    /// Goes past the slot that [`Round::peek`] told of. `read`: its reply was decoded, the tag leaves the round.
    /// Gives whether Q changed and a QueryAdjust was sent.
    pub(super) fn pass(&mut self, read: bool, rng: &mut ChaCha8Rng) -> bool {
        let what = self.peek();
        while self.drawn.last().is_some_and(|d| d.0 == self.slot) {
            self.drawn.pop();
            self.replies += 1;
        }
        self.slot += 1;
        match what {
            Slot::Empty => self.q_float = (self.q_float - self.step).max(0.0),
            Slot::Collided => self.q_float = (self.q_float + self.step).min(15.0),
            Slot::Reply(index) if read => self.leave(index),
            Slot::Reply(_) | Slot::FrameOver => {}
        }
        let q = self.q_float.round() as u8;
        let adjust = q != self.q;
        if adjust {
            self.q = q;
            self.draw(rng);
        }
        adjust
    }

    /// After the last slot of a frame: another frame when tags may be left (then true), or the round is over.
    pub(super) fn next_frame(&mut self, rng: &mut ChaCha8Rng) -> bool {
        if self.replies == 0 {
            return false;
        }
        self.draw(rng);
        true
    }

    fn leave(&mut self, index: usize) {
        self.waiting.swap_remove(index);
        let moved = self.waiting.len();
        for d in &mut self.drawn {
            if d.1 == moved {
                d.1 = index;
            }
        }
    }

    fn draw(&mut self, rng: &mut ChaCha8Rng) {
        let slots = 1u32 << self.q;
        self.slot = 0;
        self.replies = 0;
        self.drawn.clear();
        self.drawn.extend((0..self.waiting.len()).map(|i| (rng.random_range(0..slots), i)));
        self.drawn.sort_unstable_by(|a, b| b.cmp(a));
    }
}
