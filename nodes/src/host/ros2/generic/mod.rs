//! Topics of any type by name, as bytes: what a recorder needs.
//!
//! `r2r` subscribes to the types that it was built with. A robot carries others as well: a camera driver's, Nav2's. Here a
//! type's support is loaded when it is first met, as rosbag2's recorder does it, and its definition is read from the package
//! that brought it. The calls of rcl that `r2r` does not have are in `node.rs`.

mod definition;
mod node;
mod type_support;

pub use definition::definition;
pub use node::{GenericNode, Offer, Taken};
