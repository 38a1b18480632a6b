//! Locating the tags of a row face from a robot that drives past it.
//!
//! What differs from a rail: the carrier hops while the robot moves, so a tag is read some twenty times at places that
//! hardly repeat, on antenna and carrier pairs whose phase offsets nobody knows. No tag alone can be fitted.
//! Hundreds of tags share the offsets, so they are found together ([`offsets`]): offsets from places, places from
//! offsets, round after round, from a start that received power gives ([`field`]).

pub(crate) mod activity;
pub(crate) mod answer;
pub(crate) mod coverage;
pub(crate) mod field;
mod gridded;
pub(crate) mod hypotheses;
pub(crate) mod lesson;
mod lying;
pub(crate) mod observations;
pub(crate) mod offsets;
pub(crate) mod pass;
pub(crate) mod reach;
pub(crate) mod search;
mod settle;
pub(crate) mod windows;
