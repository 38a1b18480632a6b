//! Results and outbox in one SQLite file: a run's shelf errors and the events that tell of them are written in
//! one transaction, so that there is never a result without its events or an event without its result.

use std::path::{Path, PathBuf};

use domain::ShelfError;
use domain::audit::Audit;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::database::{self, DatabaseError, Kind};
use crate::event::{self, EventError};
use crate::facts::{RunFacts, Summary};
use crate::outbox::{Entry, Outcome};
use crate::words;

const KIND: Kind = Kind {
    what: "a Shelfwright results store",
    application_id: 0x5348_4C53, // "SHLS"
    migrations: &["
        CREATE TABLE runs (
            run     TEXT PRIMARY KEY,
            digest  TEXT NOT NULL,
            facts   TEXT NOT NULL,
            summary TEXT NOT NULL
        ) STRICT;
        CREATE TABLE shelf_errors (
            run     TEXT NOT NULL REFERENCES runs (run),
            number  INTEGER NOT NULL,
            kind    TEXT NOT NULL,
            uid     TEXT NOT NULL,
            barcode TEXT NOT NULL,
            body    TEXT NOT NULL,
            PRIMARY KEY (run, number)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE outbox (
            seq           INTEGER PRIMARY KEY AUTOINCREMENT,
            key           TEXT NOT NULL UNIQUE,
            run           TEXT NOT NULL REFERENCES runs (run),
            body          TEXT NOT NULL,
            state         TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
            attempts      INTEGER NOT NULL DEFAULT 0,
            not_before_ns INTEGER NOT NULL DEFAULT 0,
            settled_ns    INTEGER,
            reason        TEXT NOT NULL DEFAULT ''
        ) STRICT;
        CREATE INDEX outbox_pending ON outbox (run, seq) WHERE state = 'pending';
        CREATE INDEX outbox_dead ON outbox (seq) WHERE state = 'dead';
    "],
};

/// Why the store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The result cannot be written as events.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Another result stands under this name.
    #[error("{path}: run {run:?} is already recorded with another result, expected a new name")]
    RunExists {
        /// The file.
        path: PathBuf,
        /// The run's name.
        run: String,
    },
    /// A stored text is not what this version writes.
    #[error("{path}: {what} of run {run:?}: {source}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which column.
        what: &'static str,
        /// The run's name.
        run: String,
        /// What serde said.
        source: serde_json::Error,
    },
}

/// What [`Store::record`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Written, with this many events in the outbox.
    New(usize),
    /// This very result was there before; nothing was written.
    Already,
}

/// How many outbox entries there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxCounts {
    /// Still to be delivered.
    pub pending: u64,
    /// Taken by the platform.
    pub delivered: u64,
    /// Refused for good.
    pub dead: u64,
}

/// An outbox entry that the platform refused for good, or one that waits, with the last reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Idempotency key.
    pub key: String,
    /// The run.
    pub run: String,
    /// Failed attempts that were its own fault, not the platform's.
    pub attempts: u32,
    /// What the platform, or the network, said last.
    pub reason: String,
}

/// The results store.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the store, or makes it. A file of another program or of a newer version is refused and left
    /// alone.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        Ok(Self { connection: database::open(path, &KIND)?, path: path.into() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a run, its shelf errors and their outbox entries in one transaction. Recording the very same
    /// result again does nothing, so a caller that was killed may simply do it again.
    pub fn record(&mut self, facts: &RunFacts, audit: &Audit) -> Result<Recorded, StoreError> {
        let run = event::of_run(facts, audit)?;
        let json = |what, source| StoreError::Damaged {
            path: self.path.clone(),
            what,
            run: facts.run.clone(),
            source,
        };
        let facts_json = serde_json::to_string(facts).map_err(|e| json("facts", e))?;
        let summary_json = serde_json::to_string(&Summary::of(audit)).map_err(|e| json("summary", e))?;
        let errors = (1i64..)
            .zip(run.events.iter().filter_map(|e| e.finding.as_ref()))
            .map(|(n, e)| Ok((n, e, serde_json::to_string(e)?)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| json("shelf errors", e))?;

        let path = self.path.clone();
        let sqlite = |source| DatabaseError::Sqlite { path: path.clone(), source };
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(sqlite)?;
        let before: Option<String> = transaction
            .query_row("SELECT digest FROM runs WHERE run = ?1", [&facts.run], |r| r.get(0))
            .optional()
            .map_err(sqlite)?;
        match before {
            Some(digest) if digest == run.digest => return Ok(Recorded::Already),
            Some(_) => return Err(StoreError::RunExists { path, run: facts.run.clone() }),
            None => {}
        }
        let write = || -> rusqlite::Result<()> {
            transaction.execute(
                "INSERT INTO runs (run, digest, facts, summary) VALUES (?1, ?2, ?3, ?4)",
                params![facts.run, run.digest, facts_json, summary_json],
            )?;
            let mut insert = transaction.prepare(
                "INSERT INTO shelf_errors (run, number, kind, uid, barcode, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for (number, e, body) in &errors {
                insert.execute(params![
                    facts.run,
                    number,
                    words::name(e.kind),
                    e.item.uid.to_string(),
                    e.item.barcode,
                    body
                ])?;
            }
            let mut insert =
                transaction.prepare("INSERT INTO outbox (key, run, body) VALUES (?1, ?2, ?3)")?;
            for e in &run.events {
                insert.execute(params![e.key, facts.run, e.body])?;
            }
            Ok(())
        };
        write().map_err(sqlite)?;
        transaction.commit().map_err(sqlite)?;
        Ok(Recorded::New(run.events.len()))
    }

    /// All runs by name.
    pub fn runs(&self) -> Result<Vec<(RunFacts, Summary)>, StoreError> {
        let rows: Vec<(String, String, String)> =
            self.rows("SELECT run, facts, summary FROM runs ORDER BY run", [], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?))
            })?;
        rows.iter()
            .map(|(run, facts, summary)| {
                Ok((self.parse("facts", run, facts)?, self.parse("summary", run, summary)?))
            })
            .collect()
    }

    /// The shelf errors of a run, in the audit's order; none for a run that is not there.
    pub fn shelf_errors(&self, run: &str) -> Result<Vec<ShelfError>, StoreError> {
        let rows: Vec<String> =
            self.rows("SELECT body FROM shelf_errors WHERE run = ?1 ORDER BY number", [run], |r| r.get(0))?;
        rows.iter().map(|body| self.parse("shelf error", run, body)).collect()
    }

    /// How many outbox entries wait, arrived, and died.
    pub fn outbox(&self) -> Result<OutboxCounts, StoreError> {
        let mut counts = OutboxCounts::default();
        let rows: Vec<(String, u64)> =
            self.rows("SELECT state, count(*) FROM outbox GROUP BY state ORDER BY state", [], |r| {
                Ok((r.get(0)?, r.get::<_, i64>(1)?.max(0) as u64))
            })?;
        for (state, n) in rows {
            match state.as_str() {
                "pending" => counts.pending = n,
                "delivered" => counts.delivered = n,
                _ => counts.dead = n,
            }
        }
        Ok(counts)
    }

    /// Entries that the platform refused for good, oldest first, at most `limit`.
    pub fn dead(&self, limit: u32) -> Result<Vec<Held>, StoreError> {
        self.held("dead", limit)
    }

    /// Entries that wait after a failed attempt, oldest first, at most `limit`.
    pub fn waiting(&self, limit: u32) -> Result<Vec<Held>, StoreError> {
        self.held("pending", limit)
    }

    /// Puts the dead entries back in line, with the same keys, once the cause is mended; tells how many.
    pub fn revive(&mut self) -> Result<usize, StoreError> {
        let done = self.connection.execute(
            "UPDATE outbox SET state = 'pending', attempts = 0, not_before_ns = 0, settled_ns = NULL
             WHERE state = 'dead'",
            [],
        );
        done.map_err(|e| self.sqlite(e))
    }

    /// Pending entries for the state machine: the first few of every run, heads first, at most `limit`.
    pub(crate) fn pending(&self, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.rows(
            "SELECT seq, key, run, body, attempts, not_before_ns FROM (
                 SELECT *, row_number() OVER (PARTITION BY run ORDER BY seq) AS place
                 FROM outbox WHERE state = 'pending')
             WHERE place <= 32 ORDER BY place, seq LIMIT ?1",
            [limit],
            |r| {
                Ok(Entry {
                    seq: r.get(0)?,
                    key: r.get(1)?,
                    run: r.get(2)?,
                    body: r.get(3)?,
                    attempts: r.get(4)?,
                    not_before_ns: r.get(5)?,
                })
            },
        )
    }

    /// Writes down what became of an attempt. An entry that another process settled meanwhile stays settled.
    pub(crate) fn settle(&mut self, seq: i64, outcome: &Outcome, now_ns: i64) -> Result<(), StoreError> {
        let done = match outcome {
            Outcome::Delivered => self.connection.execute(
                "UPDATE outbox SET state = 'delivered', attempts = attempts + 1, settled_ns = ?2,
                 not_before_ns = 0, reason = '' WHERE seq = ?1 AND state = 'pending'",
                params![seq, now_ns],
            ),
            Outcome::Dead { reason } => self.connection.execute(
                "UPDATE outbox SET state = 'dead', attempts = attempts + 1, settled_ns = ?2,
                 not_before_ns = 0, reason = ?3 WHERE seq = ?1 AND state = 'pending'",
                params![seq, now_ns, reason],
            ),
            Outcome::Retry { not_before_ns, reason, counted } => self.connection.execute(
                "UPDATE outbox SET attempts = attempts + ?4, not_before_ns = ?2, reason = ?3
                 WHERE seq = ?1 AND state = 'pending'",
                params![seq, not_before_ns, reason, counted],
            ),
        };
        done.map(|_| ()).map_err(|e| self.sqlite(e))
    }

    fn held(&self, state: &str, limit: u32) -> Result<Vec<Held>, StoreError> {
        self.rows(
            "SELECT key, run, attempts, reason FROM outbox
             WHERE state = ?1 AND reason <> '' ORDER BY seq LIMIT ?2",
            params![state, limit],
            |r| Ok(Held { key: r.get(0)?, run: r.get(1)?, attempts: r.get(2)?, reason: r.get(3)? }),
        )
    }

    fn rows<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| self.sqlite(e))?;
        let rows = statement.query_map(params, read).map_err(|e| self.sqlite(e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.sqlite(e))
    }

    fn parse<T: serde::de::DeserializeOwned>(
        &self,
        what: &'static str,
        run: &str,
        text: &str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|source| StoreError::Damaged {
            path: self.path.clone(),
            what,
            run: run.into(),
            source,
        })
    }

    fn sqlite(&self, source: rusqlite::Error) -> StoreError {
        DatabaseError::Sqlite { path: self.path.clone(), source }.into()
    }
}
