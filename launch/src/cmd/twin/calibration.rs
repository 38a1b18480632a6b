//! Measured against simulated figures of the rail: the comparison, its tables and its plots.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::tables::{load_scans, load_truth};
use serde::Serialize;
use twin::plot::{Line, Plot};
use twin::radio::RadioSettings;
use twin::rail::{
    Draws, FIGURES, FREE, Figures, Group, NOISE_BINS, RailScan, Rig, Spread, Trial, fit, misfit, noise_rad,
    reckon,
};

use crate::ui::{Ui, refused};

/// Scans of one layout that the final comparison uses; more say the same.
const MOST_SCANS: usize = 12;
/// Within so much of the measured figure a simulated one is as asked for.
const WITHIN: f64 = 0.20;

/// Measured and simulated figures of scans that served the fit, and of those that did not.
pub(super) struct Calibration {
    start: Trial,
    found: Trial,
    misfits: [f64; 2],
    draws: u64,
    /// Name, measured, with the settings as they were, with those found.
    sets: Vec<(&'static str, Group, Draws, Draws)>,
}

/// How much is simulated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    /// Scans of each layout that a fit simulates again and again.
    pub(super) scans: usize,
    /// Draws of tags and room.
    pub(super) draws: u64,
    /// Rounds over all free settings.
    pub(super) rounds: usize,
}

/// One compared figure.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    scans: &'static str,
    figure: String,
    measured: f64,
    simulated: Compared,
    simulated_fitted: Compared,
}

/// A simulated figure beside the measured one.
#[derive(Debug, Serialize)]
struct Compared {
    /// Over the draws.
    median: f64,
    /// 10% and 90% of the draws.
    range: [f64; 2],
    /// Whether the median is near enough.
    within: bool,
    /// Whether the measured figure, a single draw itself, lies in the range.
    among_the_draws: bool,
}

impl Compared {
    fn new(measured: f64, spread: Spread) -> Self {
        Self {
            median: spread.median,
            range: [spread.low, spread.high],
            within: (spread.median / measured - 1.0).abs() <= WITHIN,
            among_the_draws: spread.holds(measured),
        }
    }

    fn cell(&self, digits: usize) -> String {
        let Self { median, range: [low, high], .. } = self;
        let mark = match (self.within, self.among_the_draws) {
            (true, _) => "",
            (false, true) => " ✗ drawn",
            (false, false) => " ✗",
        };
        format!("{median:.digits$} ({low:.digits$} to {high:.digits$}){mark}")
    }
}

pub(super) fn calibrate(
    folder: &Path,
    settings: RadioSettings,
    Effort { scans, draws, rounds }: Effort,
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
    let (found, _) = fit(&few, &start, rounds, draws, |name, misfit| {
        steps += 1;
        progress.at(steps, || format!("{name}, misfit {misfit:.4}"));
    })?;
    progress.finish();
    let mut misfits = [0.0; 2];
    let mut compared = Vec::new();
    for (name, scans) in sets {
        let scans = chosen(&scans, MOST_SCANS);
        ui.note(format!("simulating {} scans {draws} times, {name}", scans.len()));
        let measured = reckon(&scans);
        let before = start.reckon(&scans, draws)?;
        let after = if rounds == 0 { before.clone() } else { found.reckon(&scans, draws)? };
        if name == "train" {
            misfits = [misfit(&before, &measured), misfit(&after, &measured)];
        }
        compared.push((name, measured, before, after));
    }
    Ok(Calibration { start, found, misfits, draws, sets: compared })
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
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (scans, measured, before, after) in &self.sets {
            let mut add = |figure: String, of: &dyn Fn(&Group) -> f64| {
                let m = of(measured);
                if m.is_finite() {
                    let [simulated, simulated_fitted] =
                        [before, after].map(|draws| Compared::new(m, draws.spread(of)));
                    rows.push(Row { scans, figure, measured: m, simulated, simulated_fitted });
                }
            };
            for figure in FIGURES {
                for layout in measured.layouts.keys() {
                    let of = |g: &Group| g.layouts.get(layout).map_or(f64::NAN, figure.of);
                    add(format!("{}: {layout}", figure.name), &of);
                }
                add(format!("{}: all layouts", figure.name), &|g| (figure.of)(&together(g)));
            }
            for (bin, low) in NOISE_BINS.iter().enumerate() {
                let name = if low.is_finite() { format!("from {low} dBm") } else { "below -65 dBm".into() };
                add(format!("thermal phase std, rad: {name}"), &|g| noise_rad(g, bin));
            }
        }
        rows
    }

    /// How many figures of some scans are near enough, as it is and fitted, and how many of the others are among the draws.
    fn count(&self, scans: &str) -> String {
        let rows: Vec<Row> = self.rows().into_iter().filter(|r| r.scans == scans).collect();
        let say = |of: fn(&Row) -> &Compared| {
            let within = rows.iter().filter(|r| of(r).within).count();
            let drawn = rows.iter().filter(|r| !of(r).within && of(r).among_the_draws).count();
            format!(
                "{within} of {} (of the other {}, {drawn} among the draws)",
                rows.len(),
                rows.len() - within
            )
        };
        format!(
            "within {:.0}%: {} as it is, {} fitted",
            100.0 * WITHIN,
            say(|r| &r.simulated),
            say(|r| &r.simulated_fitted)
        )
    }

    fn tables(&self, scans: &str) -> String {
        let mut text =
            String::from("| figure | measured | simulated | with fitted settings |\n|---|---|---|---|\n");
        for r in self.rows().iter().filter(|r| r.scans == scans) {
            let digits = if r.measured.abs() >= 10.0 { 1 } else { 3 };
            let _ = writeln!(
                text,
                "| {} | {:.digits$} | {} | {} |",
                r.figure,
                r.measured,
                r.simulated.cell(digits),
                r.simulated_fitted.cell(digits)
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

    pub(super) fn text(&self) -> String {
        let mut text = self.settings() + "\n";
        for (scans, ..) in &self.sets {
            text += &format!("{scans} scans\n{}{}\n\n", self.tables(scans), self.count(scans));
        }
        text
    }

    /// The Markdown file, with its plots in a folder of its name.
    pub(super) fn write(&self, out: &Path) -> anyhow::Result<()> {
        let plots = out.with_extension("").to_string_lossy().to_lowercase();
        std::fs::create_dir_all(&plots)?;
        let folder = Path::new(&plots).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut text = format!(
            "# The radio beside the rail\n\nWritten by `shelfwright twin calibrate ../shared/data/rail --out twin/CALIBRATION.md`. \
             Each measured scan is simulated again: the same tags at the same places, the antenna at the same stops, scans of the same tags in \
             the same room. Figures of both are reckoned by the same code (`twin/src/rail/figures.rs`): residual phase at the true \
             places within 15 dB of a tag's peak, one constant a tag and carrier. \"Simulated\" is with the twin's settings as they are, \"fitted\" \
             with those that a pattern search over the train scans finds.\n\n\
             The rail is one draw of its tags' impedances and of the room. The simulation draws both {} times: a simulated figure is the \
             median over the draws, in brackets the range from 10% to 90% of them. ✗: the median is more than 20% off; \"drawn\": and yet the \
             measured figure lies within the range of the draws.\n\n## Settings\n\n",
            self.draws
        );
        text += &self.settings();
        for (scans, measured, before, after) in &self.sets {
            let n: usize = measured.layouts.values().map(|f| f.scans).sum();
            let _ = write!(
                text,
                "\n## {} scans ({n})\n\nFigures {}.\n\n{}",
                if *scans == "train" { "Train" } else { "Held out" },
                self.count(scans),
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

/// All layouts of a group as one.
fn together(group: &Group) -> Figures {
    let mut all = Figures::default();
    group.layouts.values().for_each(|f| all.extend(f));
    all
}

/// Points of measured and of simulated figures; those of draws are medians, place by place.
fn lines(
    measured: &Group,
    before: &Draws,
    after: &Draws,
    points: impl Fn(&Group) -> Vec<(f64, f64)>,
) -> Vec<Line> {
    let middle = |draws: &Draws| {
        let all: Vec<Vec<(f64, f64)>> = draws.0.iter().map(&points).collect();
        let mut places: Vec<f64> = all.iter().flatten().map(|p| p.0).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let at = |x: f64| {
            let mut values: Vec<f64> = all.iter().flatten().filter(|p| p.0 == x).map(|p| p.1).collect();
            values.sort_by(f64::total_cmp);
            (x, values[values.len() / 2])
        };
        places.into_iter().map(at).collect()
    };
    let line = |name: &str, points| Line { name: name.into(), points };
    vec![
        line("measured", points(measured)),
        line("simulated", middle(before)),
        line("simulated, fitted", middle(after)),
    ]
}

fn correlation(m: &Group, a: &Draws, b: &Draws) -> Plot {
    let all =
        |g: &Group| together(g).correlation().into_iter().map(|(x, c)| (100.0 * x, c.max(0.0))).collect();
    Plot {
        title: "How far the phase error stays alike along the rail, all layouts".into(),
        axes: ["distance, cm".into(), "autocorrelation (0 where negative)".into()],
        ends: [30.0, 1.0],
        ticks: [5.0, 0.2],
        lines: lines(m, a, b, all),
    }
}

fn residual(m: &Group, a: &Draws, b: &Draws) -> Plot {
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
        lines: lines(m, a, b, by_pitch),
    }
}

fn noise(m: &Group, a: &Draws, b: &Draws) -> Plot {
    let by_rssi = |g: &Group| {
        let middle = [42.5, 47.5, 52.5, 57.5, 62.5, 67.5];
        middle.iter().enumerate().map(|(i, x)| (*x, noise_rad(g, i))).filter(|p| p.1.is_finite()).collect()
    };
    Plot {
        title: "Thermal phase noise".into(),
        axes: ["RSSI, -dBm".into(), "standard deviation, median, rad".into()],
        ends: [80.0, 0.12],
        ticks: [10.0, 0.02],
        lines: lines(m, a, b, by_rssi),
    }
}
