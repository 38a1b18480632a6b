//! Real reads: calibrated on some layouts, tested on others.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::courses::{Course, ranges};
use crate::{AnyError, Bench};

const COURSE: Course = Course { kind: "rows", lessons: 20_000, steps: 5_000 };
const SEEDS: [u64; 1] = [7];
/// What is calibrated on, and what is tested on then.
const FOLDS: [(&str, &[&str], &[&str]); 2] = [
    ("a", &["train_d2", "train_d3"], &["train_d4", "train_d5", "dev"]),
    ("b", &["train_d2", "train_d4", "train_d5"], &["train_d3", "dev"]),
];

pub fn report(bench: &Bench) -> Result<String, AnyError> {
    let Some(rail) = tests::shared("data/rail") else {
        return Ok("\n## Real reads\n\nThe rail data were not there.\n".into());
    };
    let mut text = format!(
        "\n## Real reads\n\nThe rail's reads (`../shared/data/rail`). Each file has one order of its tags; calibrated on some files, \
        tested on others. Wide and narrowed priors have the same short course of {} lessons and {} steps, a \
        part of the default one: what is compared is the priors, not the default weights.\n",
        COURSE.lessons, COURSE.steps
    );
    for (fold, from, to) in FOLDS {
        let prior = bench.folder.join(format!("rows_{fold}.toml"));
        println!("calibrating {}", prior.display());
        let mut arguments: Vec<PathBuf> = vec!["calibrate".into(), "rows".into()];
        for name in from {
            arguments.push(rail.join(format!("{name}.parquet")));
            arguments.extend(["--truth".into(), rail.join(format!("{name}_truth.csv"))]);
        }
        arguments.extend(["--out".into(), prior.clone()]);
        let found = bench.run(&arguments)?;
        writeln!(text, "\n### Calibrated on {}\n", from.join(", "))?;
        writeln!(text, "{}.\n", found["provenance"]["from"].as_str().unwrap_or(""))?;
        text += &ranges(&found);
        writeln!(text, "\nPairs in order % / exact rank % / debiased mean error cm:\n")?;
        let mut lines: Vec<(String, Vec<Vec<Line>>)> = Vec::new();
        for (name, prior) in [("wide", None), ("narrowed", Some(prior.as_path()))] {
            let label = if prior.is_some() { format!("narrowed_{fold}") } else { name.to_owned() };
            for seed in SEEDS {
                let weights = bench.learn(COURSE, prior, &label, seed)?;
                let tested = to.iter().map(|t| test(bench, &rail, t, &weights)).collect::<Result<_, _>>()?;
                lines.push((format!("{name}, seed {seed}"), tested));
            }
        }
        text += &table(to, &lines)?;
    }
    Ok(text)
}

/// Pitch, pairs, pairs right, exact ranks, tags, and sum of the debiased errors, cm.
type Line = (String, [f64; 5]);

fn test(bench: &Bench, rail: &Path, name: &str, weights: &Path) -> Result<Vec<Line>, AnyError> {
    let params = weights.with_extension("params.toml");
    let file = weights.file_name().unwrap_or_default().to_string_lossy();
    std::fs::write(&params, format!("[decoder]\nrows = \"{file}\"\n"))?;
    let located = bench.run([
        "locate".into(),
        rail.join(format!("{name}.parquet")),
        "--truth".into(),
        rail.join(format!("{name}_truth.csv")),
        "--params".into(),
        params,
    ])?;
    let by_pitch = located["evaluation"]["by_pitch"].as_object().ok_or("no evaluation")?;
    let number = |s: &serde_json::Value, key: &str| s[key].as_f64().unwrap_or(f64::NAN);
    Ok(by_pitch
        .iter()
        .map(|(pitch, s)| {
            let tags = number(s, "tags");
            let error = s["debiased_cm"][0].as_f64().unwrap_or(f64::NAN);
            let sums =
                [number(s, "pairs"), number(s, "pairs_right"), number(s, "exact_rank"), tags, tags * error];
            (pitch.clone(), sums)
        })
        .collect())
}

fn table(files: &[&str], lines: &[(String, Vec<Vec<Line>>)]) -> Result<String, AnyError> {
    let mut text = String::from("| prior |");
    let mut rule = String::from("\n|---|");
    let Some((_, first)) = lines.first() else { return Ok(text) };
    for (file, tested) in files.iter().zip(first) {
        for (pitch, _) in tested {
            write!(text, " {file}, {pitch} |")?;
            rule += "---|";
        }
    }
    text += " all |";
    text += &rule;
    text += "---|\n";
    for (name, tested) in lines {
        write!(text, "| {name} |")?;
        let mut all = [0.0; 5];
        for (_, sums) in tested.iter().flatten() {
            all = std::array::from_fn(|i| all[i] + sums[i]);
            write!(text, " {} |", cell(sums))?;
        }
        writeln!(text, " {} |", cell(&all))?;
    }
    Ok(text)
}

fn cell([pairs, right, ranks, tags, error]: &[f64; 5]) -> String {
    format!("{:.1} / {:.1} / {:.2}", 100.0 * right / pairs, 100.0 * ranks / tags, error / tags)
}
