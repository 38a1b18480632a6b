//! The nodes of one robot, as the ROS 2 host takes them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use domain::{Catalogue, FaceId, Site};
use nodes::Node;
use nodes::auditor::AuditorNode;
use nodes::host::ros2::{Make, NodeSpec, Parameters, declare};
use nodes::localizer::{LocalizerNode, dock_pose};
use nodes::locator::LocatorNode;
use nodes::map_server::{MapServer, MapServerParams};
use nodes::mission_server::MissionServer;
use nodes::navigator::NavigatorNode;
use positioning::Pose2;
use serde::de::DeserializeOwned;
use toml::Table;

use super::loaded;
use crate::params::Params;
use crate::ui::refused;

/// What robot, where, to do what.
#[derive(Debug, Args)]
pub struct RobotArgs {
    /// Name of the robot: the namespace of its nodes.
    #[arg(long, default_value = "inv_1")]
    robot: String,
    /// Folder with site.toml and catalogue.csv, as `sim --ros` leaves it.
    #[arg(long)]
    run: Option<PathBuf>,
    /// Site file, in place of the folder's.
    #[arg(long)]
    site: Option<PathBuf>,
    /// Catalogue, in place of the folder's.
    #[arg(long)]
    catalogue: Option<PathBuf>,
    /// Floor that the robot is on; by default the site's first.
    #[arg(long)]
    floor: Option<String>,
    /// Dock that it starts from; by default where the folder's twin has put it, or else the floor's first.
    #[arg(long)]
    dock: Option<String>,
    /// Where it starts, in place of a dock: x and y, m, and heading, degrees.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    start: Vec<f64>,
    /// Begin with this mission at once; others are asked for by the action run_mission.
    #[arg(long)]
    mission: Option<String>,
    /// Row faces of that mission; by default all of the floor.
    #[arg(long, value_delimiter = ',', requires = "mission")]
    faces: Vec<FaceId>,
    /// Seconds to wait for the folder's site, where the twin is just starting.
    #[arg(long, default_value_t = 0)]
    wait: u64,
    /// Parameter file of `shelfwright`; ROS parameters override it.
    #[arg(long)]
    params: Option<PathBuf>,
    /// Folder in which the nodes keep what they must know to go on after their process has died. One that is empty at the
    /// robot's start, for example below /run.
    #[arg(long)]
    memory: Option<PathBuf>,
}

/// How long a twin may take to make its library, s.
const TWIN_WAIT_S: u64 = 120;

impl RobotArgs {
    /// As a command line again, for one robot, with a folder for memories. With `twin`, it waits for the folder of the run.
    pub fn to_args(&self, robot: &str, memory: &Path, twin: bool) -> Vec<OsString> {
        let mut all: Vec<OsString> = vec!["--robot".into(), robot.into()];
        let mut give = |name: &str, value: Option<OsString>| {
            if let Some(value) = value {
                // In one piece: a value may begin with a minus.
                let mut arg = OsString::from(format!("--{name}="));
                arg.push(value);
                all.push(arg);
            }
        };
        let joined = |parts: Vec<String>| (!parts.is_empty()).then(|| parts.join(",").into());
        give("run", self.run.clone().map(Into::into));
        give("site", self.site.clone().map(Into::into));
        give("catalogue", self.catalogue.clone().map(Into::into));
        give("floor", self.floor.clone().map(Into::into));
        give("dock", self.dock.clone().map(Into::into));
        give("start", joined(self.start.iter().map(ToString::to_string).collect()));
        give("mission", self.mission.clone().map(Into::into));
        give("faces", joined(self.faces.iter().map(ToString::to_string).collect()));
        give("wait", Some(self.wait(twin).to_string().into()));
        give("params", self.params.clone().map(Into::into));
        give("memory", Some(memory.into()));
        all
    }

    /// Seconds to wait for the folder's site; longer where a twin makes it.
    pub fn wait(&self, twin: bool) -> u64 {
        if twin { self.wait.max(TWIN_WAIT_S) } else { self.wait }
    }

    /// Name of the robot.
    pub fn name(&self) -> &str {
        &self.robot
    }

    /// Folder of the run, where one was given.
    pub fn run(&self) -> Option<&Path> {
        self.run.as_deref()
    }

    /// Folder of the nodes' memories, where one was given.
    pub fn memory(&self) -> Option<&Path> {
        self.memory.as_deref()
    }
}

/// The nodes that a robot has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Where the robot is.
    Localizer,
    /// How it drives.
    Navigator,
    /// What it does in which order.
    Pilot,
    /// Where the books are.
    Locator,
    /// What is wrong.
    Auditor,
    /// The floor's map for Nav2.
    MapServer,
}

impl Kind {
    /// All, in the order in which they start.
    pub const ALL: [Self; 6] =
        [Self::Localizer, Self::Navigator, Self::Pilot, Self::Locator, Self::Auditor, Self::MapServer];

    /// As the command line has it.
    pub fn on_command_line(self) -> String {
        self.name().replace('_', "-")
    }

    /// Its name in ROS.
    pub fn name(self) -> &'static str {
        match self {
            Self::Localizer => "localizer",
            Self::Navigator => "navigator",
            Self::Pilot => "pilot",
            Self::Locator => "locator",
            Self::Auditor => "auditor",
            Self::MapServer => "map_server",
        }
    }
}

/// A robot with all that its nodes need.
pub struct Robot {
    name: String,
    site: Arc<Site>,
    catalogue: Option<PathBuf>,
    floor: String,
    start: Pose2,
    mission: Option<(String, Vec<FaceId>)>,
    params: Params,
    memory: Option<PathBuf>,
}

impl Robot {
    /// Loads what the arguments name.
    pub fn load(args: &RobotArgs) -> anyhow::Result<Self> {
        let folder = args.run.as_deref().map(|path| super::wait_for_run(path, args.wait)).transpose()?;
        let path = args.site.clone().or_else(|| Some(folder.as_ref()?.site()));
        let path = path.context("needs a site: give --site or --run")?;
        let site = Arc::new(loaded(Site::load(&path), &path)?);
        let first = site.floors.first().with_context(|| format!("{} has no floor", path.display()))?;
        let floor = args.floor.clone().unwrap_or_else(|| first.id.clone());
        let start = match *args.start.as_slice() {
            [x, y, heading_deg] if args.start.iter().all(|v| v.is_finite()) => {
                Pose2::new(x, y, heading_deg.to_radians())
            }
            [] if args.dock.is_none()
                && let Some([x, y, heading_deg]) =
                    folder.as_ref().and_then(|f| f.starts().get(&args.robot).copied()) =>
            {
                Pose2::new(x, y, heading_deg.to_radians())
            }
            [] => {
                let known = site.floors.iter().find(|f| f.id == floor).and_then(|f| f.docks.first());
                let dock = args.dock.as_deref().or(known.map(|d| d.id.as_str()));
                let dock =
                    dock.with_context(|| format!("floor {floor} has no dock: give --start x,y,degrees"))?;
                dock_pose(&site, &floor, dock).map_err(refused)?
            }
            _ => return Err(refused(format!("--start: found {:?}, expected x,y,degrees", args.start))),
        };
        let all = || site.faces().map(|(id, ..)| id).filter(|id| *id.floor == *floor).collect();
        let faces = if args.faces.is_empty() { all() } else { args.faces.clone() };
        Ok(Self {
            name: args.robot.clone(),
            catalogue: args.catalogue.clone().or_else(|| Some(folder.as_ref()?.catalogue())),
            mission: args.mission.clone().map(|m| (m, faces)),
            params: Params::load(args.params.as_deref())?,
            memory: args.memory.clone(),
            site,
            floor,
            start,
        })
    }

    /// One of its nodes.
    pub fn spec(&self, kind: Kind) -> anyhow::Result<NodeSpec> {
        let p = &self.params;
        let (site, floor, start) = (self.site.clone(), self.floor.clone(), self.start);
        let (parameters, make): (Parameters, Make) = match kind {
            Kind::Localizer => (
                declare::localizer(&p.localizer)?,
                making(move |robot, params| said(LocalizerNode::new(robot, &site, &floor, start, params))),
            ),
            Kind::Navigator => (
                declare::navigator(&p.navigator)?,
                making(move |robot, params| said(NavigatorNode::new(robot, &site, &floor, params))),
            ),
            Kind::Pilot => {
                let mission = self.mission.clone();
                let make = making(move |robot, params| {
                    let mission = mission.as_ref().map(|(name, faces)| (name.as_str(), faces.as_slice()));
                    said(MissionServer::new(robot, site.clone(), &floor, mission, params))
                });
                (declare::pilot(&p.pilot)?, make)
            }
            Kind::Locator => (
                declare::locator(&p.locator)?,
                making(move |robot, params| {
                    said(Ok::<_, String>(LocatorNode::new(robot, site.clone(), params)))
                }),
            ),
            Kind::MapServer => (
                declare::map_server(&MapServerParams::default())?,
                making(move |_, params: MapServerParams| said(MapServer::new(&site, &floor, &params))),
            ),
            Kind::Auditor => {
                let path = self
                    .catalogue
                    .as_ref()
                    .context("the auditor needs a catalogue: give --catalogue or --run")?;
                let catalogue = Arc::new(loaded(Catalogue::load(path), path)?);
                let run = self.mission.as_ref().map_or_else(|| "run".to_owned(), |(name, _)| name.clone());
                let make = making(move |robot, params| {
                    let (site, catalogue) = (site.clone(), catalogue.clone());
                    said(Ok::<_, String>(AuditorNode::new(&run, &[robot], site, catalogue, params)))
                });
                (declare::auditor(&p.auditor)?, make)
            }
        };
        Ok(NodeSpec {
            name: kind.name().into(),
            namespace: self.name.clone(),
            parameters,
            make,
            memory: self.memory.clone(),
        })
    }
}

/// A node's maker from one that takes its parameter struct.
fn making<P: DeserializeOwned>(
    make: impl Fn(&str, P) -> Result<Box<dyn Node>, String> + Send + 'static,
) -> Make {
    Box::new(move |robot: &str, table: &Table| {
        let params = table.clone().try_into::<P>().map_err(|e| e.message().to_owned())?;
        make(robot, params)
    })
}

fn said<N: Node + 'static>(made: Result<N, impl ToString>) -> Result<Box<dyn Node>, String> {
    made.map(|node| Box::new(node) as Box<dyn Node>).map_err(|e| e.to_string())
}
