//! `bag cut`, `bag filter` and `bag merge`: new bags from old ones, message by message, of any type.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use bags::{Packing, RawMessage, RawReader, Selection, Summary, Writer, WriterSettings};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::span::{Moment, Span};
use crate::ui::{Interrupted, Ui, interrupted, refused};

/// How the new bag is written.
#[derive(Debug, Args)]
pub struct OutArgs {
    /// Folder of the new bag; must not be there yet.
    #[arg(long)]
    out: PathBuf,
    /// Compression of the new bag.
    #[arg(long, value_enum, default_value = "zstd")]
    compression: Compression,
    /// Begin a new file after so many MB.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    split_mb: Option<u64>,
    /// Begin a new file after so many seconds.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    split_s: Option<u64>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Compression {
    /// Small, and quick.
    Zstd,
    /// Smallest, for bags that are kept.
    ZstdSmall,
    /// Quick, and larger.
    Lz4,
    /// None.
    None,
}

impl OutArgs {
    fn settings(&self) -> WriterSettings {
        WriterSettings {
            packing: match self.compression {
                Compression::Zstd => Packing::Zstd,
                Compression::ZstdSmall => Packing::ZstdSmall,
                Compression::Lz4 => Packing::Lz4,
                Compression::None => Packing::None,
            },
            split_bytes: self.split_mb.map(|mb| mb.saturating_mul(1_000_000)),
            split_ns: self.split_s.map(|s| s as i64 * 1_000_000_000),
        }
    }
}

/// Arguments of `bag cut`.
#[derive(Debug, Args)]
#[command(
    after_help = "Times are seconds from the start of the bag, or whole nanoseconds since 1970 (more than\n\
    ten digits). What a late joiner needs (/tf_static, maps) is taken along from before the cut.\n\nExamples:\n  \
    shelfwright bag cut out/demo/bag --from 30 --to 90 --out clip\n  \
    shelfwright bag cut night.mcap --from 1764284400000000000 --out rest"
)]
pub struct CutArgs {
    /// The bag.
    bag: PathBuf,
    /// First moment; by default the start.
    #[arg(long)]
    from: Option<Moment>,
    /// End, which is not part of it; by default the end of the bag.
    #[arg(long)]
    to: Option<Moment>,
    /// Do not take along what was said once before the cut.
    #[arg(long)]
    no_latched: bool,
    #[command(flatten)]
    out: OutArgs,
}

/// Arguments of `bag filter`.
#[derive(Debug, Args)]
#[command(after_help = "`*` stands for any text.\n\nExamples:\n  \
    shelfwright bag filter out/demo/bag --topic '/inv_1/*' --topic '/tf*' --out slim\n  \
    shelfwright bag filter night.db3 --without '*/image' --out slim")]
pub struct FilterArgs {
    /// The bag.
    bag: PathBuf,
    /// Only these topics.
    #[arg(long = "topic")]
    topics: Vec<String>,
    /// Not these topics.
    #[arg(long)]
    without: Vec<String>,
    #[command(flatten)]
    out: OutArgs,
}

/// Arguments of `bag merge`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  shelfwright bag merge inv_1/bag inv_2/bag --out both\n  \
    shelfwright bag merge killed/bag --out whole        # renews index and metadata.yaml\n  \
    shelfwright bag merge old.db3 --out new             # SQLite to MCAP")]
pub struct MergeArgs {
    /// The bags.
    #[arg(required = true)]
    bags: Vec<PathBuf>,
    #[command(flatten)]
    out: OutArgs,
}

#[derive(Debug, Serialize)]
struct Written {
    out: PathBuf,
    files: usize,
    messages: u64,
    start_ns: i64,
    end_ns: i64,
}

impl From<Summary> for Written {
    fn from(s: Summary) -> Self {
        Self { out: s.path, files: s.files, messages: s.messages, start_ns: s.start_ns, end_ns: s.end_ns }
    }
}

/// Runs `bag cut`.
pub fn cut(args: &CutArgs, ui: &Ui) -> anyhow::Result<()> {
    let span = Span::of(&args.bag, args.from, args.to)?;
    let latched = if args.no_latched { Vec::new() } else { span.said_before(&args.bag)? };
    let selection = span.selection();
    let reader = RawReader::open(&args.bag, selection).map_err(refused)?;
    let ahead = latched.into_iter().map(Ok);
    write(ahead.chain(reader), &args.out, ui)
}

/// Runs `bag filter`.
pub fn filter(args: &FilterArgs, ui: &Ui) -> anyhow::Result<()> {
    anyhow::ensure!(
        !(args.topics.is_empty() && args.without.is_empty()),
        "nothing to filter: give --topic or --without"
    );
    let selection = Selection::default().topics(args.topics.clone()).without(args.without.clone());
    let reader = RawReader::open(&args.bag, selection).map_err(refused)?;
    let named: Vec<Arc<str>> = reader.channels().iter().map(|c| c.topic.clone()).collect();
    for pattern in args.topics.iter().chain(&args.without) {
        let one = Selection::default().topics([pattern]);
        // Topics of an indexed bag are all known at once; of another, only on the way.
        if !named.is_empty() && !named.iter().any(|t| one.takes_topic(t)) {
            ui.note(format!("{pattern}: matches no topic; the bag has {}", named.join(", ")));
        }
    }
    write(reader, &args.out, ui)
}

/// Runs `bag merge`.
pub fn merge(args: &MergeArgs, ui: &Ui) -> anyhow::Result<()> {
    let readers = args.bags.iter().map(|bag| RawReader::open(bag, Selection::default()).map_err(refused));
    let readers = readers.collect::<anyhow::Result<Vec<_>>>()?;
    write(Merged::new(readers), &args.out, ui)
}

/// Several bags in one order of time; equal stamps in the order of the bags.
struct Merged {
    readers: Vec<RawReader>,
    next: VecDeque<Option<Result<RawMessage, bags::BagError>>>,
}

impl Merged {
    fn new(mut readers: Vec<RawReader>) -> Self {
        let next = readers.iter_mut().map(Iterator::next).collect();
        Self { readers, next }
    }
}

impl Iterator for Merged {
    type Item = Result<RawMessage, bags::BagError>;

    fn next(&mut self) -> Option<Self::Item> {
        // An error comes first: it ends the merge.
        let stamp = |m: &Result<RawMessage, _>| m.as_ref().map_or(i64::MIN, |m| m.stamp_ns);
        let (first, _) = self
            .next
            .iter()
            .enumerate()
            .filter_map(|(i, m)| m.as_ref().map(|m| (i, stamp(m))))
            .min_by_key(|(i, stamp)| (*stamp, *i))?;
        std::mem::replace(&mut self.next[first], self.readers[first].next())
    }
}

/// Writes messages to a new bag. A bag that was begun is closed, whatever happens.
fn write(
    messages: impl Iterator<Item = Result<RawMessage, bags::BagError>>,
    out: &OutArgs,
    ui: &Ui,
) -> anyhow::Result<()> {
    let mut writer = Writer::create_with(&out.out, out.settings()).map_err(refused)?;
    for message in messages {
        if interrupted() {
            let summary = writer.finish()?;
            ui.note(format!("interrupted; {} holds {} messages", out.out.display(), summary.messages));
            return Err(Interrupted.into());
        }
        let message = message
            .map_err(|e| refused(format!("{e} ({} holds the messages before it)", out.out.display())))?;
        writer.write_raw(&message)?;
    }
    let written = Written::from(writer.finish()?);
    ui.result(&written, |w| {
        let span = (w.end_ns - w.start_ns) as f64 * 1e-9;
        format!("wrote {}: {} messages over {span:.1} s", w.out.display(), w.messages)
    })
}
