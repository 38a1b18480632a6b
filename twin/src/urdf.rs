//! The inventory robot as a URDF, from the numbers that physics, lidar and radio use.
//!
//! Links are the frames of `/tf_static`, prefix and all, so `robot_state_publisher` and RViz take it as it is.

use std::f64::consts::FRAC_PI_2;
use std::fmt::Write as _;

use interfaces::geometry_msgs::TransformStamped;

use crate::library::TagKind;
use crate::messages::Names;
use crate::scenario::RobotSettings;
use crate::world::{CHASSIS_HALF_M, CHASSIS_Z_M, MAST_AT_M, MAST_HALF_M, MAST_RADIUS_M};

/// What antennas the robot carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Patch antennas, some decimetres from the shelves.
    Uhf,
    /// Loops in plates on a vertical mast, a hand's breadth from the spines. Their reads have no phase.
    Hf,
}

impl From<TagKind> for Variant {
    /// What a robot carries in a library with such tags.
    fn from(tags: TagKind) -> Self {
        match tags {
            TagKind::Uhf => Self::Uhf,
            TagKind::Hf => Self::Hf,
        }
    }
}

impl Variant {
    /// Thickness (along the boresight), width and height of an antenna, m.
    fn antenna_m(self) -> [f64; 3] {
        match self {
            Self::Uhf => [0.03, 0.20, 0.20],
            Self::Hf => [0.01, 0.12, 0.20],
        }
    }
}

const WHEEL_WIDTH_M: f64 = 0.04;
const LASER_RADIUS_M: f64 = 0.035;
const LASER_HEIGHT_M: f64 = 0.05;
/// Radius of the mast that carries plates, m.
const PLATE_MAST_M: f64 = 0.015;

/// The description of a robot.
pub fn urdf(robot: &RobotSettings, variant: Variant) -> String {
    let prefix = &robot.name;
    let base = &robot.base;
    let mut out = format!("<?xml version=\"1.0\"?>\n<robot name=\"{prefix}\">\n");
    let chassis = format!("<cylinder radius=\"{}\" length=\"{}\"/>", base.radius_m, 2.0 * CHASSIS_HALF_M);
    let inertia = 0.5 * base.mass_kg * base.radius_m * base.radius_m;
    let height = 2.0 * CHASSIS_HALF_M;
    let side = base.mass_kg * (3.0 * base.radius_m * base.radius_m + height * height) / 12.0;
    let mass = format!(
        "    <inertial><origin xyz=\"0 0 {CHASSIS_Z_M}\"/><mass value=\"{}\"/>\
         <inertia ixx=\"{side}\" iyy=\"{side}\" izz=\"{inertia}\" ixy=\"0\" ixz=\"0\" iyz=\"0\"/></inertial>\n",
        base.mass_kg
    );
    link(&mut out, &format!("{prefix}/base_link"), &chassis, [0.0, 0.0, CHASSIS_Z_M], &mass);
    for (side, y) in [("left", base.track_m / 2.0), ("right", -base.track_m / 2.0)] {
        let shape = format!("<cylinder radius=\"{}\" length=\"{WHEEL_WIDTH_M}\"/>", base.wheel_radius_m);
        let name = format!("{prefix}/{side}_wheel");
        link(&mut out, &name, &shape, [0.0; 3], "");
        joint(&mut out, prefix, &name, [0.0, y, base.wheel_radius_m], [FRAC_PI_2, 0.0, 0.0]);
    }
    let mast = format!("<cylinder radius=\"{MAST_RADIUS_M}\" length=\"{}\"/>", 2.0 * MAST_HALF_M);
    let name = format!("{prefix}/mast");
    link(&mut out, &name, &mast, [0.0; 3], "");
    joint(&mut out, prefix, &name, MAST_AT_M, [0.0; 3]);
    if variant == Variant::Hf && !robot.antennas_m.is_empty() {
        plate_mast(&mut out, robot);
    }
    // Where they sit is said in one place, for tf and for this.
    for mount in Names::new(prefix).mounts(0, robot) {
        let (at, yaw) = place(&mount);
        let antenna = mount.child_frame_id.contains("antenna");
        let shape = if antenna {
            let [thick, wide, high] = variant.antenna_m();
            format!("<box size=\"{thick} {wide} {high}\"/>")
        } else {
            format!("<cylinder radius=\"{LASER_RADIUS_M}\" length=\"{LASER_HEIGHT_M}\"/>")
        };
        link(&mut out, &mount.child_frame_id, &shape, [0.0; 3], "");
        joint(&mut out, prefix, &mount.child_frame_id, at, [0.0, 0.0, yaw]);
    }
    out.push_str("</robot>\n");
    out
}

/// The mast behind the plates, from the chassis to the uppermost one.
fn plate_mast(out: &mut String, robot: &RobotSettings) {
    let count = robot.antennas_m.len() as f64;
    let middle = |axis: usize| robot.antennas_m.iter().map(|a| a[axis]).sum::<f64>() / count;
    let top = robot.antennas_m.iter().map(|a| a[2]).fold(0.0, f64::max) + Variant::Hf.antenna_m()[2] / 2.0;
    let name = format!("{}/plate_mast", robot.name);
    link(out, &name, &format!("<cylinder radius=\"{PLATE_MAST_M}\" length=\"{top}\"/>"), [0.0; 3], "");
    // They look to the left, so it stands to their right.
    let behind = middle(1) - Variant::Hf.antenna_m()[0] / 2.0 - PLATE_MAST_M;
    joint(out, &robot.name, &name, [middle(0), behind, top / 2.0], [0.0; 3]);
}

fn place(mount: &TransformStamped) -> ([f64; 3], f64) {
    let (t, q) = (&mount.transform.translation, &mount.transform.rotation);
    ([t.x, t.y, t.z], 2.0 * libm::atan2(q.z, q.w))
}

fn link(out: &mut String, name: &str, shape: &str, at: [f64; 3], extra: &str) {
    let origin = format!("<origin xyz=\"{} {} {}\"/>", at[0], at[1], at[2]);
    // Writing to a string does not fail.
    let _ = write!(
        out,
        "  <link name=\"{name}\">\n{extra}    <visual>{origin}<geometry>{shape}</geometry></visual>\n    \
         <collision>{origin}<geometry>{shape}</geometry></collision>\n  </link>\n"
    );
}

fn joint(out: &mut String, prefix: &str, child: &str, at: [f64; 3], rpy: [f64; 3]) {
    let _ = write!(
        out,
        "  <joint name=\"{child}_joint\" type=\"fixed\">\n    <parent link=\"{prefix}/base_link\"/>\
         <child link=\"{child}\"/>\n    <origin xyz=\"{} {} {}\" rpy=\"{} {} {}\"/>\n  </joint>\n",
        at[0], at[1], at[2], rpy[0], rpy[1], rpy[2]
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mount_of_tf_static_is_a_joint_of_the_description() {
        let robot = RobotSettings::default();
        for (variant, links) in [(Variant::Uhf, 11), (Variant::Hf, 12)] {
            let text = urdf(&robot, variant);
            assert_eq!(text.matches("<link ").count(), links, "{text}");
            assert_eq!(text.matches("<joint ").count(), links - 1);
            for mount in Names::new("inv_1").mounts(0, &robot) {
                assert!(text.contains(&format!("<child link=\"{}\"/>", mount.child_frame_id)), "{text}");
            }
        }
    }
}
