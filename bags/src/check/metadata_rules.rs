//! `metadata.yaml` against the files beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Gathered, Severity};
use crate::mcap_out::Tally;

/// Checks the file.
pub(super) fn check(path: &Path, gathered: &mut Gathered) {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let problem = "is not there: the recorder was killed, and rosbag2 will not play the folder \
                           (renew: shelfwright bag merge)";
            return gathered.find(Severity::Warning, path, problem);
        }
        Err(error) => return gathered.find(Severity::Error, path, error.to_string()),
    };
    let told = Told::read(&text);
    let mut wrong = Vec::new();
    let mut all = Tally::default();
    for (_, tally) in &gathered.files {
        all.messages += tally.messages;
        all.span_ns = match (all.span_ns, tally.span_ns) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (a, b) => a.or(b),
        };
    }
    let (start_ns, end_ns) = all.span_ns.unwrap_or((0, 0));
    for (key, found) in [
        ("message_count", i128::from(all.messages)),
        ("starting_time.nanoseconds_since_epoch", i128::from(start_ns)),
        ("duration.nanoseconds", i128::from(end_ns) - i128::from(start_ns)),
    ] {
        match told.values.get(key) {
            None => wrong.push(format!("has no {key}")),
            // rosbags counts the last nanosecond too.
            Some(said)
                if said
                    .parse::<i128>()
                    .is_ok_and(|n| n == found || (key.starts_with("dur") && n == found + 1)) => {}
            Some(said) => wrong.push(format!("{key}: {said}, found {found}")),
        }
    }
    let names: Vec<&String> = gathered.files.iter().map(|(name, _)| name).collect();
    if told.files.iter().ne(names.iter().copied()) {
        wrong.push(format!("relative_file_paths: {:?}, found {names:?}", told.files));
    }
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for ((topic, _), count) in &gathered.topics {
        *counts.entry(topic.to_string()).or_default() += count;
    }
    for (topic, said) in &told.topics {
        let found = counts.get(topic).copied().unwrap_or(0);
        if *said != found {
            wrong.push(format!("{topic}: message_count {said}, found {found}"));
        }
    }
    for (topic, count) in &counts {
        if *count > 0 && !told.topics.contains_key(topic) {
            wrong.push(format!("does not name {topic} and its {count} messages"));
        }
    }
    for problem in wrong {
        gathered.find(Severity::Error, path, problem);
    }
}

/// What the file says; only the few keys that are compared, of the block style that rosbag2 writes.
#[derive(Default)]
struct Told {
    /// Of the bag as a whole, by their path.
    values: BTreeMap<String, String>,
    files: Vec<String>,
    topics: BTreeMap<String, u64>,
}

impl Told {
    fn read(text: &str) -> Self {
        let mut out = Self::default();
        // Keys above the line with their indentation.
        let mut above: Vec<(usize, String)> = Vec::new();
        // Of a topic's entry: rosbag2 writes the name first, rosbags the count.
        let (mut topic, mut count) = (None, None);
        for line in text.lines() {
            let content = line.trim_start_matches([' ', '-']);
            let indent = line.len() - content.len();
            above.retain(|(i, _)| *i < indent);
            let path = |key: &str| -> Vec<String> {
                above.iter().skip(1).map(|(_, k)| k.clone()).chain([key.to_owned()]).collect()
            };
            let Some((key, value)) = content.split_once(':') else {
                if path("").starts_with(&["relative_file_paths".to_owned()]) && !content.is_empty() {
                    out.files.push(unquoted(content));
                }
                continue;
            };
            let (path, value) = (path(key), unquoted(value));
            match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["topics_with_message_count", "topic_metadata", "name"] => topic = Some(value.clone()),
                ["topics_with_message_count", "message_count"] => count = value.parse::<u64>().ok(),
                ["topics_with_message_count" | "files", ..] => {}
                _ => {
                    out.values.insert(path.join("."), value.clone());
                }
            }
            if let (Some(name), Some(messages)) = (&topic, count) {
                *out.topics.entry(name.clone()).or_default() += messages;
                (topic, count) = (None, None);
            }
            if value.is_empty() {
                above.push((indent, key.to_owned()));
            }
        }
        out
    }
}

/// A YAML text without its quotes.
fn unquoted(text: &str) -> String {
    let text = text.trim();
    if text.len() >= 2 && text.starts_with('"') && text.ends_with('"') {
        // Double quotes have JSON's escapes.
        return serde_json::from_str(text).unwrap_or_else(|_| text.to_owned());
    }
    text.trim_matches('\'').to_owned()
}
