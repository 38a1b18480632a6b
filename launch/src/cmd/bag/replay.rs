//! `bag replay`: recorded inputs through today's nodes, beside what the nodes of then said.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use bags::{RawMessage, RawReader, Selection, Writer};
use clap::{Args, ValueEnum};
use domain::{Catalogue, Site};
use interfaces::{AnyMessage, Publication};
use nodes::Node;
use nodes::auditor::AuditorNode;
use nodes::host::{LocalHost, Observer};
use nodes::locator::LocatorNode;
use serde::Serialize;

use super::compare::{Comparison, RESULTS, ThresholdArgs};
use crate::params::Params;
use crate::run_folder::RunFolder;
use crate::ui::{Interrupted, Ui, interrupted, refused};

/// Arguments of `bag replay`.
#[derive(Debug, Args)]
#[command(
    after_help = "Site and catalogue are those beside the bag, unless given. With --compare the exit code\n\
    is 1 where today's results differ by more than is allowed.\n\nExamples:\n  \
    shelfwright bag replay out/demo/bag --nodes locator,auditor --compare\n  \
    shelfwright bag replay out/demo/bag --nodes auditor --params strict.toml --compare --allow 5\n  \
    shelfwright bag replay out/demo/bag --nodes locator --out today      # today's results as a bag\n  \
    shelfwright bag replay tests/bags/aisle/bag --nodes locator,auditor --accept 'weights of lesson 9'"
)]
pub struct ReplayArgs {
    /// The bag.
    bag: PathBuf,
    /// Nodes to run.
    #[arg(long, value_enum, value_delimiter = ',', required = true)]
    nodes: Vec<Which>,
    /// Compare with the recorded results; fails where they differ by more than is allowed.
    #[arg(long)]
    compare: bool,
    #[command(flatten)]
    thresholds: ThresholdArgs,
    /// Write inputs and today's results to this new bag.
    #[arg(long, conflicts_with = "accept")]
    out: Option<PathBuf>,
    /// Take today's results for right: put them into the bag, and the reason into accepted.md beside it.
    #[arg(long, value_name = "REASON")]
    accept: Option<String>,
    /// The site; by default the site.toml beside the bag.
    #[arg(long)]
    site: Option<PathBuf>,
    /// The catalogue; by default the catalogue.csv beside the bag.
    #[arg(long)]
    catalogue: Option<PathBuf>,
    /// Parameter file of the nodes.
    #[arg(long)]
    params: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Reads and transforms to sightings and coverage.
    Locator,
    /// Sightings and coverage against the catalogue.
    Auditor,
}

#[derive(Debug, Serialize)]
struct Replayed {
    /// Messages fed.
    fed: u64,
    /// Messages that today's nodes published.
    published: u64,
    /// Recorded seconds per second of computing.
    real_time_factor: f64,
    comparison: Option<Comparison>,
    /// Where today's results were written.
    out: Option<PathBuf>,
}

/// Runs `bag replay`.
pub fn run(args: &ReplayArgs, ui: &Ui) -> anyhow::Result<()> {
    let mut setup = Setup::of(args)?;
    let target = match (&args.out, &args.accept) {
        (Some(out), _) => Some(out.clone()),
        (None, Some(_)) => Some(beside(&args.bag)?),
        (None, None) => None,
    };
    let mut writer = target.as_ref().map(|out| Writer::create(out).map_err(refused)).transpose()?;
    let done = feed(args, &mut setup, writer.as_mut(), ui);
    if let Some(writer) = writer {
        writer.finish()?;
    }
    let done = match (done, &args.accept, &target) {
        (Err(error), Some(_), Some(half)) => {
            remove(half)?;
            return Err(error);
        }
        (done, ..) => done?,
    };
    let wanted = args.compare || args.accept.is_some();
    let comparison = wanted.then(|| Comparison::of(&setup.recorded, &done.today, (&args.thresholds).into()));
    if let (Some(reason), Some(new), Some(comparison)) = (&args.accept, &target, &comparison) {
        accept(&args.bag, new, reason, comparison)?;
    }
    let result = Replayed {
        fed: done.fed,
        published: done.today.len() as u64,
        real_time_factor: done.real_time_factor,
        out: target.filter(|_| args.accept.is_none()),
        comparison,
    };
    ui.result(&result, |r| text(r, args.accept.is_some()))?;
    if let (Some(c), None) = (&result.comparison, &args.accept) {
        anyhow::ensure!(c.passed, "{}: today's results differ: {}", args.bag.display(), c.verdict());
    }
    Ok(())
}

/// What a replay needs, and what the nodes of then said.
struct Setup {
    nodes: Vec<Box<dyn Node>>,
    /// Topics that are fed from the recording.
    inputs: Vec<Arc<str>>,
    /// Topics whose recorded messages are results of the nodes that run.
    results: Vec<Arc<str>>,
    recorded: Vec<Publication>,
}

impl Setup {
    fn of(args: &ReplayArgs) -> anyhow::Result<Self> {
        let folder = RunFolder::around(&args.bag);
        let own = |given: &Option<PathBuf>, of: fn(&RunFolder) -> PathBuf, what: &str| {
            given.clone().or_else(|| folder.as_ref().map(of)).ok_or_else(|| {
                refused(format!("{}: no site.toml beside the bag; give --{what}", args.bag.display()))
            })
        };
        let params = Params::load(args.params.as_deref())?;
        let site = Arc::new(Site::load(&own(&args.site, RunFolder::site, "site")?).map_err(refused)?);
        let (locate, audit) = (args.nodes.contains(&Which::Locator), args.nodes.contains(&Which::Auditor));
        let (recorded, robots) = results_and_robots(&args.bag)?;
        if robots.is_empty() {
            return Err(refused(format!("{}: holds no reads (topic /ROBOT/reads)", args.bag.display())));
        }
        let mut setup =
            Self { nodes: Vec::new(), inputs: vec!["/clock".into()], results: Vec::new(), recorded };
        let of_locator =
            |robot: &str| ["sightings", "live_sightings", "coverage"].map(|n| format!("/{robot}/{n}").into());
        if locate {
            for robot in &robots {
                let locator = LocatorNode::new(robot, site.clone(), params.locator.clone());
                setup.inputs.extend(locator.inputs());
                setup.nodes.push(Box::new(locator));
                setup.results.extend(of_locator(robot));
            }
        }
        if audit {
            let catalogue =
                Catalogue::load(own(&args.catalogue, RunFolder::catalogue, "catalogue")?).map_err(refused)?;
            let run = setup.recorded.iter().find_map(|p| match &*p.message {
                AnyMessage::ShelfErrors(m) => Some(m.run.clone()),
                _ => None,
            });
            let names: Vec<&str> = robots.iter().map(String::as_str).collect();
            let run = run.unwrap_or_else(|| "replay".to_owned());
            let auditor = AuditorNode::new(&run, &names, site, Arc::new(catalogue), params.auditor);
            setup.inputs.extend(auditor.subscriptions());
            setup.results.push("/shelf_errors".into());
            setup.nodes.push(Box::new(auditor));
        }
        let Self { inputs, results, recorded, .. } = &mut setup;
        inputs.retain(|t| !results.contains(t));
        inputs.sort();
        inputs.dedup();
        recorded.retain(|p| results.contains(&p.topic));
        Ok(setup)
    }
}

/// All recorded results, and the names of the robots with a reader.
fn results_and_robots(bag: &Path) -> anyhow::Result<(Vec<Publication>, Vec<String>)> {
    let mut reader = RawReader::open(bag, Selection::default().topics(RESULTS)).map_err(refused)?;
    let mut recorded = Vec::new();
    for message in &mut reader {
        if interrupted() {
            return Err(Interrupted.into());
        }
        let message = message.map_err(refused)?;
        recorded.push(message.decode().map_err(|e| refused(format!("{}: {e}", bag.display())))?);
    }
    let robot = |c: &Arc<bags::Channel>| c.topic.strip_prefix('/')?.strip_suffix("/reads").map(str::to_owned);
    let mut robots: Vec<String> = reader.channels().iter().filter_map(robot).collect();
    robots.sort();
    robots.dedup();
    Ok((recorded, robots))
}

/// What today's nodes said.
struct Done {
    fed: u64,
    today: Vec<Publication>,
    real_time_factor: f64,
}

/// Sees what goes through the host: keeps results, and writes all to a bag where one is wanted.
struct Tap<'a> {
    results: &'a [Arc<str>],
    today: &'a mut Vec<Publication>,
    writer: Option<&'a mut Writer>,
}

impl Observer for Tap<'_> {
    fn observe(&mut self, publication: &Publication) -> Result<(), String> {
        // The host's own, of nodes that are not all of the robot's.
        if &*publication.topic == "/diagnostics" {
            return Ok(());
        }
        if self.results.contains(&publication.topic) {
            self.today.push(publication.clone());
        }
        match &mut self.writer {
            Some(writer) => writer.write(publication).map_err(|e| e.to_string()),
            None => Ok(()),
        }
    }
}

fn feed(
    args: &ReplayArgs,
    setup: &mut Setup,
    mut writer: Option<&mut Writer>,
    ui: &Ui,
) -> anyhow::Result<Done> {
    let mut host = LocalHost::new();
    for node in std::mem::take(&mut setup.nodes) {
        host.add(node);
    }
    // A new bag has all of the old one but its results.
    let selection = if writer.is_some() {
        Selection::default().without(setup.results.iter().map(|t| &**t))
    } else {
        Selection::default().topics(setup.inputs.iter().map(|t| &**t))
    };
    let mut done = Done { fed: 0, today: Vec::new(), real_time_factor: 0.0 };
    let started = std::time::Instant::now();
    let mut span_ns: Option<(i64, i64)> = None;
    let mut progress = ui.progress("replaying", setup.recorded.len().max(1) as u64);
    for message in RawReader::open(&args.bag, selection).map_err(refused)? {
        if interrupted() {
            return Err(Interrupted.into());
        }
        let message: RawMessage = message.map_err(refused)?;
        let (start, end) = span_ns.unwrap_or((message.stamp_ns, message.stamp_ns));
        span_ns = Some((start.min(message.stamp_ns), end.max(message.stamp_ns)));
        if setup.inputs.contains(&message.channel.topic) {
            let publication =
                message.decode().map_err(|e| refused(format!("{}: {e}", args.bag.display())))?;
            let mut tap =
                Tap { results: &setup.results, today: &mut done.today, writer: writer.as_deref_mut() };
            host.feed(publication, &mut [&mut tap])?;
            done.fed += 1;
            if done.fed.is_multiple_of(4_096) {
                progress.at(done.today.len() as u64, || format!("{} messages", done.fed));
            }
        } else if let Some(writer) = &mut writer {
            writer.write_raw(&message)?;
        }
    }
    progress.finish();
    let (start, end) = span_ns.unwrap_or((0, 0));
    done.real_time_factor = (end - start) as f64 * 1e-9 / started.elapsed().as_secs_f64().max(1e-9);
    Ok(done)
}

/// A folder for a new bag that will take the old one's place: its files are named after it.
fn beside(bag: &Path) -> anyhow::Result<PathBuf> {
    if !bag.is_dir() {
        return Err(refused(format!("{}: --accept renews a bag's folder, this is a file", bag.display())));
    }
    let bag = bag.canonicalize().with_context(|| format!("cannot open {}", bag.display()))?;
    let (Some(parent), Some(name)) = (bag.parent(), bag.file_name()) else {
        anyhow::bail!("{}: has no parent folder", bag.display());
    };
    let new = parent.join(format!(".new-{}", std::process::id())).join(name);
    Ok(new)
}

fn remove(new: &Path) -> anyhow::Result<()> {
    let folder = new.parent().unwrap_or(new);
    std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
}

/// Puts the new bag into the old one's place and says why.
fn accept(bag: &Path, new: &Path, reason: &str, comparison: &Comparison) -> anyhow::Result<()> {
    let bag = bag.canonicalize()?;
    let old = new.with_extension("old");
    std::fs::rename(&bag, &old).with_context(|| format!("cannot move {}", bag.display()))?;
    if let Err(error) = std::fs::rename(new, &bag) {
        std::fs::rename(&old, &bag)?;
        return Err(error).with_context(|| format!("cannot renew {}", bag.display()));
    }
    remove(new)?;
    let file = bag.with_file_name("accepted.md");
    let mut text = std::fs::read_to_string(&file).unwrap_or_else(|_| {
        "# Why these results are taken for right\n\nNewest last; written by `shelfwright bag replay --accept`.\n\n".to_owned()
    });
    text += &format!("- {}: {}\n", reason.trim(), comparison.verdict());
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}

fn text(r: &Replayed, accepted: bool) -> String {
    let mut text =
        format!("{} messages fed, {} published, {:.0}× real time\n", r.fed, r.published, r.real_time_factor);
    if let Some(c) = &r.comparison {
        text += &c.table(["recorded", "today"]);
        text += if accepted {
            "accepted: the bag has today's results now\n"
        } else if c.passed {
            "passed\n"
        } else {
            "differs\n"
        };
    }
    if let Some(out) = &r.out {
        text += &format!("wrote {}\n", out.display());
    }
    text
}
