//! What can go wrong with a review.

use std::path::PathBuf;

/// Why a recording for the viewer cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The file cannot be written.
    #[error("{}: cannot write the recording: {problem}", path.display())]
    Save {
        /// The `.rrd` file.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// The viewer does not take what is sent.
    #[error("the Rerun viewer at {address}: {problem}")]
    Viewer {
        /// Its address.
        address: String,
        /// Why not.
        problem: String,
    },
    /// The SDK refused.
    #[error("cannot log to the Rerun recording: {0}")]
    Log(#[from] re_sdk::RecordingStreamError),
    /// Columns that do not fit together.
    #[error("cannot log to the Rerun recording: {0}")]
    Columns(#[from] re_sdk::SerializationError),
}
