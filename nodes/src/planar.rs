//! Between ROS geometry messages and poses: what the driving nodes read and write.

use interfaces::geometry_msgs::{Pose, Quaternion, Transform, TransformStamped};
use interfaces::sensor_msgs::LaserScan;
use interfaces::std_msgs::Header;
use nalgebra::{Isometry3, Quaternion as RawQuaternion, Translation3, UnitQuaternion};
use positioning::Pose2;
use positioning::localizer::RangeScan;

/// A rotation; `None` where the quaternion is not finite or far from unit length.
fn rotation(q: &Quaternion) -> Option<UnitQuaternion<f64>> {
    let raw = RawQuaternion::new(q.w, q.x, q.y, q.z);
    ((raw.norm() - 1.0).abs() < 0.01).then(|| UnitQuaternion::from_quaternion(raw))
}

/// A transform message as an isometry; `None` where it is not a finite rigid transform.
pub fn isometry_from_transform(t: &Transform) -> Option<Isometry3<f64>> {
    let v = [t.translation.x, t.translation.y, t.translation.z];
    let rotation = rotation(&t.rotation)?;
    v.iter().all(|c| c.is_finite()).then(|| Isometry3::from_parts(Translation3::from(v), rotation))
}

/// A pose message seen from above; `None` where it is not finite.
pub fn pose2_from_pose(p: &Pose) -> Option<Pose2> {
    let v = [p.position.x, p.position.y, p.position.z];
    let rotation = rotation(&p.orientation)?;
    v.iter()
        .all(|c| c.is_finite())
        .then(|| Pose2::from_isometry(&Isometry3::from_parts(Translation3::from(v), rotation)))
}

fn quaternion(theta: f64) -> Quaternion {
    let (z, w) = (0.5 * theta).sin_cos();
    Quaternion { x: 0.0, y: 0.0, z, w }
}

/// A pose on the floor as a message.
pub fn pose_from_pose2(p: Pose2) -> Pose {
    let mut pose = Pose::default();
    (pose.position.x, pose.position.y) = (p.x, p.y);
    pose.orientation = quaternion(p.theta);
    pose
}

/// `parent_from_child` on the floor as a stamped transform.
pub fn transform_stamped(
    stamp_ns: i64,
    parent: &str,
    child: &str,
    parent_from_child: Pose2,
) -> TransformStamped {
    let mut message = TransformStamped {
        header: header(stamp_ns, parent),
        child_frame_id: child.into(),
        ..TransformStamped::default()
    };
    (message.transform.translation.x, message.transform.translation.y) =
        (parent_from_child.x, parent_from_child.y);
    message.transform.rotation = quaternion(parent_from_child.theta);
    message
}

/// A header.
pub fn header(stamp_ns: i64, frame: &str) -> Header {
    Header::new(stamp_ns, frame)
}

/// Stamp of a header, ns.
pub fn stamp_ns(header: &Header) -> i64 {
    header.stamp.to_ns()
}

/// A scan message as the localizer takes it.
pub fn range_scan(scan: &LaserScan) -> RangeScan {
    RangeScan {
        stamp_ns: stamp_ns(&scan.header),
        angle_min: f64::from(scan.angle_min),
        angle_increment: f64::from(scan.angle_increment),
        time_increment: f64::from(scan.time_increment),
        range_m: [f64::from(scan.range_min), f64::from(scan.range_max)],
        ranges: scan.ranges.clone(),
    }
}

/// A robot's name and the topics and frames that carry it.
pub fn topic(robot: &str, name: &str) -> std::sync::Arc<str> {
    format!("/{robot}/{name}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pose_survives_the_message() {
        let pose = Pose2::new(1.5, -2.0, 2.9);
        let back = pose2_from_pose(&pose_from_pose2(pose)).unwrap();
        assert!(back.distance(pose) < 1e-12 && (back.theta - pose.theta).abs() < 1e-12);
        let t = transform_stamped(7, "map", "inv_1/odom", pose);
        let back = Pose2::from_isometry(&isometry_from_transform(&t.transform).unwrap());
        assert!(back.distance(pose) < 1e-12 && stamp_ns(&t.header) == 7);
    }

    #[test]
    fn a_quaternion_of_zeros_is_no_pose() {
        let orientation = Quaternion { x: 0.0, y: 0.0, z: 0.0, w: 0.0 };
        let mut pose = Pose { orientation, ..Pose::default() };
        assert!(pose2_from_pose(&pose).is_none());
        pose.orientation.w = f64::NAN;
        assert!(pose2_from_pose(&pose).is_none());
    }
}
