//! One MCAP file, message by message.
//!
//! A file with an index is read in the order of its messages' log times: chunk by chunk, and chunks that overlap
//! together. A file without one (cut off, or closed by a kill) is read in the order in which it was written, up to
//! where it ends.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mcap::records::{ChunkIndex, Record};
use mcap::sans_io::linear_reader::{LinearReadEvent, LinearReader, LinearReaderOptions};
use mcap::sans_io::summary_reader::{SummaryReadEvent, SummaryReader, SummaryReaderOptions};
use mcap::{McapError, Summary};

use crate::error::BagError;

/// No record, and no chunk before or after decompression, may be longer.
const RECORD_LIMIT: usize = 256 << 20;
/// Bytes read at a time, so that a length in a damaged file allocates nothing.
const READ_STEP: usize = 256 << 10;

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

/// A topic as the file declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Channel {
    pub topic: Arc<str>,
    pub type_name: String,
    pub encoding: String,
    pub type_hash: String,
}

/// A message as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawMessage {
    pub log_time_ns: i64,
    pub channel: u16,
    pub data: Vec<u8>,
}

enum Order {
    /// As written, from the first byte.
    Written { reader: Box<LinearReader>, whole_chunks: bool, to_skip: u64 },
    /// By log time, then by place in the file.
    LogTime { chunks: VecDeque<ChunkIndex>, loaded: BinaryHeap<Reverse<Loaded>> },
}

/// A message that waits for its turn; sorts by time, then place.
#[derive(PartialEq, Eq)]
struct Loaded {
    place: (i64, u64, u64),
    message: RawMessage,
}

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
    order: Order,
    schemas: BTreeMap<u16, String>,
    channels: BTreeMap<u16, Channel>,
    /// Messages given so far.
    given: u64,
    cut: Option<Cut>,
}

impl McapFile {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, BagError> {
        let mut file = File::open(path).map_err(BagError::io(path, "open the file"))?;
        let size = file.metadata().map_err(BagError::io(path, "read the file"))?.len();
        check_magic(path, &mut file)?;
        let summary = read_summary(&mut file, size);
        let mut out = Self {
            path: path.to_owned(),
            file,
            size,
            order: written_order(true, 0),
            schemas: BTreeMap::new(),
            channels: BTreeMap::new(),
            given: 0,
            cut: None,
        };
        match summary.filter(|s| usable(s, size)) {
            Some(summary) => {
                for (id, channel) in &summary.channels {
                    let type_name = channel.schema.as_ref().map(|s| s.name.clone()).unwrap_or_default();
                    out.add_channel(
                        *id,
                        &channel.topic,
                        type_name,
                        &channel.message_encoding,
                        &channel.metadata,
                    );
                }
                let mut chunks = summary.chunk_indexes;
                chunks.sort_by_key(|c| (c.message_start_time, c.chunk_start_offset));
                out.order = Order::LogTime { chunks: chunks.into(), loaded: BinaryHeap::new() };
            }
            None => out.rewind()?,
        }
        Ok(out)
    }

    /// Name of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The topic of a message that was given.
    pub fn channel(&self, id: u16) -> Option<&Channel> {
        self.channels.get(&id)
    }

    /// Every topic declared so far.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values()
    }

    /// Where the file ends too early, once its end was reached.
    pub fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// The next message; none at the end.
    pub fn next_message(&mut self) -> Result<Option<RawMessage>, BagError> {
        let message = match self.order {
            Order::Written { .. } => self.next_written(),
            Order::LogTime { .. } => self.next_by_time(),
        }?;
        if let Some(m) = &message {
            self.given += 1;
            if !self.channels.contains_key(&m.channel) {
                return Err(
                    self.malformed(&format!("message on channel {}, which is not declared", m.channel))
                );
            }
        }
        Ok(message)
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
        type_name: String,
        encoding: &str,
        metadata: &BTreeMap<String, String>,
    ) {
        let type_hash = metadata.get("topic_type_hash").cloned().unwrap_or_default();
        let channel = Channel { topic: topic.into(), type_name, encoding: encoding.into(), type_hash };
        self.channels.insert(id, channel);
    }

    fn next_written(&mut self) -> Result<Option<RawMessage>, BagError> {
        loop {
            let Order::Written { reader, whole_chunks, to_skip } = &mut self.order else {
                return Ok(None);
            };
            let (whole_chunks, skip) = (*whole_chunks, *to_skip > 0);
            let step = match advance(reader, &mut self.file) {
                Ok(step) => step,
                Err(Fault::Io(e)) => return Err(BagError::io(&self.path, "read the file")(e)),
                Err(Fault::Mcap(McapError::UnexpectedEof)) if whole_chunks => {
                    // The last chunk is not whole. Start again and take from it what there is.
                    self.rewind()?;
                    self.order = written_order(false, self.given);
                    continue;
                }
                Err(Fault::Mcap(McapError::UnexpectedEof)) => {
                    self.cut = Some(Cut { path: self.path.clone(), bytes: self.size, messages: self.given });
                    return Ok(None);
                }
                Err(Fault::Mcap(e)) => return Err(self.malformed(&e)),
            };
            match step {
                Step::End => return Ok(None),
                Step::Other => {}
                Step::Schema(id, name) => {
                    self.schemas.insert(id, name);
                }
                Step::Channel(c) => {
                    let type_name = self.schemas.get(&c.schema_id).cloned().unwrap_or_default();
                    self.add_channel(c.id, &c.topic, type_name, &c.message_encoding, &c.metadata);
                }
                Step::Message(_) if skip => {
                    if let Order::Written { to_skip, .. } = &mut self.order {
                        *to_skip -= 1;
                    }
                }
                Step::Message(m) => return Ok(Some(m)),
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

    /// Reads one chunk's messages.
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
                Ok(Step::Schema(id, name)) => {
                    self.schemas.insert(id, name);
                }
                Ok(Step::Channel(c)) => {
                    if !self.channels.contains_key(&c.id) {
                        let type_name = self.schemas.get(&c.schema_id).cloned().unwrap_or_default();
                        self.add_channel(c.id, &c.topic, type_name, &c.message_encoding, &c.metadata);
                    }
                }
                Ok(Step::Message(message)) => {
                    if let Order::LogTime { loaded, .. } = &mut self.order {
                        loaded.push(Reverse(Loaded { place: (message.log_time_ns, start, count), message }));
                    }
                    count += 1;
                }
            }
        }
    }
}

fn options() -> LinearReaderOptions {
    LinearReaderOptions::default().with_record_length_limit(RECORD_LIMIT)
}

fn written_order(whole_chunks: bool, to_skip: u64) -> Order {
    // A chunk is checked before its messages are given; only the last one of a cut file is read without.
    let options = options().with_prevalidate_chunk_crcs(whole_chunks).with_validate_chunk_crcs(true);
    Order::Written { reader: Box::new(LinearReader::new_with_options(options)), whole_chunks, to_skip }
}

/// What a file says next.
enum Step {
    Schema(u16, String),
    Channel(mcap::records::Channel),
    Message(RawMessage),
    Other,
    End,
}

enum Fault {
    Io(std::io::Error),
    Mcap(McapError),
}

/// Feeds the reader until it has a record.
fn advance(reader: &mut LinearReader, input: &mut impl Read) -> Result<Step, Fault> {
    let fault = Fault::Mcap;
    loop {
        let wanted = match reader.next_event() {
            None => return Ok(Step::End),
            Some(Err(e)) => return Err(fault(e)),
            Some(Ok(LinearReadEvent::ReadRequest(wanted))) => wanted.clamp(1, READ_STEP),
            Some(Ok(LinearReadEvent::Record { opcode, data })) => {
                return Ok(match mcap::parse_record(opcode, data).map_err(fault)? {
                    Record::Schema { header, .. } => Step::Schema(header.id, header.name),
                    Record::Channel(channel) => Step::Channel(channel),
                    Record::Message { header, data } => Step::Message(RawMessage {
                        // 292 years; a later time is no time.
                        log_time_ns: i64::try_from(header.log_time).unwrap_or(i64::MAX),
                        channel: header.channel_id,
                        data: data.into_owned(),
                    }),
                    _ => Step::Other,
                });
            }
        };
        let read = loop {
            match input.read(reader.insert(wanted)) {
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other.map_err(Fault::Io)?,
            }
        };
        reader.notify_read(read);
    }
}

/// Refuses what is no MCAP file; a file cut off within the magic counts as one.
fn check_magic(path: &Path, file: &mut File) -> Result<(), BagError> {
    let mut start = Vec::new();
    file.take(mcap::MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(BagError::io(path, "read the file"))?;
    if start.is_empty() {
        return Err(BagError::NotABag { path: path.to_owned(), found: "is empty".into() });
    }
    if !mcap::MAGIC.starts_with(&start) {
        let found = format!("starts with the bytes {start:02x?}, MCAP with {:02x?}", mcap::MAGIC);
        return Err(BagError::NotABag { path: path.to_owned(), found });
    }
    Ok(())
}

/// The summary section; none where the file has none, or not a whole one.
fn read_summary(file: &mut File, size: u64) -> Option<Summary> {
    let options = SummaryReaderOptions::default().with_file_size(size).with_record_length_limit(RECORD_LIMIT);
    let mut reader = SummaryReader::new_with_options(options);
    while let Some(event) = reader.next_event() {
        match event.ok()? {
            SummaryReadEvent::ReadRequest(wanted) => {
                let read = file.read(reader.insert(wanted.min(READ_STEP))).ok()?;
                reader.notify_read(read);
            }
            SummaryReadEvent::SeekRequest(to) => reader.notify_seeked(file.seek(to).ok()?),
        }
    }
    reader.finish()
}

/// Whether a summary's index covers the file's messages and points into the file.
fn usable(summary: &Summary, size: u64) -> bool {
    let inside =
        |c: &ChunkIndex| c.chunk_start_offset.checked_add(c.chunk_length).is_some_and(|end| end <= size);
    !summary.chunk_indexes.is_empty() && summary.chunk_indexes.iter().all(inside)
}
