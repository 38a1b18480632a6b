//! Reads: what a reader says of one tag at one moment, with the antenna's place joined in.

use crate::uid::Uid;

/// One read of one tag inside a [`Scan`], with the antenna's phase centre in face coordinates
/// ([`crate::site::Face`]).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Read {
    /// When the reader saw the tag, ns; `None` where the source has no clock.
    pub stamp_ns: Option<i64>,
    /// Index into [`Scan::tags`].
    pub tag: u32,
    /// Reader port, from 1.
    pub antenna: u8,
    /// Carrier, Hz.
    pub frequency_hz: f64,
    /// Received power, dBm; NaN when not given.
    pub rssi_dbm: f32,
    /// Phase in [0, 2π), growing with distance; NaN when not given.
    pub phase_rad: f32,
    /// Antenna phase centre in face coordinates, m: x along the shelf, y out into the aisle, z up.
    pub antenna_m: [f32; 3],
}

/// One pass along one row face: the reads and the tags they name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scan {
    /// Name of the pass.
    pub name: String,
    /// Tags by first appearance; [`Read::tag`] points in here.
    pub tags: Vec<Uid>,
    /// Reads in the order of the source.
    pub reads: Vec<Read>,
}
