//! What a bag comes to, read before it is converted: results, so that reads can be drawn to where their tags turned out
//! to be; topics, so that no view stays empty; and the span of time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use interfaces::AnyMessage;
use interfaces::shelfwright_msgs::{ShelfErrors, Sightings};

use crate::error::BagError;
use crate::raw_reader::RawReader;
use crate::selection::Selection;

/// Topics of results.
const RESULTS: [&str; 3] = ["*/sightings", "/shelf_errors", "*/missions"];

/// See the module's text.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    /// Types by topic.
    pub topics: BTreeMap<String, String>,
    /// Sightings of whole passes, in order.
    pub sightings: Vec<Sightings>,
    /// The last audit.
    pub errors: Option<ShelfErrors>,
    /// Row faces that were scanned or seen.
    pub faces: BTreeSet<String>,
    /// Stamp of the last result, ns: about the end.
    pub last_ns: Option<i64>,
}

impl Outline {
    /// Reads a bag's outline, by its index where it has one; `go_on` is asked at every message.
    ///
    /// # Errors
    /// As [`RawReader`]; [`BagError::Interrupted`] when `go_on` says no.
    pub fn read(bag: &Path, mut go_on: impl FnMut() -> bool) -> Result<Self, BagError> {
        let mut reader = RawReader::open(bag, Selection::default().topics(RESULTS))?;
        let mut out = Self::default();
        for message in &mut reader {
            let message = message?;
            if !go_on() {
                return Err(BagError::Interrupted);
            }
            // What does not decode is told when the bag is converted.
            out.last_ns = Some(message.stamp_ns);
            let Ok(publication) = message.decode() else { continue };
            match &*publication.message {
                AnyMessage::Sightings(m) => {
                    out.faces.extend(m.sightings.iter().map(|s| s.face.clone()));
                    out.sightings.push(m.clone());
                }
                AnyMessage::MissionState(m) => {
                    out.faces.insert(m.face.clone());
                }
                AnyMessage::ShelfErrors(m) => out.errors = Some(m.clone()),
                _ => {}
            }
        }
        out.faces.remove("");
        let topics = reader.channels().into_iter().map(|c| (c.topic.to_string(), c.type_name.clone()));
        out.topics = topics.collect();
        Ok(out)
    }

    /// Whether a topic of this type is there.
    pub fn has(&self, type_name: &str) -> bool {
        self.topics.values().any(|t| t == type_name)
    }
}
