//! Messages: the Rust types of the ROS package `shelfwright_msgs` and of the standard messages in use, made at build
//! time from the `.msg`, `.srv` and `.action` files beside this crate, with CDR in and out.
//!
//! Every type lives at `interfaces::<package>::<Type>` with the fields of its definition, and implements
//! [`Message`]. [`AnyMessage`] holds one of any type, [`Publication`] one with its topic and stamp: that is
//! what twin, nodes and bags exchange. [`convert`] goes between messages and `domain`.

pub mod cdr;
pub mod convert;
mod message;
mod publication;

pub use cdr::CdrError;
pub use message::{Message, TypeInfo, UnknownType, type_info};
pub use publication::Publication;

mod generated {
    // The texts come from the definitions.
    #![allow(
        rustdoc::bare_urls,
        clippy::doc_markdown,
        clippy::doc_lazy_continuation,
        clippy::large_enum_variant
    )]
    #![allow(clippy::derivable_impls)]
    use crate::message::any_message;
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}
pub use generated::*;

#[cfg(test)]
#[path = "../idl/mod.rs"]
#[allow(dead_code)]
mod idl;

#[cfg(test)]
#[path = "../idl/tests.rs"]
mod idl_tests;
