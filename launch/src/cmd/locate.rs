//! `shelfwright locate`: where tags are, from a reads table or from a bag.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bags::Reader;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use domain::tables::{self, ReadProblems};
use domain::{Scan, Sighting, Site};
use interfaces::{AnyMessage, Publication};
use nodes::host::replay;
use nodes::locator::LocatorNode;
use positioning::LocateSettings;
use positioning::evaluate::{self, Score, ScoreTable, TrueTag};
use positioning::peers::Method;
use serde::Serialize;

use crate::params::Params;
use crate::run_folder::RunFolder;
use crate::ui::{Interrupted, Ui, interrupted, refused};

/// Arguments of `locate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  shelfwright locate reads.parquet --out positions.csv\n  \
    shelfwright locate reads.csv --truth truth.csv     # errors and order against known positions\n  \
    shelfwright locate out/demo/bag                    # the very sightings of the live run")]
pub struct LocateArgs {
    /// A reads table (.parquet, .csv) or a bag (folder or .mcap).
    reads: PathBuf,
    /// Write the positions table here.
    #[arg(long)]
    out: Option<PathBuf>,
    /// True positions, to print errors and order against.
    #[arg(long)]
    truth: Option<PathBuf>,
    /// The site of a bag; by default the site.toml in the folder of its run.
    #[arg(long)]
    site: Option<PathBuf>,
    /// Parameter file; its `locator` section is used.
    #[arg(long)]
    params: Option<PathBuf>,
    /// How to locate; the published methods are for reads tables.
    #[arg(long, value_parser = methods(), default_value = "ours")]
    method: Method,
}

fn methods() -> impl TypedValueParser<Value = Method> {
    PossibleValuesParser::new(Method::ALL.map(|m| PossibleValue::new(m.name()).help(m.about())))
        .try_map(|name| Method::ALL.into_iter().find(|m| m.name() == name).ok_or("no such method"))
}

#[derive(Debug, Serialize)]
struct Position<'a> {
    scan: &'a str,
    epc: String,
    x_m: f32,
    x_std_m: f32,
    range_m: f32,
    /// Null where one antenna height cannot give it.
    z_m: Option<f32>,
    rank: u32,
    reads: u32,
}

impl<'a> From<&'a Sighting> for Position<'a> {
    fn from(s: &'a Sighting) -> Self {
        Self {
            scan: &s.scan,
            epc: s.uid.to_string().to_lowercase(),
            x_m: s.along_m,
            x_std_m: s.along_std_m,
            range_m: s.range_m,
            z_m: s.height_m.is_finite().then_some(s.height_m),
            rank: s.rank,
            reads: s.reads,
        }
    }
}

/// Runs `locate`.
pub fn run(args: &LocateArgs, ui: &Ui) -> anyhow::Result<()> {
    let table = matches!(args.reads.extension().and_then(|e| e.to_str()), Some("parquet" | "csv"));
    if table { from_table(args, ui) } else { from_bag(args, ui) }
}

#[derive(Debug, Serialize)]
struct TableResult<'a> {
    scans: usize,
    tags: usize,
    reads: usize,
    /// Reads located per second of computing, loading not counted.
    reads_per_second: f64,
    problems: ReadProblems,
    evaluation: Option<Evaluation>,
    positions: Vec<Position<'a>>,
}

#[derive(Debug, Serialize)]
struct Evaluation {
    all: Figures,
    by_pitch: std::collections::BTreeMap<String, Figures>,
    by_scan: std::collections::BTreeMap<String, Figures>,
    #[serde(skip)]
    table: Vec<(String, Score)>,
}

#[derive(Debug, Serialize)]
struct Figures {
    #[serde(flatten)]
    score: Score,
    pairs_percent: f64,
    rank_percent: f64,
}

impl From<&Score> for Figures {
    fn from(score: &Score) -> Self {
        Self {
            pairs_percent: score.pairs_percent(),
            rank_percent: score.rank_percent(),
            score: score.clone(),
        }
    }
}

fn from_table(args: &LocateArgs, ui: &Ui) -> anyhow::Result<()> {
    let settings = Params::load(args.params.as_deref())?.locator;
    // The truth is read first: a mistake in it should not cost the minutes before.
    let truth = args.truth.as_deref().map(tables::load_truth).transpose().map_err(refused)?;
    let loaded = tables::load_scans(&args.reads).map_err(refused)?;
    let reads = loaded.scans.iter().map(|s| s.reads.len()).sum();
    let mut progress = ui.progress("locating", reads as u64);
    let mut sightings = Vec::new();
    let (started, mut done) = (Instant::now(), 0);
    for scan in &loaded.scans {
        if interrupted() {
            return Err(Interrupted.into());
        }
        sightings.extend(args.method.locate_row(scan, &settings));
        done += scan.reads.len() as u64;
        progress.at(done, || scan.name.clone());
    }
    let seconds = started.elapsed().as_secs_f64();
    progress.finish();
    if let Some(out) = &args.out {
        tables::write_positions(out, &sightings)?;
    }
    let result = TableResult {
        scans: loaded.scans.len(),
        tags: loaded.scans.iter().map(|s| s.tags.len()).sum(),
        reads,
        reads_per_second: reads as f64 / seconds.max(1e-9),
        problems: loaded.problems,
        evaluation: truth.map(|t| evaluation(&loaded.scans, &sightings, &t, &settings)),
        positions: sightings.iter().map(Position::from).collect(),
    };
    ui.result(&result, |r| table_text(r, args.out.as_deref()))
}

fn evaluation(
    scans: &[Scan],
    sightings: &[Sighting],
    truth: &[tables::TruthRow],
    settings: &LocateSettings,
) -> Evaluation {
    let truth: Vec<TrueTag> = truth
        .iter()
        .map(|t| TrueTag { scan: t.scan.clone(), uid: t.epc.clone(), x_m: t.x_m, row: t.row })
        .collect();
    let mut scores = evaluate::evaluate(sightings, &truth);
    evaluate::add_bounds(&mut scores, scans, sightings, &truth, settings);
    let pitches = evaluate::by_pitch(&scores);
    let all = evaluate::pool(&scores);
    let figures = |rows: &[(String, Score)]| rows.iter().map(|(k, s)| (k.clone(), s.into())).collect();
    let mut table: Vec<(String, Score)> = scores.iter().map(|s| (s.scan.clone(), s.score.clone())).collect();
    let by_scan = figures(&table);
    table.extend(pitches.iter().cloned());
    table.push(("all".into(), all.clone()));
    Evaluation { all: (&all).into(), by_pitch: figures(&pitches), by_scan, table }
}

fn table_text(r: &TableResult<'_>, out: Option<&Path>) -> String {
    let mut text = String::new();
    if let Some(evaluation) = &r.evaluation {
        text += &ScoreTable(&evaluation.table).to_string();
    } else if out.is_none() {
        text += "scan,epc,x_m,x_std_m,range_m,rank,reads\n";
        for p in &r.positions {
            text += &format!(
                "{},{},{:.4},{:.4},{:.3},{},{}\n",
                p.scan, p.epc, p.x_m, p.x_std_m, p.range_m, p.rank, p.reads
            );
        }
    }
    text += &format!(
        "{} reads of {} tags in {} scans, {:.0} reads/s\n",
        r.reads, r.tags, r.scans, r.reads_per_second
    );
    for (problem, (count, first)) in &r.problems.by_reason {
        text += &format!("left out: {count} reads, {} (first at row {first})\n", problem.describe());
    }
    if let Some(out) = out {
        text += &format!("wrote {}\n", out.display());
    }
    text
}

#[derive(Debug, Serialize)]
struct BagResult<'a> {
    sightings: usize,
    /// Sightings that the bag itself holds; null when it holds none.
    live_sightings: Option<usize>,
    /// Whether today's sightings equal the recorded ones byte for byte; null when it holds none.
    identical_to_live: Option<bool>,
    positions: Vec<Position<'a>>,
}

fn from_bag(args: &LocateArgs, ui: &Ui) -> anyhow::Result<()> {
    anyhow::ensure!(args.truth.is_none(), "--truth goes with a reads table; a bag's sightings are on a site");
    let mut settings = Params::load(args.params.as_deref())?.locator;
    match args.method {
        Method::Ours => {}
        Method::Fit => settings.decode = false,
        Method::RfScanner | Method::Tagoram => anyhow::bail!(
            "--method {}: it needs every carrier along the whole track; a bag's robot hops while it moves (allowed: ours, fit)",
            args.method.name()
        ),
    }
    let mut reader = Reader::open(&args.reads).map_err(refused)?;
    let site = match (&args.site, RunFolder::around(&args.reads)) {
        (Some(path), _) => path.clone(),
        (None, Some(folder)) => folder.site(),
        (None, None) => anyhow::bail!("{}: no site.toml beside the bag; give --site", args.reads.display()),
    };
    let site = Arc::new(Site::load(&site).map_err(refused)?);
    let mut publications = Vec::new();
    for publication in &mut reader {
        publications.push(publication.map_err(refused)?);
    }
    let robots: Vec<String> = robots(&publications);
    anyhow::ensure!(!robots.is_empty(), "{}: holds no reads (topic /ROBOT/reads)", args.reads.display());
    let (mut today, mut live) = (Vec::new(), Vec::new());
    for robot in &robots {
        let locator = LocatorNode::new(robot, site.clone(), settings.clone());
        let inputs = locator.inputs();
        let recording = publications.iter().cloned().map(Ok::<_, nodes::host::HostError>);
        today.extend(replay(vec![Box::new(locator)], &inputs, recording)?);
        let results = ["sightings", "live_sightings", "coverage"].map(|name| format!("/{robot}/{name}"));
        live.extend(publications.iter().filter(|p| results.iter().any(|t| **t == *p.topic)).cloned());
    }
    let sightings = sightings(&today);
    let live_count = (!live.is_empty()).then(|| self::sightings(&live).len());
    let identical = (!live.is_empty()).then(|| same_bytes(&today, &live));
    if let Some(out) = &args.out {
        tables::write_positions(out, &sightings)?;
    }
    let result = BagResult {
        sightings: sightings.len(),
        live_sightings: live_count,
        identical_to_live: identical,
        positions: sightings.iter().map(Position::from).collect(),
    };
    ui.result(&result, |r| {
        let live = match (r.live_sightings, r.identical_to_live) {
            (Some(_), Some(true)) => "the very ones of the live run".to_owned(),
            (Some(n), _) => format!("the live run had {n}, and others"),
            _ => "the bag holds none of a live run".to_owned(),
        };
        let mut text = format!("{} sightings from {}: {live}\n", r.sightings, robots.join(", "));
        if let Some(out) = &args.out {
            text += &format!("wrote {}\n", out.display());
        }
        text
    })
}

/// Names of the robots whose reads a recording holds, sorted.
pub fn robots(publications: &[Publication]) -> Vec<String> {
    let mut names: Vec<String> = publications
        .iter()
        .filter(|p| matches!(&*p.message, AnyMessage::TagRead(_)))
        .filter_map(|p| p.topic.strip_prefix('/')?.strip_suffix("/reads").map(str::to_owned))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The sightings of whole passes in a run of publications, in order; malformed ones are left out.
pub fn sightings(publications: &[Publication]) -> Vec<Sighting> {
    let mut all = Vec::new();
    for publication in publications {
        if let AnyMessage::Sightings(message) = &*publication.message
            && publication.is_called("sightings")
        {
            all.extend(message.sightings.iter().filter_map(|s| Sighting::try_from(s).ok()));
        }
    }
    all
}

fn same_bytes(a: &[Publication], b: &[Publication]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| a.topic == b.topic && a.message.to_cdr() == b.message.to_cdr())
}
