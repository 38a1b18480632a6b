//! The robot: its frames, its shape, what its laser sees, where it drove and means to drive, its cameras.

use std::collections::{BTreeMap, BTreeSet};

use interfaces::geometry_msgs::{PoseWithCovarianceStamped, Quaternion};
use interfaces::nav_msgs::{Odometry, Path};
use interfaces::sensor_msgs::{CompressedImage, Image, LaserScan};
use interfaces::tf2_msgs::TFMessage;
use re_sdk::EntityPath;
use re_sdk_types::archetypes::{
    Boxes3D, CoordinateFrame, Cylinders3D, Ellipsoids3D, EncodedImage, LineStrips3D, Points3D, Transform3D,
};
use re_sdk_types::components::{FillMode, Radius};
use re_sdk_types::datatypes::{ChannelDatatype, ColorModel};

use super::error::ReviewError;
use super::log::{Log, Style, path};
use super::palette::{ANTENNA, CHASSIS, DRIVEN, LIDAR, MAST, PLANNED, WHEEL, hue};
use super::urdf::{Description, Shape};

/// A piece of the driven path is drawn each time so much time has passed, ns.
const PIECE_NS: i64 = 500_000_000;
/// The path is drawn so high above the floor, m.
const ABOVE_FLOOR: f32 = 0.015;

/// What is remembered of all robots.
pub(super) struct Robots {
    /// Radius of the chassis, m.
    radius_m: f32,
    /// Robots whose shape is known from their description.
    described: BTreeSet<String>,
    /// Fixed frames on robots, drawn a moment later where no description has come: parent, frame, place on the parent, m.
    mounts: Vec<(String, String, [f64; 3])>,
    /// The driven path since it was drawn last, by robot.
    paths: BTreeMap<String, (i64, Vec<[f32; 3]>)>,
    /// Scanners that are drawn already.
    scanners: BTreeSet<EntityPath>,
    /// Directions of a scanner's beams: first angle, step, and their cosines and sines.
    beams: (f32, f32, Vec<(f32, f32)>),
    /// Encodings that the viewer does not show; told once.
    unknown_encodings: BTreeMap<String, u64>,
}

impl Robots {
    pub fn new(radius_m: f32) -> Self {
        Self {
            radius_m,
            described: BTreeSet::new(),
            mounts: Vec::new(),
            paths: BTreeMap::new(),
            scanners: BTreeSet::new(),
            beams: (0.0, 0.0, Vec::new()),
            unknown_encodings: BTreeMap::new(),
        }
    }

    /// Transforms go to the viewer as they are: it keeps a tree of frames of its own.
    pub fn transforms(&mut self, log: &mut Log, message: &TFMessage, fixed: bool) -> Result<(), ReviewError> {
        for t in &message.transforms {
            let (v, q) = (&t.transform.translation, &t.transform.rotation);
            let transform = Transform3D::from_translation([v.x as f32, v.y as f32, v.z as f32])
                .with_quaternion(quaternion(q))
                .with_parent_frame(t.header.frame_id.as_str())
                .with_child_frame(t.child_frame_id.as_str());
            let entity = path(["tf"].into_iter().chain(t.child_frame_id.split('/')));
            if fixed {
                log.fix(entity, &transform)?;
                self.mounts.push((t.header.frame_id.clone(), t.child_frame_id.clone(), [v.x, v.y, v.z]));
            } else {
                log.put(entity, &transform)?;
            }
        }
        Ok(())
    }

    /// Draws the fixed frames that have come, where no description has.
    pub fn settle(&mut self, log: &mut Log) -> Result<(), ReviewError> {
        let mounts = std::mem::take(&mut self.mounts);
        mounts.iter().try_for_each(|(base, frame, at)| self.part(log, base, frame, *at))
    }

    /// Draws what a fixed frame stands for: an antenna, a laser, and the chassis that carries them.
    fn part(&self, log: &mut Log, base: &str, frame: &str, at: [f64; 3]) -> Result<(), ReviewError> {
        let (robot, name) = frame.rsplit_once('/').unwrap_or(("robot", frame));
        if !base.ends_with("base_link") || self.described.contains(robot) {
            return Ok(());
        }
        let body = path([robot, "body"]);
        log.fix(body.clone(), &CoordinateFrame::new(base))?;
        let chassis = Cylinders3D::from_lengths_and_radii([0.19], [self.radius_m])
            .with_centers([[0.0, 0.0, 0.095]])
            .with_colors([CHASSIS])
            .with_fill_mode(FillMode::Solid);
        log.fix(body, &chassis)?;
        let nose = path([robot, "nose"]);
        log.fix(nose.clone(), &CoordinateFrame::new(base))?;
        let ahead = LineStrips3D::new([[[0.0, 0.0, 0.2], [self.radius_m, 0.0, 0.2]]])
            .with_colors([ANTENNA])
            .with_radii([Radius::new_scene_units(0.012)]);
        log.fix(nose, &ahead)?;
        let entity = path([robot, "mounts", name]);
        log.fix(entity.clone(), &CoordinateFrame::new(frame))?;
        if name.starts_with("antenna") {
            // A panel that looks along x.
            let panel = Boxes3D::from_half_sizes([[0.015, 0.12, 0.12]])
                .with_colors([ANTENNA])
                .with_fill_mode(FillMode::Solid);
            log.fix(entity, &panel)?;
            let mast = path([robot, "masts", name]);
            log.fix(mast.clone(), &CoordinateFrame::new(base))?;
            let foot = [at[0] as f32, at[1] as f32, 0.19];
            let strip = LineStrips3D::new([[foot, at.map(|c| c as f32)]])
                .with_colors([MAST])
                .with_radii([Radius::new_scene_units(0.012)]);
            log.fix(mast, &strip)?;
        } else if name.starts_with("laser") {
            let housing = Cylinders3D::from_lengths_and_radii([0.06], [0.05])
                .with_colors([LIDAR])
                .with_fill_mode(FillMode::Solid);
            log.fix(entity, &housing)?;
        }
        Ok(())
    }

    /// Draws a robot as its description (URDF) has it, in place of what its fixed frames tell.
    pub fn description(&mut self, log: &mut Log, robot: &str, urdf: &str) -> Result<(), ReviewError> {
        let description = match Description::parse(urdf) {
            Ok(description) => description,
            Err(problem) => {
                tracing::warn!(
                    robot,
                    problem,
                    "the robot's description cannot be read; it is drawn from its frames"
                );
                return Ok(());
            }
        };
        if description.meshes > 0 {
            tracing::warn!(robot, meshes = description.meshes, "meshes are not in the bag, and not drawn");
        }
        self.described.insert(robot.to_owned());
        for (i, visual) in description.visuals.iter().enumerate() {
            let name = visual.link.rsplit('/').next().unwrap_or_default();
            let entity = path([robot, "body", &format!("{name}_{i}")]);
            log.fix(entity.clone(), &CoordinateFrame::new(description.root.as_str()))?;
            let colour = visual.colour.unwrap_or_else(|| match name {
                _ if name.starts_with("antenna") => ANTENNA,
                _ if name.starts_with("laser") => LIDAR,
                _ if name.contains("mast") => MAST,
                _ if name.contains("wheel") => WHEEL,
                _ => CHASSIS,
            });
            let turn = re_sdk_types::datatypes::Quaternion::from_xyzw(visual.turn);
            match visual.shape {
                Shape::Box(size) => {
                    let solid = Boxes3D::from_centers_and_sizes([visual.at], [size])
                        .with_quaternions([turn])
                        .with_colors([colour])
                        .with_fill_mode(FillMode::Solid);
                    log.fix(entity, &solid)?;
                }
                Shape::Cylinder { radius, length } => {
                    let solid = Cylinders3D::from_lengths_and_radii([length], [radius])
                        .with_centers([visual.at])
                        .with_quaternions([turn])
                        .with_colors([colour])
                        .with_fill_mode(FillMode::Solid);
                    log.fix(entity, &solid)?;
                }
                Shape::Sphere { radius } => {
                    let solid = Ellipsoids3D::from_centers_and_radii([visual.at], [radius])
                        .with_colors([colour])
                        .with_fill_mode(FillMode::Solid);
                    log.fix(entity, &solid)?;
                }
            }
        }
        Ok(())
    }

    /// A scan as points in the laser's frame. Ranges after REP-117: what is not finite is no echo.
    pub fn scan(&mut self, log: &mut Log, robot: &str, scan: &LaserScan) -> Result<(), ReviewError> {
        let (first, step, beams) = &mut self.beams;
        if *first != scan.angle_min || *step != scan.angle_increment || beams.len() < scan.ranges.len() {
            (*first, *step) = (scan.angle_min, scan.angle_increment);
            *beams = (0..scan.ranges.len())
                .map(|i| (scan.angle_min + i as f32 * scan.angle_increment).sin_cos())
                .map(|(s, c)| (c, s))
                .collect();
        }
        let points = scan
            .ranges
            .iter()
            .zip(beams.iter())
            .filter(|(r, _)| **r >= scan.range_min && **r <= scan.range_max)
            .map(|(r, (c, s))| [r * c, r * s, 0.0]);
        let entity = path([robot, "scan"]);
        if self.scanners.insert(entity.clone()) {
            log.fix(entity.clone(), &CoordinateFrame::new(scan.header.frame_id.as_str()))?;
            let style =
                Points3D::update_fields().with_colors([LIDAR]).with_radii([Radius::new_ui_points(1.8)]);
            log.fix(entity.clone(), &style)?;
        }
        log.put(entity, &Points3D::new(points))
    }

    /// The pose adds to the driven path.
    pub fn pose(
        &mut self,
        log: &mut Log,
        robot: &str,
        stamp_ns: i64,
        pose: &PoseWithCovarianceStamped,
    ) -> Result<(), ReviewError> {
        let p = &pose.pose.pose.position;
        let here = [p.x as f32, p.y as f32, ABOVE_FLOOR];
        let (since, piece) = self.paths.entry(robot.to_owned()).or_insert((stamp_ns, Vec::new()));
        piece.push(here);
        let deviation = pose.pose.covariance[0].max(pose.pose.covariance[7]).max(0.0).sqrt();
        log.value(
            &path(["health", "pose_deviation", robot]),
            || Style::Line(format!("{robot}: pose, standard deviation (m)"), DRIVEN),
            stamp_ns,
            deviation,
        )?;
        if stamp_ns - *since < PIECE_NS || piece.len() < 2 {
            return Ok(());
        }
        let strip = std::mem::replace(piece, vec![here]);
        *since = stamp_ns;
        let line = LineStrips3D::new([strip]).with_colors([DRIVEN]).with_radii([Radius::new_ui_points(1.5)]);
        log.put_on_map(path([robot, "driven"]), &line)
    }

    /// What the robot means to drive.
    pub fn plan(&self, log: &mut Log, robot: &str, name: &str, plan: &Path) -> Result<(), ReviewError> {
        let strip: Vec<[f32; 3]> =
            plan.poses.iter().map(|p| &p.pose.position).map(|p| [p.x as f32, p.y as f32, 0.02]).collect();
        let line = LineStrips3D::new([strip]).with_colors([PLANNED]).with_radii([Radius::new_ui_points(1.5)]);
        let entity = path([robot, name]);
        if plan.header.frame_id.is_empty() || plan.header.frame_id == super::log::MAP {
            return log.put_on_map(entity, &line);
        }
        log.fix(entity.clone(), &CoordinateFrame::new(plan.header.frame_id.as_str()))?;
        log.put(entity, &line)
    }

    /// Speeds by the wheels. Where they say that the robot is goes with the transforms.
    pub fn odometry(
        &self,
        log: &mut Log,
        robot: &str,
        stamp_ns: i64,
        odometry: &Odometry,
    ) -> Result<(), ReviewError> {
        let twist = &odometry.twist.twist;
        let both = [("forward", "m/s", twist.linear.x), ("turn", "rad/s", twist.angular.z)];
        for (i, (name, unit, value)) in both.into_iter().enumerate() {
            log.value(
                &path(["health", "speed", robot, name]),
                || Style::Line(format!("{robot}: {name} ({unit})"), hue(2 + 2 * i, 6)),
                stamp_ns,
                value,
            )?;
        }
        Ok(())
    }

    /// A camera's picture.
    pub fn image(
        &mut self,
        log: &mut Log,
        robot: &str,
        camera: &str,
        image: &Image,
    ) -> Result<(), ReviewError> {
        use re_sdk_types::archetypes::Image as Shown;
        let size = [image.width, image.height];
        let (model, channels) = match image.encoding.as_str() {
            "rgb8" => (ColorModel::RGB, 3),
            "bgr8" => (ColorModel::BGR, 3),
            "rgba8" => (ColorModel::RGBA, 4),
            "mono8" | "8UC1" => (ColorModel::L, 1),
            other => {
                let count = self.unknown_encodings.entry(other.to_owned()).or_default();
                if *count == 0 {
                    tracing::warn!(encoding = other, robot, camera, "images in this encoding are left out");
                }
                *count += 1;
                return Ok(());
            }
        };
        let row = image.width as usize * channels;
        let bytes: Vec<u8> = if image.step as usize == row {
            image.data.clone()
        } else {
            image
                .data
                .chunks(image.step.max(1) as usize)
                .flat_map(|r| r[..row.min(r.len())].iter().copied())
                .collect()
        };
        if bytes.len() != row * image.height as usize {
            tracing::warn!(
                robot,
                camera,
                bytes = bytes.len(),
                "an image's size is not the one that it names"
            );
            return Ok(());
        }
        let shown = Shown::from_color_model_and_bytes(bytes, size, model, ChannelDatatype::U8);
        log.put(of_camera(robot, camera), &shown)
    }

    /// A camera's compressed picture.
    pub fn compressed(
        &self,
        log: &mut Log,
        robot: &str,
        camera: &str,
        image: &CompressedImage,
    ) -> Result<(), ReviewError> {
        log.put(of_camera(robot, camera), &EncodedImage::from_file_contents(image.data.clone()))
    }
}

/// A rotation as the viewer takes it.
fn quaternion(q: &Quaternion) -> re_sdk_types::datatypes::Quaternion {
    re_sdk_types::datatypes::Quaternion::from_xyzw([q.x as f32, q.y as f32, q.z as f32, q.w as f32])
}

/// A camera's entity has its topic's name.
fn of_camera(robot: &str, camera: &str) -> EntityPath {
    path([robot].into_iter().chain(camera.split('/')))
}
