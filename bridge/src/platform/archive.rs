//! Where the receiver keeps what it took: each event once, runs and shelf errors beside it for listing.

use std::path::{Path, PathBuf};

use domain::ShelfError;
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use serde::Serialize;
use serde_json::Value;

use super::intake::{Data, Event};
use crate::database::{self, DatabaseError, Kind};
use crate::facts::{RunFacts, Summary};
use crate::words;

const KIND: Kind = Kind {
    what: "a Shelfwright platform archive",
    application_id: 0x5348_4C50, // "SHLP"
    migrations: &["
        CREATE TABLE events (
            seq         INTEGER PRIMARY KEY AUTOINCREMENT,
            source      TEXT NOT NULL,
            id          TEXT NOT NULL,
            type        TEXT NOT NULL,
            time        TEXT,
            received_ns INTEGER NOT NULL,
            body        TEXT NOT NULL,
            UNIQUE (source, id)
        ) STRICT;
        CREATE TABLE runs (
            seq     INTEGER PRIMARY KEY AUTOINCREMENT,
            source  TEXT NOT NULL,
            run     TEXT NOT NULL,
            event   INTEGER REFERENCES events (seq),
            facts   TEXT,
            summary TEXT,
            UNIQUE (source, run)
        ) STRICT;
        CREATE TABLE shelf_errors (
            event      INTEGER PRIMARY KEY REFERENCES events (seq),
            run_seq    INTEGER NOT NULL REFERENCES runs (seq),
            run        TEXT NOT NULL,
            number     INTEGER NOT NULL,
            kind       TEXT NOT NULL,
            uid        TEXT NOT NULL,
            barcode    TEXT NOT NULL,
            face       TEXT NOT NULL,
            confidence REAL NOT NULL,
            finding    TEXT NOT NULL
        ) STRICT;
        CREATE INDEX shelf_errors_run ON shelf_errors (run_seq, number);
        CREATE INDEX shelf_errors_uid ON shelf_errors (uid);
        CREATE INDEX shelf_errors_barcode ON shelf_errors (barcode);
    "],
};

/// Why the archive cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file cannot be opened or used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A stored text is not what this version writes.
    #[error("{path}: {what}: {source}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which column.
        what: &'static str,
        /// What serde said.
        source: serde_json::Error,
    },
}

/// What became of a list of events.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Taken {
    /// All are kept: so many new, so many that were there before.
    Kept { new: u32, duplicates: u32 },
    /// None is kept: this one's key was used for another content.
    KeyReused { index: usize },
}

/// A run as listed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Run {
    pub cursor: i64,
    pub run: String,
    pub source: String,
    /// Shelf errors that arrived so far.
    pub received: u32,
    pub facts: Option<RunFacts>,
    pub summary: Option<Summary>,
}

/// A shelf error as listed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Listed {
    pub cursor: i64,
    pub run: String,
    pub number: u32,
    pub finding: ShelfError,
}

/// Which shelf errors to list; `None` allows all.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub run: Option<String>,
    pub kind: Option<&'static str>,
    pub face: Option<String>,
    pub barcode: Option<String>,
    pub uid: Option<String>,
    pub min_confidence: Option<f64>,
}

/// `seq`, `run`, `source`, shelf errors received, `facts`, `summary`.
type RunColumns = (i64, String, String, u32, Option<String>, Option<String>);

#[derive(Debug)]
pub(super) struct Archive {
    connection: Connection,
    path: PathBuf,
}

impl Archive {
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        Ok(Self { connection: database::open(path, &KIND)?, path: path.into() })
    }

    /// Keeps all events or none, in one transaction.
    pub fn take(&mut self, events: &[Event], now_ns: i64) -> Result<Taken, ArchiveError> {
        let path = self.path.clone();
        let sqlite = |source| DatabaseError::Sqlite { path: path.clone(), source };
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(sqlite)?;
        let (mut new, mut duplicates) = (0, 0);
        for (index, event) in events.iter().enumerate() {
            let before: Option<String> = transaction
                .query_row(
                    "SELECT body FROM events WHERE source = ?1 AND id = ?2",
                    [&event.source, &event.id],
                    |r| r.get(0),
                )
                .optional()
                .map_err(sqlite)?;
            match before.map(|b| serde_json::from_str::<Value>(&b)) {
                Some(Ok(body)) if body == event.body => duplicates += 1,
                Some(Ok(_)) => return Ok(Taken::KeyReused { index }),
                Some(Err(source)) => {
                    return Err(ArchiveError::Damaged { path, what: "event", source });
                }
                None => {
                    keep(&transaction, event, now_ns).map_err(|e| match e {
                        Keep::Sqlite(e) => sqlite(e).into(),
                        Keep::Json(source) => {
                            ArchiveError::Damaged { path: path.clone(), what: "event", source }
                        }
                    })?;
                    new += 1;
                }
            }
        }
        transaction.commit().map_err(sqlite)?;
        Ok(Taken::Kept { new, duplicates })
    }

    /// Runs, the latest arrival first; `before` is the last cursor of the page before.
    pub fn runs(&self, limit: u32, before: Option<i64>) -> Result<Vec<Run>, ArchiveError> {
        let rows: Vec<RunColumns> = self.rows(
            "SELECT seq, run, source, (SELECT count(*) FROM shelf_errors WHERE run_seq = runs.seq),
                    facts, summary
             FROM runs WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
            params![before.unwrap_or(i64::MAX), limit],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?)),
        )?;
        rows.into_iter()
            .map(|(cursor, run, source, received, facts, summary)| {
                let facts = facts.map(|t| self.parse("facts", &t)).transpose()?;
                let summary = summary.map(|t| self.parse("summary", &t)).transpose()?;
                Ok(Run { cursor, run, source, received, facts, summary })
            })
            .collect()
    }

    /// How many runs there are.
    pub fn run_count(&self) -> Result<u64, ArchiveError> {
        self.count("SELECT count(*) FROM runs", &[])
    }

    /// Shelf errors, the latest run first and in each run by number, and how many the filter lets through.
    /// `after` is the last cursor of the page before.
    pub fn shelf_errors(
        &self,
        filter: &Filter,
        limit: u32,
        after: Option<i64>,
    ) -> Result<(Vec<Listed>, u64), ArchiveError> {
        let asked: [(&str, Option<&dyn ToSql>); 6] = [
            ("run = ?", filter.run.as_ref().map(|v| v as _)),
            ("kind = ?", filter.kind.as_ref().map(|v| v as _)),
            ("face = ?", filter.face.as_ref().map(|v| v as _)),
            ("barcode = ?", filter.barcode.as_ref().map(|v| v as _)),
            ("uid = ?", filter.uid.as_ref().map(|v| v as _)),
            ("confidence >= ?", filter.min_confidence.as_ref().map(|v| v as _)),
        ];
        let mut clauses = vec!["1"];
        let mut values: Vec<&dyn ToSql> = Vec::new();
        for (clause, value) in asked {
            if let Some(value) = value {
                clauses.push(clause);
                values.push(value);
            }
        }
        let clauses = clauses.join(" AND ");
        let total = self.count(&format!("SELECT count(*) FROM shelf_errors WHERE {clauses}"), &values)?;

        let after_clause = if after.is_some() {
            // Latest run first, then by number: the row after the cursor in that order.
            " AND (run_seq < c.r OR (run_seq = c.r AND (number, event) > (c.n, c.e)))"
        } else {
            ""
        };
        let from = if after.is_some() {
            "shelf_errors, (SELECT run_seq AS r, number AS n, event AS e FROM shelf_errors WHERE event = ?) c"
        } else {
            "shelf_errors"
        };
        let mut bound: Vec<&dyn ToSql> = Vec::new();
        if let Some(after) = &after {
            bound.push(after);
        }
        bound.extend(values);
        bound.push(&limit);
        let rows: Vec<(i64, String, u32, String)> = self.rows(
            &format!(
                "SELECT event, run, number, finding FROM {from} WHERE {clauses}{after_clause}
                 ORDER BY run_seq DESC, number, event LIMIT ?"
            ),
            bound.as_slice(),
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)),
        )?;
        let listed = rows
            .into_iter()
            .map(|(cursor, run, number, finding)| {
                Ok(Listed { cursor, run, number, finding: self.parse("finding", &finding)? })
            })
            .collect::<Result<Vec<_>, ArchiveError>>()?;
        Ok((listed, total))
    }

    fn count(&self, sql: &str, values: &[&dyn ToSql]) -> Result<u64, ArchiveError> {
        let n: Vec<i64> = self.rows(sql, values, |r| r.get(0))?;
        Ok(n.first().copied().unwrap_or(0).max(0) as u64)
    }

    fn rows<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, ArchiveError> {
        let sqlite = |source| DatabaseError::Sqlite { path: self.path.clone(), source };
        let mut statement = self.connection.prepare_cached(sql).map_err(sqlite)?;
        let rows = statement.query_map(params, read).map_err(sqlite)?;
        Ok(rows.collect::<Result<_, _>>().map_err(sqlite)?)
    }

    fn parse<T: serde::de::DeserializeOwned>(
        &self,
        what: &'static str,
        text: &str,
    ) -> Result<T, ArchiveError> {
        serde_json::from_str(text).map_err(|source| ArchiveError::Damaged {
            path: self.path.clone(),
            what,
            source,
        })
    }
}

enum Keep {
    Sqlite(rusqlite::Error),
    Json(serde_json::Error),
}

impl From<rusqlite::Error> for Keep {
    fn from(e: rusqlite::Error) -> Self {
        Self::Sqlite(e)
    }
}

impl From<serde_json::Error> for Keep {
    fn from(e: serde_json::Error) -> Self {
        Self::Json(e)
    }
}

fn keep(connection: &Connection, event: &Event, now_ns: i64) -> Result<(), Keep> {
    connection.execute(
        "INSERT INTO events (source, id, type, time, received_ns, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            event.source,
            event.id,
            event.data.kind(),
            event.time,
            now_ns,
            serde_json::to_string(&event.body)?
        ],
    )?;
    let seq = connection.last_insert_rowid();
    match &event.data {
        Data::Summary(data) => {
            connection.execute(
                "INSERT INTO runs (source, run, event, facts, summary) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (source, run) DO UPDATE SET event = excluded.event, facts = excluded.facts,
                 summary = excluded.summary",
                params![
                    event.source,
                    data.facts.run,
                    seq,
                    serde_json::to_string(&data.facts)?,
                    serde_json::to_string(&data.summary)?
                ],
            )?;
        }
        Data::ShelfError(data) => {
            // A shelf error may come before its run's summary: another sender may not keep the order.
            connection.execute(
                "INSERT INTO runs (source, run) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                params![event.source, data.run],
            )?;
            let run_seq: i64 = connection.query_row(
                "SELECT seq FROM runs WHERE source = ?1 AND run = ?2",
                params![event.source, data.run],
                |r| r.get(0),
            )?;
            let f = &data.finding;
            let face = match (&f.found, &f.home) {
                (Some(place), _) => place.address.face.to_string(),
                (None, Some(home)) => home.first.face.to_string(),
                (None, None) => String::new(),
            };
            connection.execute(
                "INSERT INTO shelf_errors
                 (event, run_seq, run, number, kind, uid, barcode, face, confidence, finding)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    seq,
                    run_seq,
                    data.run,
                    data.number,
                    words::name(f.kind),
                    f.item.uid.to_string(),
                    f.item.barcode,
                    face,
                    f64::from(f.confidence),
                    serde_json::to_string(f)?
                ],
            )?;
        }
    }
    Ok(())
}
