//! The ROS 2 host: each node is a real ROS 2 node of its own name, through `r2r`.
//!
//! Every node has two threads: one spins and does nothing slow, one works. Between them is a bounded queue with a
//! drop policy and counters for every topic ([`queue`]). Messages stay CDR on the way: what the bag stores is what
//! ROS carries. Beside its topics each node has parameters ([`declare`]), a life ([`lifecycle`]), its actions,
//! `/diagnostics` once a second, and `/rosout`.
//!
//! What calls ROS builds with the feature `ros2` alone, in the environment of `launch/ros2/env`; the rest knows no ROS.

#[cfg(feature = "ros2")]
mod actions;
#[cfg(feature = "ros2")]
mod calls;
pub mod declare;
#[cfg(feature = "ros2")]
mod diagnostics;
#[cfg(feature = "ros2")]
pub mod generic;
#[cfg(feature = "ros2")]
mod host;
pub mod keeping;
pub mod lifecycle;
#[cfg(feature = "ros2")]
mod logs;
pub mod parameters;
pub mod qos;
pub mod queue;
#[cfg(feature = "ros2")]
mod services;
#[cfg(feature = "ros2")]
mod spinner;
#[cfg(feature = "ros2")]
mod worker;

#[cfg(feature = "ros2")]
pub use calls::call;
#[cfg(feature = "ros2")]
pub use host::{NodeSpec, RosError, run};
#[cfg(feature = "ros2")]
pub use logs::RosLayer;
pub use parameters::Parameters;
#[cfg(feature = "ros2")]
pub use worker::Make;
