//! What the navigator knows of the world: its pose, and the echoes of the last scan.

use std::sync::Arc;

use interfaces::{AnyMessage, Publication};
use positioning::{Pose2, TfBuffer};

use super::NavigatorParams;
use super::bump::Bumps;
use super::obstacles::Echoes;
use crate::planar::{isometry_from_transform, pose2_from_pose, range_scan, stamp_ns, topic};

/// Why the robot's pose is not to be trusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Blind {
    /// For people.
    pub(super) reason: &'static str,
    /// All sensors work; the localizer does not know the place.
    pub(super) lost: bool,
}

/// Inputs of the navigator, the newest of each.
pub(super) struct Senses {
    odom: Arc<str>,
    scan: Arc<str>,
    pose: Arc<str>,
    tf: Arc<str>,
    tf_static: Arc<str>,
    bumper: Arc<str>,
    base_frame: String,
    odom_frame: String,
    mounts: TfBuffer,
    map_from_odom: Option<(i64, Pose2)>,
    odom_from_base: Option<(i64, Pose2)>,
    position_std_m: f64,
    /// Stamp of the last word of the bumper, ns, and whether it was pressed; a robot without one says nothing.
    pressed: Option<(i64, bool)>,
    /// The last scan.
    pub(super) echoes: Echoes,
    /// Touched places count as echoes.
    pub(super) bumps: Bumps,
}

impl Senses {
    pub(super) fn new(robot: &str) -> Self {
        Self {
            odom: topic(robot, "odom"),
            scan: topic(robot, "scan"),
            pose: topic(robot, "pose"),
            tf: "/tf".into(),
            tf_static: "/tf_static".into(),
            bumper: topic(robot, "bumper"),
            base_frame: format!("{robot}/base_link"),
            odom_frame: format!("{robot}/odom"),
            mounts: TfBuffer::default(),
            map_from_odom: None,
            odom_from_base: None,
            position_std_m: f64::INFINITY,
            pressed: None,
            echoes: Echoes::default(),
            bumps: Bumps::default(),
        }
    }

    pub(super) fn topics(&self) -> Vec<Arc<str>> {
        [&self.odom, &self.scan, &self.pose, &self.tf, &self.tf_static, &self.bumper].map(Arc::clone).to_vec()
    }

    pub(super) fn map_from_odom(&self) -> Option<Pose2> {
        self.map_from_odom.map(|s| s.1)
    }

    pub(super) fn odom_from_base(&self) -> Option<Pose2> {
        self.odom_from_base.map(|s| s.1)
    }

    /// Whether the bumper is pressed now.
    pub(super) fn pressed(&self, now_ns: i64, params: &NavigatorParams) -> bool {
        self.pressed.is_some_and(|(t, pressed)| pressed && (now_ns - t) as f64 * 1e-9 <= params.stale_after_s)
    }

    /// Takes a message; false where its content is malformed or of no use.
    pub(super) fn take(&mut self, input: &Publication, params: &NavigatorParams) -> bool {
        match &*input.message {
            AnyMessage::TFMessage(tf) if input.topic == self.tf_static => tf.transforms.iter().all(|t| {
                isometry_from_transform(&t.transform).is_some_and(|iso| {
                    self.mounts.insert_static(&t.header.frame_id, &t.child_frame_id, iso).is_ok()
                })
            }),
            AnyMessage::TFMessage(tf) => {
                tf.transforms.iter().filter(|t| t.child_frame_id == self.odom_frame).all(|t| {
                    let pose = isometry_from_transform(&t.transform).map(|iso| Pose2::from_isometry(&iso));
                    self.map_from_odom = pose.map(|p| (stamp_ns(&t.header), p)).or(self.map_from_odom);
                    pose.is_some()
                })
            }
            AnyMessage::Odometry(odom) => {
                let pose = pose2_from_pose(&odom.pose.pose);
                self.odom_from_base = pose.map(|p| (stamp_ns(&odom.header), p)).or(self.odom_from_base);
                pose.is_some()
            }
            AnyMessage::PoseWithCovarianceStamped(pose) => {
                if pose2_from_pose(&pose.pose.pose).is_none() {
                    return false;
                }
                let c = &pose.pose.covariance;
                self.position_std_m = c[0].max(c[7]).sqrt();
                true
            }
            AnyMessage::Bool(bumper) => {
                self.pressed = Some((input.stamp_ns, bumper.data));
                true
            }
            AnyMessage::LaserScan(scan) => {
                let mount = self.mounts.lookup(&self.base_frame, &scan.header.frame_id, 0);
                // The newest odometry is at most one period older than the scan.
                let (Ok(mount), Some((_, odom_from_base))) = (mount, self.odom_from_base) else {
                    return false;
                };
                self.echoes = Echoes::new(&range_scan(scan), odom_from_base * Pose2::from_isometry(&mount));
                self.echoes.add(self.bumps.felt(input.stamp_ns, params.touched_s));
                true
            }
            _ => false,
        }
    }

    /// The newest pose on the map, of any age; the map's origin before the first.
    pub(super) fn last_pose(&self) -> Pose2 {
        self.map_from_odom.map_or(Pose2::default(), |m| m.1) * self.odom_from_base().unwrap_or_default()
    }

    /// The robot's pose on the map, or why it is not to be trusted.
    pub(super) fn pose(&self, now_ns: i64, params: &NavigatorParams) -> Result<Pose2, Blind> {
        let fresh = |stamp_ns: i64| (now_ns - stamp_ns) as f64 * 1e-9 <= params.stale_after_s;
        let dark = |reason| Blind { reason, lost: false };
        let (t_map, map_from_odom) = self.map_from_odom.ok_or(dark("waits for the localizer"))?;
        let (t_odom, odom_from_base) = self.odom_from_base.ok_or(dark("waits for odometry"))?;
        if !fresh(t_odom) {
            return Err(dark("odometry has stopped"));
        }
        if !fresh(t_map) {
            return Err(dark("the localizer has stopped"));
        }
        if !self.echoes.stamp_ns.is_some_and(fresh) {
            return Err(dark("the lidar has stopped"));
        }
        if self.position_std_m.is_nan() || self.position_std_m > params.lost_std_m {
            return Err(Blind { reason: "the robot does not know where it is", lost: true });
        }
        Ok(map_from_odom * odom_from_base)
    }
}
