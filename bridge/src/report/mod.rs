//! The report of a run: JSON for programs, CSV for spreadsheets, and one HTML page for staff.

mod elevation;
mod html;
mod pick_list;
mod spacing;
mod table;

use std::io;
use std::path::{Path, PathBuf};

use domain::Site;
use domain::audit::Audit;
use serde::Serialize;

use crate::facts::{RunFacts, Summary};
pub use pick_list::{Pick, pick_list};
pub use table::{COLUMNS, plain};

/// Name of the JSON form.
pub const SCHEMA: &str = "org.shelfwright.report.v1";

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file cannot be written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// JSON failed.
    #[error("report as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// CSV failed.
    #[error("report as CSV: {0}")]
    Csv(#[from] csv::Error),
    /// The page's template failed.
    #[error("report as HTML: {0:#}")]
    Html(#[from] minijinja::Error),
}

/// Where [`Report::write`] put its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportFiles {
    /// `report.json`.
    pub json: PathBuf,
    /// `report.csv`.
    pub csv: PathBuf,
    /// `report.html`.
    pub html: PathBuf,
}

/// A report in the making: the audit of a run on a site.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    audit: &'a Audit,
    site: &'a Site,
    facts: &'a RunFacts,
}

impl<'a> Report<'a> {
    /// A report of this audit.
    pub fn new(audit: &'a Audit, site: &'a Site, facts: &'a RunFacts) -> Self {
        Self { audit, site, facts }
    }

    /// Everything as JSON: `schema`, `facts`, `summary`, `audit`; a number that is none becomes `null`.
    pub fn json(&self) -> Result<String, ReportError> {
        #[derive(Serialize)]
        struct Form<'a> {
            schema: &'static str,
            facts: &'a RunFacts,
            summary: Summary,
            audit: &'a Audit,
        }
        let form =
            Form { schema: SCHEMA, facts: self.facts, summary: Summary::of(self.audit), audit: self.audit };
        let mut text = serde_json::to_string_pretty(&form)?;
        text.push('\n');
        Ok(text)
    }

    /// The pick list as CSV in UTF-8 with a byte order mark, so that Excel shows Chinese right.
    pub fn csv(&self) -> Result<Vec<u8>, ReportError> {
        table::csv(&pick_list(self.audit, self.site), self.facts)
    }

    /// One self-contained page that opens from disk and prints.
    pub fn html(&self) -> Result<String, ReportError> {
        html::page(self.audit, self.site, self.facts)
    }

    /// Writes `report.json`, `report.csv` and `report.html` into a folder, which is made if need be. Each
    /// file is written whole or not at all.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<ReportFiles, ReportError> {
        let folder = folder.as_ref();
        std::fs::create_dir_all(folder).map_err(|source| ReportError::Io { path: folder.into(), source })?;
        Ok(ReportFiles {
            json: put(folder, "report.json", self.json()?.as_bytes())?,
            csv: put(folder, "report.csv", &self.csv()?)?,
            html: put(folder, "report.html", self.html()?.as_bytes())?,
        })
    }
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, ReportError> {
    let path = folder.join(name);
    let half = folder.join(format!(".{name}.part"));
    let done = std::fs::write(&half, bytes).and_then(|()| std::fs::rename(&half, &path));
    match done {
        Ok(()) => Ok(path),
        Err(source) => {
            // What could not be written whole is of no use; that it may not be removable changes nothing.
            let _ = std::fs::remove_file(&half);
            Err(ReportError::Io { path, source })
        }
    }
}
