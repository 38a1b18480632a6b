//! The generator behind the Rust message types: reads `.msg`, `.srv` and `.action` files, computes each type's
//! RIHS01 hash and `ros2msg` definition text, and writes Rust.
//!
//! `build.rs` includes this module by path; the crate's tests include it once more. It is no part of the
//! crate at run time.

pub mod ast;
pub mod hash;
pub mod library;
pub mod parse;
pub mod rust;
pub mod text;
