//! `bag info` and `bag check`.

use std::path::PathBuf;

use bags::{Checked, Info, Severity, check_while, info_while};
use clap::Args;

use super::told;
use crate::ui::{Ui, interrupted};

/// Arguments of `bag info`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  shelfwright bag info out/demo/bag --json")]
pub struct InfoArgs {
    /// The bag.
    bag: PathBuf,
}

/// Arguments of `bag check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads every byte: record structure, checksums, index, statistics, metadata.yaml, and the\n\
    content of every message of a known type. Exit code 0: no rule is broken (there may be\n\
    warnings); 1: some are; 3: this is no bag.\n\nExamples:\n  shelfwright bag check out/demo/bag\n  \
    shelfwright bag check run.mcap --json"
)]
pub struct CheckArgs {
    /// The bag.
    bag: PathBuf,
}

/// Runs `bag info`.
pub fn info(args: &InfoArgs, ui: &Ui) -> anyhow::Result<()> {
    let info = info_while(&args.bag, || !interrupted()).map_err(told)?;
    ui.result(&info, text)
}

fn text(info: &Info) -> String {
    let span = info.start_ns.zip(info.end_ns).map_or(0.0, |(a, b)| (b - a) as f64 * 1e-9);
    let files = if info.files.len() == 1 { String::new() } else { format!(" in {} files", info.files.len()) };
    let mut text =
        format!("{} messages over {span:.1} s{files}, {:.1} MB\n", info.messages, info.bytes as f64 * 1e-6);
    if info.cut {
        text += "cut off: the bag ends in the middle of a record\n";
    }
    for t in &info.topics {
        let unknown = if t.known { "" } else { "  (type not known here, skipped)" };
        let rate = if span > 0.0 { format!("{:.1}/s", t.messages as f64 / span) } else { String::new() };
        text += &format!("{:>9} {rate:>9}  {:<32} {}{unknown}\n", t.messages, t.topic, t.type_name);
    }
    text
}

/// Runs `bag check`.
pub fn check(args: &CheckArgs, ui: &Ui) -> anyhow::Result<()> {
    let checked = check_while(&args.bag, || !interrupted()).map_err(told)?;
    ui.result(&checked, check_text)?;
    anyhow::ensure!(checked.errors == 0, "{}: {} errors", args.bag.display(), checked.errors);
    Ok(())
}

fn check_text(c: &Checked) -> String {
    let mut text = String::new();
    for f in &c.findings {
        let word = match f.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        text += &format!("{word}: {}: {}\n", f.file.display(), f.problem);
    }
    let more = c.errors + c.warnings - c.findings.len() as u64;
    if more > 0 {
        text += &format!("and {more} more\n");
    }
    for (name, count) in &c.unknown_types {
        text += &format!("not decoded: {count} of {name}, a type that is not known here\n");
    }
    text += &format!(
        "{} messages in {} file{}, {} errors, {} warnings\n",
        c.messages,
        c.files,
        if c.files == 1 { "" } else { "s" },
        c.errors,
        c.warnings
    );
    text
}
