//! The outbox: every event reaches the platform at least once, in order within its run.
//!
//! [`Outbox`] is a value without I/O: it says what to send next and what an answer means. [`Courier`] is the
//! thin tokio shell that sends over HTTP and writes the outcome into the [`crate::Store`].

mod core;
mod courier;

pub use self::core::{Answer, Entry, Next, Outbox, Outcome, RetryPolicy};
pub use courier::{Courier, CourierError, Destination, Tally};
