//! Teaching the locator by simulation: lessons from the twin's radio, a set network, training, weights.
//!
//! `positioning` never depends on `twin`; here the two meet.

pub mod faces;
pub mod net;
pub mod optimiser;
pub mod rows;
pub mod train;
