//! One MCAP file in the making, complete on the disk after every commit.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use mcap::records::{MessageHeader, Metadata};
use mcap::write::NoSeek;
use mcap::{Compression, WriteOptions};

use crate::error::BagError;
use crate::metadata::quality;
use crate::record::Channel;
use crate::storage::{Disk, Storage};

/// A chunk is closed before it spans more than this, so that a killed process loses no more. With what waits in a
/// recorder's queue that is well under a second.
const CHUNK_NS: i64 = 500_000_000;
/// A chunk is closed when it has this many bytes before compression.
const CHUNK_BYTES: usize = 1 << 20;

/// How a bag's chunks are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Packing {
    /// zstd at level 1. Of a mission its files are 2% larger than those of zstd's own default, of images 10%, and it
    /// takes a fifth of the time where that hurts: with images.
    #[default]
    Zstd,
    /// zstd at its default level, for bags that are kept.
    ZstdSmall,
    /// lz4.
    Lz4,
    /// None.
    None,
}

/// What the MCAP library writes, until it goes to the disk. Writing here cannot fail, so the library never sees an
/// error that would leave its file half written.
#[derive(Clone, Default)]
struct Pending(Arc<Mutex<Vec<u8>>>);

impl Pending {
    fn take(&self) -> Vec<u8> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Messages counted, and the span of their stamps.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub messages: u64,
    pub span_ns: Option<(i64, i64)>,
}

impl Tally {
    pub fn add(&mut self, stamp_ns: i64) {
        self.messages += 1;
        let (start, end) = self.span_ns.unwrap_or((stamp_ns, stamp_ns));
        self.span_ns = Some((start.min(stamp_ns), end.max(stamp_ns)));
    }
}

/// An MCAP file that is being written.
pub(crate) struct McapOut {
    path: PathBuf,
    mcap: mcap::Writer<NoSeek<Pending>>,
    pending: Pending,
    storage: Storage,
    /// This file's identifier and message count of the bag's topics.
    ids: BTreeMap<usize, (u16, u32)>,
    /// First stamp and bytes of the open chunk.
    chunk: Option<(i64, usize)>,
    /// On the disk.
    pub kept: Tally,
    /// On the disk and in the open chunk.
    pub taken: Tally,
}

impl McapOut {
    pub fn new(path: &Path, disk: Box<dyn Disk>, packing: Packing) -> Result<Self, BagError> {
        let pending = Pending::default();
        let (compression, level) = match packing {
            Packing::Zstd => (Some(Compression::Zstd), 1),
            Packing::ZstdSmall => (Some(Compression::Zstd), 0),
            Packing::Lz4 => (Some(Compression::Lz4), 0),
            Packing::None => (None, 0),
        };
        let mcap = WriteOptions::new()
            .profile("ros2")
            .library(concat!("shelfwright ", env!("CARGO_PKG_VERSION")))
            .compression(compression)
            .compression_level(level)
            // Threads would change how the compressor cuts its blocks.
            .compression_threads(0)
            .chunk_size(None)
            .disable_seeking(true)
            .create(NoSeek::new(pending.clone()))
            .map_err(BagError::mcap(path))?;
        let mut out = Self {
            path: path.to_owned(),
            mcap,
            pending,
            storage: Storage::new(disk),
            ids: BTreeMap::new(),
            chunk: None,
            kept: Tally::default(),
            taken: Tally::default(),
        };
        out.commit()?.map_err(BagError::io(path, "write the file"))?;
        Ok(out)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes on the disk.
    pub fn bytes(&self) -> u64 {
        self.storage.length()
    }

    /// Whether the open chunk must be closed before a message of this stamp.
    pub fn chunk_is_full(&self, stamp_ns: i64) -> bool {
        self.chunk
            .is_some_and(|(first, bytes)| stamp_ns.saturating_sub(first) >= CHUNK_NS || bytes >= CHUNK_BYTES)
    }

    /// Takes one message of the bag's topic number `index`. What it takes is on the disk after the next commit.
    pub fn put(
        &mut self,
        index: usize,
        channel: &Channel,
        stamp_ns: i64,
        data: &[u8],
    ) -> Result<(), BagError> {
        let error = BagError::mcap(&self.path);
        let log_time = u64::try_from(stamp_ns).map_err(|_| BagError::Stamp {
            path: self.path.clone(),
            topic: channel.topic.to_string(),
            stamp_ns,
        })?;
        if !self.ids.contains_key(&index) {
            let id = declare(&mut self.mcap, channel).map_err(&error)?;
            self.ids.insert(index, (id, 0));
        }
        // It was just put there.
        let Some((channel_id, sequence)) = self.ids.get_mut(&index) else { return Ok(()) };
        // The field has 32 bits; rosbag2 lets it wrap too.
        *sequence = sequence.wrapping_add(1);
        // rosbag2 writes the time of receipt as both.
        let header =
            MessageHeader { channel_id: *channel_id, sequence: *sequence, log_time, publish_time: log_time };
        self.mcap.write_to_known_channel(&header, data).map_err(&error)?;
        let (first, bytes) = self.chunk.unwrap_or((stamp_ns, 0));
        self.chunk = Some((first.min(stamp_ns), bytes + data.len()));
        self.taken.add(stamp_ns);
        Ok(())
    }

    /// Closes the open chunk and puts it on the disk. The inner error is the disk's.
    pub fn commit(&mut self) -> Result<io::Result<()>, BagError> {
        self.mcap.flush().map_err(BagError::mcap(&self.path))?;
        let bytes = self.pending.take();
        if bytes.is_empty() {
            return Ok(Ok(()));
        }
        let done = self.storage.append(&bytes);
        if done.is_ok() {
            self.chunk = None;
            self.kept = self.taken;
        }
        Ok(done)
    }

    /// Writes the index. To be called once, after a commit.
    pub fn finish(&mut self, metadata: String) -> Result<(), BagError> {
        let metadata = Metadata {
            name: "rosbag2".to_owned(),
            metadata: BTreeMap::from([("serialized_metadata".to_owned(), metadata)]),
        };
        self.mcap
            .write_metadata(&metadata)
            .and_then(|()| self.mcap.finish().map(drop))
            .map_err(BagError::mcap(&self.path))?;
        self.storage.finish(&self.pending.take()).map_err(BagError::io(&self.path, "write the index"))
    }
}

fn declare(mcap: &mut mcap::Writer<NoSeek<Pending>>, channel: &Channel) -> mcap::McapResult<u16> {
    let schema =
        mcap.add_schema(&channel.type_name, &channel.definition_encoding, channel.definition.as_bytes())?;
    let mut metadata = BTreeMap::from([("offered_qos_profiles".to_owned(), quality(channel, ""))]);
    if !channel.type_hash.is_empty() {
        metadata.insert("topic_type_hash".to_owned(), channel.type_hash.clone());
    }
    mcap.add_channel(schema, &channel.topic, &channel.encoding, &metadata)
}
