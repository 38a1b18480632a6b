//! The robot's nodes as plain state machines, and the hosts that run them.
//!
//! A node is a value: a message and the time go in, messages come out. It owns no thread, socket, clock or
//! random source; [`host`] gives it those. What a node publishes is [`interfaces::Publication`], the same
//! value that the bag stores.

pub mod action;
pub mod auditor;
pub mod host;
pub mod localizer;
pub mod locator;
pub mod map_server;
pub mod mission_server;
pub mod navigator;
pub mod node;
pub mod pilot;
pub mod planar;
pub mod recorder;
pub mod service;

pub use node::{Health, Level, Node, Outbox};
