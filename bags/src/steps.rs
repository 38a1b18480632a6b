//! From an MCAP file's bytes to its records: the sans-IO readers of the `mcap` library, fed from a file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use mcap::records::{ChunkIndex, Record};
use mcap::sans_io::linear_reader::{LinearReadEvent, LinearReader, LinearReaderOptions};
use mcap::sans_io::summary_reader::{SummaryReadEvent, SummaryReader, SummaryReaderOptions};
use mcap::{McapError, Summary};

use crate::error::BagError;

/// No record, and no chunk before or after decompression, may be longer.
pub(crate) const RECORD_LIMIT: usize = 256 << 20;
/// Bytes read at a time, so that a length in a damaged file allocates nothing.
pub(crate) const READ_STEP: usize = 256 << 10;
/// A file that ends with more zeros than this was cut by a power loss, after which the file system left a hole.
const HOLE_BYTES: u64 = 512;

/// What a file says next.
pub(crate) enum Step {
    Schema(Schema),
    Channel(mcap::records::Channel),
    Message { channel: u16, log_time_ns: i64, data: Vec<u8> },
    Other,
    End,
}

/// A type as a file declares it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Schema {
    pub id: u16,
    pub name: String,
    pub encoding: String,
    pub text: String,
}

pub(crate) enum Fault {
    Io(io::Error),
    Mcap(McapError),
}

pub(crate) fn options() -> LinearReaderOptions {
    LinearReaderOptions::default().with_record_length_limit(RECORD_LIMIT)
}

/// 292 years; a later time is no time.
pub(crate) fn to_ns(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// Feeds the reader until it has a record.
pub(crate) fn advance(reader: &mut LinearReader, input: &mut impl Read) -> Result<Step, Fault> {
    let fault = Fault::Mcap;
    loop {
        let wanted = match reader.next_event() {
            None => return Ok(Step::End),
            Some(Err(e)) => return Err(fault(e)),
            Some(Ok(LinearReadEvent::ReadRequest(wanted))) => wanted.clamp(1, READ_STEP),
            Some(Ok(LinearReadEvent::Record { opcode, data })) => {
                return Ok(match mcap::parse_record(opcode, data).map_err(fault)? {
                    Record::Schema { header, data } => Step::Schema(Schema {
                        id: header.id,
                        name: header.name,
                        encoding: header.encoding,
                        text: String::from_utf8_lossy(&data).into_owned(),
                    }),
                    Record::Channel(channel) => Step::Channel(channel),
                    Record::Message { header, data } => Step::Message {
                        log_time_ns: to_ns(header.log_time),
                        channel: header.channel_id,
                        data: data.into_owned(),
                    },
                    _ => Step::Other,
                });
            }
        };
        let read = loop {
            match input.read(reader.insert(wanted)) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(Fault::Io)?,
            }
        };
        reader.notify_read(read);
    }
}

/// Refuses what is no MCAP file; a file cut off within the magic counts as one.
pub(crate) fn check_magic(path: &Path, file: &mut File) -> Result<(), BagError> {
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

/// The file's length without a hole at its end.
pub(crate) fn length_without_hole(file: &mut File, size: u64) -> io::Result<u64> {
    let mut end = size;
    let mut block = vec![0; 64 << 10];
    while end > 0 {
        let count = end.min(block.len() as u64) as usize;
        file.seek(SeekFrom::Start(end - count as u64))?;
        file.read_exact(&mut block[..count])?;
        let kept = block[..count].iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
        end -= (count - kept) as u64;
        if kept > 0 {
            break;
        }
    }
    Ok(if size - end > HOLE_BYTES { end } else { size })
}

/// The summary section; none where the file has none, or not a whole one.
pub(crate) fn read_summary(file: &mut File, size: u64) -> Option<Summary> {
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
pub(crate) fn usable(summary: &Summary, size: u64) -> bool {
    let inside =
        |c: &ChunkIndex| c.chunk_start_offset.checked_add(c.chunk_length).is_some_and(|end| end <= size);
    !summary.chunk_indexes.is_empty() && summary.chunk_indexes.iter().all(inside)
}
