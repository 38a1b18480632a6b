//! One inventory mission in the twin: nodes, world, bag, and what came of it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use bridge::RunFacts;
use bridge::facts::join_coverage;
use domain::{Catalogue, Coverage, FaceId, Sighting, Site};
use interfaces::shelfwright_msgs::MissionState;
use interfaces::{AnyMessage, Publication};
use nodes::Health;
use nodes::auditor::AuditorNode;
use nodes::host::{LocalHost, Observer, World};
use nodes::localizer::LocalizerNode;
use nodes::locator::LocatorNode;
use nodes::navigator::NavigatorNode;
use nodes::pilot::PilotNode;
use nodes::recorder::Recorder;
use positioning::Pose2;
use serde::Serialize;
use twin::{RobotSettings, STEP_NS, Scenario, Twin};

use crate::eyes::Eyes;
use crate::params::Params;
use crate::recording::RunBags;
use crate::ui::{Ui, interrupted};

/// A mission must end by itself; after this much simulated time something is wrong.
const LONGEST_NS: i64 = 4 * 3_600 * 1_000_000_000;

/// What a mission gave.
pub struct Outcome {
    /// What the locator saw, all passes.
    pub sightings: Vec<Sighting>,
    /// How surely a tag would have been read.
    pub coverage: Vec<Coverage>,
    /// Shelf errors that the auditor node published.
    pub published_errors: Option<usize>,
    /// Facts for report and platform.
    pub facts: RunFacts,
    /// Simulated seconds per second.
    pub real_time_factor: f64,
    /// Hash of the twin's state at the end.
    pub state_hash: String,
    /// Messages in the bag.
    pub recorded: u64,
    /// Row faces that could not be done, with the reason.
    pub failed: Vec<String>,
    /// How far the localizer was off while scanning.
    pub localizer: PoseError,
    /// How often the robot began to touch something.
    pub bumps: u32,
    /// Trolleys and chairs that lie on the floor in the end.
    pub tipped: u32,
    /// Ctrl-C or the watcher's break came before the end.
    pub interrupted: bool,
}

/// RMS of estimated against true pose over the poses published while scanning, for scoring alone.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct PoseError {
    /// Poses compared.
    pub poses: u32,
    /// Along the robot's heading, m.
    pub along_m: f64,
    /// Across it, m.
    pub across_m: f64,
    /// Direction, degrees.
    pub heading_deg: f64,
}

impl PoseError {
    /// Adds one pose as sums of squares.
    fn add(&mut self, estimate: [f64; 3], truth: [f64; 3]) {
        let (s, c) = truth[2].sin_cos();
        let (dx, dy) = (estimate[0] - truth[0], estimate[1] - truth[1]);
        let turn = estimate[2] - truth[2];
        self.poses += 1;
        self.along_m += (c * dx + s * dy).powi(2);
        self.across_m += (c * dy - s * dx).powi(2);
        self.heading_deg += turn.sin().atan2(turn.cos()).to_degrees().powi(2);
    }

    fn rms(self) -> Self {
        let rms = |sum: f64| (sum / f64::from(self.poses.max(1))).sqrt();
        Self {
            poses: self.poses,
            along_m: rms(self.along_m),
            across_m: rms(self.across_m),
            heading_deg: rms(self.heading_deg),
        }
    }
}

/// The twin as the local host sees it.
struct TwinWorld {
    twin: Twin,
    eyes: Eyes,
    /// Why the cameras see nothing any more.
    blind: Option<anyhow::Error>,
    /// The twin was saved in mid-run: what it told in its first step these nodes have not heard.
    goes_on: bool,
    commands: Vec<(Arc<str>, String)>,
}

impl World for TwinWorld {
    fn step(&mut self, out: &mut Vec<Publication>) {
        if std::mem::take(&mut self.goes_on) {
            out.push(self.twin.static_transforms());
            out.extend(self.twin.descriptions());
        }
        self.twin.step(out);
        if let Err(error) = self.eyes.look(&self.twin, out) {
            self.blind = Some(error);
        }
    }

    fn command(&mut self, command: &Publication) {
        if let AnyMessage::TwistStamped(twist) = &*command.message
            && let Some((_, robot)) = self.commands.iter().find(|(topic, _)| *topic == command.topic)
        {
            // The topics were made from the twin's own robots.
            if let Err(error) = self.twin.command(robot, twist) {
                tracing::error!(%error, "a command was not taken");
            }
        }
    }

    fn command_topics(&self) -> Vec<Arc<str>> {
        self.commands.iter().map(|(topic, _)| topic.clone()).collect()
    }
}

/// Collects what the mission is about while it runs.
#[derive(Default)]
struct Gather {
    sightings: Vec<Sighting>,
    coverage: Vec<Coverage>,
    tags: BTreeSet<Vec<u8>>,
    reads: u64,
    passes: BTreeSet<String>,
    errors: Option<usize>,
    state: MissionState,
    failed: Vec<String>,
    last_at: Option<[f64; 2]>,
    /// The newest pose, until the mission loop has compared it.
    pose: Option<[f64; 3]>,
    distance_m: f64,
}

impl Observer for Gather {
    fn observe(&mut self, publication: &Publication) -> Result<(), String> {
        match &*publication.message {
            AnyMessage::TagRead(read) => {
                self.reads += 1;
                if !self.tags.contains(&read.uid) {
                    self.tags.insert(read.uid.clone());
                }
            }
            AnyMessage::Sightings(m) if publication.is_called("sightings") => {
                self.passes.insert(m.scan.clone());
                self.sightings.extend(m.sightings.iter().filter_map(|s| Sighting::try_from(s).ok()));
            }
            AnyMessage::Coverage(m) => self.coverage.extend(Coverage::try_from(m)),
            AnyMessage::ShelfErrors(m) => self.errors = Some(m.errors.len()),
            AnyMessage::MissionState(m) => {
                if m.state == MissionState::FAILED && m.state != self.state.state {
                    self.failed.push(m.reason.clone());
                }
                self.state = m.clone();
            }
            AnyMessage::PoseWithCovarianceStamped(m) => {
                let (p, q) = (&m.pose.pose.position, &m.pose.pose.orientation);
                self.pose = Some([p.x, p.y, 2.0 * q.z.atan2(q.w)]);
                let moved = self.last_at.map_or(f64::INFINITY, |[x, y]| (p.x - x).hypot(p.y - y));
                // Below five centimetres it is the localizer's noise that moves.
                if moved > 0.05 {
                    self.distance_m += if moved.is_finite() { moved } else { 0.0 };
                    self.last_at = Some([p.x, p.y]);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Gather {
    fn over(&self) -> bool {
        matches!(self.state.state, MissionState::DONE | MissionState::FAILED | MissionState::CANCELLED)
            && self.errors.is_some()
    }
}

/// What a mission needs.
pub struct Mission<'a> {
    /// What is simulated.
    pub scenario: &'a Scenario,
    /// The site, as the robot knows it.
    pub site: Arc<Site>,
    /// The catalogue, as the auditor knows it.
    pub catalogue: Arc<Catalogue>,
    /// Row faces to do, in any order.
    pub faces: &'a [FaceId],
    /// Parameters of the nodes.
    pub params: &'a Params,
    /// Name of the run.
    pub run: &'a str,
    /// Where the bag goes; `None` records nothing.
    pub bag: Option<&'a Path>,
    /// How fast it goes.
    pub pace: &'a Pace,
    /// Whether the robots' cameras look; where nobody would see what they publish it would only cost time.
    pub cameras: bool,
}

/// How fast a run goes, and whether it is saved on the way.
#[derive(Debug, Default)]
pub struct Pace {
    /// Simulated seconds a second at most.
    pub speed: Option<f64>,
    /// When the twin is saved, ns, and where.
    pub save: Option<(i64, PathBuf)>,
}

impl Pace {
    /// Waits until the machine's clock has come as far as the simulated one.
    fn wait(&self, ran_ns: i64, started: Instant) {
        if let Some(speed) = self.speed {
            let due = Duration::from_secs_f64(ran_ns as f64 * 1e-9 / speed);
            std::thread::sleep(due.saturating_sub(started.elapsed()));
        }
    }

    /// Saves the twin when its time has come.
    fn save(&self, twin: &Twin) -> anyhow::Result<()> {
        match &self.save {
            Some((at_ns, file)) if twin.now_ns() == at_ns / STEP_NS * STEP_NS => Ok(twin.save(file)?),
            _ => Ok(()),
        }
    }
}

/// Looks on while a mission runs. It can end the mission and change nothing in it.
pub trait Watch: Observer {
    /// After each step; a break ends the mission.
    fn step(&mut self, twin: &Twin) -> ControlFlow<()>;
}

/// Looks away.
pub struct Unwatched;

impl Observer for Unwatched {
    fn observe(&mut self, _: &Publication) -> Result<(), String> {
        Ok(())
    }
}

impl Watch for Unwatched {
    fn step(&mut self, _: &Twin) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// What `/diagnostics` says of the pace of the run.
fn of_host(started: Instant, ran_ns: Rc<Cell<i64>>) -> impl Fn() -> Health {
    move || {
        let factor = ran_ns.get() as f64 * 1e-9 / started.elapsed().as_secs_f64().max(1e-3);
        Health { values: vec![("real_time_factor", format!("{factor:.2}"))], ..Health::default() }
    }
}

impl Mission<'_> {
    /// Runs the mission to its end, to Ctrl-C, to the watcher's break or to the first error; the bag is closed in each case.
    pub fn run(&self, twin: Twin, watch: &mut dyn Watch, ui: &Ui) -> anyhow::Result<Outcome> {
        let robot = self.scenario.robots.first().context("the scenario has no robot")?;
        let mut host = self.host(robot, &twin)?;
        let mut recorder = match self.bag {
            Some(bag) => Some(Recorder::start(RunBags::start(bag, &self.params.recorder)?)),
            None => None,
        };
        let mut gather = Gather::default();
        let mut localizer = PoseError::default();
        let mut progress = ui.progress("inventory", 1_000);
        let started_ns = twin.now_ns();
        let started = Instant::now();
        let ran = Rc::new(Cell::new(0));
        let of_recorder = recorder.as_ref().and_then(Observer::watched);
        for (name, health) in [of_recorder, watch.watched()].into_iter().flatten() {
            host.watch(name, health);
        }
        host.watch("host", Box::new(of_host(started, ran.clone())));
        let mut world = TwinWorld {
            eyes: if self.cameras { Eyes::of(&twin)? } else { Eyes::closed() },
            blind: None,
            goes_on: started_ns > 0,
            twin,
            commands: self
                .scenario
                .robots
                .iter()
                .map(|r| (Arc::from(format!("/{}/cmd_vel", r.name)), r.name.clone()))
                .collect(),
        };
        let mut stopped = false;
        while !gather.over() && !interrupted() {
            self.pace.save(&world.twin)?;
            let mut observers: Vec<&mut dyn Observer> = vec![&mut gather, &mut *watch];
            observers.extend(recorder.as_mut().map(|r| r as &mut dyn Observer));
            host.step(&mut world, &mut observers)?;
            if let Some(error) = world.blind.take() {
                return Err(error);
            }
            if watch.step(&world.twin).is_break() {
                stopped = true;
                break;
            }
            if let (Some(pose), MissionState::SCANNING) = (gather.pose.take(), gather.state.state)
                && let Some(truth) = world.twin.true_pose(&robot.name)
            {
                localizer.add(pose, truth);
            }
            let ran_ns = world.twin.now_ns() - started_ns;
            ran.set(ran_ns);
            self.pace.wait(ran_ns, started);
            anyhow::ensure!(ran_ns < LONGEST_NS, "the mission has not ended after four simulated hours");
            if ran_ns % 500_000_000 == 0 {
                let s = &gather.state;
                let part = if s.state == MissionState::SCANNING { 0.5 } else { 0.0 };
                let share = (f64::from(s.faces_done) + part) / f64::from(s.faces_total.max(1));
                let factor = ran_ns as f64 * 1e-9 / started.elapsed().as_secs_f64();
                progress.at((1_000.0 * share) as u64, || {
                    format!("{} · {} reads, {:.1}× real time", s.face, gather.reads, factor)
                });
            }
        }
        progress.finish();
        let wall_s = started.elapsed().as_secs_f64();
        let recorded = match recorder {
            Some(recorder) => recorder.finish().map_err(|e| anyhow::anyhow!(e))?,
            None => 0,
        };
        let finished_ns = world.twin.now_ns();
        Ok(Outcome {
            facts: RunFacts {
                run: self.run.to_owned(),
                robot: robot.name.clone(),
                site: self.site.name.clone(),
                started_ns,
                finished_ns,
                wall_started_ns: None,
                reads: gather.reads,
                tags: gather.tags.len() as u32,
                passes: gather.passes.len() as u32,
                distance_m: gather.distance_m,
                coverage: join_coverage(&gather.coverage),
                seed: Some(self.scenario.seed),
            },
            sightings: gather.sightings,
            coverage: gather.coverage,
            published_errors: gather.errors,
            real_time_factor: (finished_ns - started_ns) as f64 * 1e-9 / wall_s,
            state_hash: world.twin.state_hash(),
            recorded,
            failed: gather.failed,
            localizer: localizer.rms(),
            bumps: world.twin.bumps(&robot.name),
            tipped: world.twin.tipped(),
            interrupted: stopped || interrupted(),
        })
    }

    fn host(&self, robot: &RobotSettings, twin: &Twin) -> anyhow::Result<LocalHost> {
        let (name, p) = (robot.name.as_str(), self.params);
        let floor = &*self.faces.first().context("no row faces to inventory")?.floor;
        // A robot is switched on at a known place: its dock, or where it was put for a run that goes on.
        let dock = [robot.start_m[0], robot.start_m[1], robot.heading_deg.to_radians()];
        let here = if twin.now_ns() == 0 { None } else { twin.true_pose(&robot.name) };
        let [x, y, yaw] = here.unwrap_or(dock);
        let start = Pose2::new(x, y, yaw);
        let mut host = LocalHost::new();
        host.add(Box::new(LocalizerNode::new(name, &self.site, floor, start, p.localizer.clone())?));
        host.add(Box::new(NavigatorNode::new(name, &self.site, floor, p.navigator.clone())?));
        host.add(Box::new(PilotNode::new(name, &self.site, floor, self.run, self.faces, p.pilot.clone())?));
        host.add(Box::new(LocatorNode::new(name, self.site.clone(), p.locator.clone())));
        let auditor =
            AuditorNode::new(self.run, &[name], self.site.clone(), self.catalogue.clone(), p.auditor.clone());
        host.add(Box::new(auditor));
        Ok(host)
    }
}
