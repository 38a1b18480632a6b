//! Reads: a ray from where the antenna was to where the tag is held to be, and a profile of the tags under review.

use std::collections::{BTreeMap, VecDeque};

use interfaces::shelfwright_msgs::TagRead;
use re_sdk_types::archetypes::{LineStrips2D, LineStrips3D, Points2D};
use re_sdk_types::components::Radius;

use super::books::Books;
use super::error::ReviewError;
use super::frames::{Frames, Place};
use super::log::{Log, Style, path};
use super::palette::{ANTENNA, hue, read as colour};
use super::profile::Profiles;
use super::spots::Faces;
use super::stacks::on_elevation;

/// A read waits so long for its transform, ns; then the localizer has stopped.
const PATIENCE_NS: i64 = 500_000_000;
/// Rays are drawn together for so long, ns.
const TOGETHER_NS: i64 = 100_000_000;
/// Ray of a tag that has no place yet, m.
const STUB_M: f64 = 0.35;
/// Reads that wait at the most; the oldest are dropped and counted.
const WAITING: usize = 50_000;

struct Ray {
    stamp_ns: i64,
    map: [[f32; 3]; 2],
    /// On the elevation of the face that is scanned.
    flat: Option<[[f32; 2]; 2]>,
    colour: super::palette::Colour,
}

/// The reads of one robot.
#[derive(Default)]
pub(super) struct Reads {
    waiting: VecDeque<(i64, TagRead)>,
    rays: Vec<Ray>,
    /// Reads of the present second, and when it began, ns.
    second: Option<(i64, u64)>,
    /// When the rays that are shown were drawn, ns: they are taken away when nothing follows.
    shown: Option<i64>,
    /// Face whose elevation holds rays.
    face: String,
    /// Reads whose antenna's place never came to be known.
    pub lost: u64,
}

/// What reads are drawn against.
pub(super) struct Scene<'a> {
    pub robot: &'a str,
    /// Face that the robot scans; empty between passes.
    pub face: &'a str,
    pub faces: &'a Faces,
    pub books: &'a Books,
    pub frames: &'a dyn Frames,
}

impl Reads {
    /// Takes a read in.
    pub fn take(
        &mut self,
        log: &mut Log,
        robot: &str,
        stamp_ns: i64,
        read: &TagRead,
    ) -> Result<(), ReviewError> {
        self.waiting.push_back((stamp_ns, read.clone()));
        if self.waiting.len() > WAITING {
            self.waiting.pop_front();
            self.lost += 1;
        }
        self.count(log, robot, stamp_ns, 1)
    }

    /// Reads a second, once a second.
    fn count(&mut self, log: &mut Log, robot: &str, now_ns: i64, more: u64) -> Result<(), ReviewError> {
        const SECOND: i64 = 1_000_000_000;
        let (began, reads) = self.second.get_or_insert((now_ns, 0));
        while now_ns - *began >= SECOND {
            let (at, rate) = (*began, *reads);
            *began += SECOND;
            *reads = 0;
            // After a long silence one zero says it all.
            if now_ns - *began >= 10 * SECOND {
                *began = now_ns - SECOND;
            }
            let entity = path(["health", "reads", robot]);
            log.value(&entity, || Style::Line(format!("{robot}: reads/s"), hue(2, 6)), at, rate as f64)?;
        }
        *reads += more;
        Ok(())
    }

    /// Draws the reads whose antenna's place is known by now.
    pub fn work(
        &mut self,
        log: &mut Log,
        scene: &Scene<'_>,
        profiles: &mut Profiles,
        now_ns: i64,
    ) -> Result<(), ReviewError> {
        while let Some((stamp_ns, read)) = self.waiting.front() {
            match scene.frames.place(&read.header.frame_id, *stamp_ns) {
                Place::At { origin_m, x_axis } => {
                    let (stamp_ns, read) = (*stamp_ns, read.clone());
                    self.waiting.pop_front();
                    self.place(log, scene, profiles, stamp_ns, &read, origin_m, x_axis)?;
                }
                Place::Later if now_ns - *stamp_ns < PATIENCE_NS => break,
                _ => {
                    self.lost += 1;
                    self.waiting.pop_front();
                }
            }
        }
        if self.rays.first().is_some_and(|r| now_ns - r.stamp_ns >= 2 * TOGETHER_NS) {
            self.draw(log, scene.robot)?;
        }
        if self.shown.is_some_and(|at| now_ns - at >= 3 * TOGETHER_NS) && self.rays.is_empty() {
            log.at(now_ns);
            self.clear(log, scene.robot)?;
        }
        self.count(log, scene.robot, now_ns, 0)
    }

    #[allow(clippy::too_many_arguments)]
    fn place(
        &mut self,
        log: &mut Log,
        scene: &Scene<'_>,
        profiles: &mut Profiles,
        stamp_ns: i64,
        read: &TagRead,
        origin: [f64; 3],
        x_axis: [f64; 3],
    ) -> Result<(), ReviewError> {
        let face = scene.faces.get(scene.face);
        let here = face.map(|f| f.face_from_map(origin));
        if let Some(here) = here {
            profiles.take(scene.face, stamp_ns, read, here);
        }
        let spot = scene.books.spot_on(scene.face, &read.uid).or_else(|| scene.books.spot(&read.uid));
        let from = origin.map(|c| c as f32);
        let to = spot
            .map_or_else(|| std::array::from_fn(|i| (origin[i] + STUB_M * x_axis[i]) as f32), |s| s.map_m);
        let flat = here.and_then(|[x, _, z]| {
            let spot = spot.filter(|s| s.face == scene.face)?;
            Some([[x as f32, -z as f32], [spot.along_m, -spot.height_m]])
        });
        if self.face != scene.face || self.rays.first().is_some_and(|r| stamp_ns - r.stamp_ns >= TOGETHER_NS)
        {
            self.draw(log, scene.robot)?;
            self.face = scene.face.to_owned();
        }
        self.rays.push(Ray { stamp_ns, map: [from, to], flat, colour: colour(read.rssi_dbm) });
        Ok(())
    }

    /// Draws the rays that have come together.
    pub fn draw(&mut self, log: &mut Log, robot: &str) -> Result<(), ReviewError> {
        let Some(first) = self.rays.first() else { return Ok(()) };
        let at_ns = first.stamp_ns;
        log.at(at_ns);
        let rays = LineStrips3D::new(self.rays.iter().map(|r| r.map))
            .with_colors(self.rays.iter().map(|r| r.colour))
            .with_radii([Radius::new_ui_points(0.6)]);
        log.put_on_map(path([robot, "reads"]), &rays)?;
        if !self.face.is_empty() {
            let flat = || self.rays.iter().filter_map(|r| Some((r.flat?, r.colour)));
            let rays = LineStrips2D::new(flat().map(|(strip, _)| strip))
                .with_colors(flat().map(|(_, colour)| colour))
                .with_radii([Radius::new_ui_points(0.5)]);
            log.put(on_elevation(&self.face, "reads"), &rays)?;
            let antennas = Points2D::new(flat().map(|([from, _], _)| from))
                .with_colors([ANTENNA])
                .with_radii([Radius::new_ui_points(3.0)]);
            log.put(on_elevation(&self.face, "antennas"), &antennas)?;
        }
        self.rays.clear();
        self.shown = Some(at_ns);
        Ok(())
    }

    /// The reads that still wait for a transform never get one.
    pub fn give_up(&mut self) {
        self.lost += self.waiting.len() as u64;
        self.waiting.clear();
    }

    /// Takes the rays away: the reader is silent.
    fn clear(&mut self, log: &mut Log, robot: &str) -> Result<(), ReviewError> {
        const NONE3: [[[f32; 3]; 2]; 0] = [];
        const NONE2: [[[f32; 2]; 2]; 0] = [];
        const NO_POINTS: [[f32; 2]; 0] = [];
        log.put_on_map(path([robot, "reads"]), &LineStrips3D::new(NONE3))?;
        if !self.face.is_empty() {
            log.put(on_elevation(&self.face, "reads"), &LineStrips2D::new(NONE2))?;
            log.put(on_elevation(&self.face, "antennas"), &Points2D::new(NO_POINTS))?;
        }
        self.shown = None;
        Ok(())
    }
}

/// The reads of all robots.
pub(super) type ByRobot = BTreeMap<String, Reads>;
