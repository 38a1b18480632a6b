//! One MCAP file, message by message.
//!
//! A file with an index is read in the order of its messages' log times: chunk by chunk, and chunks that overlap
//! together; chunks that hold nothing wanted are not read. A file without an index (cut off, or closed by a kill) is
//! read in the order in which it was written, up to where it ends.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mcap::records::ChunkIndex;
use mcap::sans_io::linear_reader::LinearReader;
use mcap::{McapError, Summary};

use crate::error::BagError;
use crate::record::{Channel, RawMessage};
use crate::selection::Selection;
use crate::steps::{
    Fault, Schema, Step, advance, check_magic, length_without_hole, options, read_summary, to_ns, usable,
};
use crate::storage::written;

/// Where a file ends too early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The `.mcap` file.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// Messages before the cut.
    pub messages: u64,
}

enum Order {
    /// As written, from the first byte.
    Written { reader: Box<LinearReader>, whole_chunks: bool, to_skip: u64 },
    /// By log time, then by place in the file.
    LogTime { chunks: VecDeque<ChunkIndex>, loaded: BinaryHeap<Reverse<Loaded>> },
}

/// A message that waits for its turn; sorts by time, then place.
struct Loaded {
    place: (i64, u64, u64),
    message: RawMessage,
}

impl PartialEq for Loaded {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Loaded {}

impl Ord for Loaded {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}

impl PartialOrd for Loaded {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// An open MCAP file.
pub(crate) struct McapFile {
    path: PathBuf,
    file: File,
    size: u64,
    /// Bytes before a hole at the end.
    solid: u64,
    selection: Arc<Selection>,
    order: Order,
    schemas: BTreeMap<u16, Schema>,
    channels: BTreeMap<u16, Arc<Channel>>,
    /// Messages met so far, wanted or not.
    met: u64,
    cut: Option<Cut>,
    /// Whether its end is only the end so far.
    grows: bool,
}

/// The end of a file that grows is no end.
struct Growing<R>(R);

impl<R: Read> Read for Growing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl McapFile {
    /// Opens a file that is still written, to be read as far as it goes, again and again.
    pub fn open_growing(path: &Path, selection: Arc<Selection>) -> Result<Self, BagError> {
        let mut file = File::open(path).map_err(BagError::io(path, "open the file"))?;
        check_magic(path, &mut file)?;
        file.rewind().map_err(BagError::io(path, "read the file"))?;
        Ok(Self { grows: true, ..Self::unread(path, file, 0, selection) })
    }

    fn unread(path: &Path, file: File, size: u64, selection: Arc<Selection>) -> Self {
        Self {
            path: path.to_owned(),
            file,
            size,
            solid: size,
            selection,
            order: written_order(true, 0),
            schemas: BTreeMap::new(),
            channels: BTreeMap::new(),
            met: 0,
            cut: None,
            grows: false,
        }
    }

    /// Whether more may come after what was read.
    pub fn grows(&self) -> bool {
        self.grows
    }

    /// Opens a file.
    pub fn open(path: &Path, selection: Arc<Selection>) -> Result<Self, BagError> {
        let mut file = File::open(path).map_err(BagError::io(path, "open the file"))?;
        let size = file.metadata().map_err(BagError::io(path, "read the file"))?.len();
        check_magic(path, &mut file)?;
        let solid = length_without_hole(&mut file, size).map_err(BagError::io(path, "read the file"))?;
        file.rewind().map_err(BagError::io(path, "read the file"))?;
        let summary = read_summary(&mut file, size);
        let mut out = Self { solid, ..Self::unread(path, file, size, selection) };
        match summary.filter(|s| usable(s, size)) {
            Some(summary) => out.use_summary(summary),
            None => out.rewind()?,
        }
        Ok(out)
    }

    fn use_summary(&mut self, summary: Summary) {
        for (id, channel) in &summary.channels {
            if let Some(s) = &channel.schema {
                let text = String::from_utf8_lossy(&s.data).into_owned();
                let schema = Schema { id: s.id, name: s.name.clone(), encoding: s.encoding.clone(), text };
                self.schemas.insert(s.id, schema);
            }
            let schema_id = channel.schema.as_ref().map_or(0, |s| s.id);
            self.add_channel(*id, &channel.topic, schema_id, &channel.message_encoding, &channel.metadata);
        }
        let mut chunks = summary.chunk_indexes;
        chunks.retain(|c| self.wants(c));
        chunks.sort_by_key(|c| (c.message_start_time, c.chunk_start_offset));
        self.order = Order::LogTime { chunks: chunks.into(), loaded: BinaryHeap::new() };
    }

    /// Whether a chunk may hold something wanted. One whose topics are not known counts as if it did.
    fn wants(&self, chunk: &ChunkIndex) -> bool {
        let of_topics = &chunk.message_index_offsets;
        let wanted = |id| self.channels.get(id).is_none_or(|c| self.selection.takes_topic(&c.topic));
        self.selection.takes_span(to_ns(chunk.message_start_time), to_ns(chunk.message_end_time))
            && (of_topics.is_empty() || of_topics.keys().any(wanted))
    }

    /// Every topic declared so far.
    pub fn channels(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.channels.values()
    }

    /// Where the file ends too early, once its end was reached.
    pub fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// The next wanted message; none at the end.
    pub fn next_message(&mut self) -> Result<Option<RawMessage>, BagError> {
        match self.order {
            Order::Written { .. } => self.next_written(),
            Order::LogTime { .. } => self.next_by_time(),
        }
    }

    fn malformed(&mut self, problem: &impl ToString) -> BagError {
        let offset = self.file.stream_position().unwrap_or_default();
        BagError::Malformed { path: self.path.clone(), offset, problem: problem.to_string() }
    }

    fn rewind(&mut self) -> Result<(), BagError> {
        self.file.rewind().map_err(BagError::io(&self.path, "read the file"))
    }

    fn add_channel(
        &mut self,
        id: u16,
        topic: &str,
        schema_id: u16,
        encoding: &str,
        metadata: &BTreeMap<String, String>,
    ) {
        let told = |key: &str| metadata.get(key).cloned().unwrap_or_default();
        let schema = self.schemas.get(&schema_id).cloned().unwrap_or_default();
        let channel = Channel {
            topic: topic.into(),
            type_name: schema.name,
            encoding: encoding.into(),
            definition: schema.text,
            definition_encoding: schema.encoding,
            type_hash: told("topic_type_hash"),
            qos: told("offered_qos_profiles"),
        };
        self.channels.insert(id, Arc::new(channel));
    }

    /// A message as it stands in the file with its channel; an error where the file declares none.
    fn message(&mut self, id: u16, stamp_ns: i64, data: Vec<u8>) -> Result<RawMessage, BagError> {
        match self.channels.get(&id) {
            Some(channel) => Ok(RawMessage { channel: channel.clone(), stamp_ns, data }),
            None => Err(self.malformed(&format!("message on channel {id}, which is not declared"))),
        }
    }

    fn wanted(&self, message: &RawMessage) -> bool {
        self.selection.takes_time(message.stamp_ns) && self.selection.takes_topic(&message.channel.topic)
    }

    fn next_written(&mut self) -> Result<Option<RawMessage>, BagError> {
        loop {
            let Order::Written { reader, whole_chunks, to_skip } = &mut self.order else {
                return Ok(None);
            };
            let (whole_chunks, skip) = (*whole_chunks, *to_skip > 0);
            let at = self.file.stream_position().map_err(BagError::io(&self.path, "read the file"))?;
            let mut rest = (&self.file).take(self.solid.saturating_sub(at));
            let step =
                if self.grows { advance(reader, &mut Growing(rest)) } else { advance(reader, &mut rest) };
            let step = match step {
                Ok(step) => step,
                Err(Fault::Io(e)) if e.kind() == io::ErrorKind::WouldBlock => {
                    let solid = written(&self.file).map_err(BagError::io(&self.path, "read the file"))?;
                    if solid.is_none_or(|solid| solid <= self.solid) {
                        return Ok(None);
                    }
                    self.solid = solid.unwrap_or(self.solid);
                    continue;
                }
                Err(Fault::Io(e)) => return Err(BagError::io(&self.path, "read the file")(e)),
                Err(Fault::Mcap(McapError::UnexpectedEof)) if whole_chunks => {
                    // The last chunk is not whole. Start again and take from it what there is.
                    self.rewind()?;
                    self.order = written_order(false, self.met);
                    continue;
                }
                Err(Fault::Mcap(McapError::UnexpectedEof)) => {
                    self.cut = Some(Cut { path: self.path.clone(), bytes: self.size, messages: self.met });
                    return Ok(None);
                }
                Err(Fault::Mcap(e)) => return Err(self.malformed(&e)),
            };
            match step {
                Step::End => {
                    self.grows = false;
                    return Ok(None);
                }
                Step::Other => {}
                Step::Schema(schema) => {
                    self.schemas.insert(schema.id, schema);
                }
                Step::Channel(c) => {
                    // A summary says again what the data said.
                    if !self.channels.contains_key(&c.id) {
                        self.add_channel(c.id, &c.topic, c.schema_id, &c.message_encoding, &c.metadata);
                    }
                }
                Step::Message { .. } if skip => {
                    if let Order::Written { to_skip, .. } = &mut self.order {
                        *to_skip -= 1;
                    }
                }
                Step::Message { channel, log_time_ns, data } => {
                    self.met += 1;
                    let message = self.message(channel, log_time_ns, data)?;
                    if self.wanted(&message) {
                        return Ok(Some(message));
                    }
                }
            }
        }
    }

    fn next_by_time(&mut self) -> Result<Option<RawMessage>, BagError> {
        loop {
            let Order::LogTime { chunks, loaded } = &mut self.order else {
                return Ok(None);
            };
            let first = loaded.peek().map(|Reverse(l)| l.place.0);
            // A chunk that may hold an earlier message comes first.
            let next = chunks.pop_front_if(|c| {
                first.is_none_or(|t| i64::try_from(c.message_start_time).is_ok_and(|start| start <= t))
            });
            match next {
                None => return Ok(loaded.pop().map(|Reverse(l)| l.message)),
                Some(chunk) => self.load(&chunk)?,
            }
        }
    }

    /// Reads one chunk's wanted messages.
    fn load(&mut self, chunk: &ChunkIndex) -> Result<(), BagError> {
        let start = chunk.chunk_start_offset;
        self.file.seek(SeekFrom::Start(start)).map_err(BagError::io(&self.path, "read the file"))?;
        let mut reader = LinearReader::new_with_options(
            options().with_skip_start_magic(true).with_skip_end_magic(true).with_prevalidate_chunk_crcs(true),
        );
        let mut input = self
            .file
            .try_clone()
            .map_err(BagError::io(&self.path, "read the file"))?
            .take(chunk.chunk_length);
        let mut count = 0;
        loop {
            match advance(&mut reader, &mut input) {
                Err(Fault::Io(e)) => return Err(BagError::io(&self.path, "read the file")(e)),
                Err(Fault::Mcap(e)) => {
                    return Err(BagError::Malformed {
                        path: self.path.clone(),
                        offset: start,
                        problem: format!("chunk: {e}"),
                    });
                }
                Ok(Step::End) => return Ok(()),
                Ok(Step::Other) => {}
                Ok(Step::Schema(schema)) => {
                    self.schemas.insert(schema.id, schema);
                }
                Ok(Step::Channel(c)) => {
                    if !self.channels.contains_key(&c.id) {
                        self.add_channel(c.id, &c.topic, c.schema_id, &c.message_encoding, &c.metadata);
                    }
                }
                Ok(Step::Message { channel, log_time_ns, data }) => {
                    let message = self.message(channel, log_time_ns, data)?;
                    if self.wanted(&message)
                        && let Order::LogTime { loaded, .. } = &mut self.order
                    {
                        loaded.push(Reverse(Loaded { place: (log_time_ns, start, count), message }));
                    }
                    count += 1;
                }
            }
        }
    }
}

fn written_order(whole_chunks: bool, to_skip: u64) -> Order {
    // A chunk is checked before its messages are given; only the last one of a cut file is read without.
    let options = options().with_prevalidate_chunk_crcs(whole_chunks).with_validate_chunk_crcs(true);
    Order::Written { reader: Box::new(LinearReader::new_with_options(options)), whole_chunks, to_skip }
}
