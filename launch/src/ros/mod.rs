//! `shelfwright up`, `shelfwright node` and `shelfwright sim --ros`: our nodes as ROS 2 nodes.

mod robot;
mod twin_node;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use nodes::host::ros2::{self, NodeSpec, Parameters, RosError};
use twin::{Scenario, Twin};

use crate::run_folder::RunFolder;
use crate::ui::{Ui, interrupted, refused};
use robot::{Kind, Robot, RobotArgs};
use twin_node::{TwinNode, TwinParams};

/// Arguments of `up`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  shelfwright up --run out/sim --ros-args -p use_sim_time:=true\n  \
    shelfwright up --site site.toml --catalogue books.csv --robot inv_2 --ros-args --params-file robot.yaml")]
pub struct UpArgs {
    /// Accepted for symmetry with `sim --ros`: `up` is always ROS 2.
    #[arg(long)]
    ros: bool,
    #[command(flatten)]
    robot: RobotArgs,
    /// Nodes to leave out, for example the navigator where Nav2 drives.
    #[arg(long, value_delimiter = ',')]
    without: Vec<Kind>,
}

/// Arguments of `node`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  shelfwright node locator --site site.toml --ros-args -r __ns:=/inv_2")]
pub struct NodeArgs {
    /// Which node.
    kind: Kind,
    #[command(flatten)]
    robot: RobotArgs,
}

/// Runs `up`.
pub fn up(args: &UpArgs) -> anyhow::Result<()> {
    let robot = Robot::load(&args.robot)?;
    let kinds = Kind::ALL.into_iter().filter(|k| !args.without.contains(k));
    let specs = kinds.map(|kind| robot.spec(kind)).collect::<anyhow::Result<_>>()?;
    run(specs)
}

/// Runs `node`.
pub fn node(args: &NodeArgs) -> anyhow::Result<()> {
    run(vec![Robot::load(&args.robot)?.spec(args.kind)?])
}

/// Runs `sim --ros`.
pub fn sim(scenario: &Scenario, out: &Path, replace: bool, speed: f64, ui: &Ui) -> anyhow::Result<()> {
    let params = TwinParams { speed };
    params.check().map_err(refused)?;
    let twin = Twin::new(scenario).map_err(refused)?;
    let folder = RunFolder::create(out, replace)?;
    // The site comes last: it tells `up --wait` that the folder is complete.
    if folder.site().exists() {
        std::fs::remove_file(folder.site())?;
    }
    twin.library().catalogue()?.save(folder.catalogue())?;
    twin.site().save(&folder.site())?;
    ui.note(format!("site and catalogue in {}: shelfwright up --run {0}", out.display()));
    let scenario = scenario.clone();
    let spec = NodeSpec {
        name: "twin".into(),
        namespace: String::new(),
        parameters: Parameters::of(&params, twin_node::DOCUMENTED, &["speed"])?,
        make: Box::new(move |_, table| {
            let params = table.clone().try_into::<TwinParams>().map_err(|e| e.message().to_owned())?;
            Ok(Box::new(TwinNode::new(&scenario, params)?))
        }),
    };
    run(vec![spec])
}

/// Runs nodes until Ctrl-C, which is how a node ends.
fn run(specs: Vec<NodeSpec>) -> anyhow::Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let watched = stop.clone();
    std::thread::spawn(move || {
        while !watched.load(Ordering::Relaxed) {
            if interrupted() {
                watched.store(true, Ordering::Relaxed);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    ros2::run(specs, &stop).map_err(|error| match error {
        RosError::Parameter { .. } => refused(error),
        RosError::Ros { .. } | RosError::Crashed(_) => error.into(),
    })
}

/// Reads a file of the run, with its path in the error.
fn loaded<T, E: std::error::Error + Send + Sync + 'static>(
    what: Result<T, E>,
    path: &Path,
) -> anyhow::Result<T> {
    what.map_err(refused).with_context(|| path.display().to_string())
}
