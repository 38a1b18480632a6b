//! `shelfwright sim` and `shelfwright demo`: an inventory of the simulated library, from shelf to report.

mod expected;
mod text;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use bridge::platform::{Platform, PlatformSettings};
use bridge::store::OutboxCounts;
use bridge::{Courier, Destination, Report, RetryPolicy, RunFacts, Store, Summary};
use clap::Args;
use domain::audit::audit;
use domain::{Audit, FaceId, Site};
use serde::Serialize;
use twin::{ClassScore, Scenario, Scores, Truth, Twin, score};

use super::platform::{runtime, until_interrupted};
use crate::mission::{Mission, Outcome, Pace, PoseError, Unwatched, Watch};
use crate::params::Params;
use crate::review::Live;
use crate::run_folder::{RunFolder, write_json};
use crate::ui::{Interrupted, Ui, interrupted, refused};

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  shelfwright demo --seed 11 --out out/another-day")]
pub struct DemoArgs {
    /// Folder that the run is left in; an earlier demo in it is replaced.
    #[arg(long, default_value = "out/demo")]
    out: PathBuf,
    /// Another seed makes another library with other errors.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Arguments of `sim`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  shelfwright sim --seed 7 --out out/run\n  \
    shelfwright sim busy-morning.toml --faces 1F/R01A,1F/R01B --out out/busy\n  \
    shelfwright sim --save-at 60 minute.twin --out out/run && shelfwright sim --restore minute.twin --out out/again\n  \
    shelfwright sim --platform http://127.0.0.1:8080/api/v1/events --out out/run\n  \
    shelfwright sim --review                            # watch it in the Rerun viewer\n  \
    shelfwright sim --review=run.rrd                    # look at it later: rerun run.rrd")]
pub struct SimArgs {
    /// A scenario file; by default the demo library.
    scenario: Option<PathBuf>,
    /// Seed, in place of the scenario's.
    #[arg(long)]
    seed: Option<u64>,
    /// Row faces to inventory; by default all.
    #[arg(long, value_delimiter = ',')]
    faces: Vec<FaceId>,
    /// Folder that the run is left in.
    #[arg(long, default_value = "out/sim")]
    out: PathBuf,
    /// Replace an earlier run in that folder.
    #[arg(long)]
    replace: bool,
    /// Deliver the results to this platform, the address that takes events.
    #[arg(long)]
    platform: Option<String>,
    /// Parameter file for the nodes.
    #[arg(long)]
    params: Option<PathBuf>,
    #[command(flatten)]
    view: super::view::ViewArgs,
    /// After the run, write where every book really stood: a truth table, for evaluation.
    #[arg(long)]
    truth: Option<PathBuf>,
    /// Show the run in the Rerun viewer while it goes; with =FILE, write that recording to a file.
    #[arg(long, value_name = "RRD", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    review: Option<PathBuf>,
    /// Play the robots as ROS 2 hardware: publish their sensors and /clock, take cmd_vel, until Ctrl-C. Site and
    /// catalogue are left in the folder for `shelfwright up`.
    #[cfg(feature = "ros2")]
    #[arg(long, conflicts_with_all = ["faces", "platform", "params", "truth"])]
    pub ros: bool,
    /// Simulated seconds a second at most; as fast as the machine can when absent (1 with --ros and with --view).
    #[arg(long)]
    speed: Option<f64>,
    /// Save the twin's whole state in mid-run: at how many simulated seconds, and the file.
    #[arg(long, num_args = 2, value_names = ["SECONDS", "FILE"])]
    save_at: Option<Vec<String>>,
    /// Go on from a saved state: world, sensors, people and faults as they were, the robots' nodes switched on anew.
    #[arg(long, conflicts_with_all = ["scenario", "seed"])]
    restore: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct RunResult {
    out: PathBuf,
    facts: Facts,
    summary: Summary,
    failed: Vec<String>,
    scores: ScoreTable,
    delivery: Option<OutboxCounts>,
    platform: Option<String>,
    #[serde(skip)]
    truth: Truth,
}

#[derive(Debug, Serialize)]
struct Facts {
    #[serde(flatten)]
    run: RunFacts,
    simulated_s: f64,
    wall_s: f64,
    real_time_factor: f64,
    messages_recorded: u64,
    published_errors: Option<usize>,
    state_hash: String,
    localizer: PoseError,
    /// How often the robot began to touch something.
    bumps: u32,
    /// Trolleys and chairs that lie on the floor in the end.
    tipped: u32,
}

/// Precision and recall against what the scenario put wrong.
#[derive(Debug, Serialize)]
struct ScoreTable {
    far_misplaced: ClassFigures,
    missing: ClassFigures,
    out_of_order: ClassFigures,
    foreign: ClassFigures,
    on_loan: ClassFigures,
    not_verified: u32,
}

#[derive(Debug, Serialize)]
struct ClassFigures {
    precision: Option<f64>,
    recall: Option<f64>,
    #[serde(flatten)]
    score: ClassScore,
}

impl From<ClassScore> for ClassFigures {
    fn from(score: ClassScore) -> Self {
        Self { precision: score.precision(), recall: score.recall(), score }
    }
}

impl From<Scores> for ScoreTable {
    fn from(s: Scores) -> Self {
        Self {
            far_misplaced: s.misplaced.into(),
            missing: s.missing.into(),
            out_of_order: s.out_of_order.into(),
            foreign: s.foreign.into(),
            on_loan: s.on_loan.into(),
            not_verified: s.not_verified,
        }
    }
}

/// Runs `demo`.
pub fn demo(args: &DemoArgs, ui: &Ui) -> anyhow::Result<()> {
    let folder = RunFolder::create(&args.out, true)?;
    let scenario = Scenario::demo(args.seed);
    let runtime = runtime()?;
    let platform = runtime.block_on(async {
        let settings = PlatformSettings {
            bind: ([127, 0, 0, 1], 0).into(),
            ..PlatformSettings::new(folder.platform_store())
        };
        Platform::bind(&settings).await
    })?;
    let (events, page) = (platform.events_url(), platform.url());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = runtime.spawn(platform.serve(async {
        // An error means that the sender is gone, which is the end too.
        let _ = stopped.await;
    }));
    ui.note(format!("platform at {page} (embedded, for this run)"));
    let twin = Twin::new(&scenario).map_err(refused)?;
    let order = Order { faces: &[], platform: Some(&events), params: None, pace: &Pace::default() };
    let result = inventory(twin, &order, &folder, &mut Unwatched, ui);
    let _ = stop.send(());
    runtime.block_on(serving)??;
    let mut result = result?;
    result.platform = Some(page);
    ui.result(&result, text::text)
}

/// Runs `sim`.
pub fn sim(args: &SimArgs, ui: &Ui) -> anyhow::Result<()> {
    let restored = args.restore.as_deref().map(Twin::restore).transpose().map_err(refused)?;
    let mut scenario = match (&restored, &args.scenario) {
        (Some(twin), _) => twin.scenario().clone(),
        (None, Some(path)) => Scenario::load(path).map_err(refused)?,
        (None, None) => Scenario::demo(1),
    };
    if let Some(seed) = args.seed {
        scenario.seed = seed;
    }
    #[cfg_attr(not(feature = "view"), expect(unused_mut, reason = "only a window takes the speed over"))]
    let mut pace = args.pace()?;
    #[cfg(feature = "ros2")]
    if args.ros {
        return crate::ros::sim(&scenario, &args.out, args.replace, args.speed.unwrap_or(1.0), ui);
    }
    #[cfg(not(feature = "view"))]
    if args.view.picture() || args.view.view {
        anyhow::bail!(crate::eyes::WITHOUT);
    }
    #[cfg(feature = "view")]
    if args.view.picture() {
        return super::view::picture(&args.view, &scenario, &args.faces, args.params.as_deref(), ui);
    }
    // In a window the speed can be changed, so it is the window's.
    #[cfg(feature = "view")]
    let speed = if args.view.view { pace.speed.take() } else { None };
    // Before anything is made: a mistake in the parameters should leave no folder behind.
    Params::for_tags(scenario.library.tags, args.params.as_deref())?;
    let live = args.review.as_deref().map(Live::find).transpose()?;
    let folder = RunFolder::create(&args.out, args.replace)?;
    let twin = restored.map_or_else(|| Twin::new(&scenario), Ok).map_err(refused)?;
    let live = live.map(|live| live.start(&twin, &scenario, &args.faces)).transpose()?;
    let order = Order {
        faces: &args.faces,
        platform: args.platform.as_deref(),
        params: args.params.as_deref(),
        pace: &pace,
    };
    let run = |watch: &mut dyn Watch| inventory(twin, &order, &folder, watch, ui);
    let result = match live {
        Some(live) => live.watch(run, ui)?,
        #[cfg(feature = "view")]
        None if args.view.view => super::view::watched(&scenario, speed.unwrap_or(1.0), run)?,
        None => run(&mut Unwatched)?,
    };
    if let Some(path) = &args.truth {
        write_truth(path, &result.truth)?;
    }
    ui.result(&result, text::text)?;
    if let Some((at_ns, file)) = &pace.save {
        let ended_ns = result.facts.run.finished_ns;
        anyhow::ensure!(
            *at_ns < ended_ns,
            "{} was not saved: the run ended after {:.0} s",
            file.display(),
            ended_ns as f64 * 1e-9
        );
    }
    let differences = expected::differences(&scenario.expect, &result);
    anyhow::ensure!(
        differences.is_empty(),
        "{}: the outcome is not the one that the scenario expects: {}",
        scenario.name,
        differences.join("; ")
    );
    Ok(())
}

/// Writes a truth table: the row face as scan, the tier as row, the position on the tier as slot.
fn write_truth(path: &Path, truth: &Truth) -> anyhow::Result<()> {
    let mut books: Vec<_> = truth.books.iter().filter_map(|b| Some((b.address.as_ref()?, b))).collect();
    books.sort_by(|(a, x), (b, y)| {
        (&a.face, a.tier).cmp(&(&b.face, b.tier)).then(x.along_m().total_cmp(&y.along_m()))
    });
    let mut text = String::from("scan,epc,x_m,range_m,row,slot\n");
    let (mut shelf, mut slot) = (None, 0);
    for (address, book) in books {
        let here = Some((&address.face, address.tier));
        slot = if here == shelf { slot + 1 } else { 0 };
        shelf = here;
        text += &format!(
            "{},{},{:.4},{:.4},{},{slot}\n",
            address.face,
            book.uid.to_string().to_lowercase(),
            book.along_m(),
            book.tag_m[2],
            address.tier
        );
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

impl SimArgs {
    /// How the run is paced, and where it is saved.
    fn pace(&self) -> anyhow::Result<Pace> {
        if let Some(speed) = self.speed.filter(|s| !(*s > 0.0 && *s <= 1e4)) {
            return Err(refused(format!("--speed {speed}: expected more than 0 and at most 10000")));
        }
        let save = match self.save_at.as_deref() {
            Some([at, file]) => {
                let at_s: f64 = at
                    .parse()
                    .ok()
                    .filter(|t| (0.0..=1e6).contains(t))
                    .ok_or_else(|| refused(format!("--save-at {at}: expected seconds from 0")))?;
                Some(((at_s * 1e9) as i64, PathBuf::from(file)))
            }
            _ => None,
        };
        Ok(Pace { speed: self.speed, save })
    }
}

/// What is asked of a run.
struct Order<'a> {
    /// Row faces; all when none is named.
    faces: &'a [FaceId],
    /// Where results are delivered.
    platform: Option<&'a str>,
    /// File with parameters.
    params: Option<&'a Path>,
    pace: &'a Pace,
}

fn inventory(
    twin: Twin,
    order: &Order<'_>,
    folder: &RunFolder,
    watch: &mut dyn Watch,
    ui: &Ui,
) -> anyhow::Result<RunResult> {
    let Order { faces, platform, params, pace } = *order;
    let scenario = &twin.scenario().clone();
    let params = Params::for_tags(scenario.library.tags, params)?;
    let site = Arc::new(twin.site().clone());
    let faces = chosen(&site, faces)?;
    let catalogue = Arc::new(twin.library().catalogue()?);
    site.save(&folder.site())?;
    catalogue.save(folder.catalogue())?;
    for floor in &site.floors {
        std::fs::write(folder.map(&floor.id), floor.plan_svg(&site.name))?;
    }
    let truth = twin.truth();
    let run = format!("{}-{}", scenario.name, scenario.seed);
    ui.note(format!(
        "{}: {} books in the catalogue, {} row faces, seed {}",
        site.name,
        catalogue.len(),
        faces.len(),
        scenario.seed
    ));
    let started = Instant::now();
    let bag = folder.bag();
    let mission = Mission {
        scenario,
        site: site.clone(),
        catalogue: catalogue.clone(),
        faces: &faces,
        params: &params,
        run: &run,
        bag: Some(&bag),
        pace,
        cameras: true,
    };
    let outcome = mission.run(twin, watch, ui)?;
    if outcome.interrupted {
        ui.note(format!("interrupted; the bag up to here is in {}", bag.display()));
        return Err(Interrupted.into());
    }
    let audited = audit(&catalogue, &site, &outcome.sightings, &outcome.coverage, &params.auditor);
    write_json(&folder.facts(), &outcome.facts)?;
    let delivery = deliver(folder, &outcome.facts, &audited, platform, ui)?;
    Report::new(&audited, &site, &outcome.facts).write(folder.root())?;
    let scores = score(&truth.within(&faces), &audited.errors);
    Ok(RunResult {
        out: folder.root().to_owned(),
        summary: Summary::of(&audited),
        failed: outcome.failed.clone(),
        scores: scores.into(),
        delivery: platform.is_some().then_some(delivery),
        platform: platform.map(str::to_owned),
        truth,
        facts: facts(outcome, started.elapsed()),
    })
}

/// The row faces asked for; all when none is named.
pub fn chosen(site: &Site, wanted: &[FaceId]) -> anyhow::Result<Vec<FaceId>> {
    let all: Vec<FaceId> = site.faces().map(|(id, _, _)| id).collect();
    if wanted.is_empty() {
        return Ok(all);
    }
    for face in wanted {
        if !all.contains(face) {
            let known: Vec<String> = all.iter().map(ToString::to_string).collect();
            return Err(refused(format!("--faces: no row face {face}; the site has {}", known.join(", "))));
        }
    }
    Ok(wanted.to_vec())
}

fn facts(outcome: Outcome, wall: Duration) -> Facts {
    Facts {
        simulated_s: outcome.facts.duration_s(),
        run: outcome.facts,
        wall_s: wall.as_secs_f64(),
        real_time_factor: outcome.real_time_factor,
        messages_recorded: outcome.recorded,
        published_errors: outcome.published_errors,
        state_hash: outcome.state_hash,
        localizer: outcome.localizer,
        bumps: outcome.bumps,
        tipped: outcome.tipped,
    }
}

/// Longest time that a run waits for its platform; what is left stays in the outbox.
const DELIVERY: Duration = Duration::from_secs(60);

/// Writes results and outbox in one transaction, then delivers.
fn deliver(
    folder: &RunFolder,
    facts: &RunFacts,
    audited: &Audit,
    platform: Option<&str>,
    ui: &Ui,
) -> anyhow::Result<OutboxCounts> {
    let mut store = Store::open(folder.store())?;
    store.record(facts, audited)?;
    if let Some(url) = platform {
        let courier = Store::open(folder.store())?;
        runtime()?.block_on(async {
            let mut courier = Courier::new(courier, &Destination::new(url), RetryPolicy::default())?;
            let stop = async {
                tokio::select! {
                    () = until_interrupted() => {}
                    () = tokio::time::sleep(DELIVERY) => {}
                }
            };
            courier.drain(stop).await
        })?;
        let left = store.outbox()?;
        if left.pending > 0 {
            ui.note(format!(
                "{} events wait in {}: the platform did not take them",
                left.pending,
                folder.store().display()
            ));
        }
        if interrupted() {
            return Err(Interrupted.into());
        }
    }
    Ok(store.outbox()?)
}
