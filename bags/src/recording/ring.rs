//! The black box: the last minute in memory, and a bag of it when something goes wrong.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use interfaces::diagnostic_msgs::DiagnosticStatus;
use interfaces::shelfwright_msgs::MissionState;
use interfaces::{AnyMessage, Publication};

use crate::error::BagError;
use crate::record::{Channel, RawMessage};
use crate::writer::{Writer, WriterSettings};

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingSettings {
    /// Stamps before the fault, ns.
    pub before_ns: i64,
    /// Stamps after the fault, ns.
    pub after_ns: i64,
    /// Most bytes in memory; beyond, the oldest messages go first, and are counted.
    pub max_bytes: usize,
}

impl Default for RingSettings {
    /// A minute before, ten seconds after, and what a minute without cameras takes many times over.
    fn default() -> Self {
        Self { before_ns: 60_000_000_000, after_ns: 10_000_000_000, max_bytes: 256 << 20 }
    }
}

/// Keeps the last minute and writes it to a bag of its own when a fault comes.
pub struct Ring {
    root: PathBuf,
    settings: RingSettings,
    held: VecDeque<RawMessage>,
    bytes: usize,
    /// The last message of topics that a late joiner needs, once it has left the ring.
    latched: BTreeMap<(Arc<str>, String), RawMessage>,
    channels: BTreeMap<(Arc<str>, &'static str), Arc<Channel>>,
    /// The bag that is written now, and until which stamp.
    open: Option<(Writer, i64)>,
    /// Faults that are there now, so that one that stays makes one bag.
    faults: BTreeSet<String>,
    bags: Vec<PathBuf>,
    dropped: u64,
}

impl Ring {
    /// Bags go into folders below `root`, which is made with the first.
    pub fn new(root: &Path, settings: RingSettings) -> Self {
        Self {
            root: root.to_owned(),
            settings,
            held: VecDeque::new(),
            bytes: 0,
            latched: BTreeMap::new(),
            channels: BTreeMap::new(),
            open: None,
            faults: BTreeSet::new(),
            bags: Vec::new(),
            dropped: 0,
        }
    }

    /// Bags written, the open one included.
    pub fn bags(&self) -> &[PathBuf] {
        &self.bags
    }

    /// Messages younger than the wanted time that went for want of memory.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes one message; a fault in it ([`fault_of`]) triggers a bag.
    ///
    /// # Errors
    /// As [`Writer::write`] where a bag is open.
    pub fn take(&mut self, publication: &Publication) -> Result<(), BagError> {
        let info = publication.message.type_info();
        let channel = self
            .channels
            .entry((publication.topic.clone(), info.name))
            .or_insert_with(|| Arc::new(Channel::of(&publication.topic, &info)))
            .clone();
        let (stamp_ns, data) = (publication.stamp_ns, publication.message.to_cdr());
        self.take_raw(RawMessage { channel, stamp_ns, data })?;
        for (name, what) in fault_of(publication) {
            match what {
                Some(words) if self.faults.insert(name.clone()) => {
                    self.trigger(stamp_ns, &format!("{name}: {words}"))?;
                }
                Some(_) => {}
                None => {
                    self.faults.remove(&name);
                }
            }
        }
        Ok(())
    }

    /// Takes one message of any type.
    ///
    /// # Errors
    /// As [`Writer::write`] where a bag is open.
    pub fn take_raw(&mut self, message: RawMessage) -> Result<(), BagError> {
        let now_ns = message.stamp_ns;
        if let Some((writer, until_ns)) = &mut self.open {
            if now_ns <= *until_ns {
                writer.write_raw(&message)?;
            } else {
                self.close()?;
            }
        }
        self.bytes += message.data.len();
        self.held.push_back(message);
        while let Some(first) = self.held.front() {
            let old = now_ns.saturating_sub(first.stamp_ns) > self.settings.before_ns;
            if !old && self.bytes <= self.settings.max_bytes {
                break;
            }
            self.dropped += u64::from(!old);
            if let Some(gone) = self.held.pop_front() {
                self.bytes -= gone.data.len();
                if gone.channel.latched() {
                    let key = (gone.channel.topic.clone(), gone.channel.type_name.clone());
                    self.latched.insert(key, gone);
                }
            }
        }
        Ok(())
    }

    /// Writes what is held to a new bag, which goes on for the time after the fault. While one is open this does
    /// nothing: its bag has the new fault in it.
    ///
    /// # Errors
    /// As [`Writer::create`] and [`Writer::write`].
    pub fn trigger(&mut self, stamp_ns: i64, reason: &str) -> Result<(), BagError> {
        if self.open.is_some() {
            return Ok(());
        }
        let millis = stamp_ns.div_euclid(1_000_000);
        let folder =
            self.root.join(format!("fault-{}.{:03}", millis.div_euclid(1_000), millis.rem_euclid(1_000)));
        let mut writer = Writer::create_with(&folder, WriterSettings::default())?;
        let file = folder.join("reason.txt");
        fs::write(&file, format!("{reason}\n")).map_err(BagError::io(&file, "write the file"))?;
        let start_ns = self.held.front().map_or(stamp_ns, |m| m.stamp_ns);
        for latched in self.latched.values() {
            // At the bag's start, where a player gives it first.
            writer.write_raw(&RawMessage { stamp_ns: start_ns, ..latched.clone() })?;
        }
        for message in &self.held {
            writer.write_raw(message)?;
        }
        writer.flush()?;
        tracing::warn!(bag = %folder.display(), reason, "a fault: the time before it is kept");
        self.bags.push(folder);
        self.open = Some((writer, stamp_ns.saturating_add(self.settings.after_ns)));
        Ok(())
    }

    /// Puts the open bag on the disk.
    ///
    /// # Errors
    /// As [`Writer::flush`].
    pub fn flush(&mut self) -> Result<(), BagError> {
        self.open.as_mut().map_or(Ok(()), |(writer, _)| writer.flush())
    }

    /// Closes the open bag.
    ///
    /// # Errors
    /// As [`Writer::finish`].
    pub fn close(&mut self) -> Result<(), BagError> {
        self.open.take().map_or(Ok(()), |(writer, _)| writer.finish().map(drop))
    }
}

/// The faults that a message tells of, by name: words where there is one, `None` where it is over. A failed mission
/// and a node's diagnosis of level error are faults.
pub fn fault_of(publication: &Publication) -> Vec<(String, Option<String>)> {
    match &*publication.message {
        AnyMessage::MissionState(m) => {
            let failed = m.state == MissionState::FAILED;
            vec![(format!("mission of {}", m.robot), failed.then(|| format!("failed: {}", m.reason)))]
        }
        AnyMessage::DiagnosticArray(m) => {
            let one = |s: &DiagnosticStatus| {
                (s.name.clone(), (s.level == DiagnosticStatus::ERROR).then(|| s.message.clone()))
            };
            m.status.iter().map(one).collect()
        }
        _ => Vec::new(),
    }
}
