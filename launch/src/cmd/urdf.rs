//! `shelfwright urdf`: the description of a robot, for RViz, `robot_state_publisher` and simulators.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::json;
use twin::Scenario;
use twin::urdf::{Variant, urdf};

use crate::ui::{Ui, refused};

/// Arguments of `urdf`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  shelfwright urdf > inv_1.urdf\n  shelfwright urdf --hf --out inv_1_hf.urdf"
)]
pub struct UrdfArgs {
    /// A scenario file with the robot; by default the demo library's.
    scenario: Option<PathBuf>,
    /// Name of the robot; by default the scenario's first.
    #[arg(long)]
    robot: Option<String>,
    /// The variant with HF plates on a mast, whatever tags the scenario's library has.
    #[arg(long)]
    hf: bool,
    /// File to write, in place of standard output.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Runs `urdf`.
pub fn run(args: &UrdfArgs, ui: &Ui) -> anyhow::Result<()> {
    let scenario = match &args.scenario {
        Some(path) => Scenario::load(path).map_err(refused)?,
        None => Scenario::default(),
    };
    let names = || scenario.robots.iter().map(|r| r.name.as_str()).collect::<Vec<_>>().join(", ");
    let wanted = |name: &str| args.robot.as_deref().is_none_or(|r| r == name);
    let robot = scenario.robots.iter().find(|r| wanted(&r.name));
    let robot = robot.with_context(|| format!("no such robot in the scenario, there are {}", names()))?;
    let variant = if args.hf { Variant::Hf } else { scenario.library.tags.into() };
    let text = urdf(robot, variant);
    match &args.out {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
            ui.result(&json!({ "urdf": path }), |_| format!("{} is in {}", robot.name, path.display()))
        }
        None => ui.result(&json!({ "urdf": text }), |_| text.clone()),
    }
}
