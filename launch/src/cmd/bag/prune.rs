//! `bag prune`: the end of old bags.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bags::{Removed, Retention, retain};
use clap::Args;

use crate::ui::{Ui, refused};

/// Arguments of `bag prune`.
#[derive(Debug, Args)]
#[command(
    after_help = "Removes bag folders directly below ROOT, oldest first. Folders with anything else in\n\
    them stay.\n\nExamples:\n  shelfwright bag prune /var/lib/shelfwright/bags --older-than 30 --dry-run\n  \
    shelfwright bag prune /var/lib/shelfwright/bags --keep-gb 200"
)]
pub struct PruneArgs {
    /// Folder of the bags.
    root: PathBuf,
    /// Remove bags that were last written more than so many days ago.
    #[arg(long, value_name = "DAYS", required_unless_present = "keep_gb")]
    older_than: Option<u32>,
    /// Remove the oldest bags until all have at most so many GB.
    #[arg(long, value_name = "GB")]
    keep_gb: Option<u32>,
    /// Only say what would go.
    #[arg(long)]
    dry_run: bool,
}

/// Runs `bag prune`.
pub fn run(args: &PruneArgs, ui: &Ui) -> anyhow::Result<()> {
    let retention = Retention {
        max_age: args.older_than.map(|days| Duration::from_secs(u64::from(days) * 86_400)),
        max_bytes: args.keep_gb.map(|gb| u64::from(gb) * 1_000_000_000),
    };
    let removed = retain(&args.root, retention, None, SystemTime::now(), args.dry_run).map_err(refused)?;
    ui.result(&removed, |r| text(r, args.dry_run))
}

fn text(removed: &[Removed], dry: bool) -> String {
    let mut text = String::new();
    for r in removed {
        let days = r.age_s as f64 / 86_400.0;
        text += &format!("{:>9.1} MB  {days:>6.1} days  {}\n", r.bytes as f64 * 1e-6, r.path.display());
    }
    let bytes: u64 = removed.iter().map(|r| r.bytes).sum();
    let word = if dry { "would remove" } else { "removed" };
    text + &format!("{word} {} bags, {:.1} MB\n", removed.len(), bytes as f64 * 1e-6)
}
