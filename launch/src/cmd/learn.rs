//! `shelfwright learn`: makes the locator's weights from simulated lessons.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use positioning::decoder::{FACE_OUTPUTS, FaceLayout, Provenance, ROW_OUTPUTS, RowLayout, Shape, Weights};
use serde::Serialize;
use serde::de::DeserializeOwned;
use twin::radio::{FacePrior, RadioError, RadioPrior, RowSchool};

use crate::learn::train::{Course, Lessons, train};
use crate::learn::{faces, gather, rows, score};
use crate::params::read_weights;
use crate::ui::{Interrupted, Ui, interrupted, refused};

/// Arguments of `learn`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  shelfwright learn rows --prior positioning/weights/rows.prior.toml --wide 0.25 \\\n    \
    --out positioning/weights/rows.weights\n  \
    shelfwright learn faces --out positioning/weights/faces.weights\n  \
    shelfwright learn show positioning/weights/rows.weights\n\n\
    The first two make the default weights again, the same bytes; each takes 5 to 20 minutes on two cores."
)]
pub struct LearnArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Rows of tags beside a track, as in reads tables.
    Rows(CourseArgs),
    /// Row faces that a robot drives past.
    Faces(CourseArgs),
    /// What a weights file is and where it comes from.
    Show {
        /// The file.
        weights: PathBuf,
    },
}

#[derive(Debug, Args)]
struct CourseArgs {
    /// Write the weights here.
    #[arg(long)]
    out: PathBuf,
    /// Simulated passes to learn from.
    #[arg(long)]
    lessons: Option<u64>,
    /// Steps of training.
    #[arg(long)]
    steps: Option<usize>,
    /// Seed of lessons and training.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// A TOML file with the ranges that the lessons' radios are drawn from; by default wide ones.
    #[arg(long)]
    prior: Option<PathBuf>,
    /// Share of the lessons whose radios are drawn from the default ranges all the same, 0 to 1: what a narrowed prior is wrong
    /// about is then not strange to the decoder.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    wide: f64,
}

fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|v| (0.0..=1.0).contains(v))
        .ok_or_else(|| format!("found {text:?}, expected a share from 0 to 1"))
}

impl CourseArgs {
    /// Whether a lesson's radio is drawn from the default ranges: evenly among the numbers.
    fn is_wide(&self, number: u64) -> bool {
        let before = |n: u64| (n as f64 * self.wide).floor();
        before(number + 1) > before(number)
    }
}

/// Added to the seed for lessons that are for scoring only.
const HELD_OUT: u64 = 0x5EED;

/// Runs `learn`.
pub fn run(args: &LearnArgs, ui: &Ui) -> anyhow::Result<()> {
    match &args.what {
        What::Rows(course) => learn_rows(course, ui),
        What::Faces(course) => learn_faces(course, ui),
        What::Show { weights } => show(weights, &read_weights(weights)?, ui),
    }
}

fn learn_rows(args: &CourseArgs, ui: &Ui) -> anyhow::Result<()> {
    let prior: RadioPrior = prior(args.prior.as_deref(), RadioPrior::check)?;
    let count = args.lessons.unwrap_or(80_000);
    let (school, wide) = (RowSchool::new(prior.clone()), RowSchool::new(RadioPrior::default()));
    let make = |seed: u64, number: u64| {
        let school = if args.is_wide(number) { &wide } else { &school };
        Ok(rows::rows(school, seed, number..number + 1))
    };
    let lessons = lessons(ui, count, |n| make(args.seed, n))?;
    let held = gather(1000, |n| make(args.seed + HELD_OUT, n), |_| true)?;
    let shape = Shape {
        inputs: RowLayout::default().inputs(),
        width: 64,
        blocks: 3,
        heads: 4,
        hidden: 128,
        outputs: ROW_OUTPUTS,
    };
    let steps = args.steps.unwrap_or(14_000);
    finish(args, ui, "rows", count, steps, &shape, &lessons, &prior, |w| score::rows(w, &held))
}

fn learn_faces(args: &CourseArgs, ui: &Ui) -> anyhow::Result<()> {
    let prior: FacePrior = prior(args.prior.as_deref(), FacePrior::check)?;
    let count = args.lessons.unwrap_or(450);
    let wide = FacePrior::default();
    let make = |seed: u64, number: u64| {
        let prior = if args.is_wide(number) { &wide } else { &prior };
        faces::faces(prior, seed, number..number + 1)
    };
    let lessons = lessons(ui, count, |n| make(args.seed, n))?;
    let held = gather(8, |n| make(args.seed + HELD_OUT, n), |_| true)?;
    let shape = Shape {
        inputs: FaceLayout::default().inputs(),
        width: 64,
        blocks: 3,
        heads: 4,
        hidden: 128,
        outputs: FACE_OUTPUTS,
    };
    let steps = args.steps.unwrap_or(11_000);
    finish(args, ui, "faces", count, steps, &shape, &lessons, &prior, |w| score::faces(w, &held))
}

/// The prior of a file, checked, or the default one.
pub fn prior<P: DeserializeOwned + Default>(
    path: Option<&Path>,
    check: fn(&P) -> Result<(), RadioError>,
) -> anyhow::Result<P> {
    let Some(path) = path else { return Ok(P::default()) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let prior = toml::from_str(&text).map_err(|e| refused(format!("{}: {e}", path.display())))?;
    check(&prior).map_err(|e| refused(format!("{}: {e}", path.display())))?;
    Ok(prior)
}

/// Writes a file whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let partial = path.with_extension("partial");
    std::fs::write(&partial, bytes).with_context(|| format!("cannot write {}", partial.display()))?;
    std::fs::rename(&partial, path).with_context(|| format!("cannot write {}", path.display()))
}

fn lessons<T: Send>(
    ui: &Ui,
    count: u64,
    make: impl Fn(u64) -> anyhow::Result<Vec<T>> + Sync,
) -> anyhow::Result<Vec<T>> {
    let mut progress = ui.progress("lessons", count);
    let made = gather(count, make, |done| {
        progress.at(done, || format!("{done} of {count}"));
        !interrupted()
    })?;
    progress.finish();
    if interrupted() { Err(Interrupted.into()) } else { Ok(made) }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the two kinds of lessons share this last part and nothing else"
)]
fn finish<L: Lessons>(
    args: &CourseArgs,
    ui: &Ui,
    kind: &str,
    count: u64,
    steps: usize,
    shape: &Shape,
    lessons: &L,
    prior: &impl Serialize,
    scores: impl FnOnce(&Weights) -> std::collections::BTreeMap<String, f64>,
) -> anyhow::Result<()> {
    // Two parts a step whatever the machine has, so that the weights are the same everywhere.
    let course = Course { steps, tags: 768, rate: 2e-3, threads: 2, seed: args.seed };
    let mut progress = ui.progress("training", steps as u64);
    let values = train(shape, lessons, &course, |step, loss, _, _| {
        progress.at(step as u64, || format!("loss {loss:.3}"));
        !interrupted()
    });
    progress.finish();
    if interrupted() {
        return Err(Interrupted.into());
    }
    let mut provenance = Provenance {
        command: format!(
            "shelfwright learn {kind} --lessons {count} --steps {steps} --seed {}{}{}",
            args.seed,
            args.prior
                .as_deref()
                .and_then(Path::file_name)
                .map_or(String::new(), |name| { format!(" --prior {}", name.to_string_lossy()) }),
            if args.wide > 0.0 { format!(" --wide {}", args.wide) } else { String::new() }
        ),
        lessons: format!("{} windows of simulated passes; nothing measured", lessons.count()),
        count,
        seed: args.seed,
        steps: steps as u64,
        prior: serde_json::to_value(prior)?,
        scores: std::collections::BTreeMap::new(),
    };
    // Scored as it will be read: in 8 bits.
    let plain = Weights::new(shape.clone(), &values, provenance.clone())?;
    provenance.scores = scores(&Weights::decode(&plain.encode(&values))?);
    let weights = Weights::new(shape.clone(), &values, provenance)?;
    write_whole(&args.out, &weights.encode(&values))?;
    show(&args.out, &weights, ui)
}

#[derive(Serialize)]
struct Shown<'a> {
    file: &'a Path,
    parameters: usize,
    shape: &'a Shape,
    provenance: &'a Provenance,
}

fn show(file: &Path, weights: &Weights, ui: &Ui) -> anyhow::Result<()> {
    let shown = Shown {
        file,
        parameters: weights.shape.parameters(),
        shape: &weights.shape,
        provenance: &weights.provenance,
    };
    ui.result(&shown, |s| {
        let mut text = format!(
            "{}: {} parameters\nmade by    {}\nfrom       {}\non lessons held out:\n",
            s.file.display(),
            s.parameters,
            s.provenance.command,
            s.provenance.lessons
        );
        for (name, value) in &s.provenance.scores {
            text.push_str(&format!("  {name:<22} {value}\n"));
        }
        text
    })
}
