//! What every topic carries and how: type, quality of service after REP-2003, drop policy. One table for all.

#[cfg(feature = "ros2")]
use r2r::QosProfile;

use super::queue::DropPolicy;

/// How a topic is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carriage {
    /// Sensor data: published reliably, taken best effort, the newest count.
    Sensor,
    /// Results: reliable, nothing may be lost.
    Result,
    /// Results that one who comes late may ask for: as results, and transient local.
    Kept,
    /// What late listeners need too: reliable, transient local.
    Latched,
    /// `/clock`: best effort, as rclcpp has it.
    Clock,
}

/// A topic's type and carriage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// Type, `sensor_msgs/msg/LaserScan`.
    pub type_name: &'static str,
    /// How it is carried.
    pub carriage: Carriage,
}

const TOPICS: &[(&str, &str, Carriage)] = &[
    ("battery", "sensor_msgs/msg/BatteryState", Carriage::Sensor),
    // Told ten times a second and at once when it changes: one that was lost comes again.
    ("bumper", "std_msgs/msg/Bool", Carriage::Sensor),
    ("clock", "rosgraph_msgs/msg/Clock", Carriage::Clock),
    ("cmd_vel", "geometry_msgs/msg/TwistStamped", Carriage::Result),
    ("coverage", "shelfwright_msgs/msg/Coverage", Carriage::Kept),
    ("diagnostics", "diagnostic_msgs/msg/DiagnosticArray", Carriage::Result),
    ("imu", "sensor_msgs/msg/Imu", Carriage::Sensor),
    ("live_sightings", "shelfwright_msgs/msg/Sightings", Carriage::Result),
    ("map", "nav_msgs/msg/OccupancyGrid", Carriage::Latched),
    ("missions", "shelfwright_msgs/msg/MissionState", Carriage::Latched),
    ("missions/cancel", "std_msgs/msg/Empty", Carriage::Result),
    ("odom", "nav_msgs/msg/Odometry", Carriage::Sensor),
    ("pose", "geometry_msgs/msg/PoseWithCovarianceStamped", Carriage::Result),
    ("reads", "shelfwright_msgs/msg/TagRead", Carriage::Result),
    ("robot_description", "std_msgs/msg/String", Carriage::Latched),
    ("scan", "sensor_msgs/msg/LaserScan", Carriage::Sensor),
    ("shelf_errors", "shelfwright_msgs/msg/ShelfErrors", Carriage::Latched),
    ("sightings", "shelfwright_msgs/msg/Sightings", Carriage::Kept),
    ("tf", "tf2_msgs/msg/TFMessage", Carriage::Result),
    ("tf_static", "tf2_msgs/msg/TFMessage", Carriage::Latched),
];

/// Second of the fastest reader, for bursts while the spin thread waits for a processor.
#[cfg(feature = "ros2")]
const RESULT_DEPTH: usize = 2_000;
#[cfg(feature = "ros2")]
const SENSOR_DEPTH: usize = 50;
#[cfg(feature = "ros2")]
const LATCHED_DEPTH: usize = 10;

/// A topic by its name, with or without namespace.
pub fn topic(name: &str) -> Option<Topic> {
    let known = |&&(short, ..): &&(&str, &str, Carriage)| {
        name.strip_suffix(short).is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    // `missions/cancel` before `cancel`: the longest name that fits.
    TOPICS
        .iter()
        .filter(known)
        .max_by_key(|t| t.0.len())
        .map(|&(_, type_name, carriage)| Topic { type_name, carriage })
}

impl Carriage {
    /// To publish with.
    #[cfg(feature = "ros2")]
    pub fn publisher(self) -> QosProfile {
        match self {
            Self::Sensor => QosProfile::default().keep_last(SENSOR_DEPTH),
            Self::Result => QosProfile::default().keep_last(RESULT_DEPTH),
            Self::Kept => Self::Result.publisher().transient_local(),
            Self::Latched => QosProfile::default().keep_last(LATCHED_DEPTH).transient_local(),
            Self::Clock => QosProfile::default().keep_last(1).best_effort(),
        }
    }

    /// To subscribe with; `best_effort` takes what a best-effort publisher sends as well, `past` asks for what was kept.
    #[cfg(feature = "ros2")]
    pub fn subscription(self, best_effort: bool, past: bool) -> QosProfile {
        match self {
            Self::Sensor => QosProfile::default().keep_last(SENSOR_DEPTH).best_effort(),
            Self::Clock => QosProfile::default().keep_last(SENSOR_DEPTH).best_effort(),
            Self::Result if best_effort => QosProfile::default().keep_last(RESULT_DEPTH).best_effort(),
            Self::Kept if !past => Self::Result.publisher(),
            Self::Result | Self::Kept | Self::Latched => self.publisher(),
        }
    }

    /// What gives way in the node's queue.
    pub fn drop_policy(self) -> DropPolicy {
        match self {
            Self::Sensor | Self::Clock => DropPolicy::Oldest,
            Self::Result | Self::Kept | Self::Latched => DropPolicy::Newest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_known_by_its_last_name_and_has_a_type_that_exists() {
        assert_eq!(topic("/inv_1/reads").unwrap().type_name, "shelfwright_msgs/msg/TagRead");
        assert_eq!(topic("/inv_1/missions/cancel").unwrap().type_name, "std_msgs/msg/Empty");
        assert_eq!(topic("/tf").unwrap().carriage, Carriage::Result);
        assert_eq!(topic("/inv_1/bookreads"), None);
        for (name, type_name, _) in TOPICS {
            assert!(interfaces::type_info(type_name).is_some(), "{name}");
        }
    }
}
