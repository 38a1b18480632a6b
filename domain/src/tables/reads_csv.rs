//! Reads tables in CSV, columns by name in any order.

use std::path::Path;

use csv::StringRecord;

use super::TableError;
use super::rows::{LoadedReads, Row, Sorter};

/// A CSV file with named columns and errors that name line and column.
pub(super) struct Csv<'p> {
    path: &'p Path,
    reader: csv::Reader<std::fs::File>,
    header: StringRecord,
    record: StringRecord,
}

impl<'p> Csv<'p> {
    pub fn open(path: &'p Path) -> Result<Self, TableError> {
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(|e| refused(path, e))?;
        let mut header = reader.headers().map_err(|e| refused(path, e))?.clone();
        // Spreadsheets put a byte order mark before the first name.
        if let Some(first) = header.get(0).and_then(|f| f.strip_prefix('\u{feff}')) {
            let names: Vec<String> =
                std::iter::once(first.to_owned()).chain(header.iter().skip(1).map(str::to_owned)).collect();
            header = StringRecord::from(names);
        }
        Ok(Self { path, reader, header, record: StringRecord::new() })
    }

    pub fn column(&self, name: &'static str) -> Option<usize> {
        self.header.iter().position(|h| h == name)
    }

    pub fn required(&self, name: &'static str, allowed: &'static str) -> Result<usize, TableError> {
        self.column(name).ok_or_else(|| TableError::Column {
            file: self.path.to_owned(),
            column: name,
            found: format!("not there, the table has {}", self.header.iter().collect::<Vec<_>>().join(", ")),
            allowed,
        })
    }

    pub fn next(&mut self) -> Result<bool, TableError> {
        self.reader.read_record(&mut self.record).map_err(|e| refused(self.path, e))
    }

    pub fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    pub fn text(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default()
    }

    pub fn value(&self, column: &'static str, found: &str, allowed: &'static str) -> TableError {
        TableError::Value {
            file: self.path.to_owned(),
            place: "line",
            row: self.line(),
            column,
            found: found.to_owned(),
            allowed,
        }
    }

    pub fn parse<T: std::str::FromStr>(
        &self,
        at: usize,
        column: &'static str,
        allowed: &'static str,
    ) -> Result<T, TableError> {
        let text = self.text(at);
        text.parse().map_err(|_| self.value(column, text, allowed))
    }

    /// A number, or `empty` where the field is empty or the column absent.
    pub fn number(&self, at: Option<usize>, column: &'static str, empty: f32) -> Result<f32, TableError> {
        match at {
            Some(at) if !self.text(at).is_empty() => self.parse(at, column, "a number"),
            Some(_) if empty == 0.0 => Ok(0.0),
            Some(_) => Ok(f32::NAN),
            None => Ok(empty),
        }
    }
}

fn refused(path: &Path, error: csv::Error) -> TableError {
    let found = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => TableError::Io { file: path.to_owned(), source },
        _ => TableError::Format { file: path.to_owned(), found, allowed: "a CSV table in UTF-8" },
    }
}

pub(super) fn load(path: &Path) -> Result<LoadedReads, TableError> {
    let mut csv = Csv::open(path)?;
    let scan = csv.required("scan", "text")?;
    let epc = csv.required("epc", "a tag identifier in hex")?;
    let antenna = csv.required("antenna", "a reader port")?;
    let frequency = csv.required("frequency_hz", "a number, Hz")?;
    let rssi = Some(csv.required("rssi_dbm", "a number, dBm")?);
    let phase = Some(csv.required("phase_rad", "a number, rad")?);
    let x = Some(csv.required("x_m", "a number, m")?);
    let (y, z, stamp) = (csv.column("y_m"), csv.column("z_m"), csv.column("stamp_ns"));
    let mut sorter = Sorter::default();
    while csv.next()? {
        let stamp_ns = match stamp {
            Some(at) if !csv.text(at).is_empty() => Some(csv.parse(at, "stamp_ns", "an integer, ns")?),
            _ => None,
        };
        let row = Row {
            scan: csv.text(scan),
            epc: csv.text(epc),
            stamp_ns,
            antenna: csv.parse(antenna, "antenna", "a reader port, 0 to 255")?,
            frequency_hz: csv.parse(frequency, "frequency_hz", "a number, Hz")?,
            rssi_dbm: csv.number(rssi, "rssi_dbm", f32::NAN)?,
            phase_rad: csv.number(phase, "phase_rad", f32::NAN)?,
            antenna_m: [
                csv.number(x, "x_m", f32::NAN)?,
                csv.number(y, "y_m", 0.0)?,
                csv.number(z, "z_m", 0.0)?,
            ],
        };
        sorter
            .push(csv.line(), &row)
            .map_err(|_| csv.value("epc", csv.text(epc), "a tag identifier in hex"))?;
    }
    Ok(sorter.finish())
}
