//! What the radio refuses.

/// Why a radio cannot be built from what was given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RadioError {
    /// A setting outside its range.
    #[error("radio setting `{key}` is {found}, allowed: {allowed}")]
    Setting {
        /// Dotted name of the setting, as in the scenario file.
        key: &'static str,
        /// What was given.
        found: String,
        /// What may be given.
        allowed: &'static str,
    },
    /// A place, direction or loss that is not a finite number, or a direction of no length.
    #[error("{what} of {whose} is {found:?}, expected {allowed}")]
    Geometry {
        /// Which value.
        what: &'static str,
        /// Which tag or obstacle.
        whose: String,
        /// What was given.
        found: Vec<f64>,
        /// What may be given.
        allowed: &'static str,
    },
    /// A tag index beyond the field.
    #[error("no tag {index}, the field has {count}")]
    NoSuchTag {
        /// The index asked for.
        index: u32,
        /// Number of tags.
        count: usize,
    },
    /// Two tags with one identifier: their reads could not be told apart.
    #[error("tag {0} is placed twice")]
    Duplicate(domain::Uid),
    /// A tag names a shelf front that is not there.
    #[error("tag {uid} names shelf front {front}, there are {count}")]
    NoSuchFront {
        /// The tag.
        uid: domain::Uid,
        /// The front that it names.
        front: u32,
        /// Number of fronts.
        count: usize,
    },
}
