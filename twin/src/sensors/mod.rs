//! What the robot's sensors make of the truth: lidar, wheel odometry, inertial unit, battery.

mod battery;
mod imu;
mod lidar;
mod odometry;

pub use battery::{Battery, BatterySettings, NOMINAL_V};
pub use imu::{Imu, ImuSample, ImuSettings};
pub use lidar::{Lidar, LidarSettings};
pub use odometry::{Odometry, OdometrySample, OdometrySettings};
