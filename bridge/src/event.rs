//! What goes to a platform: CloudEvents 1.0 in JSON, one for the run's summary and one for each shelf error.
//!
//! An event's `id` is also its idempotency key. It is made from the content, so that the same run recorded
//! twice makes the same keys, and another run under the same name makes others.

use domain::ShelfError;
use domain::audit::Audit;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::facts::{RunFacts, Summary};
use crate::{time, words};

/// `type` of an event that carries one [`ShelfErrorData`].
pub const SHELF_ERROR_V1: &str = "org.shelfwright.shelf_error.v1";
/// `type` of an event that carries one [`RunSummaryData`].
pub const RUN_SUMMARY_V1: &str = "org.shelfwright.run_summary.v1";
/// Media type of one event.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";
/// Media type of a list of events.
pub const BATCH_MEDIA_TYPE: &str = "application/cloudevents-batch+json";

/// A CloudEvents 1.0 event with JSON data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloudEvent<D> {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique per source; also the idempotency key.
    pub id: String,
    /// Who says it: `/sites/SITE/robots/ROBOT`.
    pub source: String,
    /// [`SHELF_ERROR_V1`] or [`RUN_SUMMARY_V1`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The run, or the run and the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it happened, RFC 3339; left out where only simulated time is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Always `application/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// What it carries.
    pub data: D,
}

/// Data of [`SHELF_ERROR_V1`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShelfErrorData {
    /// The run that found it.
    pub run: String,
    /// The robot that drove.
    pub robot: String,
    /// Its number in the run's list, from 1.
    pub number: u32,
    /// The finding.
    pub finding: ShelfError,
}

/// Data of [`RUN_SUMMARY_V1`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummaryData {
    /// What the run was.
    pub facts: RunFacts,
    /// What it found, in numbers.
    pub summary: Summary,
}

/// Why a result cannot be written as events.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// A run without a name cannot be told from others.
    #[error("run: found an empty name, expected 1 to {MAX_RUN_BYTES} bytes without control characters")]
    NoRun,
    /// A name that no file, header or page could carry.
    #[error("run: found {0:?}, expected 1 to {MAX_RUN_BYTES} bytes without control characters")]
    BadRun(String),
    /// JSON failed, which no value of these types should make happen.
    #[error("shelf error {number} of run {run:?} as JSON: {source}")]
    Json {
        /// The run.
        run: String,
        /// Which shelf error, from 1; 0 for the summary.
        number: u32,
        /// What serde said.
        source: serde_json::Error,
    },
}

/// Longest name of a run.
pub const MAX_RUN_BYTES: usize = 200;

/// One event ready to be sent: its key and its body, and the finding as stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prepared {
    pub key: String,
    pub body: String,
    /// The shelf error, cleaned; `None` for the summary.
    pub finding: Option<ShelfError>,
}

/// All events of a run, the summary first, and a digest of the whole.
#[derive(Debug)]
pub(crate) struct RunEvents {
    pub digest: String,
    pub events: Vec<Prepared>,
}

/// Makes all events of a run.
pub(crate) fn of_run(facts: &RunFacts, audit: &Audit) -> Result<RunEvents, EventError> {
    if facts.run.is_empty() {
        return Err(EventError::NoRun);
    }
    if facts.run.len() > MAX_RUN_BYTES || facts.run.chars().any(char::is_control) {
        return Err(EventError::BadRun(facts.run.clone()));
    }
    let json = |number, source| EventError::Json { run: facts.run.clone(), number, source };
    let source = format!("/sites/{}/robots/{}", percent(&facts.site), percent(&facts.robot));
    let time = facts.wall_ns(facts.finished_ns).map(time::rfc3339);
    let facts = clean_facts(facts);

    let mut parts = vec![Part {
        kind: RUN_SUMMARY_V1,
        subject: facts.run.clone(),
        data: Data::Summary(Box::new(RunSummaryData { facts: facts.clone(), summary: Summary::of(audit) })),
    }];
    for (number, error) in (1..).zip(&audit.errors) {
        let finding = clean(error);
        parts.push(Part {
            kind: SHELF_ERROR_V1,
            subject: format!("{}/{}/{}", facts.run, finding.item.uid, words::name(finding.kind)),
            data: Data::ShelfError(Box::new(ShelfErrorData {
                run: facts.run.clone(),
                robot: facts.robot.clone(),
                number,
                finding,
            })),
        });
    }

    let mut hash = Sha256::new();
    add(&mut hash, source.as_bytes());
    for (number, part) in (0..).zip(&parts) {
        add(&mut hash, part.kind.as_bytes());
        add(&mut hash, &serde_json::to_vec(&part.data).map_err(|e| json(number, e))?);
    }
    let digest = hex(&hash.finalize());

    let events = (0..)
        .zip(parts)
        .map(|(number, part)| {
            let event = CloudEvent {
                specversion: "1.0".into(),
                id: key(&digest, number),
                source: source.clone(),
                kind: part.kind.into(),
                subject: Some(part.subject),
                time: time.clone(),
                datacontenttype: Some("application/json".into()),
                data: part.data,
            };
            let body = serde_json::to_string(&event).map_err(|e| json(number, e))?;
            let finding = match event.data {
                Data::Summary(_) => None,
                Data::ShelfError(data) => Some(data.finding),
            };
            Ok(Prepared { key: event.id, body, finding })
        })
        .collect::<Result<_, EventError>>()?;
    Ok(RunEvents { digest, events })
}

/// One event before it has its key.
struct Part {
    kind: &'static str,
    subject: String,
    data: Data,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data {
    Summary(Box<RunSummaryData>),
    ShelfError(Box<ShelfErrorData>),
}

/// Adds one field to a hash so that no two lists of fields hash the same bytes.
fn add(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

fn key(digest: &str, number: u32) -> String {
    let hash = Sha256::digest(format!("{digest}/{number}").as_bytes());
    hex(&hash[..16])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Percent-encodes all but the unreserved characters (RFC 3986), for one segment of a path.
pub(crate) fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for &b in text.as_bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(b as char);
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    if out.is_empty() { "-".into() } else { out }
}

/// JSON has no NaN: a number that is none is written as 0, the value for "does not apply".
fn clean(error: &ShelfError) -> ShelfError {
    let mut e = error.clone();
    let finite = |x: &mut f32| {
        if !x.is_finite() {
            *x = 0.0;
        }
    };
    finite(&mut e.confidence);
    finite(&mut e.evidence.rssi_dbm);
    finite(&mut e.evidence.tier_probability);
    finite(&mut e.evidence.read_probability);
    if let Some(place) = &mut e.found {
        finite(&mut place.along_m);
        finite(&mut place.along_std_m);
    }
    e
}

fn clean_facts(facts: &RunFacts) -> RunFacts {
    let mut f = facts.clone();
    if !f.distance_m.is_finite() {
        f.distance_m = 0.0;
    }
    f.coverage.retain(|c| c.mean_read_probability.is_finite() && c.weak_share.is_finite());
    f
}
