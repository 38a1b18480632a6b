//! Digital twin of a library: the radio of its tags and readers.

pub mod radio;
