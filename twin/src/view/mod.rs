//! Draws the simulation, with Bevy: pictures without a window, a window to watch in, and what the robots' cameras see.
//!
//! Nothing here is part of the simulation: it takes values out of a [`crate::Twin`] and puts nothing back. Coordinates are
//! those of the map, z up.

mod books;
mod building;
mod cameras;
mod dress;
mod figures;
mod furnish;
pub mod live;
mod memory;
mod scene;
mod snapshot;
mod solid;
mod spines;
mod stage;
mod studio;
mod type_face;
mod window;

pub use cameras::{Cameras, Seen};
pub use scene::{Book, Moment, Scene};
pub use snapshot::{Viewpoint, snapshot};
pub use stage::{Picture, ViewError};
pub use studio::Frame;
pub use window::watch;
