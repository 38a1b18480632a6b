//! `shelfwright calibrate`: narrows the radio prior that the locator's lessons are drawn from, by passes over shelves
//! whose order is known.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bags::Reader;
use clap::{Args, Subcommand, ValueEnum};
use domain::FaceId;
use domain::tables::{load_scans, load_truth};
use nodes::locator::LocatorNode;
use serde::Serialize;
use twin::calibrate::{
    Draw, FaceStudy, KnownFace, KnownRow, Narrowed, Provenance, RowStudy, Study, TagSide, narrow, prior_file,
};
use twin::radio::{FacePrior, RadioPrior};

use super::audit::RunInputs;
use super::learn::{prior, write_whole};
use super::locate::robots;
use crate::learn::gather;
use crate::ui::{Interrupted, Ui, interrupted, refused};

/// Arguments of `calibrate`.
#[derive(Debug, Args)]
#[command(
    long_about = "Narrow the radio that the locator's lessons are drawn from, by passes over shelves of known order.\n\n\
    A library runs it once after commissioning, with its own tags, antennas and reader, and again when it changes them. \
    Radios are drawn from the default prior, which is wider than any radio we know; the same shelves are passed in simulation \
    with each, and those that look most like the measured passes tell how the tags couple, how the antennas see and how the reader \
    shows power (approximate Bayesian computation). `shelfwright learn --prior FILE` then teaches a locator for this \
    library. positioning/CALIBRATE.md says what that gains.",
    after_help = "Examples:\n  shelfwright calibrate rows reads.parquet --truth places.csv --out prior.toml\n  \
    shelfwright calibrate faces out/demo --out prior.toml\n  \
    shelfwright calibrate faces bag/ --site site.toml --catalogue catalogue.csv --face 1F/R01A --out prior.toml\n  \
    shelfwright learn faces --prior prior.toml --out faces.weights"
)]
pub struct CalibrateArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// From rows of tags beside a track, in reads tables, with the tags' true places.
    Rows(RowArgs),
    /// From a recorded mission along row faces; books are held to stand as the catalogue orders them.
    ///
    /// Books on loan, misplaced or missing do no harm while most stand in order: figures are medians over the books, and
    /// a book that is loudest elsewhere does not count.
    Faces(FaceArgs),
}

#[derive(Debug, Args)]
struct Common {
    /// Write the narrowed prior here (TOML).
    #[arg(long)]
    out: PathBuf,
    /// Radios to draw.
    #[arg(long)]
    draws: Option<u64>,
    /// Seed of the draws.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// A TOML file of ranges to start from; by default the wide ones of `learn`.
    #[arg(long)]
    prior: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RowArgs {
    /// Reads tables (.parquet, .csv).
    #[arg(required = true)]
    reads: Vec<PathBuf>,
    /// Truth tables of the tags' places; scans that none of them knows whole are left out.
    #[arg(long, required = true)]
    truth: Vec<PathBuf>,
    /// From one row of tags to the next, m, where a scan has several.
    #[arg(long, default_value_t = twin::rail::ROW_M)]
    rows_apart: f64,
    /// At most so many passes are used, evenly chosen.
    #[arg(long, default_value_t = 24)]
    passes: usize,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct FaceArgs {
    #[command(flatten)]
    inputs: RunInputs,
    /// A row face whose books are declared right, such as 1F/R01A; repeat for more. By default all that were passed.
    #[arg(long)]
    face: Vec<FaceId>,
    /// Where in a book its tag is, as a reader faces the spine.
    #[arg(long, value_enum, default_value_t = Side::Left)]
    tag_side: Side,
    /// At most so many parts of faces (0.8 m, three tiers) are used, evenly chosen.
    #[arg(long, default_value_t = 6)]
    parts: usize,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Side {
    /// At the left cover: inside the back cover of books that open to the left.
    Left,
    /// In the middle of the spine.
    Middle,
    /// At the right cover.
    Right,
}

#[derive(Debug, Serialize)]
struct Calibrated<'a> {
    file: &'a Path,
    provenance: Provenance,
    #[serde(flatten)]
    found: Narrowed,
}

/// Fewer draws say too little of a tenth of them.
const FEWEST_DRAWS: u64 = 200;
const ROW_DRAWS: u64 = 4000;
const FACE_DRAWS: u64 = 1000;

/// Runs `calibrate`.
pub fn run(args: &CalibrateArgs, ui: &Ui) -> anyhow::Result<()> {
    match &args.what {
        What::Rows(args) => rows(args, ui),
        What::Faces(args) => faces(args, ui),
    }
}

fn rows(args: &RowArgs, ui: &Ui) -> anyhow::Result<()> {
    anyhow::ensure!(
        (0.0..=2.0).contains(&args.rows_apart),
        "--rows-apart {}: expected 0 to 2 m",
        args.rows_apart
    );
    let wide: RadioPrior = prior(args.common.prior.as_deref(), RadioPrior::check)?;
    let mut truth = Vec::new();
    for path in &args.truth {
        truth.extend(load_truth(path).map_err(refused)?);
    }
    let (mut known, mut scans) = (Vec::new(), 0);
    for path in &args.reads {
        let loaded = load_scans(path).map_err(refused)?;
        scans += loaded.scans.len();
        known.extend(loaded.scans.iter().filter_map(|s| KnownRow::new(s, &truth, args.rows_apart)));
        if interrupted() {
            return Err(Interrupted.into());
        }
    }
    let (have, want) = (known.len(), args.passes.max(1));
    anyhow::ensure!(have > 0, "no scan of {scans} has a place for each of its tags in the truth tables");
    let mut number = 0;
    known.retain(|_| {
        number += 1;
        have <= want || number * want / have > (number - 1) * want / have
    });
    let passes = known.len();
    let study =
        RowStudy::new(wide, known).map_err(|e| refused(format!("{}: {e}", args.reads[0].display())))?;
    let from = format!(
        "{passes} passes with {} tags at known places, of {have} such passes in {}",
        study.tags(),
        names(&args.reads)
    );
    let draws = draws(&study, &args.common, ROW_DRAWS, ui)?;
    let found = narrow(&study, study.measured(), &draws);
    let narrowed = study.narrowed(&found, &draws);
    finish("rows", &args.common, draws.len(), from, found, &narrowed, ui)
}

fn faces(args: &FaceArgs, ui: &Ui) -> anyhow::Result<()> {
    let wide: FacePrior = prior(args.common.prior.as_deref(), FacePrior::check)?;
    let opened = args.inputs.open()?;
    let site = Arc::new(opened.site);
    for face in &args.face {
        anyhow::ensure!(site.face(face).is_some(), "--face {face}: the site has no such row face");
    }
    let mut recording = Vec::new();
    for publication in Reader::open(&opened.bag).map_err(refused)? {
        recording.push(publication.map_err(refused)?);
    }
    let robots = robots(&recording);
    anyhow::ensure!(!robots.is_empty(), "{}: holds no reads (topic /ROBOT/reads)", opened.bag.display());
    let side = match args.tag_side {
        Side::Left => TagSide::Left,
        Side::Middle => TagSide::Middle,
        Side::Right => TagSide::Right,
    };
    let mut known = Vec::new();
    for robot in &robots {
        for pass in LocatorNode::passes(robot, site.clone(), &recording) {
            if interrupted() {
                return Err(Interrupted.into());
            }
            let declared = args.face.is_empty() || args.face.contains(&pass.face);
            let Some((_, face)) = site.face(&pass.face).filter(|_| declared) else { continue };
            let auditor = &opened.params.auditor;
            let named = format!("{}, {}", opened.bag.display(), pass.scan.name);
            known.push(
                KnownFace::new(pass.scan, &pass.face, face, &opened.catalogue, auditor, side)
                    .map_err(|e| refused(format!("{named}: {e}")))?,
            );
        }
    }
    anyhow::ensure!(
        !known.is_empty(),
        "{}: holds no pass along {}",
        opened.bag.display(),
        if args.face.is_empty() { "a row face" } else { "the faces named" }
    );
    let passes = known.len();
    let study = FaceStudy::new(wide, &known, args.parts)
        .map_err(|e| refused(format!("{}: {e}", opened.bag.display())))?;
    let from = format!(
        "{} books at their places by the catalogue, in {} parts of {passes} passes of {}",
        study.books(),
        study.parts(),
        names(std::slice::from_ref(&opened.bag))
    );
    let draws = draws(&study, &args.common, FACE_DRAWS, ui)?;
    let found = narrow(&study, study.measured(), &draws);
    let narrowed = study.narrowed(&found);
    finish("faces", &args.common, draws.len(), from, found, &narrowed, ui)
}

/// File names without their folders: where they lay says nothing elsewhere.
fn names(paths: &[PathBuf]) -> String {
    let name = |p: &PathBuf| p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    paths.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn draws(study: &impl Study, common: &Common, default: u64, ui: &Ui) -> anyhow::Result<Vec<Draw>> {
    let count = common.draws.unwrap_or(default);
    anyhow::ensure!(
        (FEWEST_DRAWS..=1_000_000).contains(&count),
        "--draws {count}: expected {FEWEST_DRAWS} to 1000000"
    );
    let mut progress = ui.progress("radios", count);
    let draws = gather(
        count,
        |n| Ok(vec![study.draw(common.seed, n)?]),
        |done| {
            progress.at(done, || format!("{done} of {count}"));
            !interrupted()
        },
    )?;
    progress.finish();
    if interrupted() { Err(Interrupted.into()) } else { Ok(draws) }
}

fn finish(
    kind: &str,
    common: &Common,
    draws: usize,
    from: String,
    found: Narrowed,
    narrowed: &impl Serialize,
    ui: &Ui,
) -> anyhow::Result<()> {
    let provenance = Provenance {
        command: format!("shelfwright calibrate {kind} … --draws {draws} --seed {}", common.seed),
        from,
        seed: common.seed,
    };
    write_whole(&common.out, prior_file(narrowed, &found, &provenance)?.as_bytes())?;
    let calibrated = Calibrated { file: &common.out, provenance, found };
    ui.result(&calibrated, text)
}

fn text(c: &Calibrated<'_>) -> String {
    let mut text = format!("{}\n", c.provenance.from);
    let mut line = |cells: [String; 4]| {
        text += &format!("{:<22} {:>18} {:>18} {:>8}\n", cells[0], cells[1], cells[2], cells[3]);
    };
    line(["".into(), "default".into(), "narrowed".into(), "width".into()]);
    for f in &c.found.findings {
        let range = |r: [f64; 2]| format!("{} to {}", short(r[0]), short(r[1]));
        let width = if f.told { format!("{:.0}%", 100.0 * f.width) } else { "as it was".into() };
        let narrowed = if f.told { range(f.range) } else { String::new() };
        line([f.key.into(), range(f.default), narrowed, width]);
    }
    let found = &c.found;
    text += &format!(
        "the nearest {} of {} radios; ranges {} times as wide as their central 90%\n",
        found.kept, found.draws, found.widened
    );
    for (name, value, [low, high]) in &found.unlike {
        text += &format!(
            "not repeated: {name}: measured {}, simulated {} to {}\n",
            short(*value),
            short(*low),
            short(*high)
        );
    }
    text + &format!("wrote {}\n", c.file.display())
}

fn short(v: f64) -> String {
    let digits = if v.abs() >= 100.0 {
        0
    } else if v.abs() >= 10.0 {
        1
    } else {
        3
    };
    format!("{v:.digits$}")
}
