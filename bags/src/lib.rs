//! Bags: recorded runs as MCAP files in the form of `rosbag2`, written and read.
//!
//! A bag is a folder with `metadata.yaml` (version 9) and `NAME_0.mcap`. [`Writer`] takes [`interfaces::Publication`]s,
//! [`Reader`] gives them back, [`info`] says what is in a bag. Both stream and hold about a second of messages in
//! memory.

mod error;
#[cfg(test)]
mod full_disk_tests;
mod info;
mod mcap_file;
mod mcap_out;
mod metadata;
mod qos;
mod raw_reader;
mod reader;
mod record;
mod selection;
mod sqlite_file;
mod steps;
mod storage;
mod writer;

pub use error::BagError;
pub use info::{Info, TopicInfo, info};
pub use mcap_file::Cut;
pub use mcap_out::Packing;
pub use raw_reader::RawReader;
pub use reader::Reader;
pub use record::{Channel, RawMessage};
pub use selection::Selection;
pub use writer::{Summary, Writer, WriterSettings};
