//! The radio beside measured reads: `cargo run --release -p twin --example radio_check`.
//!
//! Simulates the rail of FIELD.md (tags in the open, 50 stops of 2 cm) and prints residuals, half-correlation, thermal noise,
//! repeatability and coverage next to what was measured there; then drives along a demo face and prints read rates
//! and speed. `RADIO.md` holds the tables that this prints.
#![allow(missing_docs, clippy::print_stdout)]

mod face;
mod rail;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Settings to try instead of the defaults: a TOML file with `[field]` and `[reader]`.
    let settings = match std::env::args().nth(1) {
        Some(path) => toml::from_str(&std::fs::read_to_string(path)?)?,
        None => twin::radio::RadioSettings::default(),
    };
    rail::report(&settings)?;
    face::report(&settings)?;
    Ok(())
}
