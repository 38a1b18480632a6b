//! Locates every scan of the rail files and writes the figures into `positioning/EVALUATION.md`.
//!
//! `cargo run --release -p positioning --example evaluate -- FOLDER` with the folder that holds `NAME.parquet` and
//! `NAME_truth.csv`; a name after it restricts the run to that file, prints each scan and writes nothing.

#![allow(missing_docs, clippy::print_stdout)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use domain::Scan;
use domain::tables::{load_scans, load_truth};
use positioning::LocateSettings;
use positioning::evaluate::{ScanScore, ScoreTable, TrueTag, add_bounds, by_pitch, evaluate, pool};
use positioning::peers::Method;

type AnyError = Box<dyn std::error::Error>;

fn main() -> Result<(), AnyError> {
    let mut args = std::env::args_os().skip(1);
    let folder = PathBuf::from(args.next().ok_or("usage: evaluate FOLDER [NAME]")?);
    let only = args.next().map(|n| n.to_string_lossy().into_owned());
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".parquet")
            && only.as_ref().is_none_or(|o| o == name)
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    let mut report = String::from(HEAD);
    // The published methods are shown where nothing was chosen.
    let shown = |name: &str, way: Method| matches!(way, Method::Ours | Method::Fit) || name == "dev";
    let ways = names.iter().flat_map(|n| Method::ALL.map(|w| (n, w))).filter(|(n, w)| shown(n, *w));
    for (name, way) in ways {
        let run = run(&folder, name, way)?;
        let way = match way {
            Method::Ours => "",
            Method::Fit => ", fit alone",
            Method::RfScanner => ", as RF-Scanner",
            Method::Tagoram => ", as Tagoram",
        };
        let mut groups = by_pitch(&run.scores);
        groups.push(("all".into(), pool(&run.scores)));
        let title = format!(
            "\n## `{name}`{way}: {} scans, {} tags, carriers: {}\n\n",
            run.scores.len(),
            run.tags,
            run.carriers
        );
        let speed = format!(
            "\n{:.1} million reads, {:.1} million reads/s, {:.2} ms a tag on one core.\n",
            run.reads as f64 / 1e6,
            run.reads as f64 / 1e6 / run.seconds,
            run.seconds * 1e3 / f64::from(run.tags)
        );
        write!(report, "{title}{}{speed}", ScoreTable(&groups))?;
        if only.is_some() {
            groups.extend(run.scores.iter().map(|s| (s.scan.clone(), s.score.clone())));
        }
        println!("{title}{}{speed}", ScoreTable(&groups));
    }
    if only.is_none() {
        let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("EVALUATION.md");
        std::fs::write(&out, report).map_err(|e| format!("{}: {e}", out.display()))?;
    }
    Ok(())
}

struct Run {
    scores: Vec<ScanScore>,
    tags: u32,
    carriers: usize,
    reads: usize,
    seconds: f64,
}

fn run(folder: &Path, name: &str, way: Method) -> Result<Run, AnyError> {
    let loaded = load_scans(&folder.join(format!("{name}.parquet")))?;
    let truth: Vec<TrueTag> = load_truth(&folder.join(format!("{name}_truth.csv")))?
        .into_iter()
        .map(|t| TrueTag { scan: t.scan, uid: t.epc, x_m: t.x_m, row: t.row })
        .collect();
    let settings = LocateSettings::default();
    let start = Instant::now();
    let sightings: Vec<_> = loaded.scans.iter().flat_map(|s| way.locate_row(s, &settings)).collect();
    let seconds = start.elapsed().as_secs_f64();
    let mut scores = evaluate(&sightings, &truth);
    add_bounds(&mut scores, &loaded.scans, &sightings, &truth, &settings);
    Ok(Run {
        seconds,
        scores,
        tags: loaded.scans.iter().map(|s| s.tags.len() as u32).sum(),
        carriers: loaded.scans.iter().map(carriers).max().unwrap_or(0),
        reads: loaded.scans.iter().map(|s| s.reads.len()).sum(),
    })
}

fn carriers(scan: &Scan) -> usize {
    let mut hz: Vec<u64> = scan.reads.iter().map(|r| r.frequency_hz.round() as u64).collect();
    hz.sort_unstable();
    hz.dedup();
    hz.len()
}

const HEAD: &str = "\
# How well tags are located: the rail

Real reads of tags at known places (the public AdaRF recordings as reads tables), located by `locate_row` with its
default settings; no layout, spacing, row membership or order is known to it. Each file is located by fit and decoder
(the default) and by the fit alone; `dev` also by two published methods, written after their papers (`peers.rs`) and given the
same averaged reads. Made by

    cargo run --release -p positioning --example evaluate -- ../shared/data/rail

The decoder is taught by simulation alone ([DECODER.md](DECODER.md)); no read here was in its lessons. The ranges that its lessons' radios are
drawn from were narrowed by `train_d2` and `train_d3` ([CALIBRATE.md](CALIBRATE.md)); the layouts of the other files are new to it in every way. `dev` chose nothing. The
`train_*` files chose the fit's power weight, the factors of the stated deviations, the way profiles are unwrapped, and the length of training. All tags of a row
count, its ends too. `pairs %`: neighbours within a row in the right order; `rank %`: tags at exactly their place in their row; `debiased`: without each scan's median offset (the rail's
origin is known to a centimetre); `error/std`: RMS of the debiased error over the stated standard deviation, and the shares
within one and two of them (68 and 95 are honest); `bound`: Cramér-Rao bounds of x, mean over the tags, with thermal noise alone and with the
free-space model's error as these reads show it, taken for noise that is alike over 8 cm of track (a decoder that knows where that
error comes from may be better than the second; the thermal one is far away: what is left to gain is all in the model). Times are without reading the file. Spacing is the smallest in a row.
";
