//! `metadata.yaml` of a bag, version 9, as rosbag2 of ROS 2 Jazzy writes it.

use std::fmt::Write as _;

use crate::qos::Qos;

/// What the file says of one topic.
#[derive(Debug, Clone)]
pub(crate) struct TopicFacts {
    pub topic: String,
    pub type_name: &'static str,
    pub type_hash: &'static str,
    pub messages: u64,
}

/// What the file says of the bag.
#[derive(Debug, Clone)]
pub(crate) struct BagFacts {
    /// Name of the MCAP file inside the folder.
    pub file: String,
    pub start_ns: i64,
    pub end_ns: i64,
    pub topics: Vec<TopicFacts>,
}

/// A text in YAML's double quotes, whose escapes are JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl BagFacts {
    /// The body of `rosbag2_bagfile_information`, each line after `indent`.
    pub fn body(&self, indent: &str) -> String {
        let count: u64 = self.topics.iter().map(|t| t.messages).sum();
        let duration = self.end_ns - self.start_ns;
        let file = quoted(&self.file);
        let times = |more: &str| {
            format!(
                "{indent}{more}duration:\n{indent}{more}  nanoseconds: {duration}\n\
                 {indent}{more}starting_time:\n{indent}{more}  nanoseconds_since_epoch: {}\n\
                 {indent}{more}message_count: {count}\n",
                self.start_ns
            )
        };
        let mut out = format!("{indent}version: 9\n{indent}storage_identifier: mcap\n{}", times(""));
        let _ = write!(out, "{indent}topics_with_message_count:");
        // An empty list needs its own form.
        out.push_str(if self.topics.is_empty() { " []\n" } else { "\n" });
        for t in &self.topics {
            let _ = write!(
                out,
                "{indent}  - topic_metadata:\n{indent}      name: {}\n{indent}      type: {}\n\
                 {indent}      serialization_format: cdr\n{indent}      offered_qos_profiles:\n{}\
                 {indent}      type_description_hash: {}\n{indent}    message_count: {}\n",
                quoted(&t.topic),
                t.type_name,
                Qos::of(&t.topic, t.type_name).yaml(&format!("{indent}        ")),
                // Some readers hash the type again from its definition, cannot name the parts of a service, and
                // then refuse the whole bag; so their hash is left out here (the MCAP channel has it).
                if t.type_name.contains("/srv/") { "\"\"" } else { t.type_hash },
                t.messages
            );
        }
        let _ = write!(
            out,
            "{indent}compression_format: \"\"\n{indent}compression_mode: \"\"\n\
             {indent}relative_file_paths:\n{indent}  - {file}\n{indent}files:\n{indent}  - path: {file}\n{}\
             {indent}custom_data: ~\n{indent}ros_distro: jazzy\n",
            times("    ")
        );
        out
    }

    /// The whole file.
    pub fn yaml(&self) -> String {
        format!("rosbag2_bagfile_information:\n{}", self.body("  "))
    }
}
