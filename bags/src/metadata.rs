//! `metadata.yaml` of a bag, version 9, as rosbag2 of ROS 2 Jazzy writes it.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::mcap_out::Tally;
use crate::record::Channel;

/// What the file says of one topic.
#[derive(Debug, Clone)]
pub(crate) struct TopicFacts {
    pub channel: Arc<Channel>,
    pub messages: u64,
}

/// What it says of one MCAP file.
#[derive(Debug, Clone)]
pub(crate) struct FileFacts {
    /// Name inside the folder.
    pub name: String,
    pub tally: Tally,
    pub bytes: u64,
}

/// What it says of the bag.
#[derive(Debug, Clone)]
pub(crate) struct BagFacts {
    /// One or more.
    pub files: Vec<FileFacts>,
    pub topics: Vec<TopicFacts>,
}

/// A text in YAML's double quotes, whose escapes are JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A topic's quality of service as a YAML list, each line after `indent`; empty where it is not known.
///
/// Versions of rosbag2 before 0.24 wrote the policies' numbers, which readers of version 9 refuse.
pub(crate) fn quality(channel: &Channel, indent: &str) -> String {
    if !channel.qos.trim_start().starts_with("- ") {
        return String::new();
    }
    let named = |line: &str| -> String {
        for (key, names) in [
            ("history", &["system_default", "keep_last", "keep_all", "unknown"][..]),
            ("reliability", &["system_default", "reliable", "best_effort", "unknown"]),
            ("durability", &["system_default", "transient_local", "volatile", "unknown"]),
            ("liveliness", &["system_default", "automatic", "deprecated", "manual_by_topic", "unknown"]),
        ] {
            if let Some((before, value)) = line.split_once(&format!("{key}:"))
                && before.trim_start_matches([' ', '-']).is_empty()
                && let Some(name) = value.trim().parse::<usize>().ok().and_then(|n| names.get(n))
            {
                return format!("{before}{key}: {name}");
            }
        }
        line.to_owned()
    };
    channel.qos.lines().map(|line| format!("{indent}{}\n", named(line))).collect()
}

fn times(tally: &Tally, indent: &str) -> String {
    let (start_ns, end_ns) = tally.span_ns.unwrap_or((0, 0));
    format!(
        "{indent}duration:\n{indent}  nanoseconds: {}\n\
         {indent}starting_time:\n{indent}  nanoseconds_since_epoch: {start_ns}\n\
         {indent}message_count: {}\n",
        end_ns - start_ns,
        tally.messages
    )
}

impl BagFacts {
    /// Messages in all files.
    pub fn messages(&self) -> u64 {
        self.files.iter().map(|f| f.tally.messages).sum()
    }

    /// First and last stamp.
    pub fn span_ns(&self) -> Option<(i64, i64)> {
        let spans = self.files.iter().filter_map(|f| f.tally.span_ns);
        spans.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
    }

    /// The body of `rosbag2_bagfile_information`, each line after `indent`.
    pub fn body(&self, indent: &str) -> String {
        let all = Tally { messages: self.messages(), span_ns: self.span_ns() };
        let mut out =
            format!("{indent}version: 9\n{indent}storage_identifier: mcap\n{}", times(&all, indent));
        let _ = write!(out, "{indent}topics_with_message_count:");
        // An empty list needs its own form.
        out.push_str(if self.topics.is_empty() { " []\n" } else { "\n" });
        for t in &self.topics {
            let quality = match quality(&t.channel, &format!("{indent}        ")) {
                none if none.is_empty() => " []\n".to_owned(),
                some => format!("\n{some}"),
            };
            let _ = write!(
                out,
                "{indent}  - topic_metadata:\n{indent}      name: {}\n{indent}      type: {}\n\
                 {indent}      serialization_format: {}\n{indent}      offered_qos_profiles:{quality}\
                 {indent}      type_description_hash: {}\n{indent}    message_count: {}\n",
                quoted(&t.channel.topic),
                t.channel.type_name,
                quoted(&t.channel.encoding),
                // Some readers hash the type again from its definition, cannot name the parts of a service, and
                // then refuse the whole bag; so their hash is left out here (the MCAP channel has it).
                if t.channel.type_name.contains("/srv/") {
                    "\"\"".to_owned()
                } else {
                    quoted(&t.channel.type_hash)
                },
                t.messages
            );
        }
        let _ = write!(
            out,
            "{indent}compression_format: \"\"\n{indent}compression_mode: \"\"\n{indent}relative_file_paths:\n"
        );
        for file in &self.files {
            let _ = writeln!(out, "{indent}  - {}", quoted(&file.name));
        }
        let _ = writeln!(out, "{indent}files:");
        for file in &self.files {
            let more = format!("{indent}    ");
            let _ = write!(out, "{indent}  - path: {}\n{}", quoted(&file.name), times(&file.tally, &more));
        }
        let _ = write!(out, "{indent}custom_data: ~\n{indent}ros_distro: jazzy\n");
        out
    }

    /// The whole file.
    pub fn yaml(&self) -> String {
        format!("rosbag2_bagfile_information:\n{}", self.body("  "))
    }
}
