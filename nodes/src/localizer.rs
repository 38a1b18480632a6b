//! The localizer node: odometry, IMU and lidar in; `map → odom` and the pose out, once per scan.
//!
//! What it publishes is stamped with the scan's stamp and never later: a consumer that wants a newer pose
//! composes `map → odom` with newer odometry.

use std::sync::Arc;

use domain::Site;
use interfaces::geometry_msgs::PoseWithCovarianceStamped;
use interfaces::tf2_msgs::TFMessage;
use interfaces::{AnyMessage, Publication};
use positioning::localizer::{Estimate, Localizer, LocalizerSettings, Tracking};
use positioning::{FloorMap, Pose2, TfBuffer};
use serde::{Deserialize, Serialize};

use crate::node::{Health, Level, Node, Outbox};
use crate::planar::{
    header, isometry_from_transform, pose_from_pose2, pose2_from_pose, range_scan, stamp_ns, topic,
    transform_stamped,
};

/// Parameters of the localizer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LocalizerParams {
    /// How it trusts its sensors.
    pub filter: LocalizerSettings,
}

/// Why a driving node cannot be set up.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DriveError {
    /// The site has no such floor.
    #[error("no floor {found:?} in site {site:?}; its floors are {}", .allowed.join(", "))]
    UnknownFloor {
        /// Name of the site.
        site: String,
        /// Floor that was asked for.
        found: String,
        /// Floors of the site.
        allowed: Vec<String>,
    },
    /// The floor has no such dock.
    #[error("no dock {found:?} on floor {floor:?}; its docks are {}", if .allowed.is_empty() { "none".into() } else { .allowed.join(", ") })]
    UnknownDock {
        /// Floor.
        floor: String,
        /// Dock that was asked for.
        found: String,
        /// Docks of the floor.
        allowed: Vec<String>,
    },
    /// The floor makes no map.
    #[error(transparent)]
    Map(#[from] positioning::floor_map::FloorMapError),
}

/// A floor of a site by name.
pub fn floor<'a>(site: &'a Site, name: &str) -> Result<&'a domain::site::Floor, DriveError> {
    site.floors.iter().find(|f| f.id == name).ok_or_else(|| DriveError::UnknownFloor {
        site: site.name.clone(),
        found: name.into(),
        allowed: site.floors.iter().map(|f| f.id.clone()).collect(),
    })
}

/// Where a dock stands, for a robot that starts there.
pub fn dock_pose(site: &Site, floor_name: &str, dock: &str) -> Result<Pose2, DriveError> {
    let floor = floor(site, floor_name)?;
    let found = floor.docks.iter().find(|d| d.id == dock).ok_or_else(|| DriveError::UnknownDock {
        floor: floor_name.into(),
        found: dock.into(),
        allowed: floor.docks.iter().map(|d| d.id.clone()).collect(),
    })?;
    Ok(Pose2::new(found.at_m[0], found.at_m[1], found.heading_deg.to_radians()))
}

/// See the module's text.
pub struct LocalizerNode {
    topics: Topics,
    base_frame: String,
    odom_frame: String,
    initial: Pose2,
    /// From the memory of another process: holds until the first scan.
    map_from_odom: Option<Pose2>,
    odom_from_base: Option<Pose2>,
    remembered: Option<Pose2>,
    params: LocalizerParams,
    map: FloorMap,
    mounts: TfBuffer,
    /// From the first scan on whose laser frame is known.
    core: Option<Localizer>,
    last: Option<Estimate>,
    malformed: u64,
    unmounted: u64,
}

struct Topics {
    odom: Arc<str>,
    imu: Arc<str>,
    scan: Arc<str>,
    tf: Arc<str>,
    tf_static: Arc<str>,
    pose: Arc<str>,
}

impl LocalizerNode {
    /// The localizer of a robot on one floor, started at a pose (see [`dock_pose`]).
    pub fn new(
        robot: &str,
        site: &Site,
        floor_name: &str,
        initial: Pose2,
        params: LocalizerParams,
    ) -> Result<Self, DriveError> {
        Ok(Self {
            topics: Topics {
                odom: topic(robot, "odom"),
                imu: topic(robot, "imu"),
                scan: topic(robot, "scan"),
                tf: "/tf".into(),
                tf_static: "/tf_static".into(),
                pose: topic(robot, "pose"),
            },
            base_frame: format!("{robot}/base_link"),
            odom_frame: format!("{robot}/odom"),
            initial,
            map_from_odom: None,
            odom_from_base: None,
            remembered: None,
            params,
            map: FloorMap::from_floor(floor(site, floor_name)?)?,
            mounts: TfBuffer::default(),
            core: None,
            last: None,
            malformed: 0,
            unmounted: 0,
        })
    }

    fn take(&mut self, input: &Publication) {
        match &*input.message {
            AnyMessage::TFMessage(tf) if input.topic == self.topics.tf_static => {
                for t in &tf.transforms {
                    let inserted = isometry_from_transform(&t.transform)
                        .map(|iso| self.mounts.insert_static(&t.header.frame_id, &t.child_frame_id, iso));
                    if !matches!(inserted, Some(Ok(()))) {
                        self.malformed += 1;
                    }
                }
            }
            AnyMessage::Odometry(odom) => match (pose2_from_pose(&odom.pose.pose), &mut self.core) {
                (Some(pose), Some(core)) => core.add_odometry(stamp_ns(&odom.header), pose),
                (None, _) => self.malformed += 1,
                // Before the first scan it only tells where a robot has gone that was not watched meanwhile.
                (Some(pose), None) => self.odom_from_base = Some(pose),
            },
            AnyMessage::Imu(imu) => {
                if let Some(core) = &mut self.core {
                    core.add_yaw_rate(stamp_ns(&imu.header), imu.angular_velocity.z);
                }
            }
            AnyMessage::LaserScan(scan) => {
                if let (None, Some(map), Some(odom)) = (&self.core, self.map_from_odom, self.odom_from_base) {
                    self.initial = map * odom;
                }
                // With a memory it waits for odometry.
                let ready = self.map_from_odom.is_none() || self.odom_from_base.is_some();
                let Ok(base_from_laser) = self.mounts.lookup(&self.base_frame, &scan.header.frame_id, 0)
                else {
                    self.unmounted += 1;
                    return;
                };
                if self.core.is_none() && ready {
                    self.core = Some(Localizer::new(
                        self.map.clone(),
                        self.initial,
                        Pose2::from_isometry(&base_from_laser),
                        self.params.filter.clone(),
                    ));
                }
                if let Some(core) = &mut self.core {
                    core.add_scan(range_scan(scan));
                }
            }
            _ => self.malformed += 1,
        }
    }

    fn publish(&self, estimate: &Estimate, out: &mut Outbox) {
        let stamp = estimate.stamp_ns;
        let transform = transform_stamped(stamp, "map", &self.odom_frame, estimate.map_from_odom);
        out.publish(&self.topics.tf, TFMessage { transforms: vec![transform] });
        let mut pose = PoseWithCovarianceStamped { header: header(stamp, "map"), ..Default::default() };
        pose.pose.pose = pose_from_pose2(estimate.map_from_base);
        // Rows and columns of ROS covariances: x, y, z, roll, pitch, yaw.
        for (i, row) in [0, 1, 5].into_iter().enumerate() {
            for (j, column) in [0, 1, 5].into_iter().enumerate() {
                pose.pose.covariance[6 * row + column] = estimate.covariance[(i, j)];
            }
        }
        out.publish(&self.topics.pose, pose);
    }
}

impl Node for LocalizerNode {
    fn name(&self) -> &str {
        "localizer"
    }

    fn subscriptions(&self) -> Vec<Arc<str>> {
        let t = &self.topics;
        [&t.odom, &t.imu, &t.scan, &t.tf_static].map(Arc::clone).to_vec()
    }

    fn publications(&self) -> Vec<Arc<str>> {
        vec![self.topics.tf.clone(), self.topics.pose.clone()]
    }

    fn on_message(&mut self, input: &Publication, out: &mut Outbox) {
        self.take(input);
        while let Some(estimate) = self.core.as_mut().and_then(Localizer::estimate) {
            self.publish(&estimate, out);
            self.last = Some(estimate);
        }
    }

    fn take_memory(&mut self) -> Option<Vec<Publication>> {
        let estimate = self.last.as_ref().filter(|e| e.tracking == Tracking::Tracking)?;
        if self.remembered == Some(estimate.map_from_odom) {
            return None;
        }
        self.remembered = Some(estimate.map_from_odom);
        let transform = transform_stamped(estimate.stamp_ns, "map", &self.odom_frame, estimate.map_from_odom);
        let message = TFMessage { transforms: vec![transform] };
        Some(vec![Publication::new(self.topics.tf.clone(), estimate.stamp_ns, message)])
    }

    fn recall(&mut self, memory: &[Publication]) {
        for publication in memory {
            if let AnyMessage::TFMessage(tf) = &*publication.message
                && let [t] = tf.transforms.as_slice()
            {
                self.map_from_odom =
                    isometry_from_transform(&t.transform).map(|iso| Pose2::from_isometry(&iso));
            }
        }
    }

    fn health(&self) -> Health {
        let refused = self.core.as_ref().map(Localizer::refused).unwrap_or_default();
        let (level, summary) = match &self.last {
            None if self.unmounted > 0 => {
                (Level::Error, format!("no transform from {} to the scan's frame", self.base_frame))
            }
            None => (Level::Stale, "waits for the first scan".to_owned()),
            Some(e) => match e.tracking {
                Tracking::Tracking => (Level::Ok, "tracking".to_owned()),
                Tracking::DeadReckoning => (Level::Warn, "the scan does not fit the map".to_owned()),
                Tracking::Lost => (Level::Error, "lost: no scan fits the map".to_owned()),
            },
        };
        let mut values = vec![
            ("malformed", self.malformed.to_string()),
            ("scans_without_mount", self.unmounted.to_string()),
            ("motion_refused", refused.motion.to_string()),
            ("scans_refused", refused.scans.to_string()),
            ("odometry_jumps", refused.jumps.to_string()),
        ];
        if let Some(e) = &self.last {
            values.push(("inlier_share", format!("{:.3}", e.inlier_share)));
            values.push((
                "position_std_m",
                format!("{:.4}", e.covariance[(0, 0)].max(e.covariance[(1, 1)]).sqrt()),
            ));
            values.push(("heading_std_deg", format!("{:.3}", e.covariance[(2, 2)].sqrt().to_degrees())));
            values.push(("gyro_bias_radps", format!("{:.5}", e.gyro_bias)));
        }
        Health { level, summary, values }
    }
}
