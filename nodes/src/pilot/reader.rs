//! Whether the reader speaks: a pass during which it is silent is worth nothing, and nobody sees it from outside.

/// The last read that was heard.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReaderWatch {
    heard_ns: Option<i64>,
}

impl ReaderWatch {
    /// A read has come, ns by `/clock`.
    pub(super) fn hear(&mut self, now_ns: i64) {
        self.heard_ns = Some(now_ns);
    }

    /// For how long it has been silent since a time, s; 0 where it was never heard: such a robot has no reader, or one that
    /// was broken before the mission, which the locator says.
    pub(super) fn silent_s(&self, since_ns: i64, now_ns: i64) -> f64 {
        self.heard_ns.map_or(0.0, |heard| (now_ns - heard.max(since_ns)).max(0) as f64 * 1e-9)
    }

    /// Whether it has spoken after a time.
    pub(super) fn spoke_after(&self, since_ns: i64) -> bool {
        self.heard_ns.is_some_and(|heard| heard > since_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_from_the_last_read_or_from_the_start_of_the_pass() {
        let mut watch = ReaderWatch::default();
        assert_eq!(watch.silent_s(0, 5_000_000_000), 0.0);
        watch.hear(2_000_000_000);
        assert_eq!(watch.silent_s(0, 5_000_000_000), 3.0);
        assert_eq!(watch.silent_s(4_000_000_000, 5_000_000_000), 1.0);
        assert!(watch.spoke_after(1) && !watch.spoke_after(2_000_000_000));
    }
}
