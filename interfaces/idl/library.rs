//! All definitions together: reads the folders, and resolves what a type uses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::ast::{Message, TypeName};
use super::parse::{self, ParseError};

/// Every known message type by name.
#[derive(Debug, Default)]
pub struct Library {
    /// Types in order of their names.
    pub messages: BTreeMap<TypeName, Message>,
    /// Files that were read.
    pub files: Vec<PathBuf>,
}

fn fail(file: &Path, problem: &impl ToString) -> ParseError {
    ParseError { file: file.display().to_string(), line: 0, problem: problem.to_string() }
}

impl Library {
    /// Adds the package in a folder that holds `msg/`, `srv/` or `action/`.
    pub fn add_package(&mut self, package: &str, dir: &Path) -> Result<(), ParseError> {
        for kind in ["msg", "srv", "action"] {
            let folder = dir.join(kind);
            for file in sorted_entries(&folder).map_err(|e| fail(&folder, &e))? {
                if file.extension().is_none_or(|e| e != kind) {
                    continue;
                }
                let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let text = fs::read_to_string(&file).map_err(|e| fail(&file, &e))?;
                self.add_file(package, kind, &name, &file.display().to_string(), &text)?;
                self.files.push(file);
            }
        }
        Ok(())
    }

    /// Adds every package below a folder, each in a folder of its name.
    pub fn add_packages(&mut self, dir: &Path) -> Result<(), ParseError> {
        for folder in sorted_entries(dir).map_err(|e| fail(dir, &e))? {
            if folder.is_dir() {
                let package = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.add_package(&package, &folder)?;
            }
        }
        Ok(())
    }

    /// Adds one file's text; `kind` is `msg`, `srv` or `action`.
    pub fn add_file(
        &mut self,
        package: &str,
        kind: &str,
        name: &str,
        file: &str,
        text: &str,
    ) -> Result<(), ParseError> {
        let found = match kind {
            "srv" => parse::service(package, name, file, text)?,
            "action" => parse::action(package, name, file, text)?,
            _ => vec![parse::message(TypeName::new(package, kind, name), file, text, 1)?],
        };
        for message in found {
            self.messages.insert(message.name.clone(), message);
        }
        Ok(())
    }

    /// Refuses a type that uses an unknown one, or itself.
    pub fn check(&self) -> Result<(), ParseError> {
        for message in self.messages.values() {
            let error = |problem| ParseError { file: message.name.to_string(), line: 0, problem };
            for used in message.uses() {
                if !self.messages.contains_key(used) {
                    return Err(error(format!("uses {used}, which no file defines")));
                }
            }
            if self.uses_of(message).contains(&message.name) {
                return Err(error("contains itself".into()));
            }
        }
        Ok(())
    }

    /// All types that a type uses, directly or not, by name.
    pub fn uses_of(&self, message: &Message) -> BTreeSet<TypeName> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&TypeName> = message.uses().collect();
        while let Some(name) = open.pop() {
            if seen.insert(name.clone())
                && let Some(next) = self.messages.get(name)
            {
                open.extend(next.uses());
            }
        }
        seen
    }
}

/// Entries of a folder in order of their names; none where there is no folder.
fn sorted_entries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut out: Vec<PathBuf> = fs::read_dir(dir)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    out.sort();
    Ok(out)
}
