//! `shelfwright up`, `shelfwright node` and `shelfwright sim --ros`: our nodes as ROS 2 nodes.

pub mod mission;
pub mod record;
mod robot;
mod supervise;
mod twin_node;
mod twin_services;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use nodes::host::ros2::{self, NodeSpec, Parameters, RosError};
use twin::{Scenario, Twin};

use crate::run_folder::RunFolder;
use crate::ui::{Ui, interrupted, refused};
use robot::{Kind, Robot, RobotArgs};
use supervise::{MemoryFolder, Task};
use twin_node::{TwinNode, TwinParams};

/// Arguments of `up`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  shelfwright up --run out/sim --ros-args -p use_sim_time:=true\n  \
    shelfwright up --site site.toml --catalogue books.csv --robot inv_2 --ros-args --params-file robot.yaml\n  \
    shelfwright up --ros --sim --run out/fleet --scenario pair.toml --robots inv_1,inv_2")]
pub struct UpArgs {
    /// Accepted for symmetry with `sim --ros`: `up` is always ROS 2.
    #[arg(long)]
    ros: bool,
    #[command(flatten)]
    robot: RobotArgs,
    /// Nodes to leave out, for example the navigator where Nav2 drives.
    #[arg(long, value_delimiter = ',')]
    without: Vec<Kind>,
    /// Each node in a process of its own, which is started again when it dies.
    #[arg(long)]
    processes: bool,
    /// Record all topics into the folder of --run: its bag, which `report`, `locate` and `review` take.
    #[arg(long, requires = "run")]
    record: bool,
    /// Several robots at once, each in a process of its own, or each node with --processes.
    #[arg(long, value_delimiter = ',', conflicts_with = "robot")]
    robots: Vec<String>,
    /// Start the twin, too: it makes the folder of --run, and gives the time.
    #[arg(long, requires = "run")]
    sim: bool,
    /// Scenario of that twin; by default the demo library.
    #[arg(long, requires = "sim")]
    scenario: Option<PathBuf>,
    /// Simulated seconds a second of that twin.
    #[arg(long, requires = "sim", default_value_t = 1.0)]
    speed: f64,
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
    if args.processes || args.sim || args.record || !args.robots.is_empty() {
        return apart(args);
    }
    let kinds = Kind::ALL.into_iter().filter(|k| !args.without.contains(k));
    let robot = Robot::load(&args.robot)?;
    let specs = kinds.map(|kind| robot.spec(kind)).collect::<anyhow::Result<_>>()?;
    run(specs)
}

/// Runs twin, robots or nodes in processes of their own, each started again when it dies.
fn apart(args: &UpArgs) -> anyhow::Result<()> {
    let folder = args.robot.memory().is_none().then(MemoryFolder::new).transpose()?;
    let memory =
        args.robot.memory().or(folder.as_ref().map(MemoryFolder::path)).context("no folder for memories")?;
    std::fs::create_dir_all(memory).with_context(|| format!("cannot make {}", memory.display()))?;
    // What ROS reads: remappings, parameters, log levels.
    let mut ros: Vec<OsString> = std::env::args_os().skip_while(|a| a != "--ros-args").collect();
    let mut tasks = Vec::new();
    if args.sim {
        tasks.push(twin_task(args, &ros)?);
        if ros.is_empty() {
            ros.push("--ros-args".into());
        }
        ros.extend(["-p", "use_sim_time:=true"].map(OsString::from));
    }
    if let Some(run) = args.robot.run().filter(|_| args.record) {
        let wait = args.robot.wait(args.sim);
        tasks.push(Task { name: "recorder".into(), args: record::task(run, wait, args.sim) });
    }
    let own = [args.robot.name().to_owned()];
    let robots = if args.robots.is_empty() { own.as_slice() } else { &args.robots };
    for (i, robot) in robots.iter().enumerate() {
        let mut without = args.without.clone();
        if i > 0 {
            // One map serves all.
            without.push(Kind::MapServer);
        }
        let common = args.robot.to_args(robot, memory, args.sim);
        let task = |name: String, start: Vec<OsString>| Task {
            name: format!("{robot}/{name}"),
            args: start.into_iter().chain(common.iter().cloned()).chain(ros.iter().cloned()).collect(),
        };
        if args.processes {
            let kinds = Kind::ALL.into_iter().filter(|k| !without.contains(k));
            tasks.extend(
                kinds.map(|k| task(k.name().into(), vec!["node".into(), k.on_command_line().into()])),
            );
        } else {
            let mut start: Vec<OsString> = vec!["up".into()];
            start.extend(without.iter().map(|k| format!("--without={}", k.on_command_line()).into()));
            tasks.push(task("all nodes".into(), start));
        }
    }
    supervise::run(tasks)
}

fn twin_task(args: &UpArgs, ros: &[OsString]) -> anyhow::Result<Task> {
    let run = args.robot.run().context("--sim needs --run")?;
    // A site of an earlier run would be taken for this one's.
    match std::fs::remove_file(run.join("site.toml")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| run.display().to_string());
        }
        _ => {}
    }
    let mut all: Vec<OsString> = vec!["--quiet".into(), "sim".into()];
    all.extend(args.scenario.as_ref().map(Into::into));
    all.extend(["--ros", "--replace"].map(OsString::from));
    all.extend([format!("--speed={}", args.speed).into(), "--out".into(), run.into()]);
    all.extend(ros.iter().cloned());
    Ok(Task { name: "twin".into(), args: all })
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
    let starts = twin.robots().map(|r| (r.name.clone(), [r.start_m[0], r.start_m[1], r.heading_deg]));
    folder.save_starts(&starts.collect())?;
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
        memory: None,
    };
    run(vec![spec])
}

/// The folder of a run, once its site is there; after so many seconds, or Ctrl-C, it must be.
fn wait_for_run(path: &Path, seconds: u64) -> anyhow::Result<RunFolder> {
    let begun = Instant::now();
    loop {
        if let Some(folder) = RunFolder::around(path) {
            return Ok(folder);
        }
        if begun.elapsed() >= Duration::from_secs(seconds) || interrupted() {
            anyhow::bail!("{} holds no run: no site.toml in it", path.display());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Runs nodes until Ctrl-C, which is how a node ends.
fn run(specs: Vec<NodeSpec>) -> anyhow::Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let watched = stop.clone();
    std::thread::spawn(move || {
        while !watched.load(Ordering::Relaxed) {
            if interrupted() || supervise::orphaned() {
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
