//! Hosts: what gives the nodes their messages and their time.

mod local;
mod replay;
pub mod ros2;

pub use local::{HealthSource, HostError, LocalHost, Observer, World};
pub use replay::replay;
