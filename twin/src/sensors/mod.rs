//! What the robot's sensors make of the truth: lidar, wheel odometry, inertial unit, bumper, battery, and what holds of its cameras without a renderer.

mod battery;
mod bumper;
mod camera;
mod imu;
mod lidar;
mod odometry;

pub use battery::{Battery, BatterySettings, NOMINAL_V};
pub use bumper::Bumper;
pub use camera::{CameraSettings, REFERENCE_SHUTTER_S};
pub use imu::{Imu, ImuSample, ImuSettings};
pub use lidar::{Hit, Lidar, LidarSettings};
pub use odometry::{Odometry, OdometrySample, OdometrySettings};
