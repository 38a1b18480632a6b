//! positioning
