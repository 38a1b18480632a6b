//! Short courses of `shelfwright learn`, the same for wide and narrowed priors.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{AnyError, Bench};

/// What a course costs: its kind, lessons and steps.
#[derive(Clone, Copy)]
pub struct Course {
    pub kind: &'static str,
    pub lessons: u64,
    pub steps: u64,
}

impl Bench {
    /// Runs the program and gives its result.
    pub fn run<I: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = I>,
    ) -> Result<serde_json::Value, AnyError> {
        let mut command = Command::new(&self.program);
        command.args(["--json", "--quiet"]).args(arguments);
        let ran = command.output()?;
        if !ran.status.success() {
            return Err(format!("{command:?}: {}", String::from_utf8_lossy(&ran.stderr)).into());
        }
        Ok(serde_json::from_slice(&ran.stdout)?)
    }

    /// Weights taught by a course from a prior, the default one or a file; made only where they do not lie there already.
    pub fn learn(
        &self,
        course: Course,
        prior: Option<&Path>,
        name: &str,
        seed: u64,
    ) -> Result<PathBuf, AnyError> {
        let Course { kind, lessons, steps } = course;
        let out = self.folder.join(format!("{kind}_{name}_{seed}.weights"));
        // The prior as it was when they were made lies beside them.
        let beside = out.with_extension("prior.toml");
        let wanted = prior.map(std::fs::read_to_string).transpose()?.unwrap_or_default();
        if let Ok(shown) = self.run(["learn".as_ref(), "show".as_ref(), out.as_os_str()]) {
            let ran = shown["provenance"]["command"].as_str().unwrap_or("");
            let same = format!("shelfwright learn {kind} --lessons {lessons} --steps {steps} --seed {seed}");
            if ran.starts_with(&same) && std::fs::read_to_string(&beside).ok().as_deref() == Some(&wanted) {
                return Ok(out);
            }
        }
        println!("learning {}", out.display());
        let numbers = [lessons.to_string(), steps.to_string(), seed.to_string()];
        let mut arguments: Vec<&std::ffi::OsStr> = vec!["learn".as_ref(), kind.as_ref()];
        for (flag, value) in ["--lessons", "--steps", "--seed"].iter().zip(&numbers) {
            arguments.extend([flag.as_ref(), value.as_ref() as &std::ffi::OsStr]);
        }
        if let Some(prior) = prior {
            arguments.extend(["--prior".as_ref(), prior.as_os_str()]);
        }
        arguments.extend(["--out".as_ref(), out.as_os_str()]);
        self.run(arguments)?;
        std::fs::write(&beside, wanted)?;
        Ok(out)
    }
}

/// A table of narrowed ranges from a result of `calibrate`.
pub fn ranges(found: &serde_json::Value) -> String {
    let short = |v: &serde_json::Value| {
        let v = v.as_f64().unwrap_or(f64::NAN);
        let digits = if v.abs() >= 100.0 {
            0
        } else if v.abs() >= 10.0 {
            1
        } else {
            3
        };
        format!("{v:.digits$}")
    };
    let mut text = String::from("| parameter | default | narrowed | middle |\n|---|---|---|---|\n");
    for f in found["findings"].as_array().into_iter().flatten() {
        let range = |key: &str| format!("{} to {}", short(&f[key][0]), short(&f[key][1]));
        let narrowed = if f["told"] == true { range("range") } else { "as it was".to_owned() };
        text += &format!(
            "| `{}` | {} | {narrowed} | {} |\n",
            f["key"].as_str().unwrap_or(""),
            range("default"),
            short(&f["median"])
        );
    }
    let unlike: Vec<&str> =
        found["unlike"].as_array().into_iter().flatten().filter_map(|u| u[0].as_str()).collect();
    text += &format!(
        "\nOf {} figures {} are beyond what the kept radios show{}{}; ranges are {} times as wide as their central 90%.\n",
        found["figures"],
        unlike.len(),
        if unlike.is_empty() { "" } else { ": " },
        unlike.join(", "),
        found["widened"]
    );
    text
}
