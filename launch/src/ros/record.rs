//! `shelfwright bag record`: topics of any type from the ROS 2 network into a bag, as `ros2 bag record` does it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};
use bags::{Channel, Qos, RawMessage, Selection};
use clap::Args;
use interfaces::diagnostic_msgs::DiagnosticArray;
use interfaces::rosgraph_msgs::Clock;
use interfaces::std_msgs::Header;
use interfaces::{Message, type_info};
use nodes::host::ros2::generic::{GenericNode, Offer, definition};
use nodes::recorder::{OnFull, Recorder, RecorderSettings};
use nodes::{Health, Level};
use serde::Serialize;

use crate::params::Params;
use crate::recording::{Raw, RawBags, RunBags};
use crate::run_folder::RunFolder;
use crate::ui::{Ui, interrupted, refused};

/// Arguments of `bag record`.
#[derive(Debug, Args)]
#[command(
    after_help = "Topics whose names begin with an underscore are recorded where they are named. `*` stands for any text.\n\n\
    Examples:\n  shelfwright bag record --out night\n  \
    shelfwright bag record '/inv_1/*' /tf /tf_static --without '*/image' --out slim\n  \
    shelfwright bag record --run out/sim --use-sim-time"
)]
pub struct RecordArgs {
    /// Topics to record; by default all.
    topics: Vec<String>,
    /// Not these topics.
    #[arg(long)]
    without: Vec<String>,
    /// Folder of the new bag; must not be there yet.
    #[arg(long, required_unless_present = "run", conflicts_with = "run")]
    out: Option<PathBuf>,
    /// Folder of a run, as `sim --ros` leaves it: the bag is its `bag`, or where there is one already `bag-2` and so on.
    #[arg(long)]
    run: Option<PathBuf>,
    /// Seconds to wait for that folder's site, where the twin is just starting.
    #[arg(long, default_value_t = 0, requires = "run")]
    wait: u64,
    /// Stamp by `/clock`, not by this machine's time.
    #[arg(long)]
    use_sim_time: bool,
    /// Parameter file: its section `recorder` says how the bag is packed and split, and what stays free on the disk.
    #[arg(long)]
    params: Option<PathBuf>,
    /// Namespace of the recorder's node.
    #[arg(long, default_value = "")]
    robot: String,
}

/// How often the network is looked at for new topics, and how long a wait for messages is.
const LOOK: Duration = Duration::from_millis(500);
const WAIT: Duration = Duration::from_millis(50);
const REPORT: Duration = Duration::from_secs(1);
/// Messages that wait in the network for the recorder: seconds of a fast reader, some of a camera.
const DEPTH: usize = 2_000;
const IMAGE_DEPTH: usize = 30;
/// Messages that are held until the first `/clock` gives them a time.
const BEFORE_CLOCK: usize = 10_000;

#[derive(Debug, Serialize)]
struct Recorded {
    bag: PathBuf,
    messages: u64,
    topics: usize,
    images_dropped: u64,
    /// Topics that were there and could not be recorded, each with the reason.
    not_recorded: BTreeMap<String, String>,
}

/// Runs `bag record` until Ctrl-C.
pub fn run(args: &RecordArgs, ui: &Ui) -> anyhow::Result<()> {
    let params = Params::load(args.params.as_deref())?;
    let bag = match (&args.out, &args.run) {
        (Some(out), _) => out.clone(),
        (None, Some(run)) => free_bag(&super::wait_for_run(run, args.wait)?),
        (None, None) => return Err(refused("give --out or --run")),
    };
    let sink = RawBags(RunBags::start(&bag, &params.recorder).map_err(refused)?);
    // A robot's disk may be slower than its cameras; what it has found is never dropped.
    let settings = RecorderSettings { on_full: OnFull::DropImages, ..RecorderSettings::default() };
    let recorder = Recorder::start_with(sink, settings);
    let node = GenericNode::new("recorder", &args.robot).map_err(|e| anyhow!("recorder: {e}"))?;
    let wanted = Selection::default().topics(args.topics.clone()).without(args.without.clone());
    let name = node.full_name();
    let mut session = Session {
        node,
        recorder,
        wanted,
        named: args.topics.iter().cloned().collect(),
        channels: Vec::new(),
        known: BTreeSet::new(),
        refused: BTreeMap::new(),
        clock: args.use_sim_time.then(SimTime::default),
        robot: args.robot.clone(),
        name: name.trim_start_matches('/').to_owned(),
    };
    ui.note(format!("recording into {}; Ctrl-C ends it", bag.display()));
    let ended = session.record();
    let counts = session.recorder.counts();
    let written = session.recorder.finish().map_err(|e| anyhow!(e));
    let messages = ended.and(written)?;
    let recorded = Recorded {
        bag,
        messages,
        topics: session.channels.iter().flatten().count(),
        images_dropped: counts.dropped_images.values().sum(),
        not_recorded: session.refused,
    };
    ui.result(&recorded, |r| format!("{} messages on {} topics in {}", r.messages, r.topics, r.bag.display()))
}

/// A folder's bag, or the next free name beside it: a recorder that was started again keeps what there is.
fn free_bag(folder: &RunFolder) -> PathBuf {
    let first = folder.bag();
    let numbered = |n: usize| folder.root().join(format!("bag-{n}"));
    if first.exists() { (2..).map(numbered).find(|p| !p.exists()).unwrap_or(first) } else { first }
}

/// Time after `/clock`, and what came before the first one.
#[derive(Default)]
struct SimTime {
    now_ns: Option<i64>,
    waiting: Vec<RawMessage>,
    too_early: u64,
}

struct Session {
    node: GenericNode,
    recorder: Recorder<Raw>,
    wanted: Selection,
    /// Names that were asked for as they are.
    named: BTreeSet<String>,
    /// By subscription; none for `/clock` where only its time is wanted.
    channels: Vec<Option<Arc<Channel>>>,
    /// Topics that have a subscription.
    known: BTreeSet<String>,
    refused: BTreeMap<String, String>,
    clock: Option<SimTime>,
    robot: String,
    name: String,
}

impl Session {
    fn record(&mut self) -> anyhow::Result<()> {
        let (mut look, mut report) = (Instant::now(), Instant::now() + REPORT);
        while !interrupted() && !super::supervise::orphaned() {
            let now = Instant::now();
            if now >= look {
                look = now + LOOK;
                self.look().map_err(|e| anyhow!("recorder: {e}"))?;
            }
            self.take()?;
            if now >= report {
                report = now + REPORT;
                self.report();
            }
        }
        // What has come, and waits.
        self.take()
    }

    /// Subscribes to what is new.
    fn look(&mut self) -> Result<(), String> {
        for topic in self.node.topics()?.into_keys() {
            let for_time = self.clock.is_some() && topic == "/clock";
            let hidden = topic.split('/').any(|part| part.starts_with('_')) && !self.named.contains(&topic);
            let wanted = self.wanted.takes_topic(&topic) && !hidden;
            if self.known.contains(&topic) || self.refused.contains_key(&topic) || !(wanted || for_time) {
                continue;
            }
            // A subscriber alone says nothing yet.
            let Some(offer) = self.node.offer(&topic)? else { continue };
            let channel = channel(&topic, &offer);
            let depth = if channel.is_image() { IMAGE_DEPTH } else { DEPTH };
            match self.node.subscribe(&topic, &offer, depth) {
                Ok(_) => {
                    self.channels.push(wanted.then(|| Arc::new(channel)));
                    self.known.insert(topic);
                }
                Err(reason) => {
                    tracing::warn!(topic, reason, "cannot be recorded");
                    self.refused.insert(topic, reason);
                }
            }
        }
        Ok(())
    }

    /// Takes what has come.
    fn take(&mut self) -> anyhow::Result<()> {
        let Self { node, recorder, channels, clock, known, .. } = self;
        let mut failed = None;
        let ticks = known.iter().any(|t| t == "/clock");
        let mut hand_over = |message: RawMessage| {
            if let Err(error) = recorder.take(Raw(message)) {
                failed.get_or_insert(error);
            }
        };
        let waited = node.wait(WAIT, |taken| {
            let channel = channels[taken.subscription].as_ref();
            let Some(time) = clock else {
                let stamp_ns = if taken.received_ns > 0 { taken.received_ns } else { now_ns() };
                if let Some(channel) = channel {
                    hand_over(RawMessage { channel: channel.clone(), stamp_ns, data: taken.data });
                }
                return;
            };
            if ticks
                && channel.is_none_or(|c| &*c.topic == "/clock")
                && let Ok(tick) = Clock::from_cdr(&taken.data)
            {
                let now_ns = tick.clock.to_ns();
                time.now_ns = Some(now_ns);
                for mut message in time.waiting.drain(..) {
                    message.stamp_ns = now_ns;
                    hand_over(message);
                }
            }
            let Some(channel) = channel else { return };
            let message =
                RawMessage { channel: channel.clone(), stamp_ns: time.now_ns.unwrap_or(0), data: taken.data };
            if time.now_ns.is_some() {
                hand_over(message);
            } else if time.waiting.len() < BEFORE_CLOCK {
                time.waiting.push(message);
            } else {
                time.too_early += 1;
            }
        });
        waited.map_err(|e| anyhow!("recorder: {e}"))?;
        failed.map_or(Ok(()), |error| Err(anyhow!(error))).context("the bag")
    }

    /// Says on `/diagnostics` how it is.
    fn report(&mut self) {
        let mut health: Health = self.recorder.health();
        let too_early = self.clock.as_ref().map_or(0, |c| c.too_early);
        health.values.push(("topics", self.channels.iter().flatten().count().to_string()));
        health.values.push(("topics_not_recorded", self.refused.len().to_string()));
        health.values.push(("messages_before_the_clock", too_early.to_string()));
        if health.level == Level::Ok && !self.refused.is_empty() {
            health.level = Level::Warn;
            let topics: Vec<&str> = self.refused.keys().map(String::as_str).collect();
            health.summary = format!("not recorded: {}", topics.join(", "));
        }
        let status = health.into_status(self.name.clone(), &self.robot);
        let stamp_ns = self.clock.as_ref().map_or_else(now_ns, |c| c.now_ns.unwrap_or(0));
        let array = DiagnosticArray { header: Header::new(stamp_ns, ""), status: vec![status] };
        if let Err(error) = self.node.publish("/diagnostics", DiagnosticArray::TYPE_NAME, &array.to_cdr()) {
            tracing::debug!(error, "diagnostics were not sent");
        }
    }
}

/// A topic as its publishers offer it. A type that we have is written as we know it, where it is the same.
fn channel(topic: &str, offer: &Offer) -> Channel {
    let ours =
        type_info(&offer.type_name).filter(|i| offer.type_hash.is_empty() || offer.type_hash == i.hash);
    Channel {
        topic: topic.into(),
        type_name: offer.type_name.clone(),
        encoding: "cdr".into(),
        definition: ours.map_or_else(|| definition(&offer.type_name), |i| i.definition.to_owned()),
        definition_encoding: "ros2msg".into(),
        type_hash: ours.map_or_else(|| offer.type_hash.clone(), |i| i.hash.to_owned()),
        qos: Qos { depth: 10, reliable: offer.reliable, transient_local: offer.transient_local }.yaml(""),
    }
}

fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// Arguments of the recorder that `up --record` starts, behind the program's name.
pub fn task(run: &Path, wait: u64, sim: bool) -> Vec<std::ffi::OsString> {
    let mut all: Vec<std::ffi::OsString> = ["--quiet", "bag", "record", "--run"].map(Into::into).into();
    all.push(run.into());
    all.push(format!("--wait={wait}").into());
    if sim {
        all.push("--use-sim-time".into());
    }
    all
}
