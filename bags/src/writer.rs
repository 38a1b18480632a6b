//! Writes a bag.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use interfaces::Publication;

use crate::error::BagError;
use crate::mcap_out::{McapOut, Packing, Tally};
use crate::metadata::{BagFacts, FileFacts, TopicFacts};
use crate::record::{Channel, RawMessage};
use crate::storage::Disk;

/// How a bag is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriterSettings {
    /// Compression of the chunks.
    pub packing: Packing,
    /// A new file begins when one has this many bytes; `None` is no bound. A file may be longer by one chunk.
    pub split_bytes: Option<u64>,
    /// A new file begins when one spans this much, ns; `None` is no bound.
    pub split_ns: Option<i64>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The bag's folder.
    pub path: PathBuf,
    /// Its files.
    pub files: usize,
    /// Messages in it.
    pub messages: u64,
    /// First stamp, ns; 0 in an empty bag.
    pub start_ns: i64,
    /// Last stamp, ns; 0 in an empty bag.
    pub end_ns: i64,
}

/// One topic with one type.
struct Topic {
    channel: Arc<Channel>,
    /// Messages on the disk and taken.
    kept: u64,
    taken: u64,
}

/// Gives the file of a path.
type Disks = Box<dyn FnMut(&Path) -> io::Result<Box<dyn Disk>> + Send>;

/// Writes a bag: `metadata.yaml` and `NAME_0.mcap`, `NAME_1.mcap`, … in a new folder.
///
/// The `.mcap` files open at any time, also after the process was killed; the last one then lacks the last second of
/// stamps at most, and the bag `metadata.yaml`. Dropping a writer finishes its bag and logs what fails.
pub struct Writer {
    folder: PathBuf,
    settings: WriterSettings,
    disks: Disks,
    out: McapOut,
    /// Files that are complete.
    done: Vec<FileFacts>,
    topics: Vec<Topic>,
    /// Topics by name: their places in `topics`, one for each type.
    by_name: BTreeMap<Arc<str>, Vec<usize>>,
    closed: bool,
}

impl Writer {
    /// Starts a bag in a folder that is not there yet.
    ///
    /// # Errors
    /// [`BagError::Exists`], or [`BagError::Io`] where folder or file cannot be made.
    pub fn create(folder: impl AsRef<Path>) -> Result<Self, BagError> {
        Self::create_with(folder, WriterSettings::default())
    }

    /// Starts a bag with settings.
    ///
    /// # Errors
    /// As [`Writer::create`].
    pub fn create_with(folder: impl AsRef<Path>, settings: WriterSettings) -> Result<Self, BagError> {
        let folder = folder.as_ref();
        if folder.exists() {
            return Err(BagError::Exists(folder.to_owned()));
        }
        fs::create_dir_all(folder).map_err(BagError::io(folder, "create the folder"))?;
        let disks = |path: &Path| File::create_new(path).map(|f| Box::new(f) as Box<dyn Disk>);
        Self::on_disks(folder, settings, Box::new(disks))
    }

    /// Starts a bag whose files are given.
    pub(crate) fn on_disks(
        folder: &Path,
        settings: WriterSettings,
        mut disks: Disks,
    ) -> Result<Self, BagError> {
        let out = next_file(folder, 0, settings, &mut disks)?;
        Ok(Self {
            folder: folder.to_owned(),
            settings,
            disks,
            out,
            done: Vec::new(),
            topics: Vec::new(),
            by_name: BTreeMap::new(),
            closed: false,
        })
    }

    /// The bag's folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Bytes on the disk so far.
    pub fn bytes(&self) -> u64 {
        self.done.iter().map(|f| f.bytes).sum::<u64>() + self.out.bytes()
    }

    /// Files begun so far.
    pub fn files(&self) -> usize {
        self.done.len() + usize::from(!self.closed)
    }

    /// Messages taken so far.
    pub fn messages(&self) -> u64 {
        self.done.iter().map(|f| f.tally.messages).sum::<u64>() + self.out.taken.messages
    }

    /// Takes one message.
    ///
    /// # Errors
    /// [`BagError::Stamp`] for a stamp before 0. [`BagError::Stopped`] when the disk takes no more: the bag was then
    /// closed with what is on the disk, and every later call gives the same kind of error.
    pub fn write(&mut self, publication: &Publication) -> Result<(), BagError> {
        let info = publication.message.type_info();
        let index = match self.find(&publication.topic, info.name) {
            Some(index) => index,
            None => self.add(Arc::new(Channel::of(&publication.topic, &info))),
        };
        self.put(index, publication.stamp_ns, &publication.message.to_cdr())
    }

    /// Takes one message of any type.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn write_raw(&mut self, message: &RawMessage) -> Result<(), BagError> {
        self.declare(&message.channel);
        let index = self.find(&message.channel.topic, &message.channel.type_name);
        // It was just declared.
        index.map_or(Ok(()), |index| self.put(index, message.stamp_ns, &message.data))
    }

    /// Makes a topic known, so that the bag has it with or without messages.
    pub fn declare(&mut self, channel: &Arc<Channel>) {
        if self.find(&channel.topic, &channel.type_name).is_none() {
            self.add(channel.clone());
        }
    }

    fn find(&self, topic: &str, type_name: &str) -> Option<usize> {
        let places = self.by_name.get(topic)?;
        places.iter().copied().find(|i| self.topics[*i].channel.type_name == type_name)
    }

    fn add(&mut self, channel: Arc<Channel>) -> usize {
        let index = self.topics.len();
        self.by_name.entry(channel.topic.clone()).or_default().push(index);
        self.topics.push(Topic { channel, kept: 0, taken: 0 });
        index
    }

    fn put(&mut self, index: usize, stamp_ns: i64, data: &[u8]) -> Result<(), BagError> {
        if self.closed {
            return Err(self.stopped(io::Error::other("the bag is closed")));
        }
        if self.out.chunk_is_full(stamp_ns) {
            self.commit()?;
        }
        if self.file_is_full(stamp_ns) {
            self.split()?;
        }
        let channel = self.topics[index].channel.clone();
        self.out.put(index, &channel, stamp_ns, data)?;
        self.topics[index].taken += 1;
        Ok(())
    }

    fn file_is_full(&self, stamp_ns: i64) -> bool {
        let long =
            |limit| self.out.taken.span_ns.is_some_and(|(start, _)| stamp_ns.saturating_sub(start) >= limit);
        self.out.kept.messages > 0
            && (self.settings.split_bytes.is_some_and(|limit| self.out.bytes() >= limit)
                || self.settings.split_ns.is_some_and(long))
    }

    /// Puts on the disk what was taken so far.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn flush(&mut self) -> Result<(), BagError> {
        if self.closed { Ok(()) } else { self.commit() }
    }

    /// Ends the file and begins the next one, in the same bag.
    ///
    /// # Errors
    /// As [`Writer::write`], and [`BagError::Io`] where the next file cannot be made.
    pub fn split(&mut self) -> Result<(), BagError> {
        self.commit()?;
        if let Err(error) = self.finish_file() {
            self.closed = true;
            return Err(error);
        }
        match next_file(&self.folder, self.done.len(), self.settings, &mut self.disks) {
            Ok(out) => {
                self.out = out;
                Ok(())
            }
            Err(error) => {
                self.closed = true;
                if let Err(error) = self.write_metadata() {
                    tracing::warn!(%error, "the bag has no metadata.yaml");
                }
                Err(error)
            }
        }
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
        self.finish_file()?;
        self.write_metadata()?;
        let facts = self.facts();
        let (start_ns, end_ns) = facts.span_ns().unwrap_or((0, 0));
        Ok(Summary {
            path: self.folder.clone(),
            files: facts.files.len(),
            messages: facts.messages(),
            start_ns,
            end_ns,
        })
    }

    /// Completes the current file.
    fn finish_file(&mut self) -> Result<(), BagError> {
        let file = self.file_facts();
        // rosbag2 puts into each file what it then knows of the bag.
        let topics = self.facts().topics;
        let facts = BagFacts { files: vec![file.clone()], topics };
        self.out.finish(facts.body(""))?;
        self.done.push(FileFacts { bytes: self.out.bytes(), ..file });
        self.out.kept = Tally::default();
        self.out.taken = Tally::default();
        Ok(())
    }

    /// Closes the open chunk and puts it on the disk.
    fn commit(&mut self) -> Result<(), BagError> {
        if let Err(source) = self.out.commit()? {
            self.closed = true;
            // Most likely there is no space for this either; the .mcap file opens without it.
            if let Err(error) = self.write_metadata() {
                tracing::warn!(%error, "the bag has no metadata.yaml");
            }
            return Err(self.stopped(source));
        }
        for topic in &mut self.topics {
            topic.kept = topic.taken;
        }
        Ok(())
    }

    fn stopped(&self, source: io::Error) -> BagError {
        let before: u64 = self.done.iter().map(|f| f.tally.messages).sum();
        BagError::Stopped {
            path: self.out.path().to_owned(),
            kept: before + self.out.kept.messages,
            lost: self.out.taken.messages - self.out.kept.messages,
            source,
        }
    }

    fn file_facts(&self) -> FileFacts {
        let name = self.out.path().file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        FileFacts { name, tally: self.out.kept, bytes: self.out.bytes() }
    }

    fn facts(&self) -> BagFacts {
        let mut files = self.done.clone();
        // After a split that failed, and at the end, the current file is among them.
        if !files.iter().any(|f| f.name == self.file_facts().name) {
            files.push(self.file_facts());
        }
        let topics =
            self.topics.iter().map(|t| TopicFacts { channel: t.channel.clone(), messages: t.kept }).collect();
        BagFacts { files, topics }
    }

    fn write_metadata(&self) -> Result<(), BagError> {
        let path = self.folder.join("metadata.yaml");
        fs::write(&path, self.facts().yaml()).map_err(BagError::io(&path, "write the file"))
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

/// `NAME_7.mcap`, NAME being the folder's.
fn next_file(
    folder: &Path,
    number: usize,
    settings: WriterSettings,
    disks: &mut Disks,
) -> Result<McapOut, BagError> {
    let name = folder.file_name().map_or_else(|| "bag".into(), |n| n.to_string_lossy());
    let path = folder.join(format!("{name}_{number}.mcap"));
    let disk = disks(&path).map_err(BagError::io(&path, "create the file"))?;
    McapOut::new(&path, disk, settings.packing)
}
