//! The file of a narrowed prior: TOML that `shelfwright learn --prior` reads, with where it comes from as comments.

use std::fmt::Write as _;

use serde::Serialize;

use super::narrow::Narrowed;

/// Where a narrowed prior comes from, for its file's head.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Provenance {
    /// The command that makes it again.
    pub command: String,
    /// What was passed: one line for people.
    pub from: String,
    /// Seed of the draws.
    pub seed: u64,
}

/// The text of the file: `prior` is the whole prior with the ranges found.
///
/// # Errors
/// What cannot be written as TOML; no prior of ours.
pub fn prior_file(
    prior: &impl Serialize,
    found: &Narrowed,
    made: &Provenance,
) -> Result<String, toml::ser::Error> {
    let mut text = String::new();
    let mut say = |line: &str| {
        let _ = writeln!(text, "# {line}");
    };
    say("A radio prior for `shelfwright learn --prior`, narrowed by `shelfwright calibrate`.");
    say(&format!("Made by: {}", made.command));
    say(&format!("From: {}", made.from));
    say(&format!(
        "{} radios were drawn with seed {}, the {} nearest kept, {:.2} deviations away in the mean.",
        found.draws, made.seed, found.kept, found.distance
    ));
    say(&format!(
        "A range is the central 90% of what they leave open, made {} times as wide.",
        found.widened
    ));
    let silent: Vec<&str> = found.findings.iter().filter(|f| !f.told).map(|f| f.key).collect();
    if !silent.is_empty() {
        say(&format!("The passes say nothing of {}: as wide as before.", silent.join(", ")));
    }
    if !found.unlike.is_empty() {
        let names: Vec<&str> = found.unlike.iter().map(|u| u.0.as_str()).collect();
        say(&format!(
            "Not repeated by any kept radio, {} of {} figures: {}.",
            names.len(),
            found.figures,
            names.join("; ")
        ));
    }
    text.push('\n');
    for line in toml::to_string(prior)?.lines() {
        let key = line.split('=').next().unwrap_or("").trim();
        match found.findings.iter().find(|f| f.key == key).filter(|f| f.told && line.ends_with(']')) {
            Some(f) => {
                let n = rounded;
                let _ = writeln!(
                    text,
                    "{line} # {} the default's {} to {}, middle {}",
                    percent(f.width),
                    n(f.default[0]),
                    n(f.default[1]),
                    n(f.median)
                );
            }
            None => {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    Ok(text)
}

fn percent(width: f64) -> String {
    format!("{:.0}% of", 100.0 * width)
}

/// A number to four figures.
pub(super) fn rounded(v: f64) -> f64 {
    if v == 0.0 || !v.is_finite() {
        return v;
    }
    let scale = libm::exp10(3.0 - libm::floor(libm::log10(v.abs())));
    (v * scale).round() / scale
}
