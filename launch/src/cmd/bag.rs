//! `shelfwright bag`: what is in a bag, and whether it is whole.

use std::path::PathBuf;

use bags::{Info, Reader, info};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::ui::{Ui, refused};

/// Arguments of `bag`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  shelfwright bag info out/demo/bag\n  shelfwright bag check run.mcap --json"
)]
pub struct BagArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Topics, types, counts and time span.
    Info {
        /// The bag: a folder or an .mcap file.
        bag: PathBuf,
    },
    /// Decode every message; fails on a damaged bag, and says where a cut one ends.
    Check {
        /// The bag: a folder or an .mcap file.
        bag: PathBuf,
    },
}

#[derive(Debug, Serialize)]
struct Checked {
    messages: u64,
    malformed: Vec<String>,
    skipped_types: std::collections::BTreeMap<String, u64>,
    /// Where the bag ends too early; null when it is whole.
    cut: Option<String>,
}

/// Runs `bag`.
pub fn run(args: &BagArgs, ui: &Ui) -> anyhow::Result<()> {
    match &args.action {
        Action::Info { bag } => ui.result(&info(bag).map_err(refused)?, text),
        Action::Check { bag } => check(bag, ui),
    }
}

fn text(info: &Info) -> String {
    let span = info.start_ns.zip(info.end_ns).map_or(0.0, |(a, b)| (b - a) as f64 * 1e-9);
    let mut text = format!("{} messages over {span:.1} s\n", info.messages);
    if info.cut {
        text += "cut off: the bag ends in the middle of a record\n";
    }
    for t in &info.topics {
        let unknown = if t.known { "" } else { "  (type not known here, skipped)" };
        text += &format!("{:>9}  {:<32} {}{unknown}\n", t.messages, t.topic, t.type_name);
    }
    text
}

/// Malformed messages that are named one by one.
const NAMED: usize = 20;

fn check(bag: &PathBuf, ui: &Ui) -> anyhow::Result<()> {
    let mut reader = Reader::open(bag).map_err(refused)?;
    let (mut messages, mut malformed) = (0, Vec::new());
    for publication in &mut reader {
        match publication {
            Ok(_) => messages += 1,
            Err(error) => malformed.push(error.to_string()),
        }
    }
    let found = malformed.len();
    malformed.truncate(NAMED);
    let checked = Checked {
        messages,
        malformed,
        skipped_types: reader.skipped().clone(),
        cut: reader.cut().map(|c| format!("{} ends after {} messages", c.path.display(), c.messages)),
    };
    ui.result(&checked, |c| {
        let mut text = format!("{} messages decoded\n", c.messages);
        for (name, count) in &c.skipped_types {
            text += &format!("skipped: {count} of {name}, a type that is not known here\n");
        }
        for error in &c.malformed {
            text += &format!("malformed: {error}\n");
        }
        text += &c.cut.as_ref().map_or_else(|| "whole\n".into(), |cut| format!("cut off: {cut}\n"));
        text
    })?;
    anyhow::ensure!(found == 0, "{found} malformed messages in {}", bag.display());
    Ok(())
}
