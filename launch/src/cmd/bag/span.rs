//! A span of a bag, as it is asked for on the command line.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bags::{RawMessage, RawReader, Selection};

use crate::ui::{Interrupted, interrupted, refused};

/// A moment of a bag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Moment {
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
    /// As a stamp of a bag that starts at `start_ns`.
    fn ns(self, start_ns: i64) -> i64 {
        match self {
            Self::After(seconds) => start_ns.saturating_add((seconds * 1e9) as i64),
            Self::At(ns) => ns,
        }
    }
}

/// From a first moment up to, and without, a last one. Open ends are those of the bag.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    from_ns: Option<i64>,
    until_ns: Option<i64>,
}

impl Span {
    /// Of a bag.
    pub fn of(bag: &Path, from: Option<Moment>, to: Option<Moment>) -> anyhow::Result<Self> {
        if from.is_none() && to.is_none() {
            return Ok(Self { from_ns: None, until_ns: None });
        }
        let start_ns = start_of(bag)?;
        let from_ns = from.map(|m| m.ns(start_ns));
        let until_ns = to.map(|m| m.ns(start_ns));
        if let (Some(from), Some(until)) = (from_ns.or(Some(start_ns)), until_ns)
            && from >= until
        {
            return Err(refused(format!("--to ({until} ns) is not after --from ({from} ns)")));
        }
        Ok(Self { from_ns, until_ns })
    }

    /// All messages of it.
    pub fn selection(&self) -> Selection {
        Selection::default().from_ns(self.from_ns).until_ns(self.until_ns)
    }

    /// What was said once before it and still holds, stamped with its beginning.
    pub fn said_before(&self, bag: &Path) -> anyhow::Result<Vec<RawMessage>> {
        let Some(from) = self.from_ns else { return Ok(Vec::new()) };
        let once = once_topics(bag)?;
        if once.is_empty() {
            return Ok(Vec::new());
        }
        let mut latched = BTreeMap::new();
        let before = Selection::default().topics(once).until_ns(Some(from));
        for message in RawReader::open(bag, before).map_err(refused)? {
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
        Ok(latched.into_values().collect())
    }
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
