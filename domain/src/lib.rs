//! The library itself: tags and items, call numbers, the stacks, the catalogue, reads, sightings, shelf errors.
//!
//! Nothing in here knows ROS, tokio, a wall clock or a global random source. Units are SI, time is `i64`
//! nanoseconds, angles are radians unless a name says otherwise.

pub mod address;
pub mod audit;
pub mod callnumber;
pub mod catalogue;
pub mod coverage;
pub mod decode;
mod parquet_columns;
pub mod reads;
pub mod shelf_error;
pub mod sighting;
pub mod site;
pub mod table_error;
mod table_file;
pub mod tables;
pub mod tag36h11;
pub mod uid;

pub use address::{FaceId, Home, ShelfAddress, Side};
pub use audit::{Audit, AuditSettings, InputProblem, PlacedBook};
pub use callnumber::{Scheme, ShelfKey, ShelfRules};
pub use catalogue::{Catalogue, Item, ItemStatus, ItemView};
pub use coverage::Coverage;
pub use decode::{Decoders, Identity, UidDecoder};
pub use reads::{Read, Scan};
pub use shelf_error::{ErrorKind, Evidence, ItemRef, Place, ShelfError};
pub use sighting::Sighting;
pub use site::Site;
pub use table_error::TableError;
pub use uid::Uid;
