//! Writes a bag.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use interfaces::Publication;
use mcap::records::{MessageHeader, Metadata};
use mcap::write::NoSeek;
use mcap::{Compression, WriteOptions};

use crate::error::BagError;
use crate::metadata::{BagFacts, TopicFacts};
use crate::qos::Qos;
use crate::storage::{Disk, Storage};

/// A chunk is closed before it spans more than this, so that a killed process loses no more.
const CHUNK_NS: i64 = 1_000_000_000;
/// A chunk is closed when it has this many bytes before compression.
const CHUNK_BYTES: usize = 1 << 20;

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

/// One topic with one type.
struct Channel {
    id: u16,
    type_hash: &'static str,
    messages: u64,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The bag's folder.
    pub path: PathBuf,
    /// Messages in it.
    pub messages: u64,
    /// First stamp, ns; 0 in an empty bag.
    pub start_ns: i64,
    /// Last stamp, ns; 0 in an empty bag.
    pub end_ns: i64,
}

/// Writes a bag: `metadata.yaml` and `NAME_0.mcap` in a new folder.
///
/// The `.mcap` file opens at any time, also after the process was killed; it then lacks the last second of
/// stamps at most, and `metadata.yaml`. Dropping a writer finishes its bag and logs what fails.
pub struct Writer {
    folder: PathBuf,
    file: PathBuf,
    mcap: mcap::Writer<NoSeek<Pending>>,
    pending: Pending,
    storage: Storage,
    channels: BTreeMap<(Arc<str>, &'static str), Channel>,
    /// First stamp and bytes of the open chunk.
    chunk: Option<(i64, usize)>,
    /// Messages and span of stamps, on the disk and taken.
    kept: Tally,
    taken: Tally,
    closed: bool,
}

/// Messages counted.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    messages: u64,
    span_ns: Option<(i64, i64)>,
}

impl Writer {
    /// Starts a bag in a folder that is not there yet.
    ///
    /// # Errors
    /// [`BagError::Exists`], or [`BagError::Io`] where folder or file cannot be made.
    pub fn create(folder: impl AsRef<Path>) -> Result<Self, BagError> {
        let folder = folder.as_ref();
        if folder.exists() {
            return Err(BagError::Exists(folder.to_owned()));
        }
        fs::create_dir_all(folder).map_err(BagError::io(folder, "create the folder"))?;
        let file = folder.join(mcap_name(folder));
        let disk = File::create_new(&file).map_err(BagError::io(&file, "create the file"))?;
        Self::on_disk(folder, file, Box::new(disk))
    }

    /// Starts a bag whose MCAP file is given.
    pub(crate) fn on_disk(folder: &Path, file: PathBuf, disk: Box<dyn Disk>) -> Result<Self, BagError> {
        let pending = Pending::default();
        let mcap = WriteOptions::new()
            .profile("ros2")
            .library(concat!("shelfwright ", env!("CARGO_PKG_VERSION")))
            .compression(Some(Compression::Zstd))
            // Threads would change how the compressor cuts its blocks.
            .compression_threads(0)
            .chunk_size(None)
            .disable_seeking(true)
            .create(NoSeek::new(pending.clone()))
            .map_err(BagError::mcap(&file))?;
        let mut writer = Self {
            folder: folder.to_owned(),
            file,
            mcap,
            pending,
            storage: Storage::new(disk),
            channels: BTreeMap::new(),
            chunk: None,
            kept: Tally::default(),
            taken: Tally::default(),
            closed: false,
        };
        writer.commit()?;
        Ok(writer)
    }

    /// The bag's folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Takes one message.
    ///
    /// # Errors
    /// [`BagError::Stamp`] for a stamp before 0. [`BagError::Stopped`] when the disk takes no more: the bag was then
    /// closed with what is on the disk, and every later call gives the same kind of error.
    pub fn write(&mut self, publication: &Publication) -> Result<(), BagError> {
        if self.closed {
            return Err(self.stopped(io::Error::other("the bag is closed")));
        }
        let stamp_ns = publication.stamp_ns;
        let log_time = u64::try_from(stamp_ns).map_err(|_| BagError::Stamp {
            path: self.file.clone(),
            topic: publication.topic.to_string(),
            stamp_ns,
        })?;
        if let Some((first, bytes)) = self.chunk
            && (stamp_ns.saturating_sub(first) >= CHUNK_NS || bytes >= CHUNK_BYTES)
        {
            self.commit()?;
        }
        let data = publication.message.to_cdr();
        let (channel_id, sequence) = self.channel(publication)?;
        // rosbag2 writes the time of receipt as both.
        let header = MessageHeader { channel_id, sequence, log_time, publish_time: log_time };
        self.mcap.write_to_known_channel(&header, &data).map_err(BagError::mcap(&self.file))?;
        let (first, bytes) = self.chunk.unwrap_or((stamp_ns, 0));
        self.chunk = Some((first.min(stamp_ns), bytes + data.len()));
        self.taken.messages += 1;
        let (start, end) = self.taken.span_ns.unwrap_or((stamp_ns, stamp_ns));
        self.taken.span_ns = Some((start.min(stamp_ns), end.max(stamp_ns)));
        Ok(())
    }

    /// Puts on the disk what was taken so far.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn flush(&mut self) -> Result<(), BagError> {
        if self.closed { Ok(()) } else { self.commit() }
    }

    /// Closes the bag: the rest of the messages, the index, and `metadata.yaml`.
    ///
    /// # Errors
    /// [`BagError::Stopped`] or [`BagError::Io`]; the bag opens nevertheless.
    pub fn finish(mut self) -> Result<Summary, BagError> {
        self.close()
    }

    fn close(&mut self) -> Result<Summary, BagError> {
        if self.closed {
            return Err(self.stopped(io::Error::other("the bag is closed")));
        }
        self.commit()?;
        self.closed = true;
        let facts = self.facts();
        let metadata = Metadata {
            name: "rosbag2".to_owned(),
            metadata: BTreeMap::from([("serialized_metadata".to_owned(), facts.body(""))]),
        };
        self.mcap
            .write_metadata(&metadata)
            .and_then(|()| self.mcap.finish().map(drop))
            .map_err(BagError::mcap(&self.file))?;
        self.storage.finish(&self.pending.take()).map_err(BagError::io(&self.file, "write the index"))?;
        self.write_metadata(&facts)?;
        Ok(Summary {
            path: self.folder.clone(),
            messages: self.kept.messages,
            start_ns: facts.start_ns,
            end_ns: facts.end_ns,
        })
    }

    /// Channel and sequence number for a message; a new topic gets its schema and channel.
    fn channel(&mut self, publication: &Publication) -> Result<(u16, u32), BagError> {
        let info = publication.message.type_info();
        let key = (publication.topic.clone(), info.name);
        if let Some(channel) = self.channels.get_mut(&key) {
            channel.messages += 1;
            // The field has 32 bits; rosbag2 lets it wrap too.
            return Ok((channel.id, channel.messages as u32));
        }
        let error = BagError::mcap(&self.file);
        let schema =
            self.mcap.add_schema(info.name, "ros2msg", info.definition.as_bytes()).map_err(&error)?;
        let metadata = BTreeMap::from([
            ("offered_qos_profiles".to_owned(), Qos::of(&key.0, info.name).yaml("")),
            ("topic_type_hash".to_owned(), info.hash.to_owned()),
        ]);
        let id = self.mcap.add_channel(schema, &key.0, "cdr", &metadata).map_err(&error)?;
        self.channels.insert(key, Channel { id, type_hash: info.hash, messages: 1 });
        Ok((id, 1))
    }

    /// Closes the open chunk and puts it on the disk.
    fn commit(&mut self) -> Result<(), BagError> {
        self.mcap.flush().map_err(BagError::mcap(&self.file))?;
        let bytes = self.pending.take();
        if bytes.is_empty() {
            return Ok(());
        }
        if let Err(source) = self.storage.append(&bytes) {
            self.closed = true;
            // Most likely there is no space for this either; the .mcap file opens without it.
            if let Err(error) = self.write_metadata(&self.facts()) {
                tracing::warn!(%error, "the bag has no metadata.yaml");
            }
            return Err(self.stopped(source));
        }
        self.chunk = None;
        self.kept = self.taken;
        Ok(())
    }

    fn stopped(&self, source: io::Error) -> BagError {
        BagError::Stopped {
            path: self.file.clone(),
            kept: self.kept.messages,
            lost: self.taken.messages - self.kept.messages,
            source,
        }
    }

    fn facts(&self) -> BagFacts {
        let (start_ns, end_ns) = self.kept.span_ns.unwrap_or((0, 0));
        let topics = self.channels.iter().map(|((topic, type_name), channel)| TopicFacts {
            topic: topic.to_string(),
            type_name,
            type_hash: channel.type_hash,
            messages: channel.messages,
        });
        BagFacts { file: mcap_name(&self.folder), start_ns, end_ns, topics: topics.collect() }
    }

    fn write_metadata(&self, facts: &BagFacts) -> Result<(), BagError> {
        let path = self.folder.join("metadata.yaml");
        fs::write(&path, facts.yaml()).map_err(BagError::io(&path, "write the file"))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.closed
            && let Err(error) = self.close()
        {
            tracing::error!(%error, "the bag was not closed in order");
        }
    }
}

/// `NAME_0.mcap`, NAME being the folder's.
fn mcap_name(folder: &Path) -> String {
    let name = folder.file_name().map_or_else(|| "bag".into(), |n| n.to_string_lossy());
    format!("{name}_0.mcap")
}
