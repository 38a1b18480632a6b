//! A small run of several topics.
#![allow(dead_code)]

use interfaces::Publication;
use interfaces::action_msgs::CancelGoalRequest;
use interfaces::geometry_msgs::{Transform, TransformStamped, Vector3};
use interfaces::rosgraph_msgs::Clock;
use interfaces::sensor_msgs::LaserScan;
use interfaces::shelfwright_msgs::{FollowFaceFeedbackMessage, TagRead};
use interfaces::std_msgs::Header;
use interfaces::tf2_msgs::TFMessage;

/// `seconds` of reads at 10 Hz, tf at 10 Hz, a scan each second, a clock, an action's feedback.
pub fn run(seconds: i64) -> Vec<Publication> {
    let mut out = vec![Publication::new("/tf_static", 0, tf(0, "inv_1/base_link", "inv_1/antenna_1"))];
    for i in 0..seconds * 10 {
        let ns = i * 100_000_000;
        out.push(Publication::new(
            "/clock",
            ns,
            Clock { clock: interfaces::builtin_interfaces::Time::from_ns(ns) },
        ));
        out.push(Publication::new("/tf", ns, tf(ns, "inv_1/odom", "inv_1/base_link")));
        let read = TagRead {
            header: Header::new(ns, "inv_1/antenna_1"),
            reader: "inv_1/reader".into(),
            protocol: TagRead::UHF_GEN2,
            antenna: 1,
            uid: vec![0xe2, 0x80, (i / 256) as u8, i as u8],
            rssi_dbm: -50.0 - i as f32 / 10.0,
            phase_rad: i as f32 * 0.7 % std::f32::consts::TAU,
            frequency_hz: 922.375e6,
        };
        out.push(Publication::new("/inv_1/reads", ns, read));
        if i % 10 == 0 {
            let ranges = (0..360).map(|b| 1.0 + (b * i) as f32 / 1000.0).collect();
            let scan = LaserScan { header: Header::new(ns, "inv_1/laser"), ranges, ..LaserScan::default() };
            out.push(Publication::new("/inv_1/scan", ns, scan));
            let topic = "/inv_1/follow_face/_action/feedback";
            out.push(Publication::new(topic, ns, FollowFaceFeedbackMessage::default()));
            let topic = "/inv_1/follow_face/_action/cancel_goal_request";
            out.push(Publication::new(topic, ns, CancelGoalRequest::default()));
        }
    }
    out
}

fn tf(ns: i64, parent: &str, child: &str) -> TFMessage {
    let translation = Vector3 { x: ns as f64 * 1.5e-10, y: 0.25, z: 0.4 };
    let transform = Transform { translation, ..Transform::default() };
    let stamped =
        TransformStamped { header: Header::new(ns, parent), child_frame_id: child.into(), transform };
    TFMessage { transforms: vec![stamped] }
}
