//! `bag cut`, `bag filter` and `bag merge`: new bags from old ones, message by message, of any type.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bags::{Packing, RawMessage, RawReader, Selection, Summary, Writer, WriterSettings};
use clap::{Args, ValueEnum};
use serde::Serialize;

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
    /// Small.
    Zstd,
    /// Quick.
    Lz4,
    /// None.
    None,
}

impl OutArgs {
    fn settings(&self) -> WriterSettings {
        WriterSettings {
            packing: match self.compression {
                Compression::Zstd => Packing::Zstd,
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

/// A moment of a bag.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Moment {
    /// Seconds from the start.
    After(f64),
    /// Nanoseconds since 1970.
    At(i64),
}

impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > 10
            && let Ok(ns) = text.parse()
        {
            return Ok(Self::At(ns));
        }
        let seconds = text.parse::<f64>().ok().filter(|s| (0.0..1e9).contains(s));
        seconds.map(Self::After).ok_or_else(|| {
            "expected seconds from the start (12.5) or nanoseconds since 1970 (1764284400000000000)"
                .to_owned()
        })
    }
}

impl Moment {
    fn ns(self, start_ns: i64) -> i64 {
        match self {
            Self::After(seconds) => start_ns.saturating_add((seconds * 1e9) as i64),
            Self::At(ns) => ns,
        }
    }
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
    let start_ns = start_of(&args.bag)?;
    let from_ns = args.from.map(|m| m.ns(start_ns));
    let until_ns = args.to.map(|m| m.ns(start_ns));
    if let (Some(from), Some(until)) = (from_ns.or(Some(start_ns)), until_ns)
        && from >= until
    {
        return Err(refused(format!("--to ({until} ns) is not after --from ({from} ns)")));
    }
    let mut latched = BTreeMap::new();
    if let (Some(from), false) = (from_ns, args.no_latched) {
        let once = once_topics(&args.bag)?;
        if !once.is_empty() {
            let before = Selection::default().topics(once).until_ns(Some(from));
            for message in RawReader::open(&args.bag, before).map_err(refused)? {
                if interrupted() {
                    return Err(Interrupted.into());
                }
                let message = RawMessage { stamp_ns: from, ..message.map_err(refused)? };
                // A transform that is fixed is said once for each pair of frames: all of them are needed. Of a map
                // the last one is.
                let all = &*message.channel.topic == "/tf_static";
                let which = if all { message.data.clone() } else { Vec::new() };
                latched.insert((message.channel.clone(), which), message);
            }
        }
    }
    let selection = Selection::default().from_ns(from_ns).until_ns(until_ns);
    let reader = RawReader::open(&args.bag, selection).map_err(refused)?;
    let ahead = latched.into_values().map(Ok);
    write(ahead.chain(reader), &args.out, ui)
}

/// Topics whose messages are said once and hold from then on.
fn once_topics(bag: &Path) -> anyhow::Result<Vec<String>> {
    let mut reader = RawReader::open(bag, Selection::default().topics(["/tf_static"])).map_err(refused)?;
    // Files of a bag declare their own topics; those of all are known at the end.
    for message in &mut reader {
        message.map_err(refused)?;
        if interrupted() {
            return Err(Interrupted.into());
        }
    }
    let once = |c: Arc<bags::Channel>| c.latched().then(|| c.topic.to_string());
    Ok(reader.channels().into_iter().filter_map(once).collect())
}

/// The first stamp of a bag.
fn start_of(bag: &Path) -> anyhow::Result<i64> {
    let mut reader = RawReader::open(bag, Selection::default()).map_err(refused)?;
    match reader.next() {
        Some(first) => Ok(first.map_err(refused)?.stamp_ns),
        None => Err(refused(format!("{}: holds no messages", bag.display()))),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_seconds_from_the_start_or_nanoseconds() {
        let ns = |text: &str| text.parse::<Moment>().unwrap().ns(1_000_000_000_000);
        assert_eq!(ns("12.5"), 1_012_500_000_000);
        assert_eq!(ns("0"), 1_000_000_000_000);
        assert_eq!(ns("1764284400000000000"), 1_764_284_400_000_000_000);
        for text in ["", "-1", "soon", "NaN", "1e12"] {
            assert!(text.parse::<Moment>().unwrap_err().contains("expected seconds"), "{text}");
        }
    }
}
