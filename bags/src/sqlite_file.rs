//! One `.db3` file, the SQLite storage of `rosbag2`, message by message in the order of their stamps.
//!
//! Reads pages of some messages, so that a long bag takes no more memory than a short one. Read only: this package
//! writes MCAP.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use interfaces::type_info;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};

use crate::error::BagError;
use crate::record::{Channel, RawMessage};
use crate::selection::Selection;

/// A page ends with the message that makes it this long.
const PAGE_BYTES: usize = 4 << 20;
const PAGE_MESSAGES: usize = 4_096;
/// No message may be longer after decompression.
const MESSAGE_LIMIT: u64 = 256 << 20;
/// How every SQLite file starts.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// An open `.db3` file.
pub(crate) struct SqliteFile {
    path: PathBuf,
    db: Connection,
    channels: BTreeMap<i64, Arc<Channel>>,
    /// The statement that gives a page.
    query: String,
    last_ns: i64,
    page: VecDeque<RawMessage>,
    /// Stamp and identifier of the last row of a page.
    after: (i64, i64),
    done: bool,
    /// Each message is packed by zstd.
    packed: bool,
}

impl SqliteFile {
    /// Opens a file.
    pub fn open(path: &Path, selection: &Selection) -> Result<Self, BagError> {
        let mut start = Vec::new();
        fs::File::open(path)
            .and_then(|f| f.take(MAGIC.len() as u64).read_to_end(&mut start))
            .map_err(BagError::io(path, "open the file"))?;
        if start != MAGIC {
            let found = format!("starts with the bytes {start:02x?}, SQLite with {MAGIC:02x?}");
            return Err(BagError::NotABag { path: path.to_owned(), found });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(BagError::sqlite(path))?;
        let channels = channels(&db).map_err(BagError::sqlite(path))?;
        let wanted: Vec<String> = channels
            .iter()
            .filter(|(_, c)| selection.takes_topic(&c.topic))
            .map(|(id, _)| id.to_string())
            .collect();
        let query = format!(
            "SELECT timestamp, id, topic_id, data FROM messages WHERE (timestamp, id) > (?1, ?2) \
             AND timestamp <= ?3 AND topic_id IN ({}) ORDER BY timestamp, id",
            wanted.join(",")
        );
        let (first_ns, last_ns) = selection.span();
        Ok(Self {
            path: path.to_owned(),
            db,
            channels,
            query,
            last_ns,
            page: VecDeque::new(),
            after: (first_ns, i64::MIN),
            done: false,
            packed: packed(path)?,
        })
    }

    /// Every topic of the file.
    pub fn channels(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.channels.values()
    }

    /// The next wanted message; none at the end.
    pub fn next_message(&mut self) -> Result<Option<RawMessage>, BagError> {
        if self.page.is_empty() && !self.done {
            self.turn()?;
        }
        let Some(mut message) = self.page.pop_front() else { return Ok(None) };
        if self.packed {
            message.data = unpack(&message.data).map_err(|e| BagError::Malformed {
                path: self.path.clone(),
                offset: 0,
                problem: format!("message at {} ns on {}: {e}", message.stamp_ns, message.channel.topic),
            })?;
        }
        Ok(Some(message))
    }

    /// Reads the next page.
    fn turn(&mut self) -> Result<(), BagError> {
        let error = BagError::sqlite(&self.path);
        let mut statement = self.db.prepare_cached(&self.query).map_err(&error)?;
        let mut rows = statement.query((self.after.0, self.after.1, self.last_ns)).map_err(&error)?;
        let mut bytes = 0;
        while let Some(row) = rows.next().map_err(&error)? {
            let (stamp_ns, id, topic, data) = fields(row).map_err(&error)?;
            self.after = (stamp_ns, id);
            bytes += data.len();
            // The statement asks for the file's own topics alone.
            if let Some(channel) = self.channels.get(&topic) {
                self.page.push_back(RawMessage { channel: channel.clone(), stamp_ns, data });
            }
            if bytes >= PAGE_BYTES || self.page.len() >= PAGE_MESSAGES {
                return Ok(());
            }
        }
        self.done = true;
        Ok(())
    }
}

fn fields(row: &Row<'_>) -> rusqlite::Result<(i64, i64, i64, Vec<u8>)> {
    let data = match row.get_ref(3)? {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes.to_vec(),
        _ => Vec::new(),
    };
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, data))
}

/// The topics of a file. Older versions of the format have fewer columns, and no definitions.
fn channels(db: &Connection) -> rusqlite::Result<BTreeMap<i64, Arc<Channel>>> {
    let has = |table: &str, column: &str| {
        db.query_row("SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2", (table, column), |row| {
            row.get::<_, i64>(0)
        })
        .map(|n| n > 0)
    };
    let column = |name: &str| has("topics", name).map(|yes| if yes { name.to_owned() } else { "''".into() });
    let query = format!(
        "SELECT id, name, type, serialization_format, {}, {} FROM topics",
        column("offered_qos_profiles")?,
        column("type_description_hash")?
    );
    let mut definitions = BTreeMap::new();
    if has("message_definitions", "encoded_message_definition")? {
        let query = "SELECT topic_type, encoding, encoded_message_definition FROM message_definitions";
        let mut statement = db.prepare(query)?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            definitions
                .insert(row.get::<_, String>(0)?, (row.get::<_, String>(1)?, row.get::<_, String>(2)?));
        }
    }
    let mut statement = db.prepare(&query)?;
    let mut rows = statement.query(())?;
    let mut out = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (topic, type_name): (String, String) = (row.get(1)?, row.get(2)?);
        // A type of ours can be told more of than an old file says.
        let ours = type_info(&type_name);
        let (definition_encoding, definition) = definitions
            .get(&type_name)
            .filter(|(_, text)| !text.is_empty())
            .cloned()
            .or_else(|| ours.map(|i| ("ros2msg".to_owned(), i.definition.to_owned())))
            .unwrap_or_default();
        let hash: String = row.get(5)?;
        let channel = Channel {
            topic: topic.into(),
            type_hash: hash,
            encoding: row.get(3)?,
            definition,
            definition_encoding,
            qos: row.get(4)?,
            type_name,
        };
        out.insert(row.get(0)?, Arc::new(channel));
    }
    Ok(out)
}

/// Whether `metadata.yaml` beside the file says that each message is compressed.
fn packed(file: &Path) -> Result<bool, BagError> {
    let path = file.with_file_name("metadata.yaml");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(false) };
    let value = |key: &str| {
        let line = text.lines().find_map(|l| l.trim().strip_prefix(key)?.strip_prefix(':'));
        line.map(|v| v.trim().trim_matches(['"', '\'']).to_lowercase()).unwrap_or_default()
    };
    match (value("compression_mode").as_str(), value("compression_format").as_str()) {
        ("message", "zstd") => Ok(true),
        ("message", other) => {
            Err(BagError::NotABag { path, found: format!("compresses messages by {other:?} (known: zstd)") })
        }
        _ => Ok(false),
    }
}

fn unpack(data: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut stream = zstd::stream::read::Decoder::with_buffer(data)?.take(MESSAGE_LIMIT + 1);
    stream.read_to_end(&mut out)?;
    if out.len() as u64 > MESSAGE_LIMIT {
        return Err(std::io::Error::other("longer than 256 MiB"));
    }
    Ok(out)
}
