//! What leaves the robots: results kept and delivered to the library's platform, and the reports staff work from.
//!
//! - [`store`]: one SQLite file with runs, shelf errors and the outbox, written in one transaction.
//! - [`outbox`]: at-least-once delivery, a state machine without I/O under a thin tokio shell.
//! - [`platform`]: the reference receiver, which keeps every event exactly once.
//! - [`report`]: JSON, CSV and one self-contained HTML page.
//!
//! A sighting is never a check-in: nothing in here changes a loan or the status of an item.

mod database;
pub mod event;
pub mod facts;
pub mod outbox;
pub mod platform;
pub mod report;
pub mod store;
pub mod time;
pub mod words;

pub use database::DatabaseError;
pub use event::{CloudEvent, EventError};
pub use facts::{FaceCoverage, RunFacts, Summary};
pub use outbox::{Courier, Destination, RetryPolicy, Tally};
pub use report::Report;
pub use store::{Recorded, Store, StoreError};
