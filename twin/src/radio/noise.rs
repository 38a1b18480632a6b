//! From received power and phase to what the reader reports: noise, compression, steps, ambiguity.

use std::f64::consts::{PI, TAU};

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::settings::ReaderSettings;

/// Received power as the compressing receiver shows it, dBm, before noise and steps.
pub(super) fn shown_dbm(settings: &ReaderSettings, received_dbm: f64) -> f64 {
    settings.rssi_pivot_dbm + settings.rssi_slope * (received_dbm - settings.rssi_pivot_dbm)
}

/// Standard deviation of the phase at a shown RSSI, rad: the rail's table, 0.010 at strong signals to 0.1 below −65 dBm.
pub(super) fn phase_std_rad(settings: &ReaderSettings, shown_dbm: f64) -> f64 {
    let thermal = settings.phase_noise_rad * libm::exp10((-52.5 - shown_dbm) / settings.phase_decade_db);
    (settings.phase_floor_rad * settings.phase_floor_rad + thermal * thermal).sqrt()
}

/// RSSI in the reader's steps.
pub(super) fn report_rssi(settings: &ReaderSettings, shown_dbm: f64, rng: &mut impl Rng) -> f32 {
    let noise: f64 = rng.sample(StandardNormal);
    let step = settings.rssi_step_db;
    (((shown_dbm + settings.rssi_std_db * noise) / step).round() * step) as f32
}

/// Phase in [0, 2π) in the reader's steps.
pub(super) fn report_phase(
    settings: &ReaderSettings,
    phase_rad: f64,
    shown_dbm: f64,
    rng: &mut impl Rng,
) -> f32 {
    let noise: f64 = rng.sample(StandardNormal);
    let flip = if settings.pi_ambiguity && rng.random::<bool>() { PI } else { 0.0 };
    let steps = f64::from(settings.phase_steps);
    let phase = phase_rad + phase_std_rad(settings, shown_dbm) * noise + flip;
    let step = (phase / TAU * steps).round().rem_euclid(steps);
    (step / steps * TAU) as f32
}
