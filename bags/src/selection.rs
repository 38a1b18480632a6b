//! Which messages of a bag are wanted: by topic and by time.

/// Which messages are wanted. The default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    topics: Vec<String>,
    without: Vec<String>,
    from_ns: Option<i64>,
    until_ns: Option<i64>,
}

impl Selection {
    /// Only topics that match one of these; `*` stands for any text, so `/inv_1/*` is all of a robot. None is all.
    #[must_use]
    pub fn topics(mut self, patterns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.topics.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// No topic that matches one of these.
    #[must_use]
    pub fn without(mut self, patterns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.without.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Only messages stamped at this time or later, ns.
    #[must_use]
    pub fn from_ns(mut self, from_ns: Option<i64>) -> Self {
        self.from_ns = from_ns;
        self
    }

    /// Only messages stamped before this time, ns.
    #[must_use]
    pub fn until_ns(mut self, until_ns: Option<i64>) -> Self {
        self.until_ns = until_ns;
        self
    }

    /// Whether a topic is wanted.
    pub fn takes_topic(&self, topic: &str) -> bool {
        (self.topics.is_empty() || self.topics.iter().any(|p| matches(p, topic)))
            && !self.without.iter().any(|p| matches(p, topic))
    }

    /// Whether a stamp is wanted.
    pub fn takes_time(&self, stamp_ns: i64) -> bool {
        self.takes_span(stamp_ns, stamp_ns)
    }

    /// Whether some stamp of a span, both ends included, is wanted.
    pub(crate) fn takes_span(&self, first_ns: i64, last_ns: i64) -> bool {
        self.from_ns.is_none_or(|from| last_ns >= from) && self.until_ns.is_none_or(|until| first_ns < until)
    }

    /// First stamp and last stamp that are wanted.
    pub(crate) fn span(&self) -> (i64, i64) {
        (self.from_ns.unwrap_or(i64::MIN), self.until_ns.map_or(i64::MAX, |u| u.saturating_sub(1)))
    }
}

/// Whether a text matches a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let Some((middle, last)) = rest.rsplit_once('*') else { return left.ends_with(rest) };
    for part in middle.split('*') {
        // The leftmost place leaves most to the parts that follow.
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_chosen_by_name_and_by_pattern() {
        for (pattern, text, expected) in [
            ("/tf", "/tf", true),
            ("/tf", "/tf_static", false),
            ("/tf*", "/tf_static", true),
            ("/inv_1/*", "/inv_1/camera_1/image", true),
            ("/inv_1/*", "/inv_2/scan", false),
            ("*/image", "/inv_1/camera_1/image", true),
            ("*/camera_*/image*", "/inv_1/camera_1/image/raw", true),
            ("/a*a", "/a", false),
            ("*", "", true),
            ("**", "/x", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        let some = Selection::default().topics(["/inv_1/*"]).without(["*/image"]);
        assert!(
            some.takes_topic("/inv_1/scan") && !some.takes_topic("/inv_1/image") && !some.takes_topic("/tf")
        );
    }

    #[test]
    fn a_span_is_wanted_from_its_first_stamp_up_to_but_without_the_last() {
        let some = Selection::default().from_ns(Some(10)).until_ns(Some(20));
        assert!(some.takes_time(10) && some.takes_time(19) && !some.takes_time(20) && !some.takes_time(9));
        assert!(some.takes_span(0, 10) && !some.takes_span(0, 9) && !some.takes_span(20, 30));
        assert_eq!(some.span(), (10, 19));
    }
}
