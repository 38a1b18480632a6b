//! Time: `i64` nanoseconds here, seconds and nanoseconds in messages.

use crate::builtin_interfaces::{Duration, Time};
use crate::std_msgs::Header;

const NS_PER_S: i64 = 1_000_000_000;

/// Seconds, rounded down, and the nanoseconds after them. The message has 32 bits for seconds: a time beyond 2038
/// (or before 1901) becomes the last (or first) one that fits.
fn split(ns: i64) -> (i32, u32) {
    match i32::try_from(ns.div_euclid(NS_PER_S)) {
        // Less than 10^9, so it fits.
        Ok(sec) => (sec, ns.rem_euclid(NS_PER_S) as u32),
        Err(_) if ns > 0 => (i32::MAX, 999_999_999),
        Err(_) => (i32::MIN, 0),
    }
}

impl Time {
    /// From nanoseconds.
    pub fn from_ns(ns: i64) -> Self {
        let (sec, nanosec) = split(ns);
        Self { sec, nanosec }
    }

    /// As nanoseconds.
    pub fn to_ns(&self) -> i64 {
        i64::from(self.sec) * NS_PER_S + i64::from(self.nanosec)
    }
}

impl Duration {
    /// From nanoseconds.
    pub fn from_ns(ns: i64) -> Self {
        let (sec, nanosec) = split(ns);
        Self { sec, nanosec }
    }

    /// As nanoseconds.
    pub fn to_ns(&self) -> i64 {
        i64::from(self.sec) * NS_PER_S + i64::from(self.nanosec)
    }
}

impl Header {
    /// Stamp in nanoseconds and frame.
    pub fn new(stamp_ns: i64, frame_id: impl Into<String>) -> Self {
        Self { stamp: Time::from_ns(stamp_ns), frame_id: frame_id.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_the_message() {
        for ns in [0, 1, -1, 999_999_999, 1_000_000_000, -1_000_000_001, 1_700_000_000_123_456_789] {
            assert_eq!(Time::from_ns(ns).to_ns(), ns);
            assert_eq!(Duration::from_ns(ns).to_ns(), ns);
        }
    }

    #[test]
    fn a_time_beyond_the_message_stops_at_its_end() {
        assert_eq!(Time::from_ns(i64::MAX), Time { sec: i32::MAX, nanosec: 999_999_999 });
        assert_eq!(Time::from_ns(i64::MIN), Time { sec: i32::MIN, nanosec: 0 });
    }
}
