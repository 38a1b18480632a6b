//! Opening SQLite files: ours, of a schema we know, durable; anything else is refused with the reason.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// Why a database file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file is there and is no SQLite database.
    #[error("{path}: found a file that is no SQLite database, expected {expected} or no file")]
    NotSqlite {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
    /// A SQLite database of somebody else.
    #[error(
        "{path}: found a database with application id {found:#010x}, expected {expected} ({wanted:#010x})"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// Its application id.
        found: i32,
        /// Ours.
        wanted: i32,
    },
    /// Written by a later version of Shelfwright.
    #[error("{path}: found schema version {found}, this version knows 1 to {known}; use a newer Shelfwright")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i32,
        /// The newest known here.
        known: i32,
    },
    /// The file or its folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite failed: full disk, damaged file, locked for too long.
    #[error("{path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// A kind of database file: how it is told from others, and how to make it.
pub(crate) struct Kind {
    /// What it is, for errors.
    pub what: &'static str,
    /// SQLite's `application_id`.
    pub application_id: i32,
    /// Statements that lead from one schema version to the next; entry 0 makes version 1.
    pub migrations: &'static [&'static str],
}

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Opens or makes a database, in WAL mode with `synchronous = FULL`: a committed transaction outlives a
/// power cut.
pub(crate) fn open(path: &Path, kind: &Kind) -> Result<Connection, DatabaseError> {
    refuse_other_files(path, kind)?;
    let sqlite = |source| DatabaseError::Sqlite { path: path.into(), source };
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(sqlite)?;
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;").map_err(sqlite)?;
    check(&connection, path, kind)?;
    // Only a file known to be ours is switched to WAL.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).map_err(sqlite)?;
    migrate(&mut connection, path, kind)?;
    Ok(connection)
}

fn refuse_other_files(path: &Path, kind: &Kind) -> Result<(), DatabaseError> {
    let mut head = Vec::with_capacity(MAGIC.len());
    match std::fs::File::open(path) {
        Ok(file) => {
            file.take(MAGIC.len() as u64)
                .read_to_end(&mut head)
                .map_err(|source| DatabaseError::Io { path: path.into(), source })?;
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(DatabaseError::Io { path: path.into(), source }),
    }
    if head.is_empty() || head == MAGIC {
        Ok(())
    } else {
        Err(DatabaseError::NotSqlite { path: path.into(), expected: kind.what })
    }
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i32> {
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
}

/// The schema version, 0 for an empty file.
fn check(connection: &Connection, path: &Path, kind: &Kind) -> Result<i32, DatabaseError> {
    let sqlite = |source| DatabaseError::Sqlite { path: path.into(), source };
    let id = pragma(connection, "application_id").map_err(sqlite)?;
    let version = pragma(connection, "user_version").map_err(sqlite)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(sqlite)?;
    if id == 0 && version == 0 && tables == 0 {
        return Ok(0);
    }
    if id != kind.application_id {
        return Err(DatabaseError::Foreign {
            path: path.into(),
            expected: kind.what,
            found: id,
            wanted: kind.application_id,
        });
    }
    let known = kind.migrations.len() as i32;
    if version > known {
        return Err(DatabaseError::Newer { path: path.into(), found: version, known });
    }
    Ok(version)
}

fn migrate(connection: &mut Connection, path: &Path, kind: &Kind) -> Result<(), DatabaseError> {
    let known = kind.migrations.len() as i32;
    if check(connection, path, kind)? == known {
        return Ok(());
    }
    let sqlite = |source| DatabaseError::Sqlite { path: path.into(), source };
    // Immediate: of two processes that open a new file at once, one waits and then finds it made.
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(sqlite)?;
    let version = check(&transaction, path, kind)?;
    for step in &kind.migrations[version.max(0) as usize..] {
        transaction.execute_batch(step).map_err(sqlite)?;
    }
    transaction
        .execute_batch(&format!(
            "PRAGMA application_id = {}; PRAGMA user_version = {known};",
            kind.application_id
        ))
        .map_err(sqlite)?;
    transaction.commit().map_err(sqlite)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind {
        what: "a test database",
        application_id: 0x7e57,
        migrations: &["CREATE TABLE a (x INTEGER);", "ALTER TABLE a ADD COLUMN y INTEGER;"],
    };

    #[test]
    fn an_old_file_is_brought_up_to_date_with_its_rows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let old = Kind { migrations: &KIND.migrations[..1], ..KIND };
        open(&path, &old).unwrap().execute("INSERT INTO a VALUES (7)", []).unwrap();
        let both: (i64, Option<i64>) = open(&path, &KIND)
            .unwrap()
            .query_row("SELECT x, y FROM a", [], |r| Ok((r.get(0)?, r.get(1)?)))
            .unwrap();
        assert_eq!(both, (7, None));
    }

    #[test]
    fn a_newer_file_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        open(&path, &KIND).unwrap();
        let old = Kind { migrations: &KIND.migrations[..1], ..KIND };
        let error = open(&path, &old).unwrap_err();
        assert!(matches!(error, DatabaseError::Newer { found: 2, known: 1, .. }), "{error}");
        assert!(error.to_string().contains("found schema version 2"), "{error}");
    }

    #[test]
    fn somebody_elses_file_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let text = dir.path().join("notes.txt");
        std::fs::write(&text, "shopping list, long enough").unwrap();
        assert!(matches!(open(&text, &KIND), Err(DatabaseError::NotSqlite { .. })));
        assert_eq!(std::fs::read_to_string(&text).unwrap(), "shopping list, long enough");

        let other = dir.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        let before = std::fs::read(&other).unwrap();
        assert!(matches!(open(&other, &KIND), Err(DatabaseError::Foreign { found: 0, .. })));
        assert_eq!(std::fs::read(&other).unwrap(), before);
    }
}
