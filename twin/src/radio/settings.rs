//! Settings of the radio, each with unit, default and reason; validated before use.

use serde::{Deserialize, Serialize};

use super::error::RadioError;
use super::gen2::{LinkMode, Session};
use super::hf::HfSettings;
use super::hop::HopPlan;

/// All settings of the radio.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RadioSettings {
    /// Tags, coupling, reflections.
    pub field: FieldSettings,
    /// Reader, antennas, inventory.
    pub reader: ReaderSettings,
    /// HF tags and readers, where the library has them.
    pub hf: HfSettings,
}

/// Tags, coupling and reflections. The defaults give the residuals measured on the rail (`RADIO.md`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldSettings {
    /// Length of a tag's dipole, m: half a wave at 922.5 MHz, the equivalent length of the usual label tags.
    pub dipole_m: f64,
    /// Real part of the load `Z_L` on a tag's dipole, Ω (with the reactance below: fitted to real reads, see `RADIO.md`).
    pub load_ohm: f64,
    /// Imaginary part of the load, Ω.
    pub load_reactance_ohm: f64,
    /// Spread of the load from tag to tag, as a fraction of |Z_L|.
    pub load_spread: f64,
    /// Factor on mutual impedances; 1 in air, 0 switches coupling off.
    pub coupling: f64,
    /// Neighbours farther than this, along or across, are left out of a tag's window, m.
    pub coupling_reach_m: f64,
    /// At most this many neighbours in a window, the nearest.
    pub coupling_tags: usize,
    /// Scatterers that a tag sees.
    pub scatterers: usize,
    /// Scatterers per cubic metre (the rail's 8 in 8.6 m³).
    pub scatterers_per_m3: f64,
    /// Amplitude of a scatterer, m: its bounce is `gain · e^(−jk(a+b))/(a·b)` beside the direct `e^(−jkr)/r`.
    pub scatter_gain: f64,
    /// Spread of that amplitude as a fraction.
    pub scatter_gain_spread: f64,
    /// Amplitude that the floor mirrors, −1 to 1, by an image of the antenna under it; 0 without. Concrete mirrors vertical tags
    /// by −0.3 at the flat angles of a robot's antennas. 0: the scatterers were fitted with all that the rail's room reflects.
    pub floor_reflection: f64,
    /// Gain of a tag's dipole towards its equator, dBi.
    pub tag_gain_dbi: f64,
    /// Power that the chip needs, dBm (−18 is a Monza R6 or UCODE 7 class chip).
    pub chip_threshold_dbm: f64,
    /// Spread of that power from tag to tag, dB.
    pub chip_threshold_spread_db: f64,
    /// Loss between the field and the chip (mismatch, book, label), dB.
    pub chip_loss_db: f64,
    /// Loss from the tag's re-radiation to the reader's RSSI on top of the path (modulation, cable), dB.
    pub backscatter_loss_db: f64,
    /// Loss in books, dB per metre of one-way path behind the shelf's front edge.
    pub book_loss_db_per_m: f64,
    /// At most this much one-way loss at boards and books before a tag, dB (the field finds other ways).
    pub shelf_loss_max_db: f64,
}

impl Default for FieldSettings {
    fn default() -> Self {
        Self {
            dipole_m: 0.1625,
            load_ohm: 20.0,
            load_reactance_ohm: -150.0,
            load_spread: 0.2,
            coupling: 1.0,
            coupling_reach_m: 0.3,
            coupling_tags: 64,
            scatterers: 8,
            scatterers_per_m3: 0.93,
            scatter_gain: 0.22,
            scatter_gain_spread: 0.2,
            floor_reflection: 0.0,
            tag_gain_dbi: 2.0,
            chip_threshold_dbm: -18.0,
            chip_threshold_spread_db: 1.5,
            chip_loss_db: 4.0,
            backscatter_loss_db: 32.0,
            book_loss_db_per_m: 15.0,
            shelf_loss_max_db: 20.0,
        }
    }
}

/// How an antenna's field is polarised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Polarisation {
    /// Circular: a tag of any direction across the path loses the same.
    #[default]
    Circular,
    /// Linear, upright: tags along the spines of standing books lose nothing, lying ones nearly all.
    Vertical,
    /// Linear, level: the other way round.
    Horizontal,
}

/// Modes that readers offer by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReaderMode {
    /// FM0 at 640 kHz: the fastest, for a lone reader.
    MaxThroughput,
    /// Miller 2 at 320 kHz.
    Hybrid,
    /// Miller 4 at 256 kHz: for several readers.
    DenseM4,
    /// Miller 8 at 256 kHz: the slowest and the most robust.
    DenseM8,
}

impl ReaderMode {
    /// What it does on the air.
    pub fn link(self) -> LinkMode {
        match self {
            Self::MaxThroughput => LinkMode::default(),
            Self::Hybrid => LinkMode { tari_us: 12.5, blf_khz: 320.0, miller: 2, pilot: false },
            Self::DenseM4 => LinkMode { tari_us: 25.0, blf_khz: 256.0, miller: 4, pilot: false },
            Self::DenseM8 => LinkMode { tari_us: 25.0, blf_khz: 256.0, miller: 8, pilot: true },
        }
    }
}

/// Reader, antennas and inventory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReaderSettings {
    /// Carrier plan.
    pub plan: HopPlan,
    /// Time on a carrier before the next, s; the plan sets the upper limit. Short, so that a tag is read on many
    /// carriers as the robot passes.
    pub carrier_dwell_s: f64,
    /// Time on a port before the next, s.
    pub port_dwell_s: f64,
    /// Time that the reader itself needs in each answered slot, s.
    pub turnaround_s: f64,
    /// Silence when port or carrier changes, s.
    pub switch_s: f64,
    /// Conducted power at the antenna, dBm. 24 keeps the read zone to about a metre to either side.
    pub power_dbm: f64,
    /// Antenna gain, dBi (circularly polarised patch).
    pub antenna_gain_dbi: f64,
    /// How the antennas' field is polarised.
    pub polarisation: Polarisation,
    /// Loss between a circular antenna and a linear tag, dB; a linear antenna has its own by the tag's direction.
    pub polarisation_loss_db: f64,
    /// The antenna's amplitude falls as the cosine of the angle off boresight to this power (0.6: 111° beam, as the rail's
    /// RSSI falls to the sides).
    pub beam_exponent: f64,
    /// Front-to-back ratio, dB.
    pub front_to_back_db: f64,
    /// A reader's mode by name, in place of `link`.
    pub mode: Option<ReaderMode>,
    /// Gen2 link: Tari, backscatter link frequency, encoding.
    pub link: LinkMode,
    /// Gen2 session.
    pub session: Session,
    /// First Q of a round.
    pub q_start: u8,
    /// Step of the floating Q on an empty or a collided slot (Gen2 annex D: 0.1 to 0.5).
    pub q_step: f64,
    /// Time between two rounds that the reader needs for itself, s.
    pub round_gap_s: f64,
    /// Of colliding replies the strongest is decoded when it is this much above the next, dB.
    pub capture_db: f64,
    /// Weakest reply that is decoded, dBm as reported.
    pub sensitivity_dbm: f64,
    /// Share of sound replies that are lost anyway.
    pub loss_share: f64,
    /// Jitter of a tag's power-up from round to round, dB.
    pub power_jitter_db: f64,
    /// Reported RSSI rises by this much for each dB of received power (receivers compress).
    pub rssi_slope: f64,
    /// Received power that is reported unchanged, dBm.
    pub rssi_pivot_dbm: f64,
    /// Noise of RSSI before rounding, dB.
    pub rssi_std_db: f64,
    /// Step of RSSI, dB.
    pub rssi_step_db: f64,
    /// Phase noise that stays at strong signals, rad.
    pub phase_floor_rad: f64,
    /// Thermal phase noise at −52.5 dBm, rad; falls tenfold in `phase_decade_db`.
    pub phase_noise_rad: f64,
    /// RSSI for a tenfold of thermal phase noise, dB.
    pub phase_decade_db: f64,
    /// Phase is a multiple of 2π over this number.
    pub phase_steps: u32,
    /// The reader cannot tell φ from φ + π (Miller modes of some readers).
    pub pi_ambiguity: bool,
    /// Spread of the phase offset from carrier to carrier beside the cable's, rad.
    pub offset_ripple_rad: f64,
}

impl Default for ReaderSettings {
    fn default() -> Self {
        Self {
            plan: HopPlan::Cn,
            carrier_dwell_s: 0.4,
            port_dwell_s: 0.1,
            turnaround_s: 0.0002,
            switch_s: 0.002,
            power_dbm: 24.0,
            antenna_gain_dbi: 6.0,
            polarisation: Polarisation::Circular,
            polarisation_loss_db: 3.0,
            beam_exponent: 0.6,
            front_to_back_db: 18.0,
            mode: None,
            link: LinkMode::default(),
            session: Session::S0,
            q_start: 6,
            q_step: 0.2,
            round_gap_s: 0.002,
            capture_db: 10.0,
            sensitivity_dbm: -78.0,
            loss_share: 0.01,
            power_jitter_db: 1.0,
            rssi_slope: 0.65,
            rssi_pivot_dbm: -45.0,
            rssi_std_db: 0.2,
            rssi_step_db: 0.5,
            phase_floor_rad: 0.010,
            phase_noise_rad: 0.0185,
            phase_decade_db: 21.5,
            phase_steps: 1024,
            pi_ambiguity: false,
            offset_ripple_rad: 0.02,
        }
    }
}

impl RadioSettings {
    /// Refuses the first setting that is out of range, by its name.
    pub fn check(&self) -> Result<(), RadioError> {
        self.hf.check()?;
        let f = &self.field;
        let r = &self.reader;
        within("field.dipole_m", f.dipole_m, 0.02, 0.3, "0.02 to 0.3 m")?;
        within("field.load_ohm", f.load_ohm, 0.0, 1e4, "0 to 10000 Ω")?;
        within("field.load_reactance_ohm", f.load_reactance_ohm, -1e4, 1e4, "−10000 to 10000 Ω")?;
        within("field.load_spread", f.load_spread, 0.0, 1.0, "0 to 1")?;
        within("field.coupling", f.coupling, 0.0, 2.0, "0 to 2")?;
        within("field.coupling_reach_m", f.coupling_reach_m, 0.0, 0.45, "0 to 0.45 m")?;
        count("field.coupling_tags", f.coupling_tags, 1, 400, "1 to 400")?;
        count("field.scatterers", f.scatterers, 0, 64, "0 to 64")?;
        within("field.scatterers_per_m3", f.scatterers_per_m3, 0.0, 20.0, "0 to 20 per m³")?;
        within("field.scatter_gain", f.scatter_gain, 0.0, 2.0, "0 to 2 m")?;
        within("field.scatter_gain_spread", f.scatter_gain_spread, 0.0, 1.0, "0 to 1")?;
        within("field.floor_reflection", f.floor_reflection, -1.0, 1.0, "−1 to 1")?;
        within("field.tag_gain_dbi", f.tag_gain_dbi, -30.0, 10.0, "−30 to 10 dBi")?;
        within("field.chip_threshold_dbm", f.chip_threshold_dbm, -40.0, 20.0, "−40 to 20 dBm")?;
        within("field.chip_threshold_spread_db", f.chip_threshold_spread_db, 0.0, 10.0, "0 to 10 dB")?;
        within("field.chip_loss_db", f.chip_loss_db, 0.0, 60.0, "0 to 60 dB")?;
        within("field.backscatter_loss_db", f.backscatter_loss_db, 0.0, 80.0, "0 to 80 dB")?;
        within("field.book_loss_db_per_m", f.book_loss_db_per_m, 0.0, 200.0, "0 to 200 dB/m")?;
        within("field.shelf_loss_max_db", f.shelf_loss_max_db, 0.0, 100.0, "0 to 100 dB")?;
        within(
            "reader.carrier_dwell_s",
            r.carrier_dwell_s,
            0.02,
            r.plan.max_dwell_s(),
            "0.02 s to the plan's limit",
        )?;
        within("reader.port_dwell_s", r.port_dwell_s, 0.01, 60.0, "0.01 to 60 s")?;
        within("reader.turnaround_s", r.turnaround_s, 0.0, 0.1, "0 to 0.1 s")?;
        within("reader.switch_s", r.switch_s, 0.0, 1.0, "0 to 1 s")?;
        within("reader.power_dbm", r.power_dbm, -10.0, 36.0, "−10 to 36 dBm")?;
        within("reader.antenna_gain_dbi", r.antenna_gain_dbi, -20.0, 20.0, "−20 to 20 dBi")?;
        within("reader.polarisation_loss_db", r.polarisation_loss_db, 0.0, 40.0, "0 to 40 dB")?;
        within("reader.beam_exponent", r.beam_exponent, 0.0, 20.0, "0 to 20")?;
        within("reader.front_to_back_db", r.front_to_back_db, 0.0, 60.0, "0 to 60 dB")?;
        within("reader.link.tari_us", r.link.tari_us, 6.25, 25.0, "6.25 to 25 µs")?;
        within("reader.link.blf_khz", r.link.blf_khz, 40.0, 640.0, "40 to 640 kHz")?;
        if ![1, 2, 4, 8].contains(&r.link.miller) {
            return Err(RadioError::Setting {
                key: "reader.link.miller",
                found: r.link.miller.to_string(),
                allowed: "1 (FM0), 2, 4 or 8",
            });
        }
        count("reader.q_start", usize::from(r.q_start), 0, 15, "0 to 15")?;
        within("reader.q_step", r.q_step, 0.05, 1.0, "0.05 to 1")?;
        within("reader.round_gap_s", r.round_gap_s, 0.0001, 1.0, "0.0001 to 1 s")?;
        within("reader.capture_db", r.capture_db, 0.0, 1e3, "0 to 1000 dB")?;
        within("reader.sensitivity_dbm", r.sensitivity_dbm, -150.0, 0.0, "−150 to 0 dBm")?;
        within("reader.loss_share", r.loss_share, 0.0, 0.99, "0 to 0.99")?;
        within("reader.power_jitter_db", r.power_jitter_db, 0.0, 20.0, "0 to 20 dB")?;
        within("reader.rssi_slope", r.rssi_slope, 0.1, 2.0, "0.1 to 2")?;
        within("reader.rssi_pivot_dbm", r.rssi_pivot_dbm, -150.0, 50.0, "−150 to 50 dBm")?;
        within("reader.rssi_std_db", r.rssi_std_db, 0.0, 20.0, "0 to 20 dB")?;
        within("reader.rssi_step_db", r.rssi_step_db, 0.001, 10.0, "0.001 to 10 dB")?;
        within("reader.phase_floor_rad", r.phase_floor_rad, 0.0, 3.0, "0 to 3 rad")?;
        within("reader.phase_noise_rad", r.phase_noise_rad, 0.0, 3.0, "0 to 3 rad")?;
        within("reader.phase_decade_db", r.phase_decade_db, 1.0, 200.0, "1 to 200 dB")?;
        count("reader.phase_steps", r.phase_steps as usize, 2, 1 << 24, "2 to 16777216")?;
        within("reader.offset_ripple_rad", r.offset_ripple_rad, 0.0, 10.0, "0 to 10 rad")
    }
}

pub(super) fn within(
    key: &'static str,
    value: f64,
    low: f64,
    high: f64,
    allowed: &'static str,
) -> Result<(), RadioError> {
    // NaN is in no range, so it is refused here too.
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(RadioError::Setting { key, found: value.to_string(), allowed })
    }
}

pub(super) fn count(
    key: &'static str,
    value: usize,
    low: usize,
    high: usize,
    allowed: &'static str,
) -> Result<(), RadioError> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(RadioError::Setting { key, found: value.to_string(), allowed })
    }
}
