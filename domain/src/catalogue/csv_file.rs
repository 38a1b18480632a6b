//! The catalogue as CSV.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::build::{Builder, HEIGHT, Row, THICKNESS, columns, size_from_text};
use super::{COLUMNS, Catalogue};
use crate::table_error::{At, TableError};
use crate::table_file::write_whole;

pub(super) fn load(path: &Path, into: &mut Builder) -> Result<(), TableError> {
    let file = File::open(path).map_err(TableError::read(path))?;
    let mut reader = csv::Reader::from_reader(BufReader::with_capacity(1 << 18, file));
    let header = reader.headers().map_err(|e| TableError::csv(path, e))?.clone();
    // Spreadsheets put a byte order mark before the first name.
    let names: Vec<&str> = header.iter().map(|h| h.trim_start_matches('\u{FEFF}').trim()).collect();
    let places = columns(path, &names)?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| TableError::csv(path, e))? {
        let at = At::Line(record.position().map_or(0, csv::Position::line));
        let [barcode, uid, call_number, scheme, title, author, thickness, height, home, status, tag_model] =
            places.map(|p| p.and_then(|p| record.get(p)).unwrap_or_default());
        let size =
            |text, column, allowed| size_from_text(text, column, allowed).map_err(|bad| bad.at(path, at));
        let row = Row {
            barcode,
            uid,
            call_number,
            scheme,
            title,
            author,
            thickness_m: size(thickness, "thickness_m", THICKNESS)?,
            height_m: size(height, "height_m", HEIGHT)?,
            home,
            status,
            tag_model,
        };
        into.push(&row, at)?;
    }
    Ok(())
}

pub(super) fn save(catalogue: &Catalogue, path: &Path) -> Result<(), TableError> {
    write_whole(path, |out| {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(COLUMNS)?;
        for item in catalogue.iter() {
            writer.write_record([
                item.barcode,
                &item.uid.map(ToString::to_string).unwrap_or_default(),
                item.call_number,
                item.scheme.name(),
                item.title,
                item.author,
                &size_text(item.thickness_m),
                &size_text(item.height_m),
                &item.home.to_string(),
                item.status.name(),
                item.tag_model,
            ])?;
        }
        writer.flush()
    })
}

fn size_text(value: f32) -> String {
    if value.is_nan() { String::new() } else { value.to_string() }
}
