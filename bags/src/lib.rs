//! Bags: recorded runs as MCAP files in the form of `rosbag2`, written and read.
//!
//! A bag is a folder with `metadata.yaml` (version 9) and `NAME_0.mcap`, `NAME_1.mcap`, …. [`Writer`] takes
//! [`interfaces::Publication`]s, [`Reader`] gives them back, [`info`] says what is in a bag; all stream and hold about
//! a second of messages in memory. [`RawReader`] and [`Writer::write_raw`] pass messages of any type on as bytes;
//! bags of other makers, SQLite ones too, are read alike. [`Recording`], [`Ring`] and [`retain`] are for a robot,
//! whose disk is small and whose faults come without notice. `review` (a feature) makes recordings for the Rerun viewer.

mod check;
mod error;
mod follower;
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
mod recording;
#[cfg(feature = "review")]
pub mod review;
mod selection;
mod sqlite_file;
mod steps;
mod storage;
mod table;
mod writer;

pub use check::{Checked, Finding, NAMED, Severity, check, check_while};
pub use error::BagError;
pub use follower::{Followed, Follower};
pub use info::{Info, TopicInfo, info, info_while};
pub use mcap_file::Cut;
pub use mcap_out::Packing;
pub use qos::Qos;
pub use raw_reader::RawReader;
pub use reader::Reader;
pub use record::{Channel, RawMessage};
pub use recording::{
    DiskLimits, DiskState, FileSystem, FreeSpace, Recording, RecordingCounts, Removed, Retention, Ring,
    RingSettings, fault_of, retain,
};
pub use selection::Selection;
pub use table::{Export, Exported, TableFormat, export};
pub use writer::{Summary, Writer, WriterSettings};
