//! `shelfwright twin`: how well the simulated radio repeats measured reads, and whether this machine simulates as others do.

mod calibration;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::Serialize;
use twin::radio::RadioSettings;
use twin::repeat::weave;
use twin::{Scenario, Twin};

use crate::ui::{Ui, refused};
use calibration::{Effort, calibrate};

/// Arguments of `twin`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  shelfwright twin calibrate ../shared/data/rail --out twin/CALIBRATION.md\n  \
    shelfwright twin calibrate rail/ --keep\n  shelfwright twin hash tests/scenarios/visitor.toml --seconds 20"
)]
pub struct TwinArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Fit the radio's free settings to reads of a rail with known tags, and print measured against simulated.
    ///
    /// The folder holds reads tables NAME.parquet with truth tables NAME_truth.csv. Tables called train_… are for fitting; the
    /// others are compared apart.
    Calibrate {
        /// Folder of reads and truth tables.
        rail: PathBuf,
        /// Scans of each layout that a fit simulates again and again.
        #[arg(long, default_value_t = 2)]
        scans: usize,
        /// Draws of tags and room that each scan is simulated with; figures are medians over them.
        #[arg(long, default_value_t = 9)]
        draws: u64,
        /// Rounds over all free settings.
        #[arg(long, default_value_t = 1)]
        rounds: usize,
        /// Fit nothing: compare the settings as they are.
        #[arg(long)]
        keep: bool,
        /// A TOML file of settings, as a scenario's `[radio]`, in place of the defaults.
        #[arg(long)]
        settings: Option<PathBuf>,
        /// Write the comparison as a Markdown file, its plots beside it.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Drive a scenario's robots blindly for some seconds and print the state hash: it is the same on every machine.
    Hash {
        /// The scenario file.
        scenario: PathBuf,
        /// Simulated seconds.
        #[arg(long, default_value_t = 10.0)]
        seconds: f64,
    },
}

#[derive(Debug, Serialize)]
struct Hashed {
    scenario: String,
    seconds: f64,
    state_hash: String,
}

/// Runs `twin`.
pub fn run(args: &TwinArgs, ui: &Ui) -> anyhow::Result<()> {
    match &args.action {
        Action::Hash { scenario, seconds } => {
            anyhow::ensure!((0.0..=36_000.0).contains(seconds), "--seconds {seconds}: expected 0 to 36000");
            let scenario = Scenario::load(scenario).map_err(refused)?;
            let mut twin = Twin::new(&scenario).map_err(refused)?;
            let state_hash = weave(&mut twin, *seconds, |_| ());
            let hashed = Hashed { scenario: scenario.name, seconds: *seconds, state_hash };
            ui.result(&hashed, |h| format!("{}  {} after {} s\n", h.state_hash, h.scenario, h.seconds))
        }
        Action::Calibrate { rail, scans, draws, rounds, keep, settings, out } => {
            let settings = match settings {
                Some(path) => {
                    let text = std::fs::read_to_string(path)
                        .with_context(|| format!("cannot read {}", path.display()))?;
                    toml::from_str(&text).map_err(|e| refused(format!("{}: {e}", path.display())))?
                }
                None => RadioSettings::default(),
            };
            if !(1..=1_000).contains(draws) {
                return Err(refused(format!("--draws {draws}: expected 1 to 1000")));
            }
            let rounds = if *keep { 0 } else { *rounds };
            let effort = Effort { scans: (*scans).max(1), draws: *draws, rounds };
            let calibration = calibrate(rail, settings, effort, ui)?;
            if let Some(out) = out {
                calibration.write(out)?;
            }
            ui.result(&calibration.rows(), |_| calibration.text())
        }
    }
}
