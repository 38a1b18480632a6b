//! `bag export`: topics as tables.

use std::path::PathBuf;

use bags::{Export, Selection, TableFormat, export};
use clap::{Args, ValueEnum};

use crate::ui::{Interrupted, Ui, interrupted, refused};

/// Arguments of `bag export`.
#[derive(Debug, Args)]
#[command(
    after_help = "One table for each topic, one row for each message; a message with a list of sightings,\n\
    errors or transforms makes a row for each. Times are nanoseconds, nested fields have dotted names.\n\n\
    Examples:\n  shelfwright bag export out/demo/bag --out tables\n  \
    shelfwright bag export out/demo/bag --topic '*/reads' --format parquet --out tables"
)]
pub struct ExportArgs {
    /// The bag.
    bag: PathBuf,
    /// Folder for the tables.
    #[arg(long)]
    out: PathBuf,
    /// Kind of table.
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Only these topics; `*` stands for any text.
    #[arg(long = "topic")]
    topics: Vec<String>,
    /// Not these topics.
    #[arg(long)]
    without: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Comma-separated values.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// Runs `bag export`.
pub fn run(args: &ExportArgs, ui: &Ui) -> anyhow::Result<()> {
    let format = match args.format {
        Format::Csv => TableFormat::Csv,
        Format::Parquet => TableFormat::Parquet,
    };
    let selection = Selection::default().topics(args.topics.clone()).without(args.without.clone());
    let done = export(&args.bag, selection, &args.out, format, |_| !interrupted()).map_err(refused)?;
    ui.result(&done, text)?;
    if interrupted() {
        return Err(Interrupted.into());
    }
    Ok(())
}

fn text(done: &Export) -> String {
    let mut text = String::new();
    for t in &done.tables {
        text += &format!("{:>9} rows  {}\n", t.rows, t.path.display());
    }
    for (topic, why) in &done.left_out {
        text += &format!("left out: {topic}: {why}\n");
    }
    if done.tables.is_empty() {
        text += "no such messages\n";
    }
    text
}
