//! A message as it stands in a bag, of any type, and the topic that it is on.

use std::sync::Arc;

use interfaces::{AnyMessage, CdrError, Publication, TypeInfo, type_info};

use crate::qos::Qos;

/// One topic with one type, as a bag declares it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel {
    /// Full topic name, `/inv_1/scan`.
    pub topic: Arc<str>,
    /// Full name of its type, `sensor_msgs/msg/LaserScan`.
    pub type_name: String,
    /// How its messages are encoded; ROS 2 has `cdr`.
    pub encoding: String,
    /// The type's definition with all it uses; empty where the bag does not have it.
    pub definition: String,
    /// In which language the definition is; rosbag2 writes `ros2msg`.
    pub definition_encoding: String,
    /// RIHS01 hash of the type; empty where the bag does not have it.
    pub type_hash: String,
    /// Quality of service that it was offered with, as rosbag2 stores it (YAML); empty where the bag does not have it.
    pub qos: String,
}

impl Channel {
    /// Of a type that `interfaces` has.
    pub fn of(topic: &str, info: &TypeInfo) -> Self {
        Self {
            topic: topic.into(),
            type_name: info.name.to_owned(),
            encoding: "cdr".to_owned(),
            definition: info.definition.to_owned(),
            definition_encoding: "ros2msg".to_owned(),
            type_hash: info.hash.to_owned(),
            qos: Qos::of(topic, info.name).yaml(""),
        }
    }

    /// Whether [`RawMessage::decode`] can make a message of `interfaces` from it.
    pub fn known(&self) -> bool {
        self.encoding == "cdr" && type_info(&self.type_name).is_some()
    }

    /// Whether its messages are a camera's: what a robot can do without when disk or queue are short.
    pub fn is_image(&self) -> bool {
        is_image(&self.type_name)
    }

    /// Whether who joins late must get its last message: `/tf_static`, a map.
    pub fn latched(&self) -> bool {
        // rosbag2 writes the policy's name, older versions its number.
        let policy = |name: &str| {
            self.qos.lines().any(|l| {
                l.trim_start_matches([' ', '-']).strip_prefix("durability:").is_some_and(|v| v.trim() == name)
            })
        };
        &*self.topic == "/tf_static" || policy("transient_local") || policy("1")
    }
}

/// Whether a type is a camera's.
pub(crate) fn is_image(type_name: &str) -> bool {
    matches!(
        type_name,
        "sensor_msgs/msg/Image" | "sensor_msgs/msg/CompressedImage" | "sensor_msgs/msg/PointCloud2"
    )
}

/// A message's bytes with their topic and stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawMessage {
    /// Its topic.
    pub channel: Arc<Channel>,
    /// When it was recorded, ns.
    pub stamp_ns: i64,
    /// Its bytes, in the channel's encoding.
    pub data: Vec<u8>,
}

impl RawMessage {
    /// As a message of `interfaces`.
    ///
    /// # Errors
    /// [`CdrError`] where the bytes do not fit the type, or the type is not known.
    pub fn decode(&self) -> Result<Publication, CdrError> {
        Ok(Publication {
            topic: self.channel.topic.clone(),
            stamp_ns: self.stamp_ns,
            message: Arc::new(AnyMessage::from_cdr(&self.channel.type_name, &self.data)?),
        })
    }
}
