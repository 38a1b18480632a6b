//! `shelfwright twin`: how well the simulated radio repeats measured reads, and whether this machine simulates as others do.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use domain::tables::{load_scans, load_truth};
use serde::Serialize;
use twin::plot::{Line, Plot};
use twin::radio::RadioSettings;
use twin::rail::{FIGURES, FREE, Group, NOISE_BINS, RailScan, Rig, Trial, fit, misfit, noise_rad, reckon};
use twin::repeat::weave;
use twin::{Scenario, Twin};

use crate::ui::{Ui, refused};

/// Arguments of `twin`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  shelfwright twin calibrate ../shared/data/rail --out twin/CALIBRATION.md\n  \
    shelfwright twin calibrate rail/ --keep\n  shelfwright twin hash tests/scenarios/visitor.toml --seconds 20"
)]
pub struct TwinArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Fit the radio's free settings to reads of a rail with known tags, and print measured against simulated.
    ///
    /// The folder holds reads tables NAME.parquet with truth tables NAME_truth.csv. Tables called train_… are for fitting; the
    /// others are compared apart.
    Calibrate {
        /// Folder of reads and truth tables.
        rail: PathBuf,
        /// Scans of each layout that a fit simulates again and again.
        #[arg(long, default_value_t = 2)]
        scans: usize,
        /// Rounds over all free settings.
        #[arg(long, default_value_t = 1)]
        rounds: usize,
        /// Fit nothing: compare the settings as they are.
        #[arg(long)]
        keep: bool,
        /// A TOML file of settings, as a scenario's `[radio]`, in place of the defaults.
        #[arg(long)]
        settings: Option<PathBuf>,
        /// Write the comparison as a Markdown file, its plots beside it.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Drive a scenario's robots blindly for some seconds and print the state hash: it is the same on every machine.
    Hash {
        /// The scenario file.
        scenario: PathBuf,
        /// Simulated seconds.
        #[arg(long, default_value_t = 10.0)]
        seconds: f64,
    },
}

#[derive(Debug, Serialize)]
struct Hashed {
    scenario: String,
    seconds: f64,
    state_hash: String,
}

/// Runs `twin`.
pub fn run(args: &TwinArgs, ui: &Ui) -> anyhow::Result<()> {
    match &args.action {
        Action::Hash { scenario, seconds } => {
            anyhow::ensure!((0.0..=36_000.0).contains(seconds), "--seconds {seconds}: expected 0 to 36000");
            let scenario = Scenario::load(scenario).map_err(refused)?;
            let mut twin = Twin::new(&scenario).map_err(refused)?;
            let state_hash = weave(&mut twin, *seconds, |_| ());
            let hashed = Hashed { scenario: scenario.name, seconds: *seconds, state_hash };
            ui.result(&hashed, |h| format!("{}  {} after {} s\n", h.state_hash, h.scenario, h.seconds))
        }
        Action::Calibrate { rail, scans, rounds, keep, settings, out } => {
            let settings = match settings {
                Some(path) => {
                    let text = std::fs::read_to_string(path)
                        .with_context(|| format!("cannot read {}", path.display()))?;
                    toml::from_str(&text).map_err(|e| refused(format!("{}: {e}", path.display())))?
                }
                None => RadioSettings::default(),
            };
            let rounds = if *keep { 0 } else { *rounds };
            let calibration = calibrate(rail, settings, (*scans).max(1), rounds, ui)?;
            if let Some(out) = out {
                calibration.write(out)?;
            }
            ui.result(&calibration.rows(), |_| calibration.text())
        }
    }
}

/// Scans of one layout that the final comparison uses; more say the same.
const MOST_SCANS: usize = 12;
/// Within so much of the measured figure a simulated one is as asked for.
const WITHIN: f64 = 0.20;

/// Measured and simulated figures of scans that served the fit, and of those that did not.
struct Calibration {
    start: Trial,
    found: Trial,
    misfits: [f64; 2],
    /// Name, measured, with the settings as they were, with those found.
    sets: Vec<(&'static str, Group, Group, Group)>,
}

/// One compared figure.
#[derive(Debug, Serialize)]
struct Row {
    scans: &'static str,
    figure: String,
    measured: f64,
    simulated: f64,
    simulated_fitted: f64,
    within: bool,
    fitted_within: bool,
}

fn calibrate(
    folder: &Path,
    settings: RadioSettings,
    scans: usize,
    rounds: usize,
    ui: &Ui,
) -> anyhow::Result<Calibration> {
    let mut sets: Vec<(&'static str, Vec<RailScan>)> = vec![("train", vec![]), ("held out", vec![])];
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "parquet" || e == "csv"))
        .filter(|p| !p.file_stem().is_some_and(|s| s.to_string_lossy().ends_with("_truth")))
        .collect();
    files.sort();
    anyhow::ensure!(!files.is_empty(), "{}: no reads table, expected NAME.parquet", folder.display());
    for file in files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let truth = load_truth(&folder.join(format!("{stem}_truth.csv"))).map_err(refused)?;
        ui.note(format!("reading {}", file.display()));
        let set = &mut sets[usize::from(!stem.starts_with("train"))].1;
        for scan in load_scans(&file).map_err(refused)?.scans {
            let own: Vec<_> = truth.iter().filter(|t| t.scan == scan.name).cloned().collect();
            set.extend(RailScan::join(scan, &own));
        }
    }
    let few = chosen(&sets[0].1, scans);
    let start = Trial { settings, rig: Rig::default() };
    let mut progress = ui.progress("fitting", (rounds * FREE.len()).max(1) as u64);
    let mut steps = 0;
    let (found, _) = fit(&few, &start, rounds, |name, misfit| {
        steps += 1;
        progress.at(steps, || format!("{name}, misfit {misfit:.4}"));
    })?;
    progress.finish();
    let mut misfits = [0.0; 2];
    let mut compared = Vec::new();
    for (name, scans) in sets {
        let scans = chosen(&scans, MOST_SCANS);
        ui.note(format!("simulating {} scans, {name}", scans.len()));
        let measured = reckon(&scans);
        let before = start.reckon(&scans)?;
        let after = if rounds == 0 { before.clone() } else { found.reckon(&scans)? };
        if name == "train" {
            misfits = [misfit(&before, &measured), misfit(&after, &measured)];
        }
        compared.push((name, measured, before, after));
    }
    Ok(Calibration { start, found, misfits, sets: compared })
}

/// The first scans of each layout, passes over the same tags together.
fn chosen(scans: &[RailScan], most: usize) -> Vec<RailScan> {
    let mut count = std::collections::BTreeMap::new();
    let take = |s: &&RailScan| {
        let n = count.entry(s.layout()).or_insert(0);
        *n += 1;
        *n <= most
    };
    scans.iter().filter(take).cloned().collect()
}

impl Calibration {
    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (scans, measured, before, after) in &self.sets {
            let mut add = |figure: String, m: f64, a: f64, b: f64| {
                if m.is_finite() {
                    let near = |v: f64| (v / m - 1.0).abs() <= WITHIN;
                    let (within, fitted_within) = (near(a), near(b));
                    rows.push(Row {
                        scans,
                        figure,
                        measured: m,
                        simulated: a,
                        simulated_fitted: b,
                        within,
                        fitted_within,
                    });
                }
            };
            for figure in FIGURES {
                for (layout, m) in &measured.layouts {
                    let of = |g: &Group| g.layouts.get(layout).map_or(f64::NAN, |f| (figure.of)(f));
                    add(format!("{}: {layout}", figure.name), (figure.of)(m), of(before), of(after));
                }
                let [m, a, b] = [measured, before, after].map(|g| {
                    let mut all = twin::rail::Figures::default();
                    g.layouts.values().for_each(|f| all.extend(f));
                    (figure.of)(&all)
                });
                add(format!("{}: all layouts", figure.name), m, a, b);
            }
            for (bin, low) in NOISE_BINS.iter().enumerate() {
                let [m, a, b] = [measured, before, after].map(|g| noise_rad(g, bin));
                let name = if low.is_finite() { format!("from {low} dBm") } else { "below -65 dBm".into() };
                add(format!("thermal phase std, rad: {name}"), m, a, b);
            }
        }
        rows
    }

    fn tables(&self, scans: &str) -> String {
        let mut text =
            String::from("| figure | measured | simulated | with fitted settings |\n|---|---|---|---|\n");
        let mark = |within: bool| if within { "" } else { " ✗" };
        for r in self.rows().iter().filter(|r| r.scans == scans) {
            let digits = if r.measured.abs() >= 10.0 { 1 } else { 3 };
            let _ = writeln!(
                text,
                "| {} | {:.digits$} | {:.digits$}{} | {:.digits$}{} |",
                r.figure,
                r.measured,
                r.simulated,
                mark(r.within),
                r.simulated_fitted,
                mark(r.fitted_within)
            );
        }
        text
    }

    fn settings(&self) -> String {
        let mut text = String::from("| setting | as it is | fitted |\n|---|---|---|\n");
        for free in &FREE {
            let (a, b) = (self.start.value(free), self.found.value(free));
            let _ = writeln!(text, "| {} | {a:.4} | {b:.4} |", free.name);
        }
        let [a, b] = self.misfits;
        text + &format!("| misfit, RMS of the logarithms | {:.3} | {:.3} |\n", a.sqrt(), b.sqrt())
    }

    fn text(&self) -> String {
        let rows = self.rows();
        let mut text = self.settings() + "\n";
        for (scans, ..) in &self.sets {
            let own = || rows.iter().filter(|r| r.scans == *scans);
            text += &format!("{scans} scans\n{}", self.tables(scans));
            text += &format!(
                "within {:.0}%: {} of {} as it is, {} fitted\n\n",
                100.0 * WITHIN,
                own().filter(|r| r.within).count(),
                own().count(),
                own().filter(|r| r.fitted_within).count()
            );
        }
        text
    }

    /// The Markdown file, with its plots in a folder of its name.
    fn write(&self, out: &Path) -> anyhow::Result<()> {
        let rows = self.rows();
        let plots = out.with_extension("").to_string_lossy().to_lowercase();
        std::fs::create_dir_all(&plots)?;
        let folder = Path::new(&plots).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut text = String::from(
            "# The radio beside the rail\n\nWritten by `shelfwright twin calibrate ../shared/data/rail --out twin/CALIBRATION.md`. \
             Each measured scan is simulated again: the same tags at the same places, the antenna at the same stops, scans of the same tags in \
             the same room. Figures of both are reckoned by the same code (`twin/src/rail/figures.rs`): residual phase at the true \
             places within 15 dB of a tag's peak, one constant a tag and carrier. \"Simulated\" is with the twin's settings as they are, \"fitted\" \
             with those that a pattern search over the train scans finds. ✗: more than 20% off.\n\n## Settings\n\n",
        );
        text += &self.settings();
        for (scans, measured, before, after) in &self.sets {
            let own = || rows.iter().filter(|r| r.scans == *scans);
            let n: usize = measured.layouts.values().map(|f| f.scans).sum();
            let _ = write!(
                text,
                "\n## {} scans ({n})\n\n{} of {} figures within 20% as it is, {} fitted.\n\n{}",
                if *scans == "train" { "Train" } else { "Held out" },
                own().filter(|r| r.within).count(),
                own().count(),
                own().filter(|r| r.fitted_within).count(),
                self.tables(scans)
            );
            if *scans == "train" {
                let name = "correlation.svg";
                std::fs::write(Path::new(&plots).join(name), correlation(measured, before, after).svg())?;
                let _ = write!(text, "\n![Correlation of the error along the rail]({folder}/{name})\n");
                let name = "residual.svg";
                std::fs::write(Path::new(&plots).join(name), residual(measured, before, after).svg())?;
                let _ = write!(text, "\n![Residual phase by spacing]({folder}/{name})\n");
                let name = "noise.svg";
                std::fs::write(Path::new(&plots).join(name), noise(measured, before, after).svg())?;
                let _ = write!(text, "\n![Thermal phase noise by RSSI]({folder}/{name})\n");
            }
        }
        std::fs::write(out, text).with_context(|| format!("cannot write {}", out.display()))
    }
}

fn lines(groups: [&Group; 3], points: impl Fn(&Group) -> Vec<(f64, f64)>) -> Vec<Line> {
    let names = ["measured", "simulated", "simulated, fitted"];
    names.iter().zip(groups).map(|(n, g)| Line { name: (*n).into(), points: points(g) }).collect()
}

fn correlation(m: &Group, a: &Group, b: &Group) -> Plot {
    let all = |g: &Group| {
        let mut all = twin::rail::Figures::default();
        g.layouts.values().for_each(|f| all.extend(f));
        all.correlation().into_iter().map(|(x, c)| (100.0 * x, c.max(0.0))).collect()
    };
    Plot {
        title: "How far the phase error stays alike along the rail, all layouts".into(),
        axes: ["distance, cm".into(), "autocorrelation (0 where negative)".into()],
        ends: [30.0, 1.0],
        ticks: [5.0, 0.2],
        lines: lines([m, a, b], all),
    }
}

fn residual(m: &Group, a: &Group, b: &Group) -> Plot {
    let by_pitch = |g: &Group| {
        let mut points: Vec<(f64, f64)> = g
            .layouts
            .iter()
            .filter(|(name, _)| !name.contains("rows"))
            .filter_map(|(name, f)| Some((name.split(' ').next()?.parse().ok()?, (FIGURES[0].of)(f))))
            .collect();
        points.sort_by(|x, y| x.0.total_cmp(&y.0));
        points
    };
    Plot {
        title: "Residual phase at the true place, one row".into(),
        axes: ["from tag to tag, cm".into(), "RMS, median, rad".into()],
        ends: [20.0, 1.2],
        ticks: [4.0, 0.2],
        lines: lines([m, a, b], by_pitch),
    }
}

fn noise(m: &Group, a: &Group, b: &Group) -> Plot {
    let by_rssi = |g: &Group| {
        let middle = [42.5, 47.5, 52.5, 57.5, 62.5, 67.5];
        middle.iter().enumerate().map(|(i, x)| (*x, noise_rad(g, i))).filter(|p| p.1.is_finite()).collect()
    };
    Plot {
        title: "Thermal phase noise".into(),
        axes: ["RSSI, -dBm".into(), "standard deviation, median, rad".into()],
        ends: [80.0, 0.12],
        ticks: [10.0, 0.02],
        lines: lines([m, a, b], by_rssi),
    }
}
