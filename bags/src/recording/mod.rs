//! Recording on a robot: a bag that leaves room on the disk, the last minute before a fault, and old bags' end.

mod disk_watch;
mod retention;
mod ring;
mod session;

pub use disk_watch::{DiskLimits, DiskState, FileSystem, FreeSpace};
pub use retention::{Removed, Retention, retain};
pub use ring::{Ring, RingSettings, fault_of};
pub use session::{Recording, RecordingCounts};
