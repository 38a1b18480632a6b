//! What the robots' sensors publish, as messages with the frames that all parts agree on.

use std::f64::consts::FRAC_PI_2;
use std::sync::Arc;

use domain::Uid;
use interfaces::Publication;
use interfaces::builtin_interfaces::Time;
use interfaces::geometry_msgs::{Quaternion, Transform, TransformStamped, Vector3};
use interfaces::nav_msgs;
use interfaces::rosgraph_msgs::Clock;
use interfaces::sensor_msgs::{self, BatteryState, LaserScan};
use interfaces::shelfwright_msgs::TagRead;
use interfaces::std_msgs::{Bool, Header};
use interfaces::tf2_msgs::TFMessage;

use crate::radio::RadioRead;
use crate::scenario::RobotSettings;
use crate::sensors::{Battery, Imu, ImuSample, Lidar, NOMINAL_V, OdometrySample};

/// Time of one lidar turn, s.
pub(crate) const SCAN_S: f64 = 0.1;

/// `/clock`.
pub(crate) fn clock(topic: &Arc<str>, now_ns: i64) -> Publication {
    Publication::new(topic.clone(), now_ns, Clock { clock: Time::from_ns(now_ns) })
}

/// Topics and frames of one robot.
pub(crate) struct Names {
    pub reads: Arc<str>,
    pub scan: Arc<str>,
    pub odom: Arc<str>,
    pub imu: Arc<str>,
    pub battery: Arc<str>,
    pub bumper: Arc<str>,
    pub description: Arc<str>,
    pub tf: Arc<str>,
    odom_frame: String,
    base_frame: String,
    laser_frame: String,
    reader: String,
    robot: String,
}

impl Names {
    pub fn new(robot: &str) -> Self {
        let topic = |name: &str| Arc::from(format!("/{robot}/{name}"));
        Self {
            reads: topic("reads"),
            scan: topic("scan"),
            odom: topic("odom"),
            imu: topic("imu"),
            battery: topic("battery"),
            bumper: topic("bumper"),
            description: topic("robot_description"),
            tf: Arc::from("/tf"),
            odom_frame: format!("{robot}/odom"),
            base_frame: format!("{robot}/base_link"),
            laser_frame: format!("{robot}/laser"),
            reader: format!("{robot}/reader"),
            robot: robot.to_owned(),
        }
    }

    fn antenna_frame(&self, port: usize) -> String {
        format!("{}/antenna_{port}", self.robot)
    }

    fn camera_frame(&self, n: usize) -> String {
        format!("{}/camera_{n}", self.robot)
    }

    /// Where laser, antennas and cameras sit on the base; an antenna's x axis is its boresight, a camera's frame is the
    /// optical one.
    pub fn mounts(&self, now_ns: i64, robot: &RobotSettings) -> Vec<TransformStamped> {
        let at = |child: String, [x, y, z]: [f64; 3], yaw: f64| TransformStamped {
            header: Header::new(now_ns, self.base_frame.clone()),
            child_frame_id: child,
            transform: Transform { translation: Vector3 { x, y, z }, rotation: turned(yaw) },
        };
        let mut all = vec![at(self.laser_frame.clone(), [0.0, 0.0, robot.lidar.height_m], 0.0)];
        for (i, mount) in robot.antennas_m.iter().enumerate() {
            all.push(at(self.antenna_frame(i + 1), *mount, FRAC_PI_2));
        }
        for (i, camera) in robot.cameras.iter().enumerate() {
            let mut mount = at(self.camera_frame(i + 1), camera.at_m, 0.0);
            let [x, y, z, w] = camera.rotation();
            mount.transform.rotation = Quaternion { x, y, z, w };
            all.push(mount);
        }
        all
    }

    pub fn read(&self, read: &RadioRead, protocol: u8, uid: &Uid) -> Publication {
        let message = TagRead {
            header: Header::new(read.stamp_ns, self.antenna_frame(read.port.into())),
            reader: self.reader.clone(),
            protocol,
            antenna: read.port,
            uid: uid.as_bytes().to_vec(),
            rssi_dbm: read.rssi_dbm,
            phase_rad: read.phase_rad,
            frequency_hz: read.frequency_hz,
        };
        Publication::new(self.reads.clone(), read.stamp_ns, message)
    }

    pub fn scan(&self, now_ns: i64, lidar: &Lidar, ranges: Vec<f32>) -> Publication {
        let s = lidar.settings();
        let message = LaserScan {
            header: Header::new(now_ns, self.laser_frame.clone()),
            angle_min: lidar.first_rad() as f32,
            angle_max: (lidar.first_rad() + f64::from(s.beams - 1) * lidar.step_rad()) as f32,
            angle_increment: lidar.step_rad() as f32,
            // All beams of a turn are cast at one moment.
            time_increment: 0.0,
            scan_time: SCAN_S as f32,
            range_min: s.range_min_m as f32,
            range_max: s.range_m as f32,
            ranges,
            intensities: vec![],
        };
        Publication::new(self.scan.clone(), now_ns, message)
    }

    /// Odometry and the transform that goes with it.
    pub fn odometry(&self, now_ns: i64, o: &OdometrySample) -> [Publication; 2] {
        let header = Header::new(now_ns, self.odom_frame.clone());
        let [x, y, yaw] = o.pose;
        let transform = TransformStamped {
            header: header.clone(),
            child_frame_id: self.base_frame.clone(),
            transform: Transform { translation: Vector3 { x, y, z: 0.0 }, rotation: turned(yaw) },
        };
        let mut m = nav_msgs::Odometry {
            header,
            child_frame_id: self.base_frame.clone(),
            ..nav_msgs::Odometry::default()
        };
        m.pose.pose.position.x = x;
        m.pose.pose.position.y = y;
        m.pose.pose.orientation = turned(yaw);
        m.twist.twist.linear.x = o.forward_mps;
        m.twist.twist.angular.z = o.turn_radps;
        // Diagonals of x, y, z, roll, pitch, yaw: what moves on the plane, and what cannot.
        for (i, (pose, twist)) in
            [(0.01, 1e-4), (0.01, 1e-6), (1e-6, 1e-6), (1e-6, 1e-6), (1e-6, 1e-6), (0.02, 4e-4)]
                .iter()
                .enumerate()
        {
            m.pose.covariance[i * 7] = *pose;
            m.twist.covariance[i * 7] = *twist;
        }
        [
            Publication::new(self.odom.clone(), now_ns, m),
            Publication::new(self.tf.clone(), now_ns, TFMessage { transforms: vec![transform] }),
        ]
    }

    pub fn imu(&self, now_ns: i64, imu: &Imu, s: &ImuSample) -> Publication {
        let vector = |v: [f64; 3]| Vector3 { x: v[0], y: v[1], z: v[2] };
        let mut m = sensor_msgs::Imu {
            header: Header::new(now_ns, self.base_frame.clone()),
            angular_velocity: vector(s.turn_radps),
            linear_acceleration: vector(s.accel_mps2),
            ..sensor_msgs::Imu::default()
        };
        // It gives no orientation.
        m.orientation_covariance[0] = -1.0;
        let (gyro, accel) = (imu.settings().gyro_noise_radps, imu.settings().accel_noise_mps2);
        for i in 0..3 {
            m.angular_velocity_covariance[i * 4] = gyro * gyro;
            m.linear_acceleration_covariance[i * 4] = accel * accel;
        }
        Publication::new(self.imu.clone(), now_ns, m)
    }

    /// Whether the bumper is pressed.
    pub fn bumper(&self, now_ns: i64, pressed: bool) -> Publication {
        Publication::new(self.bumper.clone(), now_ns, Bool { data: pressed })
    }

    pub fn battery(&self, now_ns: i64, b: &Battery) -> Publication {
        let capacity = b.settings().capacity_wh / NOMINAL_V;
        let m = BatteryState {
            header: Header::new(now_ns, self.base_frame.clone()),
            voltage: b.voltage() as f32,
            temperature: f32::NAN,
            current: -b.current() as f32,
            charge: (capacity * b.charge()) as f32,
            capacity: capacity as f32,
            design_capacity: capacity as f32,
            percentage: b.charge() as f32,
            power_supply_status: if b.charging() {
                BatteryState::POWER_SUPPLY_STATUS_CHARGING
            } else {
                BatteryState::POWER_SUPPLY_STATUS_DISCHARGING
            },
            power_supply_health: BatteryState::POWER_SUPPLY_HEALTH_GOOD,
            power_supply_technology: BatteryState::POWER_SUPPLY_TECHNOLOGY_LION,
            present: true,
            ..BatteryState::default()
        };
        Publication::new(self.battery.clone(), now_ns, m)
    }
}

/// Rotation about the vertical axis.
fn turned(yaw: f64) -> Quaternion {
    Quaternion { x: 0.0, y: 0.0, z: libm::sin(yaw / 2.0), w: libm::cos(yaw / 2.0) }
}
