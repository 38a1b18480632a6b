//! Quality of service that a recorded topic was offered with, in the text that rosbag2 stores.
//!
//! A player offers the same again: sensors best effort (REP-2003), what must not get lost reliable, and what a late
//! joiner needs transient local.

/// What differs between topics; the rest is ROS 2's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Qos {
    /// Messages that are kept.
    pub depth: u32,
    /// Reliable, or best effort.
    pub reliable: bool,
    /// Kept for who joins late, or volatile.
    pub transient_local: bool,
}

impl Qos {
    /// Of one of our topics by its name and type.
    pub fn of(topic: &str, type_name: &str) -> Self {
        let sensor = matches!(
            type_name,
            "sensor_msgs/msg/LaserScan" | "sensor_msgs/msg/Imu" | "rosgraph_msgs/msg/Clock"
        );
        let latched = topic == "/tf_static" || type_name == "nav_msgs/msg/OccupancyGrid";
        Self { depth: if latched { 1 } else { 10 }, reliable: !sensor, transient_local: latched }
    }

    /// As a YAML list of one profile, each line after `indent`.
    pub fn yaml(self, indent: &str) -> String {
        // rosbag2 writes an infinite duration like this.
        let infinite = format!("\n{indent}    sec: 9223372036\n{indent}    nsec: 854775807\n");
        format!(
            "{indent}- history: keep_last\n{indent}  depth: {}\n{indent}  reliability: {}\n{indent}  durability: {}\n\
             {indent}  deadline:{infinite}{indent}  lifespan:{infinite}{indent}  liveliness: automatic\n\
             {indent}  liveliness_lease_duration:{infinite}{indent}  avoid_ros_namespace_conventions: false\n",
            self.depth,
            if self.reliable { "reliable" } else { "best_effort" },
            if self.transient_local { "transient_local" } else { "volatile" },
        )
    }
}
