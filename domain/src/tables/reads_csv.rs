//! Reads tables in CSV, columns by name in any order; and CSV with named columns for the other tables.

use std::path::Path;
use std::str::FromStr;

use csv::StringRecord;

use super::rows::{Row, Sorter};
use super::stream::RowSource;
use crate::table_error::{At, BadCell, TableError};

/// A CSV file with named columns and errors that name line and column.
pub(super) struct Csv {
    path: std::path::PathBuf,
    reader: csv::Reader<std::fs::File>,
    header: Vec<String>,
    record: StringRecord,
}

impl Csv {
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let file = std::fs::File::open(path).map_err(TableError::read(path))?;
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).buffer_capacity(1 << 18).from_reader(file);
        let header = reader.headers().map_err(|e| TableError::csv(path, e))?;
        // Spreadsheets put a byte order mark before the first name.
        let header: Vec<String> =
            header.iter().map(|h| h.trim_start_matches('\u{feff}').trim().to_owned()).collect();
        if let Some(double) = header.iter().enumerate().find(|(i, h)| header[..*i].contains(h)) {
            return Err(TableError::DoubleColumn { path: path.into(), column: double.1.clone() });
        }
        Ok(Self { path: path.into(), reader, header, record: StringRecord::new() })
    }

    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|h| h == name)
    }

    pub fn required(&self, column: &'static str) -> Result<usize, TableError> {
        let missing =
            || TableError::MissingColumn { path: self.path.clone(), column, found: self.header.clone() };
        self.column(column).ok_or_else(missing)
    }

    pub fn next(&mut self) -> Result<bool, TableError> {
        self.reader.read_record(&mut self.record).map_err(|e| TableError::csv(&self.path, e))
    }

    pub fn at(&self) -> At {
        At::Line(self.record.position().map_or(0, csv::Position::line))
    }

    pub fn text(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default()
    }

    pub fn refused(&self, column: &'static str, found: &str, allowed: &'static str) -> TableError {
        BadCell::new(column, found, allowed).at(&self.path, self.at())
    }

    pub fn parse<T: FromStr>(
        &self,
        place: usize,
        column: &'static str,
        allowed: &'static str,
    ) -> Result<T, TableError> {
        let text = self.text(place);
        text.parse().map_err(|_| self.refused(column, text, allowed))
    }

    /// A number; `empty` where the field is empty or the column absent.
    fn number(&self, place: Option<usize>, column: &'static str, empty: f32) -> Result<f32, TableError> {
        match place {
            Some(place) if !self.text(place).is_empty() => self.parse(place, column, "a number, or empty"),
            _ => Ok(empty),
        }
    }
}

/// Places of the columns.
struct Places {
    scan: usize,
    epc: usize,
    antenna: usize,
    frequency: usize,
    rssi: usize,
    phase: usize,
    x: usize,
    y: Option<usize>,
    z: Option<usize>,
    stamp: Option<usize>,
}

/// A reads table in CSV.
pub(super) struct CsvReads {
    csv: Csv,
    places: Places,
}

/// Lines in one piece.
const PIECE: usize = 65_536;

impl CsvReads {
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let csv = Csv::open(path)?;
        let places = Places {
            scan: csv.required("scan")?,
            epc: csv.required("epc")?,
            antenna: csv.required("antenna")?,
            frequency: csv.required("frequency_hz")?,
            rssi: csv.required("rssi_dbm")?,
            phase: csv.required("phase_rad")?,
            x: csv.required("x_m")?,
            y: csv.column("y_m"),
            z: csv.column("z_m"),
            stamp: csv.column("stamp_ns"),
        };
        Ok(Self { csv, places })
    }

    fn push(&self, sorter: &mut Sorter) -> Result<(), TableError> {
        let (csv, p) = (&self.csv, &self.places);
        let stamp_ns = match p.stamp {
            Some(place) if !csv.text(place).is_empty() => {
                Some(csv.parse(place, "stamp_ns", "whole nanoseconds, or empty")?)
            }
            _ => None,
        };
        let row = Row {
            scan: csv.text(p.scan),
            epc: csv.text(p.epc),
            stamp_ns,
            antenna: csv.parse(p.antenna, "antenna", "a reader port, 1 to 255")?,
            frequency_hz: csv.parse(p.frequency, "frequency_hz", "a number, Hz")?,
            rssi_dbm: csv.number(Some(p.rssi), "rssi_dbm", f32::NAN)?,
            phase_rad: csv.number(Some(p.phase), "phase_rad", f32::NAN)?,
            antenna_m: [
                csv.number(Some(p.x), "x_m", f32::NAN)?,
                csv.number(p.y, "y_m", 0.0)?,
                csv.number(p.z, "z_m", 0.0)?,
            ],
        };
        sorter
            .push(csv.at(), &row)
            .map_err(|_| csv.refused("epc", csv.text(p.epc), "a tag identifier of 1 to 62 bytes in hex"))
    }
}

impl RowSource for CsvReads {
    fn fill(&mut self, sorter: &mut Sorter) -> Result<bool, TableError> {
        for _ in 0..PIECE {
            if !self.csv.next()? {
                return Ok(false);
            }
            self.push(sorter)?;
        }
        Ok(true)
    }
}
