//! `shelfwright bag`: what is in a bag, whether it is whole, parts of it, tables of it, and today's nodes on it.

mod compare;
mod edit;
mod export;
mod look;
mod prune;
mod replay;
pub mod span;

use clap::{Args, Subcommand};

use crate::ui::{Interrupted, Ui, refused};

/// Arguments of `bag`.
#[derive(Debug, Args)]
#[command(
    after_help = "A bag is a folder with .mcap or .db3 files, as ROS 2 records it, or such a file alone.\n\n\
    Examples:\n  shelfwright bag info out/demo/bag\n  \
    shelfwright bag check run.mcap --json\n  \
    shelfwright bag cut out/demo/bag --from 30 --to 90 --out clip\n  \
    shelfwright bag filter out/demo/bag --without '*/image' --out slim\n  \
    shelfwright bag export out/demo/bag --topic '*/reads' --format parquet --out tables\n  \
    shelfwright bag replay out/demo/bag --nodes locator,auditor --compare"
)]
pub struct BagArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Record topics of any type from the ROS 2 network.
    #[cfg(feature = "ros2")]
    Record(crate::ros::record::RecordArgs),
    /// Topics, types, counts, rates and time span.
    Info(look::InfoArgs),
    /// Hold a bag against every rule of its formats; fails where one is broken.
    Check(look::CheckArgs),
    /// Copy a span of time into a new bag.
    Cut(edit::CutArgs),
    /// Join bags into one, in order of time; also renews index and metadata of a single one.
    Merge(edit::MergeArgs),
    /// Copy some topics into a new bag.
    Filter(edit::FilterArgs),
    /// Write topics as CSV or Parquet tables.
    Export(export::ExportArgs),
    /// Run recorded inputs through today's nodes.
    Replay(replay::ReplayArgs),
    /// Compare the results in two bags: sightings and shelf errors side by side.
    Compare(compare::CompareArgs),
    /// Remove old bags by age or size.
    Prune(prune::PruneArgs),
}

/// Runs `bag`.
pub fn run(args: &BagArgs, ui: &Ui) -> anyhow::Result<()> {
    match &args.action {
        #[cfg(feature = "ros2")]
        Action::Record(args) => crate::ros::record::run(args, ui),
        Action::Info(args) => look::info(args, ui),
        Action::Check(args) => look::check(args, ui),
        Action::Cut(args) => edit::cut(args, ui),
        Action::Merge(args) => edit::merge(args, ui),
        Action::Filter(args) => edit::filter(args, ui),
        Action::Export(args) => export::run(args, ui),
        Action::Replay(args) => replay::run(args, ui),
        Action::Compare(args) => compare::run(args, ui),
        Action::Prune(args) => prune::run(args, ui),
    }
}

/// A bag's error as the command's: Ctrl-C, or an input that is refused.
pub fn told(error: bags::BagError) -> anyhow::Error {
    match error {
        bags::BagError::Interrupted => Interrupted.into(),
        other => refused(other),
    }
}
