//! The rules of an MCAP file: its records in order, its checksums, and its index against its messages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use mcap::McapError;
use mcap::records::{ChunkHeader, ChunkIndex, MessageIndex, Record, Statistics, op};
use mcap::sans_io::linear_reader::{LinearReadEvent, LinearReader, LinearReaderOptions};

use super::{Gathered, Severity};
use crate::error::BagError;
use crate::mcap_out::Tally;
use crate::record::Channel;
use crate::steps::{READ_STEP, RECORD_LIMIT, Schema, check_magic, options, to_ns};

/// Opcode and length before a record's body.
const RECORD_HEAD: u64 = 9;

/// A chunk as it stands in the file.
struct Chunk {
    header: ChunkHeader,
    /// Bytes with opcode and length.
    length: u64,
    /// Its messages by channel: log time and place in the chunk; only the last chunk's are held.
    messages: BTreeMap<u16, Vec<(u64, u64)>>,
    indexed: BTreeSet<u16>,
}

#[derive(Default)]
struct Rules {
    schemas: BTreeMap<u16, Schema>,
    channels: BTreeMap<u16, Channel>,
    counts: BTreeMap<u16, u64>,
    tally: Tally,
    /// By offset.
    chunks: BTreeMap<u64, Chunk>,
    last_chunk: Option<u64>,
    chunk_indexes: Vec<ChunkIndex>,
    statistics: Option<Statistics>,
    data_ended: bool,
    footer: bool,
    summary: bool,
    problems: Vec<(Severity, String)>,
}

/// Checks one file and gives its messages' tally.
pub(super) fn check(
    path: &Path,
    gathered: &mut Gathered,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Tally, BagError> {
    let mut file = File::open(path).map_err(BagError::io(path, "open the file"))?;
    check_magic(path, &mut file)?;
    file.rewind().map_err(BagError::io(path, "read the file"))?;
    let mut reader = LinearReader::new_with_options(
        LinearReaderOptions::default()
            .with_emit_chunks(true)
            .with_record_length_limit(RECORD_LIMIT)
            .with_validate_data_section_crc(true)
            .with_validate_summary_section_crc(true)
            .with_check_finishes_after_end_magic(true),
    );
    let mut rules = Rules::default();
    let mut at = mcap::MAGIC.len() as u64;
    loop {
        if !go_on() {
            return Err(BagError::Interrupted);
        }
        let wanted = match reader.next_event() {
            None => break,
            Some(Err(McapError::UnexpectedEof)) => {
                rules.error(at, "the file ends in the middle of a record: it was cut off");
                break;
            }
            Some(Err(error)) => {
                rules.error(at, &format!("{error}"));
                break;
            }
            Some(Ok(LinearReadEvent::ReadRequest(wanted))) => wanted.clamp(1, READ_STEP),
            Some(Ok(LinearReadEvent::Record { opcode, data })) => {
                match mcap::parse_record(opcode, data) {
                    Ok(Record::Chunk { header, .. }) => rules.chunk(at, header, data, path, gathered),
                    Ok(record) => rules.record(at, record, path, gathered),
                    Err(error) => rules.error(at, &format!("record of kind {opcode:#04x}: {error}")),
                }
                at += RECORD_HEAD + data.len() as u64;
                continue;
            }
        };
        let read = file.read(reader.insert(wanted)).map_err(BagError::io(path, "read the file"))?;
        reader.notify_read(read);
    }
    rules.end(at);
    for (severity, problem) in rules.problems {
        gathered.find(severity, path, problem);
    }
    Ok(rules.tally)
}

impl Rules {
    fn error(&mut self, at: u64, problem: &str) {
        self.problems.push((Severity::Error, format!("byte {at}: {problem}")));
    }

    fn warn(&mut self, problem: &str) {
        self.problems.push((Severity::Warning, problem.to_owned()));
    }

    fn record(&mut self, at: u64, record: Record<'_>, path: &Path, gathered: &mut Gathered) {
        match record {
            Record::Header(h) if h.profile != "ros2" => {
                self.warn(&format!("the profile is {:?}, rosbag2 writes \"ros2\"", h.profile));
            }
            Record::Schema { .. } | Record::Channel(_) => self.declaration(at, record, path, gathered),
            Record::Message { header, data } => {
                self.counted(at, header.channel_id, header.log_time, &data, path, gathered);
            }
            Record::MessageIndex(index) => self.message_index(at, &index),
            Record::ChunkIndex(index) => self.chunk_indexes.push(index),
            Record::Statistics(statistics) => self.statistics = Some(statistics),
            Record::DataEnd(_) => self.data_ended = true,
            Record::Footer(footer) => {
                self.footer = true;
                self.summary = footer.summary_start != 0;
            }
            _ => {}
        }
    }

    fn declaration(&mut self, at: u64, record: Record<'_>, path: &Path, gathered: &mut Gathered) {
        match record {
            Record::Schema { header, data } => {
                if header.id == 0 {
                    self.error(at, "a schema has the number 0, which means none");
                }
                let text = String::from_utf8_lossy(&data).into_owned();
                let schema = Schema { id: header.id, name: header.name, encoding: header.encoding, text };
                if self.schemas.get(&header.id).is_some_and(|s| *s != schema) {
                    self.error(at, &format!("schema {} is declared twice, and differently", header.id));
                }
                self.schemas.insert(header.id, schema);
            }
            Record::Channel(c) => {
                let Some(schema) = self.schemas.get(&c.schema_id).cloned() else {
                    let problem = format!(
                        "channel {} on {} names schema {}, which comes later or never",
                        c.id, c.topic, c.schema_id
                    );
                    return self.error(at, &problem);
                };
                let told = |key: &str| c.metadata.get(key).cloned().unwrap_or_default();
                let channel = Channel {
                    topic: c.topic.as_str().into(),
                    type_name: schema.name,
                    encoding: c.message_encoding,
                    definition: schema.text,
                    definition_encoding: schema.encoding,
                    type_hash: told("topic_type_hash"),
                    qos: told("offered_qos_profiles"),
                };
                match self.channels.get(&c.id) {
                    Some(before) if *before != channel => {
                        self.error(at, &format!("channel {} is declared twice, and differently", c.id));
                    }
                    Some(_) => {}
                    None => gathered.declare(path, &channel),
                }
                self.channels.insert(c.id, channel);
            }
            _ => {}
        }
    }

    fn counted(
        &mut self,
        at: u64,
        id: u16,
        log_time: u64,
        data: &[u8],
        path: &Path,
        gathered: &mut Gathered,
    ) {
        let Some(channel) = self.channels.get(&id) else {
            return self.error(at, &format!("message on channel {id}, which is not declared before it"));
        };
        *self.counts.entry(id).or_default() += 1;
        gathered.message(path, channel, to_ns(log_time), data, &mut self.tally);
    }

    /// A chunk, given with its body as it stands in the file.
    fn chunk(&mut self, at: u64, header: ChunkHeader, body: &[u8], path: &Path, gathered: &mut Gathered) {
        let mut messages: BTreeMap<u16, Vec<(u64, u64)>> = BTreeMap::new();
        let mut inside = 0;
        let mut times: Option<(u64, u64)> = None;
        let head = [&[op::CHUNK][..], &(body.len() as u64).to_le_bytes()].concat();
        let mut input = head.chain(body);
        let mut reader = LinearReader::new_with_options(
            options().with_skip_start_magic(true).with_skip_end_magic(true).with_prevalidate_chunk_crcs(true),
        );
        while let Some(event) = reader.next_event() {
            let (opcode, data) = match event {
                Ok(LinearReadEvent::ReadRequest(wanted)) => {
                    // Reading from memory does not fail.
                    let read = input.read(reader.insert(wanted.clamp(1, READ_STEP))).unwrap_or(0);
                    reader.notify_read(read);
                    continue;
                }
                Ok(LinearReadEvent::Record { opcode, data }) => (opcode, data),
                Err(error) => {
                    self.error(at, &format!("chunk: {error}"));
                    break;
                }
            };
            match mcap::parse_record(opcode, data) {
                Ok(Record::Message { header: h, data }) => {
                    messages.entry(h.channel_id).or_default().push((h.log_time, inside));
                    let (first, last) = times.unwrap_or((h.log_time, h.log_time));
                    times = Some((first.min(h.log_time), last.max(h.log_time)));
                    self.counted(at, h.channel_id, h.log_time, &data, path, gathered);
                }
                Ok(record @ (Record::Schema { .. } | Record::Channel(_))) => {
                    self.declaration(at, record, path, gathered);
                }
                Ok(_) => self.error(at, &format!("chunk: holds a record of kind {opcode:#04x}")),
                Err(error) => self.error(at, &format!("chunk: record of kind {opcode:#04x}: {error}")),
            }
            inside += RECORD_HEAD + data.len() as u64;
        }
        let (start, end) = times.unwrap_or((0, 0));
        if (header.message_start_time, header.message_end_time) != (start, end) {
            let problem = format!(
                "chunk: says that its messages span {} to {} ns, they span {start} to {end}",
                header.message_start_time, header.message_end_time
            );
            self.error(at, &problem);
        }
        // The chunk before has had its message indexes; a long bag's messages are not all held.
        if let Some(before) = self.last_chunk.and_then(|c| self.chunks.get_mut(&c)) {
            before.messages.values_mut().for_each(|list| *list = Vec::new());
        }
        let length = RECORD_HEAD + body.len() as u64;
        self.chunks.insert(at, Chunk { header, length, messages, indexed: BTreeSet::new() });
        self.last_chunk = Some(at);
    }

    fn message_index(&mut self, at: u64, index: &MessageIndex) {
        let Some(chunk) = self.last_chunk.and_then(|c| self.chunks.get_mut(&c)) else {
            return self.error(at, "message index without a chunk before it");
        };
        chunk.indexed.insert(index.channel_id);
        let mut said: Vec<(u64, u64)> = index.records.iter().map(|r| (r.log_time, r.offset)).collect();
        let mut found = chunk.messages.get(&index.channel_id).cloned().unwrap_or_default();
        said.sort_unstable();
        found.sort_unstable();
        if said != found {
            let problem = format!(
                "message index of channel {}: {} entries that are not the chunk's {} messages",
                index.channel_id,
                said.len(),
                found.len()
            );
            self.error(at, &problem);
        }
    }

    /// What can be said only at the end.
    fn end(&mut self, at: u64) {
        if !self.data_ended {
            self.error(at, "no end of the data section");
        }
        if !self.footer {
            self.error(at, "no footer");
        } else if !self.summary {
            self.warn("no index: the recorder was killed; readers must read all of it (renew: shelfwright bag merge)");
        } else {
            self.summary(at);
        }
    }

    fn summary(&mut self, at: u64) {
        for index in std::mem::take(&mut self.chunk_indexes) {
            let place = index.chunk_start_offset;
            let problem = match self.chunks.remove(&place) {
                None => Some("where no chunk begins".to_owned()),
                Some(c) => differences(&c, &index),
            };
            if let Some(problem) = problem {
                self.error(at, &format!("index of the chunk at byte {place}: {problem}"));
            }
        }
        if let Some(place) = self.chunks.keys().next().copied() {
            let count = self.chunks.len();
            self.error(at, &format!("{count} chunks are not in the index, the first at byte {place}"));
        }
        let Some(said) = self.statistics.take() else { return self.warn("no statistics") };
        let (start, end) = self.tally.span_ns.unwrap_or((0, 0));
        for (what, said, found) in [
            ("messages", said.message_count, self.tally.messages),
            ("channels", u64::from(said.channel_count), self.channels.len() as u64),
            ("schemas", u64::from(said.schema_count), self.schemas.len() as u64),
            ("first stamp", said.message_start_time, start as u64),
            ("last stamp", said.message_end_time, end as u64),
        ] {
            if said != found {
                self.error(at, &format!("statistics: {what} {said}, found {found}"));
            }
        }
        if said.channel_message_counts.iter().any(|(id, n)| self.counts.get(id).copied().unwrap_or(0) != *n) {
            self.error(at, "statistics: the messages of each channel are not those of the file");
        }
    }
}

fn differences(chunk: &Chunk, index: &ChunkIndex) -> Option<String> {
    let h = &chunk.header;
    let pairs = [
        ("length", index.chunk_length, chunk.length),
        ("first stamp", index.message_start_time, h.message_start_time),
        ("last stamp", index.message_end_time, h.message_end_time),
        ("compressed size", index.compressed_size, h.compressed_size),
        ("uncompressed size", index.uncompressed_size, h.uncompressed_size),
    ];
    if let Some((what, said, found)) = pairs.into_iter().find(|(_, said, found)| said != found) {
        return Some(format!("{what} {said}, found {found}"));
    }
    if index.compression != h.compression {
        return Some(format!("compression {:?}, found {:?}", index.compression, h.compression));
    }
    let topics: BTreeSet<u16> = index.message_index_offsets.keys().copied().collect();
    let found: BTreeSet<u16> = chunk.messages.keys().copied().collect();
    if !topics.is_empty() && topics != found {
        return Some(format!("channels {topics:?}, found {found:?}"));
    }
    (!topics.is_empty() && chunk.indexed != found)
        .then(|| "message indexes are missing after the chunk".to_owned())
}
